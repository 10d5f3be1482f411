#include "common/ops/quantized_matmul.h"

#include <array>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <type_traits>

#include <fmt/format.h>

#include "common/dispatch/execute.h"

namespace tandem {
namespace {

/// What the caller called, by the type of b.
template <class B>
constexpr std::string_view kProduct = std::is_same_v<B, Sparse24> ? "quantized_matmul_2_4" : QuantizedMatmul::kName;

template <class... Values>
Error refused_by(std::string_view op, fmt::format_string<Values...> text, Values&&... values) {
  return Error(Code::invalid_argument, fmt::format("{}: ", op) + fmt::format(text, std::forward<Values>(values)...));
}

/// Operands by name, from their list.
struct Operands {
  const View *a, *b, *c;
  const View* places = nullptr;
  const View *sa = nullptr, *sb = nullptr, *za = nullptr, *zb = nullptr, *bias = nullptr;

  Operands(const QuantizedMatmulAttributes& attributes, std::span<const View> operands)
      : a(&operands[0]), b(&operands[1]), c(&operands.back()) {
    std::size_t next = 2;
    const auto take = [&](bool present) { return present ? &operands[next++] : nullptr; };
    places = take(attributes.b_format == MatrixFormat::sparse24);
    const bool scaled = c->dtype() != DType::s32;
    sa = take(scaled);
    sb = take(scaled);
    za = take(attributes.a_zero_points);
    zb = take(attributes.b_zero_points);
    bias = take(attributes.bias != QuantizedBias::none);
  }
};

template <class T>
QuantizedMatmulArgs::Vector<T> vector_of(const View* v) {
  if (!v) return {};
  return {static_cast<const T*>(v->data()), v->shape()[0] == 1 ? 0 : v->strides()[0]};
}

/// What integer results are clamped to.
IntRange clamp_of(DType result, const QuantizedMatmulAttributes& attributes) {
  const bool relu = attributes.activation == Activation::relu;
  if (result == DType::s32)
    return {relu ? 0 : std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};
  IntRange range = range_of(result);
  if (relu) range.low = std::max(range.low, attributes.result_zero_point);
  return range;
}

/// A matrix as kernels see it.
template <class P>
QuantizedMatmulArgs::Matrix<P> matrix_of(const View& v) {
  QuantizedMatmulArgs::Matrix<P> matrix{static_cast<P>(v.data()), v.strides()[0], v.strides()[1]};
  settle(matrix, v.shape()[0], v.shape()[1]);
  return matrix;
}
Layout layout_of(const View& v) { return layout_of(matrix_of<const void*>(v)); }

void check_operand(std::string_view op, std::string_view which, const ConstView& v, const Quantization& q, int axis,
                   const char* axis_name) {
  if (v.rank() != 2)
    throw refused_by(op, "{} has shape {}, but two dimensions are needed", which, to_string(v.shape()));
  if (v.dtype() != q.dtype)
    throw refused_by(op, "{} is {}, but its quantisation is of {}", which, name(v.dtype()), name(q.dtype));
  check_quantization(op, q, v.shape());
  if (q.axis != -1 && q.axis != axis)
    throw refused_by(op, "{} has scales along axis {}; one for all (axis -1) or one a {} (axis {}) is supported", which,
                     q.axis, axis_name, axis);
}

void check_bias(std::string_view op, const QuantizedMatmulOptions& options, std::int64_t n, std::int64_t room) {
  const ConstView& bias = options.bias;
  if (bias.rank() == 0) return;
  if (bias.rank() != 1 || bias.shape()[0] != n)
    throw refused_by(op, "bias is {}, but b has {} columns", to_string(bias.shape()), n);
  if (bias.dtype() != DType::s32 && !(bias.dtype() == DType::f32 && options.result == DType::f32))
    throw refused_by(op, "bias is {}; s32 is supported, and f32 for f32 results (this result is {})",
                     name(bias.dtype()), name(options.result));
  if (bias.dtype() != DType::s32 || !bias.device().is_cpu()) return;
  for (std::int64_t j = 0; j < n; ++j) {
    const std::int64_t value = static_cast<const std::int32_t*>(bias.data())[j * bias.strides()[0]];
    if (std::abs(value) > room)
      throw refused_by(op, "bias {} is {}, which could carry a sum past 32 bits (at most {} here)", j, value, room);
  }
}

void check_result(std::string_view op, const QuantizedMatmulOptions& options) {
  const DType result = options.result;
  const bool small = result == DType::s8 || result == DType::u8;
  if (!small && result != DType::f32 && result != DType::s32)
    throw refused_by(op, "the result is {}; s32, f32, s8 and u8 are supported", name(result));
  if (result != DType::f32 && options.activation != Activation::none && options.activation != Activation::relu)
    throw refused_by(op, "activation {} needs an f32 result, not {}", name(options.activation), name(result));
  if (!small) return;
  const IntRange range = range_of(result);
  if (!(options.result_scale > 0) || !std::isfinite(options.result_scale))
    throw refused_by(op, "the result's scale must be finite and > 0, not {}", options.result_scale);
  if (options.result_zero_point < range.low || options.result_zero_point > range.high)
    throw refused_by(op, "the result's zero point {} is outside [{}, {}]", options.result_zero_point, range.low,
                     range.high);
}

/// The shape of b, whatever it is stored as.
Shape shape_of(const ConstView& b) { return b.shape(); }
Shape shape_of(const Sparse24& b) { return Shape{b.cols, b.rows}; }

void check_b(const ConstView& a, const ConstView& b, const Quantization& qb) {
  constexpr std::string_view op = kProduct<ConstView>;
  check_operand(op, "b", b, qb, 1, "column");
  if (b.dtype() != DType::s8) throw refused_by(op, "b is {}, only s8 is supported", name(b.dtype()));
  if (a.shape()[1] != b.shape()[0])
    throw refused_by(op, "inner dimensions differ (a is {}, b is {})", to_string(a.shape()), to_string(b.shape()));
}
void check_b(const ConstView& a, const Sparse24& b, const Quantization& qb) {
  constexpr std::string_view op = kProduct<Sparse24>;
  check_sparse24_operand(op, b, DType::s8, a.shape()[1]);
  check_operand(op, "b", ConstView(b.values.view().data(), b.values.dtype(), shape_of(b), Strides{0, 0}), qb, 1,
                "column");
}

template <class B>
void validate(const ConstView& a, const Quantization& qa, const B& b, const Quantization& qb,
              const QuantizedMatmulOptions& options) {
  constexpr std::string_view op = kProduct<B>;
  check_operand(op, "a", a, qa, 0, "row");
  check_b(a, b, qb);
  const std::int64_t k = a.shape()[1];
  const bool za = has_zero_points(qa), zb = has_zero_points(qb);
  if (const std::int64_t limit = largest_k(a.dtype(), za, zb); k > limit)
    throw refused_by(op, "k is {}, but sums of more than {} products of {} x s8{} may pass 32 bits", k, limit,
                     name(a.dtype()), za || zb ? " with zero points" : "");
  require_known(op, "activation", options.activation, Activation::silu);
  check_result(op, options);
  check_bias(op, options, shape_of(b)[1], 0x7fffffff - k * largest_product(a.dtype(), za, zb));
}

QuantizedBias bias_of(const ConstView& bias) {
  if (bias.rank() == 0) return QuantizedBias::none;
  return bias.dtype() == DType::f32 ? QuantizedBias::f32 : QuantizedBias::s32;
}

template <class B>
void run(Context& ctx, const ConstView& a, const Quantization& qa, const B& b, const Quantization& qb, const View& c,
         const QuantizedMatmulOptions& options) {
  QuantizedMatmulAttributes attributes{has_zero_points(qa), has_zero_points(qb),  bias_of(options.bias),
                                       options.activation,  options.result_scale, options.result_zero_point};
  std::array<View, 9> operands;
  std::size_t count = 0;
  const auto add = [&](const ConstView& v) { operands[count++] = readable(v); };
  add(a);
  if constexpr (std::is_same_v<B, Sparse24>) {
    attributes.b_format = MatrixFormat::sparse24;
    add(b.values);
    add(b.metadata);
  } else {
    add(b);
  }
  if (c.dtype() != DType::s32) {
    add(qa.scales);
    add(qb.scales);
  }
  if (attributes.a_zero_points) add(qa.zero_points);
  if (attributes.b_zero_points) add(qb.zero_points);
  if (attributes.bias != QuantizedBias::none) add(options.bias);
  add(c);
  execute<QuantizedMatmul>(ctx, attributes, std::span(operands.data(), count), options.call);
}

template <class B>
Tensor product(Context& ctx, const ConstView& a, const Quantization& qa, const B& b, const Quantization& qb,
               const QuantizedMatmulOptions& options) {
  validate(a, qa, b, qb, options);
  Tensor c = new_result(ctx, kProduct<B>, Shape{a.shape()[0], shape_of(b)[1]}, options.result, a.device());
  run(ctx, a, qa, b, qb, c.view(), options);
  return c;
}

template <class B>
void product_into(Context& ctx, const ConstView& a, const Quantization& qa, const B& b, const Quantization& qb,
                  const View& c, const QuantizedMatmulOptions& options, std::initializer_list<ConstView> of_b) {
  constexpr std::string_view op = kProduct<B>;
  validate(a, qa, b, qb, options);
  require_dtype(op, "c", c, options.result);
  const Shape shape{a.shape()[0], shape_of(b)[1]};
  if (!(c.shape() == shape))
    throw refused_by(op, "c is {}, but a @ b is {} (a is {}, b is {})", to_string(c.shape()), to_string(shape),
                     to_string(a.shape()), to_string(shape_of(b)));
  refuse_repeated(op, c);
  for (const ConstView& in : of_b) refuse_overlap(op, c, in, false);
  for (const ConstView& in : {a, options.bias, ConstView(qa.scales), ConstView(qb.scales), ConstView(qa.zero_points),
                              ConstView(qb.zero_points)})
    refuse_overlap(op, c, in, false);
  run(ctx, a, qa, b, qb, c, options);
}

}  // namespace

QuantizedMatmulProblem QuantizedMatmul::describe(const Attributes& attributes, std::span<const View> operands) {
  const Operands o(attributes, operands);
  const auto several = [](const View* v) { return v && v->shape()[0] != 1; };
  QuantizedMatmulProblem p;
  p.a = o.a->dtype();
  p.result = o.c->dtype();
  p.m = o.c->shape()[0];
  p.n = o.c->shape()[1];
  p.k = o.a->shape()[1];
  p.a_layout = layout_of(*o.a);
  p.b_layout = o.places ? Layout::column : layout_of(*o.b);
  p.c_layout = layout_of(*o.c);
  p.a_per_row = several(o.sa) || several(o.za);
  p.b_per_column = several(o.sb) || several(o.zb);
  p.a_zero_points = attributes.a_zero_points;
  p.b_zero_points = attributes.b_zero_points;
  p.bias = attributes.bias;
  p.activation = attributes.activation;
  p.b_format = attributes.b_format;
  return p;
}

QuantizedMatmulArgs QuantizedMatmul::bind(const Attributes& attributes, std::span<const View> operands) {
  const Operands o(attributes, operands);
  QuantizedMatmulArgs args;
  args.m = o.c->shape()[0];
  args.n = o.c->shape()[1];
  args.k = o.a->shape()[1];
  args.a_type = o.a->dtype();
  args.result = o.c->dtype();
  args.a = matrix_of<const void*>(*o.a);
  args.c = matrix_of<void*>(*o.c);
  if (o.places) {
    args.b = {nullptr, 1, args.k};
    args.b24 = sparse24_rows(*o.b, *o.places);
  } else {
    args.b = matrix_of<const std::int8_t*>(*o.b);
  }
  args.sa = vector_of<float>(o.sa);
  args.sb = vector_of<float>(o.sb);
  args.za = vector_of<std::int32_t>(o.za);
  args.zb = vector_of<std::int32_t>(o.zb);
  if (attributes.bias == QuantizedBias::s32) args.bias_s32 = vector_of<std::int32_t>(o.bias);
  if (attributes.bias == QuantizedBias::f32) args.bias_f32 = vector_of<float>(o.bias);
  args.activation = attributes.activation;
  args.result_scale = attributes.result_scale;
  args.result_zero_point = attributes.result_zero_point;
  args.range = clamp_of(args.result, attributes);
  return args;
}

double QuantizedMatmul::flops(const Problem& p) {
  const double depth = p.b_format == MatrixFormat::sparse24 ? sparse24_depth(p.k) : static_cast<double>(p.k);
  return 2.0 * static_cast<double>(p.m) * static_cast<double>(p.n) * depth;
}

double QuantizedMatmul::dense_flops(const Problem& p) {
  if (p.b_format == MatrixFormat::dense) return 0;
  return 2.0 * static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k);
}

double QuantizedMatmul::bytes(const Problem& p) {
  const auto m = static_cast<double>(p.m), n = static_cast<double>(p.n), k = static_cast<double>(p.k);
  const double b = p.b_format == MatrixFormat::sparse24 ? sparse24_bytes(DType::s8, p.n, p.k) : k * n;
  return m * k + b + m * n * static_cast<double>(size_of(p.result)) + (p.a_per_row ? 4 * m : 0) +
         (p.b_per_column ? 4 * n : 0) + (p.bias != QuantizedBias::none ? 4 * n : 0);
}

std::optional<Request<QuantizedMatmul>> QuantizedMatmul::parse(std::string_view op, std::string_view text) {
  if (op != kName) return std::nullopt;
  // "u8s8" names the types of both operands; what follows is like any problem.
  std::string plain(text);
  if (plain.starts_with("u8s8:") || plain.starts_with("s8s8:")) plain.erase(2, 2);
  const ProblemText parsed = parse_problem_text(op, plain, kForm);
  const auto fail = [&](const std::string& why) {
    return Error(Code::invalid_argument, fmt::format("{} '{}': {}; write {}", op, text, why, kForm));
  };
  if (parsed.dtype != DType::s8 && parsed.dtype != DType::u8) throw fail("the operands are s8 or u8s8");
  if (parsed.sizes.size() != 3) throw fail("three sizes are needed");
  const std::int64_t m = parsed.sizes[0], n = parsed.sizes[1], k = parsed.sizes[2];
  Request<QuantizedMatmul> request;
  QuantizedMatmulAttributes& attributes = request.attributes;
  bool ta = false, tb = false, per_token = false, per_channel = false;
  DType result = DType::f32;
  for (const std::string& option : parsed.options) {
    if (option == "ta")
      ta = true;
    else if (option == "tb")
      tb = true;
    else if (option.starts_with("out="))
      result = parse_dtype(option.substr(4));
    else if (option == "per_token")
      per_token = true;
    else if (option == "per_channel")
      per_channel = true;
    else if (option == "2:4")
      attributes.b_format = MatrixFormat::sparse24;
    else if (option == "zp")
      attributes.a_zero_points = attributes.b_zero_points = true;
    else if (option == "bias" || option == "bias=f32")
      attributes.bias = option == "bias" ? QuantizedBias::s32 : QuantizedBias::f32;
    else if (option.starts_with("act="))
      attributes.activation = parse_activation(option.substr(4));
    else
      throw fail("unknown option '" + option + "'");
  }
  if (attributes.bias == QuantizedBias::f32 && result != DType::f32) throw fail("bias=f32 needs out=f32");
  QuantizedMatmulOptions options;
  options.result = result;
  options.activation = attributes.activation;
  check_result(op, options);
  const std::int64_t limit = largest_k(parsed.dtype, attributes.a_zero_points, attributes.b_zero_points);
  if (k > limit) throw fail(fmt::format("k is {}, but sums of more than {} products may pass 32 bits", k, limit));
  // 8-bit results of such a product: most of them inside the range.
  attributes.result_scale = 0.02f * std::sqrt(static_cast<float>(std::max<std::int64_t>(k, 1)));

  const auto matrix = [&](const char* name, DType dtype, std::int64_t rows, std::int64_t cols, bool transposed) {
    const Shape shape{rows, cols};
    element_count(shape);
    const Strides strides = transposed ? column_major(shape) : row_major(shape);
    request.operands.push_back({name, dtype, shape, strides});
  };
  const auto vector = [&](const char* name, DType dtype, std::int64_t count, ValueRange range) {
    request.operands.push_back({name, dtype, Shape{count}, Strides{1}, range});
  };
  matrix("a", parsed.dtype, m, k, ta);
  if (attributes.b_format == MatrixFormat::dense)
    matrix("b", DType::s8, k, n, tb);
  else if (tb)
    throw fail("2:4 storage is that of b transposed, there is no tb of it");
  else
    add_sparse24(request.operands, DType::s8, n, k);
  if (result != DType::s32) {
    vector("sa", DType::f32, per_token ? m : 1, kScaleRange);
    vector("sb", DType::f32, per_channel ? n : 1, kScaleRange);
  }
  if (attributes.a_zero_points) {
    vector("za", DType::s32, per_token ? m : 1, zero_point_range(parsed.dtype));
    vector("zb", DType::s32, per_channel ? n : 1, zero_point_range(DType::s8));
  }
  if (attributes.bias == QuantizedBias::s32) vector("bias", DType::s32, n, {-1000, 1000});
  if (attributes.bias == QuantizedBias::f32) vector("bias", DType::f32, n, {-1, 1});
  matrix("c", result, m, n, false);
  return request;
}

std::string QuantizedMatmul::print(const Problem& p) {
  std::string text = fmt::format("{}:{}x{}x{},out={}", p.a == DType::u8 ? "u8s8" : "s8", p.m, p.n, p.k, name(p.result));
  if (p.a_layout != Layout::row) text += p.a_layout == Layout::column ? ",ta" : ",strided_a";
  if (p.b_format == MatrixFormat::sparse24)
    text += ",2:4";
  else if (p.b_layout != Layout::row)
    text += p.b_layout == Layout::column ? ",tb" : ",strided_b";
  if (p.c_layout != Layout::row) text += p.c_layout == Layout::column ? ",tc" : ",strided_c";
  if (p.a_per_row) text += ",per_token";
  if (p.b_per_column) text += ",per_channel";
  if (p.a_zero_points || p.b_zero_points)
    text += p.a_zero_points && p.b_zero_points ? ",zp" : p.a_zero_points ? ",za" : ",zb";
  if (p.bias != QuantizedBias::none) text += p.bias == QuantizedBias::s32 ? ",bias" : ",bias=f32";
  if (p.activation != Activation::none) text += fmt::format(",act={}", name(p.activation));
  return text;
}

void QuantizedMatmul::fill_structure(std::span<const View> operands, std::uint64_t seed) {
  if (operands[2].dtype() == DType::u8) fill_sparse24(operands[1], operands[2], operands[0].shape()[1], seed);
}

void quantized_matmul_into(Context& ctx, ConstView a, const Quantization& qa, ConstView b, const Quantization& qb,
                           View c, const QuantizedMatmulOptions& options) {
  product_into(ctx, a, qa, b, qb, c, options, {b});
}

Tensor quantized_matmul(Context& ctx, ConstView a, const Quantization& qa, ConstView b, const Quantization& qb,
                        const QuantizedMatmulOptions& options) {
  return product(ctx, a, qa, b, qb, options);
}

void quantized_matmul_2_4_into(Context& ctx, ConstView a, const Quantization& qa, const Sparse24& b_transposed,
                               const Quantization& qb, View c, const QuantizedMatmulOptions& options) {
  product_into(ctx, a, qa, b_transposed, qb, c, options, {b_transposed.values, b_transposed.metadata});
}

Tensor quantized_matmul_2_4(Context& ctx, ConstView a, const Quantization& qa, const Sparse24& b_transposed,
                            const Quantization& qb, const QuantizedMatmulOptions& options) {
  return product(ctx, a, qa, b_transposed, qb, options);
}

Tensor quantized_matmul(Context& ctx, ConstView a, ConstView b, const CallOptions& call) {
  if (a.rank() != 2 || b.rank() != 2)
    throw refused_by(QuantizedMatmul::kName, "a has shape {} and b {}, but two dimensions are needed",
                     to_string(a.shape()), to_string(b.shape()));
  const CallOptions there{"", call.backend};
  const QuantizedTensor qa = dynamic_quantize_on(ctx, a, {DType::s8, Scheme::symmetric, 0, there}, a.device());
  const QuantizedTensor qb = dynamic_quantize_on(ctx, b, {DType::s8, Scheme::symmetric, 1, there}, b.device());
  QuantizedMatmulOptions options;
  options.call = call;
  return quantized_matmul(ctx, qa.values, qa.quantization, qb.values, qb.quantization, options);
}

}  // namespace tandem
