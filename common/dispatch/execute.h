// The path of every call: describe -> select (cached) -> stage what is elsewhere -> bind -> run -> bring the result
// back.
#pragma once

#include <cmath>
#include <exception>
#include <span>
#include <string>

#include <tandem/ops.h>

#include "common/core/context_impl.h"
#include "common/core/host_api.h"
#include "common/core/stage.h"
#include "common/dispatch/recorder.h"
#include "common/dispatch/select.h"
#include "common/ops/all.h"

namespace tandem {

/// What the selection must know of a call on these operands (inputs first, result last).
template <class Op>
Situation<Op> make_situation(Context::Impl& ctx, const typename Op::Attributes& attributes,
                             std::span<const View> operands, const CallOptions& call = {}) {
  const std::string_view kernel = call.kernel;
  Situation<Op> s;
  s.kernel = kernel.empty() ? ctx.forced_kernel(op_index<Op>()) : kernel;
  if (!s.kernel.empty())  // the table's own string outlives the caller's, so that a decision may keep it
    if (const Entry<Op>* entry = find_kernel<Op>(s.kernel)) s.kernel = entry->name;
  s.backend = call.backend ? call.backend : ctx.policy.backend;
  if (!(call.expected_reuse >= 1) || std::isinf(call.expected_reuse))
    throw Error(Code::invalid_argument, Op::op_name(Op::describe(attributes, operands)) + ": expected_reuse is " +
                                            std::to_string(call.expected_reuse) +
                                            "; write a number of calls, 1 or more");
  if (call.backend && *call.backend > Backend::cuda)
    refuse_unknown(Op::op_name(Op::describe(attributes, operands)), "backend", static_cast<int>(*call.backend));
  const auto copies = [&](Backend b, std::span<const View> views) {
    return copies_to(b, views, result_count<Op>(), Op::reads_result(attributes), changing_operand<Op>(),
                     call.expected_reuse);
  };
  const auto describe_host = [&](std::span<const View> views) {
    auto& problem = s.problem[static_cast<std::size_t>(Backend::cpu)];
    problem = Op::describe(attributes, views);
    if constexpr (requires { problem.packed; }) problem.packed = call.packed != nullptr;
  };
  const bool all_host = on_host(operands);
  if (all_host) {
    describe_host(operands);
    if (ctx.machine.gpus.empty()) {  // no second place to run: nothing to weigh
      s.problem[1] = s.problem[0];
      s.copies[1] = copies(Backend::cuda, operands);
      return s;
    }
  }
  for (const View& operand : operands) ctx.require_reachable(operand.device(), Op::kName);
  for (const Twin& twin : call.twins) ctx.require_reachable(twin.other.device(), Op::kName);
  for (const Backend b : {Backend::cpu, Backend::cuda}) {
    const auto at = static_cast<std::size_t>(b);
    const NearViews near(b, operands, call.twins, result_count<Op>(), Op::kName);
    if (b == Backend::cuda)
      s.problem[at] = Op::describe(attributes, arrival_views(b, near.span()).span());
    else if (!all_host)
      describe_host(arrival_views(b, near.span()).span());
    s.copies[at] = copies(b, near.span());
  }
  return s;
}

/// Whether a matrix is b of a product as it is: dense, or the values of its 2:4 storage.
template <class Args>
bool is_b_of(const ConstView& b, const Args& args) {
  if (args.b24.values)
    return args.b24.values == b.data() && args.n == b.shape()[0] && 2 * args.b24.groups == b.shape()[1];
  return args.b.data == b.data() && args.k == b.shape()[0] && args.n == b.shape()[1] && args.b.row == b.strides()[0] &&
         args.b.col == b.strides()[1];
}

/// Gives a product the panels of its b, if the matrix is b, and they are what this context's CPU wants.
template <class Args>
void add_panels(Args& args, const PackedMatrix& packed, const CpuInfo& host) {
  const ConstView& b = packed.matrix;
  if (!is_b_of(b, args)) return;
  const cpu::PackedLayout wanted = cpu::packed_layout(host, b.dtype(), args.k, args.n);
  if (wanted.panel != packed.panel || wanted.bytes != packed.bytes) return;
  args.packed_b = packed.panels;
  args.packed_panel = packed.panel;
}

/// Tells the span of a call what runs.
template <class Op>
void describe_call(Tracer& tracer, const Entry<Op>& entry, const Situation<Op>& situation) noexcept {
  trace::Span* span = tracer.current();
  if (!span) return;
  const typename Op::Problem& problem = situation.on(entry.backend);
  span->backend = entry.backend;
  span->flops = Op::flops(problem);
  span->bytes = Op::bytes(problem);
  try {
    span->name = Op::op_name(problem);
    span->kernel = entry.name;
    span->problem = Op::print(problem);
  } catch (const std::exception&) {  // no memory for the words: the numbers stay
  }
  tracer.begin_range();
}

/// Runs one chosen kernel, staging operands that live elsewhere.
template <class Op>
void run_selected(Context::Impl& ctx, const Selection<Op>& selection, const typename Op::Attributes& attributes,
                  std::span<const View> operands, const CallOptions& call = {}) {
  const Entry<Op>& entry = *selection.entry;
  const Queue queue = ctx.queue(entry.backend, Op::kName);
  const auto run = [&](std::span<const View> here) {
    TraceStage binding(ctx.tracer.get(), trace::Stage::workspace);
    typename Op::Args args = Op::bind(attributes, here);
    if constexpr (requires { args.packed_b; })
      if (call.packed && entry.backend == Backend::cpu) add_panels(args, *call.packed, ctx.machine.cpu);
    const std::size_t bytes = entry.kernel->workspace(Op::describe(attributes, here), ctx.machine);
    const Workspace workspace = ctx.workspace(entry.backend, bytes, Op::kName);
    binding.end();
    const TraceStage kernel(ctx.tracer.get(), trace::Stage::kernel, queue.stream ? &ctx.stream(Op::kName) : nullptr,
                            queue.pool);
    ctx.check(entry.kernel->run(args, queue, workspace), Op::kName, entry.name);
  };
  if (all_on(entry.backend, operands)) return run(operands);
  const NearViews near(entry.backend, operands, call.twins, result_count<Op>(), Op::kName);
  if (all_on(entry.backend, near.span())) return run(near.span());
  Staged staged(ctx, entry.backend, near.span(), result_count<Op>(), Op::reads_result(attributes), Op::kName);
  run(staged.views());
  staged.bring_back();
}

/// Writes a problem down whose time was not measured.
template <class Op>
void record(ProblemRecorder& recorder, const Decided<Op>& decided) {
  if (decided.selection.prediction.rung == Rung::measured) return;
  const typename Op::Problem& problem = decided.situation.on(decided.selection.entry->backend);
  const std::string op = Op::op_name(problem), text = Op::print(problem);
  recorder.note(op, text, problem_of_text<Op>(op, text) == problem);
}

/// A whole call on validated operands. Throws Error; nothing of the result has been written when selection fails.
template <class Op>
void execute(Context& context, const typename Op::Attributes& attributes, std::span<const View> operands,
             const CallOptions& call = {}) {
  Context::Impl& ctx = context.impl();
  const TraceCall traced(ctx.tracer.get(), Op::kName);
  TraceStage selecting(ctx.tracer.get(), trace::Stage::select);
  const Situation<Op> situation = make_situation<Op>(ctx, attributes, operands, call);
  DecisionCache<Op>& cache = ctx.cache<Op>();
  const auto choose = [&](const Situation<Op>& s) {
    const Decided<Op>* slot = cache.find(s);
    if (!slot) {
      slot = cache.insert({s, select<Op>(s, ctx.policy, ctx.machine, nullptr, ctx.tuning.get())});
      if (ctx.recorder) record(*ctx.recorder, *slot);
    }
    ctx.note_call(*slot);
    return slot->selection;
  };
  const Selection<Op> selection = choose(situation);
  selecting.end();
  if (ctx.tracer) [[unlikely]]
    describe_call<Op>(*ctx.tracer, *selection.entry, situation);
  const bool may_fall_back = selection.entry->backend == Backend::cuda && situation.kernel.empty() &&
                             !situation.backend && ctx.policy.cpu_when_out_of_memory;
  try {
    run_selected<Op>(ctx, selection, attributes, operands, call);
  } catch (const Error& error) {
    if (!may_fall_back || error.code() != Code::out_of_memory) throw;
    Situation<Op> on_host = situation;
    on_host.backend = Backend::cpu;
    const Selection<Op> instead = choose(on_host);
    if (ctx.tracer) describe_call<Op>(*ctx.tracer, *instead.entry, on_host);
    run_selected<Op>(ctx, instead, attributes, operands, call);
  }
}

// Compiled once, in instances.cpp.
#define TANDEM_OP(Op)                                                                                            \
  extern template Situation<Op> make_situation<Op>(Context::Impl&, const Op::Attributes&, std::span<const View>, \
                                                   const CallOptions&);                                          \
  extern template void execute<Op>(Context&, const Op::Attributes&, std::span<const View>, const CallOptions&);
#include "common/ops/ops.def"
#undef TANDEM_OP

}  // namespace tandem
