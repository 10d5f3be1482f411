// Decisions as text, and what would be decided for a problem string.
#include <fmt/format.h>
#include <tandem/context.h>
#include <tandem/error.h>

#include "common/dispatch/execute.h"
#include "common/ops/problem.h"

namespace tandem {
namespace {

std::string duration(double seconds) {
  if (seconds < 1e-6) return fmt::format("{:.3g} ns", seconds * 1e9);
  if (seconds < 1e-3) return fmt::format("{:.3g} us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.3g} ms", seconds * 1e3);
  return fmt::format("{:.3g} s", seconds);
}

std::string stages(const Candidate& c) {
  std::string text;
  const auto add = [&](const char* stage, double seconds) {
    if (seconds > 0) text += fmt::format("{}{} {}", text.empty() ? "= " : " + ", stage, duration(seconds));
  };
  add("copies in", c.copy_in_seconds);
  add(c.kernel.starts_with("cuda") ? "launch" : "fork and join", c.launch_seconds);
  add("kernel", c.kernel_seconds);
  add("copy out", c.copy_out_seconds);
  add("wait", c.wait_seconds);
  add("allocation", c.allocate_seconds);
  return text;
}

/// Views without memory behind them, which describe() and the staging arithmetic never touch.
template <class Op>
std::vector<View> hypothetical_operands(const Request<Op>& request, const std::vector<Device>& devices) {
  static char anywhere[kMaxOperands];  // one address an operand: equal ones would mean a call in place
  std::vector<View> views;
  for (std::size_t i = 0; i < request.operands.size(); ++i) {
    const OperandSpec& spec = request.operands[i];
    views.emplace_back(&anywhere[i], spec.dtype, spec.shape, spec.strides,
                       i < devices.size() ? devices[i] : Device::cpu());
  }
  return views;
}

}  // namespace

std::string to_string(const Decision& decision) {
  std::string text = fmt::format("{} {}\n", decision.op, decision.problem);
  std::size_t width = 0;
  for (const Candidate& c : decision.candidates) width = std::max(width, c.kernel.size());
  bool next_shown = false;
  for (const Candidate& c : decision.candidates) {
    const bool chosen = c.kernel == decision.kernel;
    const char* label = chosen ? "chosen" : !c.accepted ? "refused" : next_shown ? "" : "next";
    if (c.accepted && !chosen) next_shown = true;
    if (c.accepted)
      text += fmt::format("  {:<8} {:<{}}  {:>9}  {:<12}  {}{}\n", label, c.kernel, width, duration(c.seconds),
                          name(c.rung), stages(c), c.verdict.starts_with("reference") ? "  (" + c.verdict + ")" : "");
    else
      text += fmt::format("  {:<8} {:<{}}  {}\n", label, c.kernel, width, c.verdict);
  }
  if (decision.candidates.empty())
    text += fmt::format("  {:<8} {}  {}\n", "ran", decision.kernel, duration(decision.predicted_seconds));
  return text + fmt::format("  {:<8} {}; {} host threads\n", "why", decision.why, decision.threads);
}

Decision explain(Context& ctx, const std::string& problem, const std::vector<Device>& devices) {
  const std::size_t space = problem.find(' ');
  const std::string_view op = std::string_view(problem).substr(0, space);
  const std::string_view text =
      space == std::string::npos ? std::string_view() : std::string_view(problem).substr(space + 1);
  Decision decision;
  try {
    with_problem(op, text, [&]<class Op>(const Request<Op>& request) {
      const std::vector<View> operands = hypothetical_operands(request, devices);
      const Situation<Op> situation = make_situation<Op>(ctx.impl(), request.attributes, operands);
      select<Op>(situation, ctx.policy(), ctx.machine(), &decision);
      if constexpr (requires { Op::remark(situation.on(Backend::cpu), ctx.machine()); })
        decision.why += "; " + Op::remark(situation.on(Backend::cpu), ctx.machine());
    });
  } catch (const Error& error) {
    if (error.code() != Code::invalid_argument) throw;
    throw Error(error.code(), fmt::format("explain '{}': {}", problem, error.what()));
  }
  return decision;
}

}  // namespace tandem
