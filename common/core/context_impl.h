// The state of a Context, for dispatch and staging.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/context.h>

#include "common/core/device_api.h"
#include "common/core/thread_pool.h"
#include "common/core/tracer.h"
#include "common/dispatch/cache.h"
#include "common/ops/all.h"

namespace tandem {

class ProblemRecorder;

struct Context::Impl {
  explicit Impl(const ContextOptions& options);
  ~Impl();

  Machine machine;         // as this context may use it: threads and ISA level already capped
  bool pretended = false;  // machine was made up: selecting is allowed, running is not
  Policy policy;
  ContextOptions options;
  std::shared_ptr<const Estimates> tuning;    // null: predictions are priors
  std::string tuning_source;                  // as use_tuning() was told, or the environment
  std::string model;                          // where predictions come from, in a sentence
  std::unique_ptr<ProblemRecorder> recorder;  // null: problems without a measured time are not written down

  /// What predictions come from; see tandem/tuning.h. On an Error nothing changes.
  void use_tuning(const std::string& source);
  void set_policy(const Policy& wanted);
  /// The kernel that the policy forces for an operation, or empty.
  std::string_view forced_kernel(int op) const { return forced_[static_cast<std::size_t>(op)]; }

  /// Throws Error(unavailable) in a context that pretends to be another machine.
  void require_own_machine(std::string_view op) const;
  Queue queue(Backend backend, const char* op = "queue");
  /// Grow-only scratch on the backend's memory, reused by the next call. Throws Error(out_of_memory).
  Workspace workspace(Backend backend, std::size_t bytes, const char* op);
  /// Throws when a kernel reported a failure.
  void check(Code code, const char* op, const std::string& kernel);

  /// The stream of the context's GPU, made at first use. Throws Error(unavailable) with the reason.
  const std::shared_ptr<gpu::Stream>& stream(const char* op);
  bool has_stream() const { return stream_ != nullptr; }
  /// Throws Error(unavailable) for memory of a GPU that is not this context's.
  void require_reachable(Device device, std::string_view op) const;

  template <class Op>
  DecisionCache<Op>& cache() {
    std::unique_ptr<DecisionCacheBase>& slot = caches_[static_cast<std::size_t>(op_index<Op>())];
    if (!slot) slot = std::make_unique<DecisionCache<Op>>();
    return static_cast<DecisionCache<Op>&>(*slot);
  }

  /// Remembers what a call runs, for last() and the log.
  template <class Op>
  void note_call(const Decided<Op>& decided) {
    last_ = &decided;
    describe_last_ = [](const void* p, const Machine& m) {
      const auto& d = *static_cast<const Decided<Op>*>(p);
      const typename Op::Problem& problem = d.situation.on(d.selection.entry->backend);
      return Decision{
          .op = Op::op_name(problem),
          .problem = Op::print(problem),
          .kernel = d.selection.entry->name,
          .backend = d.selection.entry->backend,
          .predicted_seconds = d.selection.prediction.total(),
          .rung = d.selection.prediction.rung,
          .error = d.selection.prediction.error,
          .model = {},
          .threads = m.cpu.threads,
          .why = d.situation.kernel.empty() ? detail::sentence(d.selection.ground) : "this kernel is forced",
          .operands = {},
          .expected_reuse = 1,
          .candidates = {}};
    };
    if (log) log_last();
  }
  Decision last() const;

  std::function<void(const std::string&)> log;
  std::unique_ptr<Tracer> tracer;                 // null: nobody records
  std::vector<std::unique_ptr<Context>> workers;  // of parallel_batch, one thread each

 private:
  ThreadPool* pool();  // null: one thread
  void log_last();
  void find_machine(const std::string& source);  // sets machine, tuning and model
  void limit_machine();                          // as options and environment say

  std::array<std::string, kOpCount> forced_;
  std::array<std::unique_ptr<DecisionCacheBase>, kOpCount> caches_;
  std::unique_ptr<ThreadPool> pool_;
  std::shared_ptr<gpu::Stream> stream_;
  std::shared_ptr<void> host_workspace_;
  std::size_t host_workspace_bytes_ = 0;
  void* device_workspace_ = nullptr;
  std::size_t device_workspace_bytes_ = 0;
  const void* last_ = nullptr;
  Decision (*describe_last_)(const void*, const Machine&) = nullptr;
  Decision kept_last_;  // when the caches were cleared since
};

/// A new tensor for the result of a call: where the policy wants results, else on `beside`.
Tensor new_result(Context& ctx, std::string_view op, const Shape& shape, DType dtype, Device beside);

/// Makes `to` record where `from` does.
void share_recorder(const Context::Impl& from, Context::Impl& to);

/// Seconds of one empty parallel region on a pool of so many threads.
double measure_fork(int threads);

/// This process's machine, detected once; without ceilings.
const Machine& detected_machine();
/// The same with ceilings, which are measured at the first call.
const Machine& this_machine();

}  // namespace tandem
