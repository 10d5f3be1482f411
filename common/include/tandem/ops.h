// The operations. Each exists as a function that returns a new tensor and as one (`_into`) that writes to a view.
//
// Shapes are NumPy's. Operands may have any strides >= 0 and any element alignment, on the host or on the context's
// GPU. Supported element type: f32 unless stated. Calls that run on the GPU return before the work is done when
// the result stays there; a result on the host is complete on return.
//
// Order on the GPU: a call reads and writes device memory on the context's stream (Context::stream). What another
// stream writes there must be complete before the call, or ordered before it on that stream; a tensor that context A
// made is ready for B after A.synchronize(). Host operands may be changed as soon as a call returns.
//
// Aliasing: elementwise operations and softmax may work in place (the result is exactly an input: same pointer,
// same strides); any other overlap of the result with an input is refused with an Error.
//
// Errors: Error(invalid_argument) names the operation and the offending shapes, dtypes or values; Error(unavailable) is
// an operand on a GPU that is not the context's.
//
// Bounds and bits: gamma(n) = n u / (1 - n u), u = 2^-24. A bound is without what underflow costs, at most 2^-149 a
// step, and nothing is promised where a sum of magnitudes passes the largest float. "The same bits for every number of
// threads" holds for one kernel. Dispatch weighs kernels anew for each number of threads, of a context and inside
// parallel_batch, and may choose another one, of bf16 products especially: force it where bits matter
// (CallOptions::kernel, Policy::kernels). docs/numerics.md has the whole of it.
#pragma once

#include <optional>
#include <span>
#include <string>

#include <tandem/context.h>
#include <tandem/tensor.h>

namespace tandem {

/// An input that is in two places: `other` holds the elements of `view` on the other side, host or GPU.
struct Twin {
  ConstView view;
  ConstView other;  ///< of the same dtype and shape, with any strides
};

/// A matrix [k, n] packed beforehand as the CPU's fast product wants it as b: made by Weights, for a CPU of one kind.
struct PackedMatrix {
  ConstView matrix;
  const void* panels = nullptr;  ///< in host memory
  std::int64_t panel = 0;        ///< columns
  std::size_t bytes = 0;
};

/// Overrides of the context's policy for one call, and what the call should know of its operands.
struct CallOptions {
  /// Full name; empty: choose. One that this operation does not have is Error(invalid_argument), one that the machine
  /// cannot run Error(unavailable), one that does not take the problem Error(unsupported).
  std::string kernel;
  std::optional<Backend> backend;  ///< only kernels of this backend; not here -> Error(unavailable)
  /// An input that is exactly the `view` of one of these is taken from `other` where the call runs there: it then costs
  /// no copy on either side.
  std::span<const Twin> twins = {};
  /// Used where b of a product is exactly its `matrix` and the kernel that runs reads such panels; else left alone.
  /// Null: there are none. Only read during the call.
  const PackedMatrix* packed = nullptr;
  /// How many calls, this one counted, will use the inputs that do not change from call to call (all but the first,
  /// such as weights, scales and a bias; all but b of spmm) once they are where the call runs: 1 or more. The choice
  /// counts so large a share of bringing them. Nothing is kept for later calls by this: say it where you keep them, by
  /// Weights::upload, as twins, or as tensors on the GPU. It is part of what a decision is remembered for.
  float expected_reuse = 1;
};

/// Applied to alpha * a @ b + beta * c + bias before the store. GELU is named by its formula (see UnaryFn).
enum class Activation : std::uint8_t { none, relu, gelu_erf, gelu_tanh, gelu_sigmoid, sigmoid, tanh, silu };

std::string_view name(Activation activation) noexcept;
Activation parse_activation(std::string_view text);

struct MatmulOptions {
  float alpha = 1.0f;
  float beta = 0.0f;  ///< 0: the old contents of c are not read (NaN there does not matter)
  ConstView bias;     ///< empty, or n elements of f32 added to every row
  Activation activation = Activation::none;
  std::optional<DType> result;  ///< that of a when unset; f32 is possible for bf16 operands
  CallOptions call;
};

/// activation(alpha * a @ b + bias). a is [..., m, k], b is [..., k, n]; leading dimensions broadcast as in NumPy. f32:
/// f32 arithmetic in a fixed order, multiply and add fused by some kernels, |error| <= gamma(k) * (|a| @ |b|) an
/// element, the same bits for every number of threads of a kernel. bf16 (a and b): the products are exact, sums (which
/// tensor cores truncate: gamma(2 k)), bias and activation are f32, and a bf16 result is rounded once; denormals may
/// count as zero. k = 0 gives activation(bias). beta must be 0 here.
Tensor matmul(Context& ctx, ConstView a, ConstView b, const MatmulOptions& options = {});

/// c = activation(alpha * a @ b + beta * c + bias). c is [broadcast batch..., m, n], of a's type or f32, and overlaps
/// neither a, b nor bias.
void matmul_into(Context& ctx, ConstView a, ConstView b, View c, const MatmulOptions& options = {});

/// Elementwise functions of one operand.
///   relu          max(x, 0); NaN stays NaN; relu(-0) is +0
///   gelu_erf      x/2 (1 + erf(x / sqrt 2))
///   gelu_tanh     x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
///   gelu_sigmoid  x sigmoid(1.702 x)
///   silu          x sigmoid(x)
enum class UnaryFn : std::uint8_t { relu, gelu_erf, gelu_tanh, gelu_sigmoid, sigmoid, tanh, silu, exp };

std::string_view name(UnaryFn fn) noexcept;

Tensor unary(Context& ctx, UnaryFn fn, ConstView x, const CallOptions& call = {});
/// y has x's shape; y may be x.
void unary_into(Context& ctx, UnaryFn fn, ConstView x, View y, const CallOptions& call = {});

Tensor relu(Context& ctx, ConstView x, const CallOptions& call = {});
Tensor gelu_erf(Context& ctx, ConstView x, const CallOptions& call = {});
Tensor gelu_tanh(Context& ctx, ConstView x, const CallOptions& call = {});
Tensor gelu_sigmoid(Context& ctx, ConstView x, const CallOptions& call = {});
Tensor sigmoid(Context& ctx, ConstView x, const CallOptions& call = {});
Tensor tanh(Context& ctx, ConstView x, const CallOptions& call = {});
Tensor silu(Context& ctx, ConstView x, const CallOptions& call = {});
Tensor exp(Context& ctx, ConstView x, const CallOptions& call = {});

/// Elementwise functions of two operands; squared_difference is (a - b)^2.
enum class BinaryFn : std::uint8_t { add, sub, mul, div, squared_difference };

std::string_view name(BinaryFn fn) noexcept;

/// Shapes broadcast as in NumPy.
Tensor binary(Context& ctx, BinaryFn fn, ConstView a, ConstView b, const CallOptions& call = {});
/// out has the broadcast shape; out may be a or b when that operand is not broadcast.
void binary_into(Context& ctx, BinaryFn fn, ConstView a, ConstView b, View out, const CallOptions& call = {});

Tensor add(Context& ctx, ConstView a, ConstView b, const CallOptions& call = {});
Tensor sub(Context& ctx, ConstView a, ConstView b, const CallOptions& call = {});
Tensor mul(Context& ctx, ConstView a, ConstView b, const CallOptions& call = {});
Tensor div(Context& ctx, ConstView a, ConstView b, const CallOptions& call = {});
Tensor squared_difference(Context& ctx, ConstView a, ConstView b, const CallOptions& call = {});

/// softmax = exp(x - max) / sum(exp(x - max)) along an axis; log_softmax = (x - max) - log(sum(exp(x - max))).
/// A NaN in a row makes the row NaN; so does a row whose maximum is -Inf or +Inf (0/0 and Inf - Inf in the formula).
enum class SoftmaxFn : std::uint8_t { softmax, log_softmax };

std::string_view name(SoftmaxFn fn) noexcept;

/// A negative axis counts from the end.
Tensor softmax(Context& ctx, ConstView x, int axis = -1, const CallOptions& call = {});
Tensor log_softmax(Context& ctx, ConstView x, int axis = -1, const CallOptions& call = {});
/// y has x's shape; y may be x.
void softmax_into(Context& ctx, SoftmaxFn fn, ConstView x, View y, int axis = -1, const CallOptions& call = {});

/// Reductions. sum of nothing is 0, max of nothing is an error; a NaN makes the result NaN.
///   dot                 sum of a b
///   euclidean_distance  sqrt(sum of (a - b)^2); 0 or infinite where the squares leave the range of f32
///   cosine_similarity   sum of a b / (|a| |b|); NaN when a vector is zero (0/0). Where |a|^2, |b|^2 or the product of
///                       both leaves the normal range of f32, nothing is promised: it may be NaN, 0 or infinite
enum class ReduceFn : std::uint8_t { sum, max, dot, euclidean_distance, cosine_similarity };

std::string_view name(ReduceFn fn) noexcept;

/// Over all elements (axis unset: the result has rank 0) or along one axis, which then disappears from the shape.
/// b is given for the functions of two operands and has a's shape. Partial sums are combined in a fixed order: the same
/// bits for every number of threads of a kernel.
Tensor reduce(Context& ctx, ReduceFn fn, ConstView a, ConstView b = {}, std::optional<int> axis = {},
              const CallOptions& call = {});
void reduce_into(Context& ctx, ReduceFn fn, ConstView a, ConstView b, View out, std::optional<int> axis = {},
                 const CallOptions& call = {});

/// The reductions over all elements as host numbers; they wait for the result.
float sum(Context& ctx, ConstView a, const CallOptions& call = {});
float max(Context& ctx, ConstView a, const CallOptions& call = {});
float dot(Context& ctx, ConstView a, ConstView b, const CallOptions& call = {});
float euclidean_distance(Context& ctx, ConstView a, ConstView b, const CallOptions& call = {});
float cosine_similarity(Context& ctx, ConstView a, ConstView b, const CallOptions& call = {});

/// The last two dimensions swapped, as a new row-major tensor. (View::transposed() moves nothing.)
Tensor transpose(Context& ctx, ConstView x, const CallOptions& call = {});
/// y is [..., n, m] for x [..., m, n]; no overlap.
void transpose_into(Context& ctx, ConstView x, View y, const CallOptions& call = {});

/// x in another type: f32 as bf16 or f16, or one of these as f32 (no other pair). To 16 bits rounds to the nearest,
/// ties to even, and to infinity beyond the largest one; a NaN keeps its sign and the upper bits of its payload, and
/// becomes quiet. To f32 is exact; a NaN of f16 becomes quiet. The same bits on every kernel.
Tensor convert(Context& ctx, ConstView x, DType dtype, const CallOptions& call = {});
/// y has x's shape, and another type that x converts to; no overlap.
void convert_into(Context& ctx, ConstView x, View y, const CallOptions& call = {});

}  // namespace tandem
