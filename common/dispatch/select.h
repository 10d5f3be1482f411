// Choosing a kernel. One walk of the table serves every call, explain(), the comparison and the tests; it is a pure
// function of the situation, the policy and the machine.
#pragma once

#include <array>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "common/dispatch/copies.h"
#include "common/dispatch/registry.h"

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
  double total() const { return copy_in + launch + kernel + copy_out + wait + allocate; }
};

template <class Op>
struct Selection {
  const Entry<Op>* entry = nullptr;
  Prediction prediction;
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
Prediction predict(Backend backend, const Copies& copies, double kernel_seconds, int threads, const Machine& machine);
/// The error for a forced kernel that was refused (index >= 0) or for a call that every kernel refuses.
[[noreturn]] void throw_refused(std::string_view op, std::string_view problem, std::string_view kernel,
                                const std::string& reason);
[[noreturn]] void throw_none_left(std::string_view op, std::string_view problem, const std::vector<Candidate>& all);
/// Sorts the candidates (chosen, accepted by time, refused) and writes `why`.
void finish_trace(Decision& decision);

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

/// The first reason against running `entry` here; empty when there is none.
template <class Op>
std::string refusal(const Entry<Op>& entry, const Situation<Op>& situation, const Policy& policy,
                    const Machine& machine) {
  const detail::RowFacts row = detail::facts(entry);
  if (std::string reason = detail::refuse_by_machine(row, machine); !reason.empty()) return reason;
  if (const Refusal reason = refusal_of(*entry.kernel, situation.on(entry.backend), machine)) return reason;
  return detail::refuse_by_policy(row, situation.copies[static_cast<std::size_t>(entry.backend)], situation.backend,
                                  policy);
}

template <class Op>
Prediction predict(const Entry<Op>& entry, const Situation<Op>& situation, const Machine& machine) {
  const double kernel = entry.kernel->cost(situation.on(entry.backend), machine);
  return detail::predict(entry.backend, situation.copies[static_cast<std::size_t>(entry.backend)], kernel,
                         machine.cpu.threads, machine);
}

/// Chooses, or throws Error with the reasons. `trace`, when given, receives every candidate with its verdict.
template <class Op>
Selection<Op> select(const Situation<Op>& situation, const Policy& policy, const Machine& machine,
                     Decision* trace = nullptr) {
  Selection<Op> best, best_reference;
  std::vector<Candidate> candidates;
  const auto print = [&] { return Op::print(situation.on(Backend::cpu)); };
  const auto op_name = [&] { return Op::op_name(situation.on(Backend::cpu)); };

  if (!situation.kernel.empty() && !find_kernel<Op>(situation.kernel))
    detail::throw_refused(op_name(), print(), situation.kernel, "there is no such kernel for this operation");

  for (const Entry<Op>& entry : table<Op>()) {
    const bool forced = !situation.kernel.empty() && entry.name == situation.kernel;
    std::string reason = refusal(entry, situation, policy, machine);
    if (forced && !reason.empty()) detail::throw_refused(op_name(), print(), entry.name, reason);
    if (reason.empty() && !situation.kernel.empty() && !forced) reason = "another kernel is forced";
    Candidate candidate;
    candidate.kernel = entry.name;
    candidate.accepted = reason.empty();
    candidate.verdict = reason;
    if (reason.empty()) {
      const Prediction p = predict(entry, situation, machine);
      Selection<Op>& slot = entry.kernel->traits.reference && !forced ? best_reference : best;
      if (!slot.entry || p.total() < slot.prediction.total()) slot = {&entry, p};
      candidate.seconds = p.total();
      candidate.kernel_seconds = p.kernel;
      candidate.copy_in_seconds = p.copy_in;
      candidate.copy_out_seconds = p.copy_out;
      candidate.launch_seconds = p.launch;
      candidate.wait_seconds = p.wait;
      candidate.allocate_seconds = p.allocate;
      candidate.rung = p.rung;
      candidate.error = p.error;
      if (entry.kernel->traits.reference && !forced) candidate.verdict = "reference: only when nothing else is left";
    }
    candidates.push_back(std::move(candidate));
  }
  const Selection<Op> chosen = best.entry ? best : best_reference;
  if (!chosen.entry) detail::throw_none_left(op_name(), print(), candidates);
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
    detail::finish_trace(*trace);
  }
  return chosen;
}

}  // namespace tandem
