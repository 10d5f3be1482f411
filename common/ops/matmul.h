// c = activation(alpha * a @ b + beta * c + bias), with batches.
//
// f32, or bf16 operands with f32 sums and a result that is rounded to bf16 once, or not at all. A bias is f32.
#pragma once

#include <tandem/ops.h>

#include "common/ops/sparse24.h"

namespace tandem {

/// Operands: a, b, [bias,] c; with b in 2:4 storage its values [n, 2 groups] are b and its metadata come next.
struct MatmulAttributes {
  float alpha = 1.0f;
  float beta = 0.0f;
  Activation activation = Activation::none;
  bool bias = false;
  MatrixFormat b_format = MatrixFormat::dense;
};

struct MatmulProblem {
  DType dtype = DType::f32;   // of a and b: f32 or bf16
  DType result = DType::f32;  // f32, or bf16 where a and b are
  std::int64_t m = 0, n = 0, k = 0;
  std::int64_t batch = 1;
  Layout a = Layout::row, b = Layout::row, c = Layout::row;
  bool shared_b = false;  // one b for the whole batch
  bool reads_c = false;   // beta != 0
  bool bias = false;
  Activation activation = Activation::none;
  MatrixFormat b_format = MatrixFormat::dense;
  bool packed = false;  // panels of b come with the call: no text says so, since none could bring them
  friend bool operator==(const MatmulProblem&, const MatmulProblem&) = default;
};

/// Element (i, j) of a matrix is at p[i * row + j * col]. A product whose result is column-major arrives
/// transposed (a and b exchanged), so c.col is 1 unless both strides of c differ from 1, or b is in 2:4 storage.
struct MatmulArgs {
  template <class P>
  struct Matrix {
    P data = nullptr;  // a, b: of the problem's dtype; c: of its result; bias: f32
    std::int64_t row = 0, col = 0;
  };
  std::int64_t m = 0, n = 0, k = 0;
  DType result = DType::f32;
  Matrix<const void*> a, b;
  Sparse24Rows b24;  // with values: b.data is null
  Matrix<void*> c;
  /// b, made dense, packed by cpu::pack_b() in panels of so many columns, beside b itself; null: not. Kernels may use
  /// either.
  const void* packed_b = nullptr;
  std::int64_t packed_panel = 0;
  Matrix<const void*> bias;         // bias(i, j); one of the two strides is 0; null data: none
  float alpha = 1.0f, beta = 0.0f;  // alpha is 1 where k is 0
  Activation activation = Activation::none;
  // Batch items 0 .. batch.elements-1; strides of a, b, c in that order.
  Loops<3> batch;
};

/// The transposed product: c^T = b^T a^T. What is packed or compressed of b does not follow.
MatmulArgs turned(const MatmulArgs& args);

struct Matmul {
  static constexpr const char* kName = "matmul";
  static constexpr std::string_view kForm =
      "f32|bf16:MxNxK[*BATCH][,ta][,tb][,out=f32|bf16][,bias][,act=NAME][,beta=X][,2:4]";
  static constexpr bool kRateIsFlops = true;
  using Attributes = MatmulAttributes;
  using Problem = MatmulProblem;
  using Args = MatmulArgs;

  static Problem describe(const Attributes&, std::span<const View> operands);
  static Args bind(const Attributes&, std::span<const View> operands);
  static bool reads_result(const Attributes& attributes) { return attributes.beta != 0.0f; }
  static double flops(const Problem& p);        // 2 m n k a batch item; of a 2:4 operand the stored part of k
  static double dense_flops(const Problem& p);  // 2 m n k a batch item where b is compressed, else 0
  static double bytes(const Problem& p);
  static DType arithmetic(const Problem& p) { return p.dtype; }
  /// "matmul" with kForm; the result is of the operands' type unless `out` says otherwise. nullopt when `op` is another
  /// operation.
  static std::optional<Request<Matmul>> parse(std::string_view op, std::string_view text);
  static std::string op_name(const Problem&) { return kName; }
  static std::vector<std::string> op_names() { return {kName}; }
  static std::string print(const Problem& p);
  static void fill_structure(std::span<const View> operands, std::uint64_t seed);  // metadata of a 2:4 operand
};

}  // namespace tandem
