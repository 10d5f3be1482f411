// softmax and log_softmax along one axis.
#pragma once

#include <tandem/ops.h>

#include "common/ops/operand.h"

namespace tandem {

struct SoftmaxAttributes {
  SoftmaxFn fn = SoftmaxFn::softmax;
  int axis = -1;
};

struct SoftmaxProblem {
  SoftmaxFn fn = SoftmaxFn::softmax;
  DType dtype = DType::f32;
  std::int64_t rows = 0;    // independent softmaxes
  std::int64_t length = 0;  // elements of each
  bool contiguous = true;   // unit stride along the axis in x and y
  friend bool operator==(const SoftmaxProblem&, const SoftmaxProblem&) = default;
};

struct SoftmaxArgs {
  SoftmaxFn fn = SoftmaxFn::softmax;
  const void* x = nullptr;
  void* y = nullptr;  // may equal x, then with the same strides
  std::int64_t length = 0;
  std::int64_t x_stride = 1, y_stride = 1;  // along the axis
  Loops<2> rows;                            // x, y: where each row starts
};

struct Softmax {
  static constexpr const char* kName = "softmax";
  static constexpr std::string_view kForm = "f32:SIZE[xSIZE...][,axis=N]";
  static constexpr bool kRateIsFlops = false;
  using Attributes = SoftmaxAttributes;
  using Problem = SoftmaxProblem;
  using Args = SoftmaxArgs;

  static Problem describe(const Attributes&, std::span<const View> operands);  // x, y
  static Args bind(const Attributes&, std::span<const View> operands);
  static bool reads_result(const Attributes&) { return false; }
  static double flops(const Problem& p);
  static double bytes(const Problem& p);
  /// "softmax" or "log_softmax" with kForm; default: the last axis.
  static std::optional<Request<Softmax>> parse(std::string_view op, std::string_view text);
  static std::string op_name(const Problem& p) { return std::string(name(p.fn)); }
  static std::vector<std::string> op_names() { return names_up_to(SoftmaxFn::log_softmax); }
  static std::string print(const Problem& p);
};

}  // namespace tandem
