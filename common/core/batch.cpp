#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>

#include <tandem/batch.h>
#include <tandem/error.h>

#include "common/core/context_impl.h"
#include "common/core/device_memory.h"
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
  const auto one_at_a_time = std::make_shared<std::mutex>();
  for (const std::unique_ptr<Context>& context : impl.workers) {
    Context::Impl& worker = context->impl();
    share_recorder(impl, worker);
    worker.log = nullptr;
    if (impl.log)
      worker.log = [&impl, one_at_a_time](const std::string& line) {
        const std::lock_guard lock(*one_at_a_time);
        impl.log(line);
      };
  }
}

/// One batch: what its contexts share while they work on it.
struct Batch {
  std::span<const ConstView> items;
  const BatchOp& op;
  std::vector<Tensor> results;
  std::vector<std::exception_ptr> errors;  // of the items, then of the contexts
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};

  Batch(std::span<const ConstView> of, const BatchOp& with, int contexts)
      : items(of), op(with), results(of.size()), errors(of.size() + static_cast<std::size_t>(contexts)) {}

  /// Takes items until there are none left, or one failed, then waits for what they have enqueued.
  void work(Context& ctx, int context) noexcept {
    const auto attempt = [&](std::size_t at, const auto& what) {
      try {
        what();
      } catch (...) {
        errors[at] = std::current_exception();
        failed.store(true, std::memory_order_relaxed);
      }
    };
    std::size_t i = 0;
    while (!failed.load(std::memory_order_relaxed) && (i = next.fetch_add(1)) < items.size())
      attempt(i, [&] { results[i] = op(ctx, items[i]); });
    attempt(items.size() + static_cast<std::size_t>(context), [&] { ctx.synchronize(); });
  }

  std::vector<Tensor> finish() {
    for (const std::exception_ptr& error : errors)
      if (error) std::rethrow_exception(error);
    return std::move(results);
  }
};

/// The caller orders its work on its own context's stream and knows of no other: results of a worker are freed in the
/// order of that one. What the worker's stream had to do with them is complete.
void follow_caller(const std::vector<Tensor>& results, Context::Impl& worker, Context::Impl& caller) {
  if (!worker.has_stream()) return;
  for (const Tensor& result : results)
    if (DeviceMemory* memory = DeviceMemory::of(result); memory && memory->stream == worker.stream("parallel_batch"))
      memory->stream = caller.stream("parallel_batch");
}

}  // namespace

std::vector<Tensor> parallel_batch(Context& ctx, std::span<const ConstView> batch, const BatchOp& op) {
  if (!op) throw Error(Code::invalid_argument, "parallel_batch: the function is empty");
  const int threads = ctx.threads();
  ctx.synchronize();  // items may come from work that is still on the context's stream
  if (threads == 1 || batch.size() < static_cast<std::size_t>(threads)) {
    Batch serial(batch, op, 1);
    serial.work(ctx, 0);
    return serial.finish();
  }
  make_workers(ctx, threads);
  Batch spread(batch, op, threads);
  const Queue queue = ctx.impl().queue(Backend::cpu);
  queue.pool->run(threads, [&](int t, int) { spread.work(*ctx.impl().workers[static_cast<std::size_t>(t)], t); });
  std::vector<Tensor> results = spread.finish();
  for (const std::unique_ptr<Context>& worker : ctx.impl().workers) follow_caller(results, worker->impl(), ctx.impl());
  return results;
}

}  // namespace tandem
