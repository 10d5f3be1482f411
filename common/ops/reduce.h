// Reductions of one or two operands over all elements or along one axis.
#pragma once

#include <tandem/ops.h>

#include "common/ops/operand.h"

namespace tandem {

/// dot, euclidean_distance and cosine_similarity take two operands.
constexpr bool takes_two(ReduceFn fn) { return fn != ReduceFn::sum && fn != ReduceFn::max; }

struct ReduceAttributes {
  ReduceFn fn = ReduceFn::sum;
  std::optional<int> axis;
};

struct ReduceProblem {
  ReduceFn fn = ReduceFn::sum;
  DType dtype = DType::f32;
  std::int64_t outputs = 0;
  std::int64_t length = 0;  // elements reduced into each output
  bool contiguous = true;   // those elements are one run of unit stride, in a and b
  friend bool operator==(const ReduceProblem&, const ReduceProblem&) = default;
};

struct ReduceArgs {
  ReduceFn fn = ReduceFn::sum;
  const void* a = nullptr;
  const void* b = nullptr;  // null for functions of one operand
  void* out = nullptr;
  Loops<3> outer;  // a, b, out: where each output's elements start, and the output
  Loops<2> inner;  // a, b: the elements of one output (elements 0: none)
};

struct Reduce {
  static constexpr const char* kName = "reduce";
  static constexpr std::string_view kForm = "f32:SIZE[xSIZE...][,axis=N]";
  static constexpr bool kRateIsFlops = false;
  using Attributes = ReduceAttributes;
  using Problem = ReduceProblem;
  using Args = ReduceArgs;

  static Problem describe(const Attributes&, std::span<const View> operands);  // a, [b,] out
  static Args bind(const Attributes&, std::span<const View> operands);
  static bool reads_result(const Attributes&) { return false; }
  static double flops(const Problem& p);
  static double bytes(const Problem& p);
  /// A ReduceFn name with kForm; default: over all elements.
  static std::optional<Request<Reduce>> parse(std::string_view op, std::string_view text);
  static std::string op_name(const Problem& p) { return std::string(name(p.fn)); }
  static std::vector<std::string> op_names() { return names_up_to(ReduceFn::cosine_similarity); }
  static std::string print(const Problem& p);
};

}  // namespace tandem
