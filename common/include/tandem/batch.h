// The same operation on many tensors, spread over the context's threads, and with them over GPU streams.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include <tandem/context.h>
#include <tandem/tensor.h>

namespace tandem {

/// Called once an item with a context that it must use for its operations. Where items are spread over threads, that is
/// a context of one thread, with a stream of its own and the caller's policy, tuning and log, and several calls run at
/// the same time; with one thread, or fewer items than threads, it is the caller's own.
using BatchOp = std::function<Tensor(Context&, ConstView)>;

/// op applied to every item; results in the order of the items. Items are handed out as threads become free. With fewer
/// items than threads, they run one after another, each on all threads: never more threads than the context has. An
/// exception of `op` reaches the caller (the one of the earliest item that failed); items not yet started are then left
/// out; an empty `op` is Error(invalid_argument). Waits for everything, also on the GPU and after an exception; an
/// error that shows only then reaches the caller where no item failed. The log gets lines from one thread at a time. An
/// empty batch gives an empty result. Results on the GPU belong to the caller's context, as if it had made them.
std::vector<Tensor> parallel_batch(Context& ctx, std::span<const ConstView> batch, const BatchOp& op);

}  // namespace tandem
