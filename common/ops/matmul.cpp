#include "common/ops/matmul.h"

#include <charconv>
#include <initializer_list>
#include <type_traits>

#include <fmt/format.h>

#include "common/dispatch/execute.h"

namespace tandem {
namespace {

/// The leading dimensions of a matrix operand.
Shape batch_of(const ConstView& v) {
  return Shape(std::span(v.shape().begin(), static_cast<std::size_t>(v.rank() - 2)));
}

Strides batch_strides(const ConstView& v, const Shape& batch) {
  Strides strides = batch;
  const int shift = batch.rank() - (v.rank() - 2);
  for (int d = 0; d < batch.rank(); ++d)
    strides[d] = d < shift || v.shape()[d - shift] == 1 ? 0 : v.strides()[d - shift];
  return strides;
}

/// A batch with one b, whose rows of a and c follow each other, becomes a taller product.
void fold_batch(MatmulArgs& args) {
  const Loops<3>& loops = args.batch;
  if (loops.rank == 1 && loops.strides[1][0] == 0 && loops.elements > 0 && loops.strides[0][0] == args.m * args.a.row &&
      loops.strides[2][0] == args.m * args.c.row && args.a.row > 0 && args.bias.row == 0) {
    args.m *= loops.shape[0];
    args.batch = {};
  }
}

/// The product as kernels see it: a column-major result turned round, a batch with one common b folded into m.
MatmulArgs normalized(const MatmulAttributes& attributes, std::span<const View> operands) {
  const View &a = operands[0], &b = operands[1], &c = operands.back();
  const bool sparse = attributes.b_format == MatrixFormat::sparse24;
  const int ra = a.rank() - 2, rb = b.rank() - 2, rc = c.rank() - 2;
  MatmulArgs args;
  args.m = c.shape()[rc];
  args.n = c.shape()[rc + 1];
  args.k = a.shape()[ra + 1];
  args.result = c.dtype();
  args.a = {a.data(), a.strides()[ra], a.strides()[ra + 1]};
  args.b = {b.data(), b.strides()[rb], b.strides()[rb + 1]};
  if (sparse) {
    args.b = {nullptr, 1, args.k};
    args.b24 = sparse24_rows(b, operands[2]);
  }
  args.c = {c.data(), c.strides()[rc], c.strides()[rc + 1]};
  if (attributes.bias) {
    const View& bias = operands[sparse ? 3 : 2];
    args.bias = {bias.data(), 0, bias.strides()[0]};
  }
  args.alpha = args.k == 0 ? 1.0f : attributes.alpha;  // an infinite alpha times an empty sum is no NaN
  args.beta = attributes.beta;
  args.activation = attributes.activation;

  if (rc > 0) {  // without a batch there is one item, as args says already
    const Shape batch = batch_of(c);
    const Strides sa = batch_strides(a, batch), sb = batch_strides(b, batch), sc = batch_strides(c, batch);
    args.batch = make_loops<3>(batch, {&sa, &sb, &sc});
    fold_batch(args);
  }
  settle(args.a, args.m, args.k);
  settle(args.b, args.k, args.n);
  settle(args.c, args.m, args.n);
  if (args.c.col != 1 && args.c.row == 1 && !sparse) {
    args = turned(args);
    fold_batch(args);
  }
  return args;
}

float parse_number(std::string_view op, std::string_view text) {
  float value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || at != text.data() + text.size())
    throw Error(Code::invalid_argument, fmt::format("{}: '{}' is not a number", op, text));
  return value;
}

/// What the caller called.
template <class B>
constexpr std::string_view kCalled = std::is_same_v<B, Sparse24> ? "matmul_2_4" : "matmul";

void check_dtype(std::string_view op, const ConstView& a) {
  if (a.dtype() != DType::f32 && a.dtype() != DType::bf16)
    throw Error(Code::invalid_argument, fmt::format("{}: a is {}; f32 and bf16 are supported", op, name(a.dtype())));
}

std::string described(const ConstView& b) { return to_string(b.shape()); }
std::string described(const Sparse24& b) { return fmt::format("a 2:4 matrix of {}x{}", b.rows, b.cols); }

template <class B>
void check_options(const MatmulOptions& options, std::int64_t n, const B& b) {
  require_known(kCalled<B>, "activation", options.activation, Activation::silu);
  if (options.bias.rank() == 0) return;
  require_dtype(kCalled<B>, "bias", options.bias, DType::f32);
  if (options.bias.rank() != 1 || options.bias.shape()[0] != n)
    throw Error(Code::invalid_argument, fmt::format("{}: bias is {}, but b has {} columns (b is {})", kCalled<B>,
                                                    to_string(options.bias.shape()), n, described(b)));
}

void validate(const ConstView& a, const ConstView& b, const MatmulOptions& options) {
  if (a.rank() < 2 || b.rank() < 2)
    throw Error(Code::invalid_argument, fmt::format("matmul: operands need two dimensions or more (a is {}, b is {})",
                                                    to_string(a.shape()), to_string(b.shape())));
  check_dtype("matmul", a);
  if (b.dtype() != a.dtype())
    throw Error(Code::invalid_argument, fmt::format("matmul: b is {}, but a is {}; they must be of one type",
                                                    name(b.dtype()), name(a.dtype())));
  const std::int64_t k = a.shape().back(), kb = b.shape()[b.rank() - 2], n = b.shape().back();
  if (k != kb)
    throw Error(Code::invalid_argument, fmt::format("matmul: inner dimensions differ (a is {}, b is {})",
                                                    to_string(a.shape()), to_string(b.shape())));
  check_options(options, n, b);
}

void validate(const ConstView& a, const Sparse24& b, const MatmulOptions& options) {
  if (a.rank() < 2)
    throw Error(Code::invalid_argument,
                fmt::format("matmul_2_4: a needs two dimensions or more, but is {}", to_string(a.shape())));
  check_dtype("matmul_2_4", a);
  check_sparse24_operand("matmul_2_4", b, a.dtype(), a.shape().back());
  check_options(options, b.rows, b);
}

void check_result(std::string_view op, DType operands, DType result) {
  if (result == operands || (operands == DType::bf16 && result == DType::f32)) return;
  throw Error(Code::invalid_argument, fmt::format("{}: the result is {}, but products of {} are {}", op, name(result),
                                                  name(operands), operands == DType::f32 ? "f32" : "bf16 or f32"));
}

Shape result_shape(const ConstView& a, const ConstView& b) {
  Shape shape = broadcast_shapes("matmul", batch_of(a), batch_of(b));
  shape.push_back(a.shape()[a.rank() - 2]);
  shape.push_back(b.shape().back());
  return shape;
}

Shape result_shape(const ConstView& a, const Sparse24& b) {
  Shape shape = a.shape();
  shape[a.rank() - 1] = b.rows;
  return shape;
}

template <class... Operands>
void call(Context& ctx, const MatmulAttributes& attributes, const MatmulOptions& options, const Operands&... all) {
  const View operands[] = {readable(all)...};
  execute<Matmul>(ctx, attributes, operands, options.call);
}

template <class B>
void run(Context& ctx, const ConstView& a, const B& b, const View& c, const MatmulOptions& options) {
  MatmulAttributes attributes{options.alpha, options.beta, options.activation, options.bias.rank() == 1};
  const ConstView& bias = options.bias;
  if constexpr (std::is_same_v<B, Sparse24>) {
    attributes.b_format = MatrixFormat::sparse24;
    attributes.bias ? call(ctx, attributes, options, a, b.values, b.metadata, bias, c)
                    : call(ctx, attributes, options, a, b.values, b.metadata, c);
  } else {
    attributes.bias ? call(ctx, attributes, options, a, b, bias, c) : call(ctx, attributes, options, a, b, c);
  }
}

template <class B>
Tensor product(Context& ctx, const ConstView& a, const B& b, const MatmulOptions& options) {
  validate(a, b, options);
  if (options.beta != 0.0f)
    throw Error(Code::invalid_argument,
                fmt::format("{0}: beta is {1}, but there is no c to read; use {0}_into", kCalled<B>, options.beta));
  const DType result = options.result.value_or(a.dtype());
  check_result(kCalled<B>, a.dtype(), result);
  Tensor c = new_result(ctx, kCalled<B>, result_shape(a, b), result, a.device());
  run(ctx, a, b, c.view(), options);
  return c;
}

template <class B>
void product_into(Context& ctx, const ConstView& a, const B& b, const View& c, const MatmulOptions& options,
                  std::initializer_list<ConstView> inputs) {
  validate(a, b, options);
  check_result(kCalled<B>, a.dtype(), c.dtype());
  if (options.result) require_dtype(kCalled<B>, "c", c, *options.result);
  if (!(c.shape() == result_shape(a, b)))
    throw Error(Code::invalid_argument,
                fmt::format("{}: c is {}, but a @ b is {} (a is {}, b is {})", kCalled<B>, to_string(c.shape()),
                            to_string(result_shape(a, b)), to_string(a.shape()), described(b)));
  refuse_repeated(kCalled<B>, c);
  for (const ConstView& in : inputs) refuse_overlap(kCalled<B>, c, in, false);
  run(ctx, a, b, c, options);
}

}  // namespace

MatmulArgs turned(const MatmulArgs& args) {
  MatmulArgs out = args;
  std::swap(out.m, out.n);
  std::swap(out.a, out.b);
  for (auto* matrix : {&out.a, &out.b, &out.bias}) std::swap(matrix->row, matrix->col);
  std::swap(out.c.row, out.c.col);
  std::swap(out.batch.strides[0], out.batch.strides[1]);
  return out;
}

MatmulProblem Matmul::describe(const Attributes& attributes, std::span<const View> operands) {
  const MatmulArgs args = normalized(attributes, operands);
  MatmulProblem p;
  p.dtype = operands[0].dtype();
  p.result = args.result;
  p.m = args.m;
  p.n = args.n;
  p.k = args.k;
  p.batch = args.batch.elements;
  p.a = layout_of(args.a);
  p.b = layout_of(args.b);
  p.c = layout_of(args.c);
  p.shared_b = true;
  for (int d = 0; d < args.batch.rank; ++d) p.shared_b = p.shared_b && args.batch.strides[1][d] == 0;
  p.reads_c = attributes.beta != 0.0f;
  p.bias = attributes.bias;
  p.activation = attributes.activation;
  p.b_format = attributes.b_format;
  return p;
}

MatmulArgs Matmul::bind(const Attributes& attributes, std::span<const View> operands) {
  return normalized(attributes, operands);
}

double Matmul::flops(const Problem& p) {
  const double depth = p.b_format == MatrixFormat::sparse24 ? sparse24_depth(p.k) : static_cast<double>(p.k);
  return 2.0 * static_cast<double>(p.batch) * static_cast<double>(p.m) * static_cast<double>(p.n) * depth;
}

double Matmul::dense_flops(const Problem& p) {
  if (p.b_format == MatrixFormat::dense) return 0;
  return 2.0 * static_cast<double>(p.batch) * static_cast<double>(p.m) * static_cast<double>(p.n) *
         static_cast<double>(p.k);
}

double Matmul::bytes(const Problem& p) {
  const auto m = static_cast<double>(p.m), n = static_cast<double>(p.n), k = static_cast<double>(p.k);
  const auto batch = static_cast<double>(p.batch);
  const auto size = static_cast<double>(size_of(p.dtype));
  const double b = p.b_format == MatrixFormat::sparse24 ? sparse24_bytes(p.dtype, p.n, p.k)
                                                        : (p.shared_b ? 1 : batch) * k * n * size;
  return batch * m * k * size + b + batch * m * n * (p.reads_c ? 2 : 1) * static_cast<double>(size_of(p.result)) +
         (p.bias ? 4 * n : 0);
}

std::optional<Request<Matmul>> Matmul::parse(std::string_view op, std::string_view text) {
  if (op != kName) return std::nullopt;
  const ProblemText parsed = parse_problem_text(op, text, kForm);
  if (parsed.sizes.size() != 3)
    throw Error(Code::invalid_argument, fmt::format("matmul '{}': three sizes are needed; write {}", text, kForm));
  if (parsed.dtype != DType::f32 && parsed.dtype != DType::bf16)
    throw Error(Code::invalid_argument,
                fmt::format("matmul '{}': the operands are f32 or bf16; write {}", text, kForm));
  const std::int64_t m = parsed.sizes[0], n = parsed.sizes[1], k = parsed.sizes[2];
  Request<Matmul> request;
  DType result = parsed.dtype;
  bool ta = false, tb = false;
  MatrixFormat& b_format = request.attributes.b_format;
  const Shape batch = parsed.batch ? Shape{*parsed.batch} : Shape{};
  for (const std::string& option : parsed.options) {
    if (option == "ta")
      ta = true;
    else if (option == "tb")
      tb = true;
    else if (option == "2:4")
      b_format = MatrixFormat::sparse24;
    else if (option == "bias")
      request.attributes.bias = true;
    else if (option.starts_with("out="))
      result = parse_dtype(option.substr(4));
    else if (option.starts_with("act="))
      request.attributes.activation = parse_activation(option.substr(4));
    else if (option.starts_with("beta="))
      request.attributes.beta = parse_number(op, option.substr(5));
    else
      throw Error(Code::invalid_argument,
                  fmt::format("matmul '{}': unknown option '{}'; write {}", text, option, kForm));
  }
  check_result(op, parsed.dtype, result);
  const auto matrix = [&](const char* name, DType dtype, std::int64_t rows, std::int64_t cols, bool transposed) {
    Shape shape = batch;
    shape.push_back(rows);
    shape.push_back(cols);
    element_count(shape);
    Strides strides = row_major(shape);
    if (transposed) {
      strides[batch.rank()] = 1;
      strides[batch.rank() + 1] = std::max<std::int64_t>(rows, 1);
    }
    request.operands.push_back({name, dtype, shape, strides});
  };
  matrix("a", parsed.dtype, m, k, ta);
  if (b_format == MatrixFormat::dense)
    matrix("b", parsed.dtype, k, n, tb);
  else if (tb)
    throw Error(Code::invalid_argument,
                fmt::format("matmul '{}': 2:4 storage is that of b transposed, there is no tb of it", text));
  else
    add_sparse24(request.operands, parsed.dtype, n, k);
  if (request.attributes.bias) request.operands.push_back({"bias", DType::f32, Shape{n}, Strides{1}});
  matrix("c", result, m, n, false);
  return request;
}

std::string Matmul::print(const Problem& p) {
  std::string text = fmt::format("{}:{}x{}x{}", name(p.dtype), p.m, p.n, p.k);
  if (p.batch != 1) text += fmt::format("*{}", p.batch);
  if (p.a != Layout::row) text += p.a == Layout::column ? ",ta" : ",strided_a";
  if (p.b_format == MatrixFormat::sparse24)
    text += ",2:4";
  else if (p.b != Layout::row)
    text += p.b == Layout::column ? ",tb" : ",strided_b";
  if (p.result != p.dtype) text += fmt::format(",out={}", name(p.result));
  if (p.bias) text += ",bias";
  if (p.activation != Activation::none) text += fmt::format(",act={}", name(p.activation));
  if (p.reads_c) text += ",beta=1";
  return text;
}

void Matmul::fill_structure(std::span<const View> operands, std::uint64_t seed) {
  if (operands[2].dtype() == DType::u8) fill_sparse24(operands[1], operands[2], operands[0].shape().back(), seed);
}

Tensor matmul(Context& ctx, ConstView a, ConstView b, const MatmulOptions& options) {
  return product(ctx, a, b, options);
}

void matmul_into(Context& ctx, ConstView a, ConstView b, View c, const MatmulOptions& options) {
  product_into(ctx, a, b, c, options, {a, b, options.bias});
}

Tensor matmul_2_4(Context& ctx, ConstView a, const Sparse24& b_transposed, const MatmulOptions& options) {
  return product(ctx, a, b_transposed, options);
}

void matmul_2_4_into(Context& ctx, ConstView a, const Sparse24& b_transposed, View c, const MatmulOptions& options) {
  product_into(ctx, a, b_transposed, c, options, {a, b_transposed.values, b_transposed.metadata, options.bias});
}

}  // namespace tandem
