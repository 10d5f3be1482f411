// profile_operation: judge, time the kernel alone, time whole calls with and without their stages, then cold caches.
#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <tandem/operation_profile.h>

#include "common/ops/problem.h"
#include "common/profile/cold.h"
#include "common/profile/compare.h"
#include "common/profile/counters.h"
#include "common/profile/judge.h"
#include "common/profile/operation_figures.h"
#include "common/profile/run_facts.h"
#include "common/profile/traced_calls.h"

namespace tandem {
namespace profile {
namespace {

/// What a problem runs on without a kernel named, with the reason.
template <class Op>
std::pair<const Entry<Op>*, std::string> choose(Context& ctx, const Case<Op>& problem, std::span<const View> operands) {
  Context::Impl& impl = ctx.impl();
  const Situation<Op> situation = make_situation<Op>(impl, problem.attributes, operands);
  const Selection<Op> selection = select<Op>(situation, impl.policy, impl.machine, nullptr, impl.tuning.get());
  return {selection.entry, situation.kernel.empty() ? "least predicted time" : "the policy forces it"};
}

template <class Op>
const Entry<Op>& named(const std::string& op, const std::string& kernel) {
  if (const Entry<Op>* entry = find_kernel<Op>(kernel)) return *entry;
  throw Error(Code::invalid_argument,
              fmt::format("there is no kernel '{}' for {}; tandem-compare --list shows the names", kernel, op));
}

/// What the processor's counters say of about `seconds` of calls.
std::vector<NamedFigure> count(const std::function<void()>& call, const Timing& time, double seconds) {
  const double calls = time.measured() ? seconds / time.summary.median : 1;
  const int count = static_cast<int>(std::clamp(calls, 1.0, 1e6));
  Counters counters;
  if (!counters.any()) return counter_figures(counters.stop(), 1);
  counters.start();
  for (int i = 0; i < count; ++i) call();
  return counter_figures(counters.stop(), count);
}

/// Fills cold, or cold_reason.
void time_cold(Context& ctx, Backend backend, const std::function<void()>& call, const ProfileOptions& options,
               Profile& out) {
  try {
    const Timed timed = ColdCaches(ctx).timed("cold caches", backend, call);
    out.cold = timing_of(std::move(measure_cold(std::span(&timed, 1), measure_options(options)).front()));
  } catch (const Error& error) {  // no memory to flush with
    out.cold_reason = error.what();
    return;
  }
  if (!out.cold.measured()) out.cold_reason = why_not_measured(out.cold);
}

template <class Op>
void profile_case(Context& ctx, const Case<Op>& problem, const ProfileOptions& options, Profile& out) {
  Context::Impl& impl = ctx.impl();
  std::shared_ptr<DeviceOperands> device;
  if (options.resident) device = std::make_shared<DeviceOperands>(ctx, problem.operands);
  const std::span<const View> operands = device ? device->views() : problem.operands.views();

  const Entry<Op>* entry = nullptr;
  if (options.kernel.empty()) {
    std::tie(entry, out.why) = choose(ctx, problem, operands);
  } else {
    entry = &named<Op>(problem.op, options.kernel);
    out.why = "named";
  }
  if (options.resident && entry->backend == Backend::cpu)
    throw Error(Code::invalid_argument, fmt::format("{} does not run on operands in device memory", entry->name));

  const Judge judge = judge_of(problem, options.seed);
  CompareOptions how;
  how.min_seconds = options.min_seconds;
  how.seed = options.seed;
  how.cancel = options.cancel;
  how.observe = options.observe;
  how.wanted = [&](std::string_view kernel) { return kernel == entry->name; };
  out.row = compare_kernels<Op>(ctx, problem, std::span(entry, 1), judge, out.roof, how).front();
  if (out.row.status != Status::ok) return;

  CallOptions call;
  call.kernel = entry->name;
  time_calls_with_stages(
      ctx,
      [&] {
        execute<Op>(ctx, problem.attributes, operands, call);
        ctx.synchronize();
      },
      options, out);
  const bool host = entry->backend == Backend::cpu;
  const detail::Way way =
      host ? detail::host_way(impl, *entry, problem) : detail::device_way(ctx, *entry, problem, device);
  CounterReading none;
  none.reason = "n/a: the processor's counters do not count what a GPU does";
  out.counters = host ? count(way.call, out.row.time, options.min_seconds) : counter_figures(none, 1);
  if (options.cold) {
    time_cold(ctx, entry->backend, way.call, options, out);
  } else {
    out.cold_reason = "not asked for (--cold)";
  }
}

}  // namespace
}  // namespace profile

profile::Profile profile_operation(Context& ctx, const profile::Problem& problem,
                                   const profile::ProfileOptions& options) {
  check_problem(problem);
  if (options.resident && ctx.machine().gpus.empty())
    throw Error(Code::unavailable, "profiling with resident operands: there is no GPU: " + ctx.machine().no_gpu_reason);
  profile::Profile out;
  with_problem(problem.op, problem.text, [&]<class Op>(const Request<Op>& request) {
    if (!options.kernel.empty()) (void)profile::named<Op>(problem.op, options.kernel);
    profile::Case<Op> made = make_case(problem.op, problem.text, request, problem.given, options.seed);
    made.label = problem.label;
    static_cast<profile::RunFacts&>(out) = profile::begin_run(ctx.machine(), options.seed, options.min_seconds);
    out.resident = options.resident;
    const profile::ClockReadings before = profile::read_clocks();
    profile::profile_case(ctx, made, options, out);
    const profile::ClockReadings after = profile::read_clocks();
    finish_run(out);
    profile::derive_figures(out, before, after);
  });
  out.interrupted = options.cancel && options.cancel->load(std::memory_order_relaxed);
  return out;
}

}  // namespace tandem
