// Shared vocabulary of the operations: operands, the iteration space of strided elementwise work, problem strings.
//
// An operation is a struct Op of types and pure functions:
//   kName                      "matmul"
//   Attributes                 what is not in the operands (alpha, activation, axis, ...)
//   Problem                    shapes, dtypes and layout classes: everything a kernel may decide on; no pointers
//   Args                       Problem's sizes with pointers and strides: what a kernel runs on
//   describe(attr, operands)   -> Problem
//   bind(attr, operands)       -> Args
//   reads_result(attr)         whether the result's old contents are an input
//   flops(p), bytes(p)         work and compulsory traffic (each operand once)
//   arithmetic(p)              which ceiling its flops are held against: f32 (when it is left out), s8 or bf16
//   kRateIsFlops               whether its speed is told in flop/s or in bytes/s
//   op_names()                 what users call it: "matmul"; one name a function for elementwise operations
//   kForm                      the grammar of its problem strings
//   parse(op, text) / print(p) problem string <-> request: "f32:512x512x512"
//   fill_structure(operands, seed)  makes random operands legal, where not every value is: indices; may be left out
//   dense_flops(p)             the work without compression, where flops(p) may be less; may be left out
//   remark(p, machine)         what explain() adds to its reason; may be left out
//   kChanging                  which input is another one in each call, where CallOptions::expected_reuse says that the
//                              others stay: 0, the first, when it is left out
//   kResults                   how many of the operands, the last ones, are written, the main one at the very end; 1
//                              when it is left out
// Operands are views, inputs first and the results last. Given these, dispatch, tests, comparison and tuning work
// for a new operation without being edited; it is listed once in ops.def.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tandem/error.h>
#include <tandem/tensor.h>

namespace tandem {

/// Which strides a matrix has.
enum class Layout : std::uint8_t { row, column, strided };  // unit stride along a row; down a column; neither

/// Gives a matrix with strides `row` and `col` those along a dimension of one element, which nobody uses, that make it
/// row-major, or column-major where it cannot be that.
template <class Matrix>
void settle(Matrix& matrix, std::int64_t rows, std::int64_t cols) {
  if (cols == 1) matrix.col = 1;
  if (rows == 1 && matrix.col != 1) matrix.row = 1;
}
/// Of a matrix after settle().
template <class Matrix>
Layout layout_of(const Matrix& matrix) {
  return matrix.col == 1 ? Layout::row : matrix.row == 1 ? Layout::column : Layout::strided;
}

/// How many operands an operation writes.
template <class Op>
constexpr std::size_t result_count() {
  if constexpr (requires { Op::kResults; })
    return Op::kResults;
  else
    return 1;
}

/// The input that is another one in each call (see CallOptions::expected_reuse).
template <class Op>
constexpr std::size_t changing_operand() {
  if constexpr (requires { Op::kChanging; })
    return Op::kChanging;
  else
    return 0;
}

/// The values, both ends included, that an operand may hold: scales are positive, zero points small.
struct ValueRange {
  double low = 0;
  double high = 0;
};

/// What must be allocated to run a problem given as text.
struct OperandSpec {
  std::string name;  // "a"
  DType dtype = DType::f32;
  Shape shape;
  Strides strides;
  std::optional<ValueRange> range = {};  // unset: anything
};

/// A problem string, parsed: operands to make, and the attributes to pass with them.
template <class Op>
struct Request {
  typename Op::Attributes attributes;
  std::vector<OperandSpec> operands;  // results last
};

/// The names of the values 0 .. last of an enumeration of functions.
template <class Fn>
std::vector<std::string> names_up_to(Fn last) {
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(last); ++i) names.emplace_back(name(static_cast<Fn>(i)));
  return names;
}

/// The iteration space common to N operands of one broadcast shape: dimensions of size 1 dropped, adjacent dimensions
/// merged where every operand allows it, ordered so that the result's (operand N-1) smallest stride is innermost.
template <int N>
struct Loops {
  int rank = 0;  // 0: a single element
  std::int64_t shape[kMaxRank] = {};
  std::int64_t strides[N][kMaxRank] = {};
  std::int64_t elements = 1;

  /// True when every operand is one run of unit stride (or a single element).
  bool contiguous() const noexcept {
    if (rank == 0) return true;
    if (rank > 1) return false;
    for (int i = 0; i < N; ++i)
      if (strides[i][0] != 1) return false;
    return true;
  }
  /// Offsets of all operands for the given linear index over the first `dims` dimensions.
  void offsets(std::int64_t index, int dims, std::int64_t (&out)[N]) const noexcept {
    for (int i = 0; i < N; ++i) out[i] = 0;
    for (int d = dims - 1; d >= 0; --d) {
      const std::int64_t at = index % shape[d];
      index /= shape[d];
      for (int i = 0; i < N; ++i) out[i] += at * strides[i][d];
    }
  }
};

/// Builds Loops over `shape` with the given strides of each operand (0 where it is broadcast).
template <int N>
Loops<N> make_loops(const Shape& shape, const Strides* const (&strides)[N]) {
  struct Dim {
    std::int64_t size;
    std::int64_t stride[N];
  };
  Dim dims[kMaxRank];
  int rank = 0;
  Loops<N> loops;
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) {  // nothing to iterate: one canonical form
    loops.elements = 0;
    loops.rank = 1;
    for (int i = 0; i < N; ++i) loops.strides[i][0] = 1;
    return loops;
  }
  for (int d = 0; d < shape.rank(); ++d) {
    loops.elements *= shape[d];
    if (shape[d] == 1) continue;
    Dim& dim = dims[rank++];
    dim.size = shape[d];
    for (int i = 0; i < N; ++i) dim.stride[i] = (*strides[i])[d];
  }
  // Largest stride outermost, by the result first, then by the inputs: memory order, whatever the caller's order.
  // By insertion: std::stable_sort would allocate, in every call.
  const auto outer = [](const Dim& x, const Dim& y) {
    for (int i = N - 1; i >= 0; --i)
      if (x.stride[i] != y.stride[i]) return x.stride[i] > y.stride[i];
    return false;
  };
  for (int d = 1; d < rank; ++d)
    for (int at = d; at > 0 && outer(dims[at], dims[at - 1]); --at) std::swap(dims[at], dims[at - 1]);
  for (int d = 0; d < rank; ++d) {
    bool merges = loops.rank > 0;
    for (int i = 0; i < N && merges; ++i) merges = loops.strides[i][loops.rank - 1] == dims[d].stride[i] * dims[d].size;
    if (!merges) ++loops.rank;
    const int at = loops.rank - 1;
    loops.shape[at] = (merges ? loops.shape[at] : 1) * dims[d].size;
    for (int i = 0; i < N; ++i) loops.strides[i][at] = dims[d].stride[i];
  }
  return loops;
}

/// Strides of `view` as an operand of the broadcast `shape` (0 along broadcast dimensions). Shapes must be compatible.
Strides broadcast_strides(const ConstView& view, const Shape& shape);

/// NumPy's broadcast of two shapes. Throws naming `op` and both shapes.
Shape broadcast_shapes(std::string_view op, const Shape& a, const Shape& b);

/// Throws unless the memory of `out` and `in` is disjoint, or `in_place_allowed` and they are the same elements.
void refuse_overlap(std::string_view op, const ConstView& out, const ConstView& in, bool in_place_allowed);
/// Throws unless no element of `out` is reached twice (a zero stride, or rows that run into each other).
void refuse_repeated(std::string_view op, const ConstView& out);
/// Throws for a default-constructed view.
void require_view(std::string_view op, std::string_view operand, const ConstView& view);
/// Throws for a default-constructed view, and unless `view` has the dtype.
void require_dtype(std::string_view op, std::string_view operand, const ConstView& view, DType dtype);

/// Error(invalid_argument): "relu: function 99 is unknown".
[[noreturn]] void refuse_unknown(std::string_view op, std::string_view what, int value);
/// Throws naming `op` unless `value` is one of its enumeration, which ends with `last`.
template <class Enum>
void require_known(std::string_view op, std::string_view what, Enum value, Enum last) {
  if (value > last) [[unlikely]]
    refuse_unknown(op, what, static_cast<int>(value));
}

/// Throws naming `op` unless `axis` (negative: from the end) is a dimension of `shape`.
void check_axis(std::string_view op, int axis, const Shape& shape);
/// `axis` counted from the front; checked.
int normalized_axis(std::string_view op, int axis, const ConstView& view);
/// `dims` with one dimension left out.
Dims without(const Dims& dims, int axis);
/// The number of an option "axis=N"; nothing where it is another option. Throws where N is not an int.
std::optional<int> axis_option(std::string_view op, std::string_view text, const std::string& option);
/// The value of the one option that is allowed, "axis=N". Throws on any other.
std::optional<int> parse_axis(std::string_view op, std::string_view text, const std::vector<std::string>& options);

/// Memory that is only read, as an operand: kernels write to the result alone.
inline View readable(const ConstView& v) {
  return View(const_cast<void*>(v.data()), v.dtype(), v.shape(), v.strides(), v.device());
}

/// What a form has behind its sizes where problems may be batches.
inline constexpr std::string_view kBatchForm = "[*BATCH]";

/// "f32:512x512x512*8,tb,bias" -> dtype, sizes, batch, options. Throws Error that names `op`, the text and the expected
/// form.
struct ProblemText {
  DType dtype = DType::f32;
  std::vector<std::int64_t> sizes;
  std::optional<std::int64_t> batch;  // only where the form has kBatchForm
  std::vector<std::string> options;
};
ProblemText parse_problem_text(std::string_view op, std::string_view text, std::string_view form);

}  // namespace tandem
