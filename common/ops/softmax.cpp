#include "common/ops/softmax.h"

#include <fmt/format.h>

#include "common/dispatch/execute.h"

namespace tandem {
namespace {

SoftmaxArgs arguments(const SoftmaxAttributes& attributes, std::span<const View> operands) {
  const View &x = operands[0], &y = operands[1];
  const int axis = normalized_axis(name(attributes.fn), attributes.axis, x);
  SoftmaxArgs args;
  args.fn = attributes.fn;
  args.x = x.data();
  args.y = y.data();
  args.length = x.shape()[axis];
  args.x_stride = args.length == 1 ? 1 : x.strides()[axis];
  args.y_stride = args.length == 1 ? 1 : y.strides()[axis];
  const Shape rest = without(x.shape(), axis);
  const Strides sx = without(x.strides(), axis), sy = without(y.strides(), axis);
  args.rows = make_loops<2>(rest, {&sx, &sy});
  return args;
}

}  // namespace

SoftmaxProblem Softmax::describe(const Attributes& attributes, std::span<const View> operands) {
  const SoftmaxArgs args = arguments(attributes, operands);
  return {attributes.fn, operands[0].dtype(), args.rows.elements, args.length,
          args.x_stride == 1 && args.y_stride == 1};
}

SoftmaxArgs Softmax::bind(const Attributes& attributes, std::span<const View> operands) {
  return arguments(attributes, operands);
}

double Softmax::flops(const Problem& p) { return 4.0 * static_cast<double>(p.rows) * static_cast<double>(p.length); }
double Softmax::bytes(const Problem& p) {
  return 2.0 * static_cast<double>(p.rows) * static_cast<double>(p.length) * static_cast<double>(size_of(p.dtype));
}

std::optional<Request<Softmax>> Softmax::parse(std::string_view op, std::string_view text) {
  Request<Softmax> request;
  if (op == name(SoftmaxFn::softmax))
    request.attributes.fn = SoftmaxFn::softmax;
  else if (op == name(SoftmaxFn::log_softmax))
    request.attributes.fn = SoftmaxFn::log_softmax;
  else
    return std::nullopt;
  const ProblemText parsed = parse_problem_text(op, text, kForm);
  const Shape shape(std::span<const std::int64_t>(parsed.sizes));
  element_count(shape);
  for (const char* operand : {"x", "y"}) request.operands.push_back({operand, parsed.dtype, shape, row_major(shape)});
  if (const std::optional<int> axis = parse_axis(op, text, parsed.options)) request.attributes.axis = *axis;
  check_axis(op, request.attributes.axis, shape);
  return request;
}

std::string Softmax::print(const Problem& p) {
  return fmt::format("{}:{}x{}{}", name(p.dtype), p.rows, p.length, p.contiguous ? "" : ",strided");
}

void softmax_into(Context& ctx, SoftmaxFn fn, ConstView x, View y, int axis, const CallOptions& call) {
  require_known(Softmax::kName, "function", fn, SoftmaxFn::log_softmax);
  const std::string_view op = name(fn);
  require_dtype(op, "x", x, DType::f32);
  require_dtype(op, "y", y, DType::f32);
  check_axis(op, axis, x.shape());
  if (!(x.shape() == y.shape()))
    throw Error(Code::invalid_argument,
                fmt::format("{}: y is {}, but x is {}", op, to_string(y.shape()), to_string(x.shape())));
  refuse_repeated(op, y);
  refuse_overlap(op, y, x, true);
  const View operands[] = {readable(x), y};
  execute<Softmax>(ctx, {fn, axis}, operands, call);
}

namespace {
Tensor softmax_of(Context& ctx, SoftmaxFn fn, const ConstView& x, int axis, const CallOptions& call) {
  Tensor y = new_result(ctx, name(fn), x.shape(), x.dtype(), x.device());
  softmax_into(ctx, fn, x, y.view(), axis, call);
  return y;
}
}  // namespace

Tensor softmax(Context& ctx, ConstView x, int axis, const CallOptions& call) {
  return softmax_of(ctx, SoftmaxFn::softmax, x, axis, call);
}
Tensor log_softmax(Context& ctx, ConstView x, int axis, const CallOptions& call) {
  return softmax_of(ctx, SoftmaxFn::log_softmax, x, axis, call);
}

}  // namespace tandem
