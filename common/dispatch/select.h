// Choosing a kernel. One walk of the table serves every call, explain(), the comparison and the tests; it is a pure
// function of the situation, the policy, the machine and what was measured.
#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/dispatch/copies.h"
#include "common/dispatch/estimate.h"
#include "common/dispatch/registry.h"
#include "common/dispatch/request.h"

namespace tandem {

/// A call as the selection sees it.
template <class Op>
struct Situation {
  // As each backend would see it: operands that must be moved there arrive dense.
  std::array<typename Op::Problem, 2> problem;  // index: Backend
  std::array<Copies, 2> copies;
  std::string_view kernel;         // forced; empty: choose
  std::optional<Backend> backend;  // forced
  friend bool operator==(const Situation&, const Situation&) = default;

  const typename Op::Problem& on(Backend b) const { return problem[static_cast<std::size_t>(b)]; }
};

/// Predicted seconds of one candidate, by stage.
struct Prediction {
  double copy_in = 0, launch = 0, kernel = 0, copy_out = 0, wait = 0, allocate = 0;
  Rung rung = Rung::prior;
  double error = std::numeric_limits<double>::quiet_NaN();  // relative half width; NaN: unknown
  double prior = 0;                                         // total() as it was before measurements were asked
  double total() const { return copy_in + launch + kernel + copy_out + wait + allocate; }
};

/// What decided between the best kernels of the two sides, CPU and GPU.
enum class Ground : std::uint8_t {
  time,        // the least predicted time; also where only one side can run
  worst_case,  // the predictions overlap, and this side's slowest is faster
  home,        // they overlap, and leaving the side where the data is would gain no more than they may be off by
  prior,       // of one side's kernels: measurements do not tell them apart, and the kernels' own costs prefer this one
};

template <class Op>
struct Selection {
  const Entry<Op>* entry = nullptr;
  Prediction prediction;
  Ground ground = Ground::time;
};

/// Why a kernel is out, and the code of the error where a call needs just that one.
struct Reason {
  std::string text;  // empty: it is not out
  Code code = Code::ok;
  bool empty() const { return text.empty(); }
};

namespace detail {

/// What the untyped part of the selection knows of one row.
struct RowFacts {
  std::string_view name;
  Backend backend = Backend::cpu;
  bool built = false;
  Needs needs;
  Traits traits;
};

/// Why the row is out before its `supports` is asked; empty: it is not.
std::string refuse_by_machine(const RowFacts& row, const Machine& machine);
std::string refuse_by_policy(const RowFacts& row, const Copies& copies, std::optional<Backend> backend,
                             const Policy& policy);
/// `kernel_seconds`, like what the tuning table measures: on the CPU with fork and join, on a GPU without the launch.
Prediction predict(Backend backend, const Copies& copies, double kernel_seconds, const Machine& machine);
/// Puts an estimate in the place of the prior.
void use_estimate(Prediction& p, const Estimate& estimate);
/// The side to run on, of two that could. Where the predictions, give or take their errors, do not overlap, or an error
/// is not known: the faster. Else the one whose worst case is cheaper; but the side that the operands are on, which
/// has less to be moved to, is left only for a gain above the larger of the two errors.
struct SideChoice {
  Backend side = Backend::cpu;
  Ground ground = Ground::time;
};
SideChoice choose_side(const Prediction& cpu, const Prediction& gpu, const std::array<Copies, 2>& copies);
/// Whether `prior`, the prediction of the kernel that the priors prefer, may be as fast as `best`, that of least time:
/// it is predicted to be little slower, and no more than the errors allow. Errors that are not known do not count.
bool may_be_as_fast(const Prediction& prior, const Prediction& best);
/// Why the last call ran where it did.
const char* sentence(Ground ground);
/// The error for a forced kernel that was refused, or for a call that every kernel refuses.
[[noreturn]] void throw_refused(std::string_view op, std::string_view problem, std::string_view kernel,
                                const Reason& reason);
[[noreturn]] void throw_none_left(std::string_view op, std::string_view problem, const std::vector<Candidate>& all,
                                  Code code);
/// Sorts the candidates (chosen, accepted by time, refused) and writes `why`.
void finish_trace(Decision& decision, Ground ground);

/// The kernel of one side: that of least time, unless the one that the priors prefer may be as fast. Interpolated times
/// of tiny problems scatter more than the kernels differ, while priors know which one is meant for what.
template <class Op>
struct Side {
  Selection<Op> fastest, preferred;

  void add(const Entry<Op>& entry, const Prediction& p) {
    if (!fastest.entry || p.total() < fastest.prediction.total()) fastest = {&entry, p};
    if (!preferred.entry || p.prior < preferred.prediction.prior) preferred = {&entry, p, Ground::prior};
  }
  const Selection<Op>& best() const {
    const bool differ = fastest.entry != preferred.entry;
    return differ && may_be_as_fast(preferred.prediction, fastest.prediction) ? preferred : fastest;
  }
};

/// The better of two kernels at best, one a side; empty where neither side has one.
template <class Op>
Selection<Op> better_side(const std::array<Selection<Op>, 2>& best, const std::array<Copies, 2>& copies) {
  if (!best[0].entry || !best[1].entry) return best[0].entry ? best[0] : best[1];
  const SideChoice choice = choose_side(best[0].prediction, best[1].prediction, copies);
  Selection<Op> chosen = best[static_cast<std::size_t>(choice.side)];
  if (choice.ground != Ground::time) chosen.ground = choice.ground;
  return chosen;
}

template <class Op>
RowFacts facts(const Entry<Op>& entry) {
  if (!entry.kernel) return {entry.name, entry.backend, false, {}, {}};
  return {entry.name, entry.backend, true, entry.kernel->needs, entry.kernel->traits};
}

}  // namespace detail

/// The kernel named `name`, or null.
template <class Op>
const Entry<Op>* find_kernel(std::string_view name) {
  for (const Entry<Op>& entry : table<Op>())
    if (entry.name == name) return &entry;
  return nullptr;
}

/// The reason against running `entry` that is not the machine's.
template <class Op>
Reason refusal_anywhere(const Entry<Op>& entry, const Situation<Op>& situation, const Policy& policy,
                        const Machine& machine) {
  const Refusal reason = entry.kernel ? refusal_of(*entry.kernel, situation.on(entry.backend), machine) : nullptr;
  std::string text =
      reason ? reason
             : detail::refuse_by_policy(detail::facts(entry), situation.copies[static_cast<std::size_t>(entry.backend)],
                                        situation.backend, policy);
  const Code code = text.empty() ? Code::ok : Code::unsupported;
  return {std::move(text), code};
}

/// The first reason against running `entry` here.
template <class Op>
Reason refusal(const Entry<Op>& entry, const Situation<Op>& situation, const Policy& policy, const Machine& machine) {
  if (std::string lacks = detail::refuse_by_machine(detail::facts(entry), machine); !lacks.empty())
    return {std::move(lacks), Code::unavailable};
  return refusal_anywhere(entry, situation, policy, machine);
}

/// The kernel's time comes from `estimates` where they know the kernel, else from the kernel's own prior.
template <class Op>
Prediction predict(const Entry<Op>& entry, const Situation<Op>& situation, const Machine& machine,
                   const Estimates* estimates = nullptr) {
  const typename Op::Problem& problem = situation.on(entry.backend);
  Prediction p = detail::predict(entry.backend, situation.copies[static_cast<std::size_t>(entry.backend)],
                                 entry.kernel->cost(problem, machine), machine);
  p.prior = p.total();
  if (!estimates) return p;
  const Subject subject{entry.name,
                        Op::op_name(problem),
                        Op::print(problem),
                        entry.backend == Backend::cpu ? machine.cpu.threads : 0,
                        Op::flops(problem),
                        Op::bytes(problem),
                        p.kernel};
  const auto same = [&](std::string_view text) { return problem_of_text<Op>(subject.op, text) == problem; };
  if (const auto estimate = estimates->estimate(subject, same)) detail::use_estimate(p, *estimate);
  return p;
}

/// Chooses, or throws Error with the reasons. `trace`, when given, receives every candidate with its verdict.
template <class Op>
Selection<Op> select(const Situation<Op>& situation, const Policy& policy, const Machine& machine,
                     Decision* trace = nullptr, const Estimates* estimates = nullptr) {
  std::array<detail::Side<Op>, 2> sides, references;  // index: Backend
  std::vector<Candidate> candidates;
  const auto print = [&] { return Op::print(situation.on(Backend::cpu)); };
  const auto op_name = [&] { return Op::op_name(situation.on(Backend::cpu)); };

  if (!situation.kernel.empty() && !find_kernel<Op>(situation.kernel))
    detail::throw_refused(op_name(), print(), situation.kernel,
                          {"there is no such kernel for this operation", Code::invalid_argument});

  for (const Entry<Op>& entry : tandem::table<Op>()) {
    const bool forced = !situation.kernel.empty() && entry.name == situation.kernel;
    Reason reason = refusal(entry, situation, policy, machine);
    if (forced && !reason.empty()) detail::throw_refused(op_name(), print(), entry.name, reason);
    if (reason.empty() && !situation.kernel.empty() && !forced)
      reason = {"another kernel is forced", Code::unsupported};
    Candidate candidate;
    candidate.kernel = entry.name;
    candidate.accepted = reason.empty();
    candidate.verdict = reason.text;
    if (reason.empty()) {
      const Prediction p = predict(entry, situation, machine, estimates);
      const bool last_resort = entry.kernel->traits.reference && !forced;
      (last_resort ? references : sides)[static_cast<std::size_t>(entry.backend)].add(entry, p);
      candidate.seconds = p.total();
      candidate.kernel_seconds = p.kernel;
      candidate.copy_in_seconds = p.copy_in;
      candidate.copy_out_seconds = p.copy_out;
      candidate.launch_seconds = p.launch;
      candidate.wait_seconds = p.wait;
      candidate.allocate_seconds = p.allocate;
      candidate.rung = p.rung;
      candidate.error = p.error;
      if (last_resort) candidate.verdict = "reference: only when nothing else is left";
    }
    candidates.push_back(std::move(candidate));
  }
  Selection<Op> chosen = detail::better_side<Op>({sides[0].best(), sides[1].best()}, situation.copies);
  if (!chosen.entry) chosen = detail::better_side<Op>({references[0].best(), references[1].best()}, situation.copies);
  if (!chosen.entry) {
    // Unavailable: what the machine lacks is all that stands in the way of some kernel.
    const auto runs_elsewhere = [&](const Entry<Op>& entry) {
      return refusal(entry, situation, policy, machine).code == Code::unavailable &&
             refusal_anywhere(entry, situation, policy, machine).empty();
    };
    const bool elsewhere = std::ranges::any_of(tandem::table<Op>(), runs_elsewhere);
    detail::throw_none_left(op_name(), print(), candidates, elsewhere ? Code::unavailable : Code::unsupported);
  }
  if (trace) {
    trace->op = op_name();
    trace->problem = print();
    trace->kernel = chosen.entry->name;
    trace->backend = chosen.entry->backend;
    trace->predicted_seconds = chosen.prediction.total();
    trace->rung = chosen.prediction.rung;
    trace->error = chosen.prediction.error;
    trace->threads = machine.cpu.threads;
    trace->candidates = std::move(candidates);
    detail::finish_trace(*trace, chosen.ground);
  }
  return chosen;
}

// Compiled once, in instances.cpp.
#define TANDEM_OP(Op)                                                                                      \
  extern template Selection<Op> select<Op>(const Situation<Op>&, const Policy&, const Machine&, Decision*, \
                                           const Estimates*);
#include "common/ops/ops.def"
#undef TANDEM_OP

}  // namespace tandem
