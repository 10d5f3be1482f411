// A kernel whose data is in no cache.
#pragma once

#include <functional>

#include <tandem/operation_profile.h>

namespace tandem::profile {

/// Times single calls of a kernel, each after evict_host(), or after a copy of twice the L2 within the device. On the host
/// by its clock, on a GPU from event to event. Fills cold, or cold_reason.
void time_cold(Context& ctx, Backend backend, const std::function<void()>& call, const ProfileOptions& options,
               Profile& out);

}  // namespace tandem::profile
