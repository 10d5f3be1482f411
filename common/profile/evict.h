// Driving data out of the caches, so that the next call finds them cold.
#pragma once

#include <functional>

#include <tandem/context.h>

namespace tandem::profile {

/// A call that leaves nothing of earlier work in the caches: the threads of the context together write four times the last
/// cache levels of the processors that they may run on; for the GPU, a buffer of twice its L2 is copied there, and waited for. The memory lives as long as the
/// function. Throws Error(out_of_memory).
std::function<void()> evict_host(Context& ctx);
std::function<void()> evict_device(Context& ctx);

}  // namespace tandem::profile
