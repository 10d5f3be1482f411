#include "common/dispatch/select.h"

#include <algorithm>

#include <fmt/format.h>
#include <tandem/error.h>

#include "common/dispatch/cost.h"

namespace tandem {

std::string kernel_name(Backend backend, std::string_view symbol) {
  std::string text(symbol);
  for (int i = 0; i < 2; ++i)
    if (const std::size_t at = text.rfind('_'); at != std::string::npos) text[at] = '.';
  return fmt::format("{}.{}", name(backend), text);
}

namespace detail {

std::string refuse_by_machine(const RowFacts& row, const Machine& machine) {
  if (!row.built) return kNotBuilt;
  if (row.backend == Backend::cpu) {
    if (row.needs.isa > machine.cpu.isa)
      return fmt::format("needs {}, this context has {}", name(row.needs.isa), name(machine.cpu.isa));
    if (row.needs.s8_dot && !machine.cpu.has_s8_dot())
      return fmt::format("needs AVX-512 VNNI or AVX-VNNI, this context has {} without them", name(machine.cpu.isa));
    return {};
  }
  if (machine.gpus.empty()) return machine.no_gpu_reason.empty() ? "there is no GPU" : machine.no_gpu_reason;
  const GpuInfo& gpu = machine.gpus.front();
  if (row.needs.compute_capability > gpu.compute_capability)
    return fmt::format("needs compute capability {}.{}, {} has {}.{}", row.needs.compute_capability / 10,
                       row.needs.compute_capability % 10, gpu.name, gpu.compute_capability / 10,
                       gpu.compute_capability % 10);
  if (row.needs.shared_bytes > gpu.shared_bytes_per_block)
    return fmt::format("needs {} bytes of shared memory a block, {} has {}", row.needs.shared_bytes, gpu.name,
                       gpu.shared_bytes_per_block);
  return {};
}

std::string refuse_by_policy(const RowFacts& row, const Copies& copies, std::optional<Backend> backend,
                             const Policy& policy) {
  if (backend && *backend != row.backend) return fmt::format("backend {} is forced", name(*backend));
  if (row.traits.math != MathMode::strict && row.traits.math != policy.math)
    return fmt::format("computes in {}, and the math mode is {}", name(row.traits.math), name(policy.math));
  if (policy.deterministic && !row.traits.deterministic) return "is not deterministic, and the policy asks for that";
  if (policy.transfers == Transfers::forbid && copies.in_count + copies.out_count > 0)
    return fmt::format("would move {} bytes between host and device, and the policy forbids transfers",
                       copies.in_bytes + copies.out_bytes);
  return {};
}

Prediction predict(Backend backend, const Copies& copies, double kernel_seconds, int threads, const Machine& machine) {
  const Ceilings c = assumed(machine.ceilings);
  // To run on the CPU, inputs come down and the result goes up; on the GPU the other way round.
  const bool gpu = backend == Backend::cuda;
  const auto move = [&](std::int64_t bytes, int count, const CopyCurve& curve, double rate) {
    if (count == 0) return 0.0;
    if (curve.measured()) return count * curve.at(bytes / count);
    return c.copy_seconds * count + static_cast<double>(bytes) / rate;
  };
  const auto up = [&](std::int64_t bytes, int count) { return move(bytes, count, c.h2d_pageable, c.h2d_bytes); };
  const auto down = [&](std::int64_t bytes, int count) { return move(bytes, count, c.d2h_pageable, c.d2h_bytes); };
  Prediction p;
  p.copy_in = gpu ? up(copies.in_bytes, copies.in_count) : down(copies.in_bytes, copies.in_count);
  p.copy_out = gpu ? down(copies.out_bytes, copies.out_count) : up(copies.out_bytes, copies.out_count);
  if (copies.in_count + copies.out_count > 0) p.wait = c.wait_seconds;
  if (gpu) p.allocate = c.allocate_seconds * (copies.in_count + copies.out_count);
  p.kernel = kernel_seconds;
  if (gpu)
    p.launch = c.launch_seconds;
  else if (threads > 1)
    p.launch = std::min(c.cpu_fork_seconds, kernel_seconds);  // tiny problems do not fork
  return p;
}

void throw_refused(std::string_view op, std::string_view problem, std::string_view kernel, const std::string& reason) {
  throw Error(Code::unsupported,
              fmt::format("{} {}: kernel {} was asked for, but it cannot run: {}", op, problem, kernel, reason));
}

void throw_none_left(std::string_view op, std::string_view problem, const std::vector<Candidate>& all) {
  std::string reasons;
  for (const Candidate& c : all) reasons += fmt::format("{}{}: {}", reasons.empty() ? "" : "; ", c.kernel, c.verdict);
  throw Error(Code::unsupported, fmt::format("{} {}: no kernel can run this ({})", op, problem,
                                             reasons.empty() ? "none is known" : reasons));
}

namespace {

std::string compare_with_next(const Decision& decision, const Candidate& next) {
  const Candidate& chosen = decision.candidates.front();
  const double ratio = next.seconds / std::max(chosen.seconds, 1e-12);
  const double copies = next.copy_in_seconds + next.copy_out_seconds;
  if (copies > 0.5 * next.seconds)
    return fmt::format("copies are {:.0f} % of the time of {}", 100 * copies / next.seconds, next.kernel);
  return fmt::format("predicted {:.2f} times faster than {}", ratio, next.kernel);
}

}  // namespace

void finish_trace(Decision& decision) {
  const auto rank = [&](const Candidate& c) {
    if (c.kernel == decision.kernel) return 0;
    if (!c.accepted) return 3;
    return c.verdict.empty() ? 1 : 2;  // references after the others
  };
  std::stable_sort(decision.candidates.begin(), decision.candidates.end(), [&](const Candidate& a, const Candidate& b) {
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    return rank(a) < 3 && a.seconds < b.seconds;
  });
  Candidate& chosen = decision.candidates.front();
  if (!chosen.verdict.empty()) decision.why = "a reference kernel, since nothing else is left";
  chosen.verdict = "chosen";
  for (std::size_t i = 1; i < decision.candidates.size(); ++i) {
    Candidate& c = decision.candidates[i];
    if (c.accepted && c.verdict.empty())
      c.verdict = fmt::format("predicted {:.2f} times the chosen time", c.seconds / std::max(chosen.seconds, 1e-12));
  }
  if (!decision.why.empty()) return;
  const bool alone = decision.candidates.size() < 2 || !decision.candidates[1].accepted;
  decision.why = alone ? "the only kernel that may run" : compare_with_next(decision, decision.candidates[1]);
}

}  // namespace detail
}  // namespace tandem
