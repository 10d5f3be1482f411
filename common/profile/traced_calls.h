// Whole calls, timed with and without their stages.
#pragma once

#include <functional>

#include <tandem/operation_profile.h>

namespace tandem::profile {

/// Times batches of `call`, which returns when its result is there: in turns as it is, and with the context's recorder
/// replaced by one of stages. Fills call, traced, wall, stages, accounted and spans.
void time_calls_with_stages(Context& ctx, const std::function<void()>& call, const ProfileOptions& options,
                            Profile& out);

}  // namespace tandem::profile
