// Elementwise operations of one operand (Unary) and of two with broadcasting (Binary).
#pragma once

#include <tandem/ops.h>

#include "common/ops/operand.h"

namespace tandem {

struct UnaryAttributes {
  UnaryFn fn = UnaryFn::relu;
};

struct UnaryProblem {
  UnaryFn fn = UnaryFn::relu;
  DType dtype = DType::f32;
  std::int64_t elements = 0;
  bool contiguous = true;
  bool in_place = false;
  friend bool operator==(const UnaryProblem&, const UnaryProblem&) = default;
};

struct UnaryArgs {
  UnaryFn fn = UnaryFn::relu;
  const void* x = nullptr;
  void* y = nullptr;  // may equal x, then with the same strides
  Loops<2> loops;     // x, y
};

struct Unary {
  static constexpr const char* kName = "unary";
  static constexpr std::string_view kForm = "f32:SIZE[xSIZE...]";
  static constexpr bool kRateIsFlops = false;
  using Attributes = UnaryAttributes;
  using Problem = UnaryProblem;
  using Args = UnaryArgs;

  static Problem describe(const Attributes&, std::span<const View> operands);  // x, y
  static Args bind(const Attributes&, std::span<const View> operands);
  static bool reads_result(const Attributes&) { return false; }
  static double flops(const Problem& p);
  static double bytes(const Problem& p);
  /// A UnaryFn name with kForm.
  static std::optional<Request<Unary>> parse(std::string_view op, std::string_view text);
  static std::string op_name(const Problem& p) { return std::string(name(p.fn)); }
  static std::vector<std::string> op_names() { return names_up_to(UnaryFn::exp); }
  static std::string print(const Problem& p);
};

struct BinaryAttributes {
  BinaryFn fn = BinaryFn::add;
};

struct BinaryProblem {
  BinaryFn fn = BinaryFn::add;
  DType dtype = DType::f32;
  std::int64_t elements = 0;  // of the result
  std::int64_t a_elements = 0, b_elements = 0;
  bool contiguous = true;  // no broadcast, no gaps
  friend bool operator==(const BinaryProblem&, const BinaryProblem&) = default;
};

struct BinaryArgs {
  BinaryFn fn = BinaryFn::add;
  const void* a = nullptr;
  const void* b = nullptr;
  void* out = nullptr;  // may equal a or b, then with the same strides
  Loops<3> loops;       // a, b, out
};

struct Binary {
  static constexpr const char* kName = "binary";
  static constexpr std::string_view kForm = "f32:SIZE[xSIZE...][,row]";
  static constexpr bool kRateIsFlops = false;
  using Attributes = BinaryAttributes;
  using Problem = BinaryProblem;
  using Args = BinaryArgs;

  static Problem describe(const Attributes&, std::span<const View> operands);  // a, b, out
  static Args bind(const Attributes&, std::span<const View> operands);
  static bool reads_result(const Attributes&) { return false; }
  static double flops(const Problem& p);
  static double bytes(const Problem& p);
  /// A BinaryFn name with kForm; row: b is one row, broadcast over the others.
  static std::optional<Request<Binary>> parse(std::string_view op, std::string_view text);
  static std::string op_name(const Problem& p) { return std::string(name(p.fn)); }
  static std::vector<std::string> op_names() { return names_up_to(BinaryFn::squared_difference); }
  static std::string print(const Problem& p);
};

}  // namespace tandem
