// An operation that exists only in tests, with a table of made-up kernels: selection can then be tested apart from the
// kernels of the library.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/dispatch/select.h"
#include "common/ops/operand.h"

namespace tandem::test {

struct ToyProblem {
  std::int64_t elements = 0;
  bool odd = false;  // the fast kernels refuse these
  friend bool operator==(const ToyProblem&, const ToyProblem&) = default;
};
struct ToyArgs {};

struct ToyAttributes {
  bool odd = false;
};

struct Toy {
  using Attributes = ToyAttributes;
  using Problem = ToyProblem;
  using Args = ToyArgs;
  static constexpr const char* kName = "toy";
  static std::string op_name(const Problem&) { return kName; }
  static std::string print(const Problem& p) { return "f32:" + std::to_string(p.elements) + (p.odd ? ",odd" : ""); }
  static double flops(const Problem& p) { return 2.0 * static_cast<double>(p.elements); }
  static double bytes(const Problem& p) { return 12.0 * static_cast<double>(p.elements); }
  static Problem describe(const Attributes& attributes, std::span<const View> operands) {
    return {operands.back().elements(), attributes.odd};
  }
  /// "f32:N": no text describes an odd problem, as no text tells of some strides.
  static std::optional<Request<Toy>> parse(std::string_view op, std::string_view text) {
    if (op != kName) return std::nullopt;
    const ProblemText parsed = parse_problem_text(op, text, "f32:SIZE");
    const Shape shape{parsed.sizes.front()};
    return Request<Toy>{{}, {{"x", DType::f32, shape, Strides{1}}, {"y", DType::f32, shape, Strides{1}}}};
  }
};

namespace toy {

inline Refusal not_odd(const ToyProblem& p, const Machine&) { return p.odd ? "needs an even problem" : nullptr; }
inline Code run_nothing(const ToyArgs&, const Queue&, Workspace) { return Code::ok; }

// Seconds an element: the CPU at 1 ns, the GPU at 1 ps, and others beside them.
inline double cpu_cost(const ToyProblem& p, const Machine&) { return 1e-9 * static_cast<double>(p.elements); }
inline double slow_cost(const ToyProblem& p, const Machine&) { return 3e-9 * static_cast<double>(p.elements); }
inline double gpu_cost(const ToyProblem& p, const Machine&) { return 1e-12 * static_cast<double>(p.elements); }
inline double free_cost(const ToyProblem&, const Machine&) { return 1e-15; }

inline constexpr Kernel<Toy> kFast = {{.isa = IsaLevel::avx2}, {}, not_odd, cpu_cost, no_workspace<Toy>, run_nothing};
inline constexpr Kernel<Toy> kSlow = {{}, {}, not_odd, slow_cost, no_workspace<Toy>, run_nothing};
inline constexpr Kernel<Toy> kReference = {{},
                                           {.reference = true, .deterministic = true, .math = MathMode::strict},
                                           supports_all<Toy>,
                                           free_cost,
                                           no_workspace<Toy>,
                                           run_nothing};
inline constexpr Kernel<Toy> kRounded = {{},
                                         {.reference = false, .deterministic = true, .math = MathMode::tf32},
                                         not_odd,
                                         free_cost,
                                         no_workspace<Toy>,
                                         run_nothing};
inline constexpr Kernel<Toy> kRestless = {{},
                                          {.reference = false, .deterministic = false, .math = MathMode::strict},
                                          not_odd,
                                          free_cost,
                                          no_workspace<Toy>,
                                          run_nothing};
inline constexpr Kernel<Toy> kGpu = {{.compute_capability = 80}, {}, not_odd, gpu_cost, no_workspace<Toy>, run_nothing};
inline constexpr Kernel<Toy> kGpuHungry = {
    {.compute_capability = 80, .shared_bytes = 200 << 10}, {}, not_odd, free_cost, no_workspace<Toy>, run_nothing};

}  // namespace toy
}  // namespace tandem::test

namespace tandem::cpu {
template <>
inline std::vector<Entry<test::Toy>> rows<test::Toy>() {
  return {{"cpu.toy.f32.fast", Backend::cpu, &test::toy::kFast},
          {"cpu.toy.f32.slow", Backend::cpu, &test::toy::kSlow},
          {"cpu.toy.f32.rounded", Backend::cpu, &test::toy::kRounded},
          {"cpu.toy.f32.restless", Backend::cpu, &test::toy::kRestless},
          {"cpu.toy.f32.reference", Backend::cpu, &test::toy::kReference}};
}
}  // namespace tandem::cpu
namespace tandem::cuda {
template <>
inline std::vector<Entry<test::Toy>> rows<test::Toy>() {
  return {{"cuda.toy.f32.fast", Backend::cuda, &test::toy::kGpu},
          {"cuda.toy.f32.hungry", Backend::cuda, &test::toy::kGpuHungry},
          {"cuda.toy.f32.absent", Backend::cuda, nullptr}};
}
}  // namespace tandem::cuda
