#include "common/dispatch/select.h"

#include <algorithm>
#include <cmath>
#include <span>

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

namespace {
// How much slower the kernel that the priors prefer may be predicted: what trusting them may cost at most, if the
// measurements are right after all.
constexpr double kWorthIt = 1.15;
}  // namespace

std::string refuse_by_machine(const RowFacts& row, const Machine& machine) {
  if (!row.built) return kNotBuilt;
  if (row.backend == Backend::cpu) {
    if (row.needs.isa > machine.cpu.isa)
      return fmt::format("needs {}, this context has {}", name(row.needs.isa), name(machine.cpu.isa));
    if (row.needs.s8_dot && !machine.cpu.has_s8_dot())
      return fmt::format("needs AVX-512 VNNI or AVX-VNNI, this context has {} without them", name(machine.cpu.isa));
    if (row.needs.amx_int8 && !machine.cpu.has_amx_int8())
      return fmt::format("needs AMX-INT8, this context has {} without it", name(machine.cpu.isa));
    if (row.needs.amx_bf16 && !machine.cpu.has_amx_bf16())
      return fmt::format("needs AMX-BF16, this context has {} without it", name(machine.cpu.isa));
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
    return fmt::format("would move {} bytes between host and device, and the policy forbids transfers", copies.bytes());
  return {};
}

Prediction predict(Backend backend, const Copies& copies, double kernel_seconds, const Machine& machine) {
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
  const auto in = [&](std::int64_t bytes, int count) { return gpu ? up(bytes, count) : down(bytes, count); };
  // What stays where it was brought costs each of the calls that it serves its share.
  p.copy_in = in(copies.in_bytes - copies.kept_bytes, copies.in_count - copies.kept_count) +
              in(copies.kept_bytes, copies.kept_count) / copies.reuse;
  p.copy_out = gpu ? down(copies.out_bytes, copies.out_count) : up(copies.out_bytes, copies.out_count);
  if (copies.in_count + copies.out_count > 0) p.wait = c.wait_seconds;
  const double kept = copies.kept_count;
  if (gpu) p.allocate = c.allocate_seconds * (copies.in_count - kept + kept / copies.reuse + copies.out_count);
  p.kernel = kernel_seconds;
  if (gpu) p.launch = c.launch_seconds;
  return p;
}

void use_estimate(Prediction& p, const Estimate& estimate) {
  p.kernel = estimate.seconds;
  p.rung = estimate.rung;
  p.error = estimate.error;
}

SideChoice choose_side(const Prediction& cpu, const Prediction& gpu, const std::array<Copies, 2>& copies) {
  const double at_cpu = cpu.total(), at_gpu = gpu.total();
  const double off_cpu = at_cpu * cpu.error, off_gpu = at_gpu * gpu.error;
  const Backend faster = at_gpu < at_cpu ? Backend::cuda : Backend::cpu;
  // Also where an error is not known: NaN compares as false.
  if (!(std::abs(at_cpu - at_gpu) <= off_cpu + off_gpu)) return {faster, Ground::time};
  const Backend safer = at_gpu + off_gpu < at_cpu + off_cpu ? Backend::cuda : Backend::cpu;
  // Where the data is, there is less to move to.
  const std::int64_t to_cpu = copies[0].bytes(), to_gpu = copies[1].bytes();
  const Backend home = to_cpu == to_gpu ? safer : to_cpu < to_gpu ? Backend::cpu : Backend::cuda;
  const double gain = safer == Backend::cuda ? at_cpu - at_gpu : at_gpu - at_cpu;
  if (safer != home && !(gain > std::max(off_cpu, off_gpu))) return {home, Ground::home};
  return {safer, safer == faster ? Ground::time : Ground::worst_case};
}

bool may_be_as_fast(const Prediction& prior, const Prediction& best) {
  // Errors are factors: an error of 1 means twice or half the time.
  return prior.total() <= best.total() * kWorthIt &&
         prior.total() / (1 + prior.error) <= best.total() * (1 + best.error);
}

const char* sentence(Ground ground) {
  switch (ground) {
    case Ground::time:
      return "least predicted time";
    case Ground::worst_case:
      return "the predictions overlap, and here the worst case is cheaper";
    case Ground::home:
      return "stays where the data is: the predictions overlap, and the gain of leaving is within their errors";
    case Ground::prior:
      return "measurements do not tell it from the one of least predicted time, and it is meant for such problems";
  }
  return "";
}

void throw_refused(std::string_view op, std::string_view problem, std::string_view kernel, const Reason& reason) {
  throw Error(reason.code,
              fmt::format("{} {}: kernel {} was asked for, but it cannot run: {}", op, problem, kernel, reason.text));
}

void throw_none_left(std::string_view op, std::string_view problem, const std::vector<Candidate>& all, Code code) {
  std::string reasons;
  for (const Candidate& c : all) reasons += fmt::format("{}{}: {}", reasons.empty() ? "" : "; ", c.kernel, c.verdict);
  throw Error(code, fmt::format("{} {}: no kernel can run this ({})", op, problem,
                                reasons.empty() ? "none is known" : reasons));
}

namespace {

bool on_gpu(const Candidate& c) { return c.kernel.starts_with("cuda."); }

/// Why the chosen kernel goes before the others, references aside. The best of the other side says more than a slower
/// kernel of the same one.
std::string compare_with_others(const std::vector<Candidate>& candidates, Ground ground) {
  const Candidate& chosen = candidates.front();
  const Candidate* next = nullptr;
  for (const Candidate& c : std::span(candidates).subspan(1))
    if (c.accepted && c.verdict.empty() && (!next || (on_gpu(*next) == on_gpu(chosen) && on_gpu(c) != on_gpu(chosen))))
      next = &c;
  if (!next) return "the only kernel that may run";
  if (ground != Ground::time) return sentence(ground);
  const double copies = next->copy_in_seconds + next->copy_out_seconds;
  if (copies > 0.5 * next->seconds)
    return fmt::format("copies are {:.0f} % of the time of {}", 100 * copies / next->seconds, next->kernel);
  return fmt::format("predicted {:.2f} times faster than {}", next->seconds / std::max(chosen.seconds, 1e-12),
                     next->kernel);
}

}  // namespace

void finish_trace(Decision& decision, Ground ground) {
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
  decision.why = chosen.verdict.empty() ? compare_with_others(decision.candidates, ground)
                                        : "a reference kernel, since nothing else is left";
  chosen.verdict = "chosen";
  for (std::size_t i = 1; i < decision.candidates.size(); ++i) {
    Candidate& c = decision.candidates[i];
    if (c.accepted && c.verdict.empty())
      c.verdict = fmt::format("predicted {:.2f} times the chosen time", c.seconds / std::max(chosen.seconds, 1e-12));
  }
}

}  // namespace detail
}  // namespace tandem
