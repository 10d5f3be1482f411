#include "common/ops/elementwise.h"

#include <fmt/format.h>

#include "common/dispatch/execute.h"

namespace tandem {
namespace {

Loops<2> unary_loops(std::span<const View> operands) {
  return make_loops<2>(operands[0].shape(), {&operands[0].strides(), &operands[1].strides()});
}

Loops<3> binary_loops(std::span<const View> operands) {
  const Shape& shape = operands[2].shape();
  const Strides a = broadcast_strides(operands[0], shape), b = broadcast_strides(operands[1], shape);
  return make_loops<3>(shape, {&a, &b, &operands[2].strides()});
}

template <class Fn>
std::optional<Fn> function_named(std::string_view text, Fn last) {
  for (int i = 0; i <= static_cast<int>(last); ++i)
    if (name(static_cast<Fn>(i)) == text) return static_cast<Fn>(i);
  return std::nullopt;
}

Shape shape_of(const ProblemText& parsed) { return Shape(std::span<const std::int64_t>(parsed.sizes)); }

}  // namespace

UnaryProblem Unary::describe(const Attributes& attributes, std::span<const View> operands) {
  const Loops<2> loops = unary_loops(operands);
  return {attributes.fn, operands[0].dtype(), loops.elements, loops.contiguous(),
          operands[0].data() == operands[1].data()};
}

UnaryArgs Unary::bind(const Attributes& attributes, std::span<const View> operands) {
  return {attributes.fn, operands[0].data(), operands[1].data(), unary_loops(operands)};
}

double Unary::flops(const Problem& p) { return static_cast<double>(p.elements); }
double Unary::bytes(const Problem& p) {
  return 2.0 * static_cast<double>(p.elements) * static_cast<double>(size_of(p.dtype));
}

std::optional<Request<Unary>> Unary::parse(std::string_view op, std::string_view text) {
  const std::optional<UnaryFn> fn = function_named(op, UnaryFn::exp);
  if (!fn) return std::nullopt;
  const ProblemText parsed = parse_problem_text(op, text, kForm);
  for (const std::string& option : parsed.options)
    throw Error(Code::invalid_argument, fmt::format("{} '{}': unknown option '{}'; write {}", op, text, option, kForm));
  const Shape shape = shape_of(parsed);
  element_count(shape);
  Request<Unary> request;
  request.attributes.fn = *fn;
  for (const char* operand : {"x", "y"}) request.operands.push_back({operand, parsed.dtype, shape, row_major(shape)});
  return request;
}

std::string Unary::print(const Problem& p) {
  return fmt::format("{}:{}{}{}", name(p.dtype), p.elements, p.contiguous ? "" : ",strided",
                     p.in_place ? ",in_place" : "");
}

BinaryProblem Binary::describe(const Attributes& attributes, std::span<const View> operands) {
  const Loops<3> loops = binary_loops(operands);
  return {attributes.fn,          operands[0].dtype(),    loops.elements,
          operands[0].elements(), operands[1].elements(), loops.contiguous()};
}

BinaryArgs Binary::bind(const Attributes& attributes, std::span<const View> operands) {
  return {attributes.fn, operands[0].data(), operands[1].data(), operands[2].data(), binary_loops(operands)};
}

double Binary::flops(const Problem& p) { return static_cast<double>(p.elements); }
double Binary::bytes(const Problem& p) {
  return static_cast<double>(p.elements + p.a_elements + p.b_elements) * static_cast<double>(size_of(p.dtype));
}

std::optional<Request<Binary>> Binary::parse(std::string_view op, std::string_view text) {
  const std::optional<BinaryFn> fn = function_named(op, BinaryFn::squared_difference);
  if (!fn) return std::nullopt;
  const ProblemText parsed = parse_problem_text(op, text, kForm);
  const Shape shape = shape_of(parsed);
  element_count(shape);
  Shape b = shape;
  for (const std::string& option : parsed.options) {
    if (option != "row" || shape.rank() < 1)
      throw Error(Code::invalid_argument,
                  fmt::format("{} '{}': unknown option '{}'; write {}", op, text, option, kForm));
    b = Shape{shape.back()};
  }
  Request<Binary> request;
  request.attributes.fn = *fn;
  request.operands = {{"a", parsed.dtype, shape, row_major(shape)},
                      {"b", parsed.dtype, b, row_major(b)},
                      {"out", parsed.dtype, shape, row_major(shape)}};
  return request;
}

std::string Binary::print(const Problem& p) {
  std::string text = fmt::format("{}:{}", name(p.dtype), p.elements);
  if (p.a_elements != p.elements) text += fmt::format(",a={}", p.a_elements);
  if (p.b_elements != p.elements) text += fmt::format(",b={}", p.b_elements);
  return text + (p.contiguous || p.a_elements != p.elements || p.b_elements != p.elements ? "" : ",strided");
}

void unary_into(Context& ctx, UnaryFn fn, ConstView x, View y, const CallOptions& call) {
  require_known(Unary::kName, "function", fn, UnaryFn::exp);
  const std::string_view op = name(fn);
  require_dtype(op, "x", x, DType::f32);
  require_dtype(op, "y", y, DType::f32);
  if (!(x.shape() == y.shape()))
    throw Error(Code::invalid_argument,
                fmt::format("{}: y is {}, but x is {}", op, to_string(y.shape()), to_string(x.shape())));
  refuse_repeated(op, y);
  refuse_overlap(op, y, x, true);
  const View operands[] = {readable(x), y};
  execute<Unary>(ctx, {fn}, operands, call);
}

Tensor unary(Context& ctx, UnaryFn fn, ConstView x, const CallOptions& call) {
  require_known(Unary::kName, "function", fn, UnaryFn::exp);
  Tensor y = new_result(ctx, name(fn), x.shape(), x.dtype(), x.device());
  unary_into(ctx, fn, x, y.view(), call);
  return y;
}

Tensor relu(Context& ctx, ConstView x, const CallOptions& call) { return unary(ctx, UnaryFn::relu, x, call); }
Tensor gelu_erf(Context& ctx, ConstView x, const CallOptions& call) { return unary(ctx, UnaryFn::gelu_erf, x, call); }
Tensor gelu_tanh(Context& ctx, ConstView x, const CallOptions& call) { return unary(ctx, UnaryFn::gelu_tanh, x, call); }
Tensor gelu_sigmoid(Context& ctx, ConstView x, const CallOptions& call) {
  return unary(ctx, UnaryFn::gelu_sigmoid, x, call);
}
Tensor sigmoid(Context& ctx, ConstView x, const CallOptions& call) { return unary(ctx, UnaryFn::sigmoid, x, call); }
Tensor tanh(Context& ctx, ConstView x, const CallOptions& call) { return unary(ctx, UnaryFn::tanh, x, call); }
Tensor silu(Context& ctx, ConstView x, const CallOptions& call) { return unary(ctx, UnaryFn::silu, x, call); }
Tensor exp(Context& ctx, ConstView x, const CallOptions& call) { return unary(ctx, UnaryFn::exp, x, call); }

void binary_into(Context& ctx, BinaryFn fn, ConstView a, ConstView b, View out, const CallOptions& call) {
  require_known(Binary::kName, "function", fn, BinaryFn::squared_difference);
  const std::string_view op = name(fn);
  require_dtype(op, "a", a, DType::f32);
  require_dtype(op, "b", b, DType::f32);
  require_dtype(op, "out", out, DType::f32);
  const Shape shape = broadcast_shapes(op, a.shape(), b.shape());
  if (!(out.shape() == shape))
    throw Error(Code::invalid_argument,
                fmt::format("{}: out is {}, but a and b broadcast to {} (a is {}, b is {})", op, to_string(out.shape()),
                            to_string(shape), to_string(a.shape()), to_string(b.shape())));
  refuse_repeated(op, out);
  refuse_overlap(op, out, a, true);
  refuse_overlap(op, out, b, true);
  const View operands[] = {readable(a), readable(b), out};
  execute<Binary>(ctx, {fn}, operands, call);
}

Tensor binary(Context& ctx, BinaryFn fn, ConstView a, ConstView b, const CallOptions& call) {
  require_known(Binary::kName, "function", fn, BinaryFn::squared_difference);
  const Shape shape = broadcast_shapes(name(fn), a.shape(), b.shape());
  Tensor out = new_result(ctx, name(fn), shape, a.dtype(), a.device());
  binary_into(ctx, fn, a, b, out.view(), call);
  return out;
}

Tensor add(Context& ctx, ConstView a, ConstView b, const CallOptions& call) {
  return binary(ctx, BinaryFn::add, a, b, call);
}
Tensor sub(Context& ctx, ConstView a, ConstView b, const CallOptions& call) {
  return binary(ctx, BinaryFn::sub, a, b, call);
}
Tensor mul(Context& ctx, ConstView a, ConstView b, const CallOptions& call) {
  return binary(ctx, BinaryFn::mul, a, b, call);
}
Tensor div(Context& ctx, ConstView a, ConstView b, const CallOptions& call) {
  return binary(ctx, BinaryFn::div, a, b, call);
}
Tensor squared_difference(Context& ctx, ConstView a, ConstView b, const CallOptions& call) {
  return binary(ctx, BinaryFn::squared_difference, a, b, call);
}

}  // namespace tandem
