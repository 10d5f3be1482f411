#include <atomic>
#include <exception>

#include <tandem/batch.h>
#include <tandem/error.h>

#include "common/core/context_impl.h"
#include "common/dispatch/recorder.h"

namespace tandem {
namespace {

/// The contexts that do the work: one thread each, the parent's policy and machine.
void make_workers(Context& parent, int count) {
  Context::Impl& impl = parent.impl();
  while (static_cast<int>(impl.workers.size()) < count) {
    ContextOptions options = impl.options;
    options.threads = 1;
    options.isa_max = impl.machine.cpu.isa;
    options.policy = impl.policy;
    impl.workers.push_back(std::make_unique<Context>(options));
    Context::Impl& worker = impl.workers.back()->impl();
    if (worker.tuning_source != impl.tuning_source) worker.use_tuning(impl.tuning_source);
    worker.recorder = impl.recorder ? std::make_unique<ProblemRecorder>(impl.recorder->path()) : nullptr;
  }
  for (const std::unique_ptr<Context>& worker : impl.workers) share_recorder(impl, worker->impl());
}

}  // namespace

std::vector<Tensor> parallel_batch(Context& ctx, std::span<const ConstView> batch, const BatchOp& op) {
  std::vector<Tensor> results(batch.size());
  const int threads = ctx.threads();
  ctx.synchronize();  // items may come from work that is still on the context's stream
  if (threads == 1 || batch.size() < static_cast<std::size_t>(threads)) {
    for (std::size_t i = 0; i < batch.size(); ++i) results[i] = op(ctx, batch[i]);
    ctx.synchronize();
    return results;
  }

  make_workers(ctx, threads);
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::vector<std::exception_ptr> errors(batch.size());
  const Queue queue = ctx.impl().queue(Backend::cpu);
  queue.pool->run(threads, [&](int t, int) {
    Context& worker = *ctx.impl().workers[static_cast<std::size_t>(t)];
    std::size_t i = 0;
    try {
      while (!failed.load(std::memory_order_relaxed) && (i = next.fetch_add(1)) < batch.size())
        results[i] = op(worker, batch[i]);
      worker.synchronize();
    } catch (...) {
      errors[std::min(i, batch.size() - 1)] = std::current_exception();
      failed.store(true, std::memory_order_relaxed);
    }
  });
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
  return results;
}

}  // namespace tandem
