#include "common/ops/reduce.h"

#include <fmt/format.h>

#include "common/dispatch/execute.h"

namespace tandem {
namespace {

ReduceArgs arguments(const ReduceAttributes& attributes, std::span<const View> operands) {
  const View& a = operands[0];
  const View& b = takes_two(attributes.fn) ? operands[1] : a;
  const View& out = operands.back();
  ReduceArgs args;
  args.fn = attributes.fn;
  args.a = a.data();
  args.b = takes_two(attributes.fn) ? b.data() : nullptr;
  args.out = out.data();
  if (!attributes.axis) {
    args.inner = make_loops<2>(a.shape(), {&a.strides(), &b.strides()});
    return args;
  }
  const int axis = normalized_axis(name(attributes.fn), *attributes.axis, a);
  const Shape along{a.shape()[axis]};
  const Strides sa{a.strides()[axis]}, sb{b.strides()[axis]};
  args.inner = make_loops<2>(along, {&sa, &sb});
  const Strides ra = without(a.strides(), axis), rb = without(b.strides(), axis);
  args.outer = make_loops<3>(out.shape(), {&ra, &rb, &out.strides()});
  return args;
}

Shape result_shape(const ConstView& a, std::optional<int> axis, std::string_view op) {
  if (!axis) return {};
  return without(a.shape(), normalized_axis(op, *axis, a));
}

void validate(ReduceFn fn, const ConstView& a, const ConstView& b, std::optional<int> axis) {
  require_known(Reduce::kName, "function", fn, ReduceFn::cosine_similarity);
  const std::string_view op = name(fn);
  require_dtype(op, "a", a, DType::f32);
  if (takes_two(fn)) {
    require_dtype(op, "b", b, DType::f32);
    if (!(a.shape() == b.shape()))
      throw Error(Code::invalid_argument,
                  fmt::format("{}: shapes differ (a is {}, b is {})", op, to_string(a.shape()), to_string(b.shape())));
  } else if (b.data()) {
    throw Error(Code::invalid_argument, fmt::format("{}: takes one operand, two were given", op));
  }
  if (axis) check_axis(op, *axis, a.shape());
  const std::int64_t length = axis ? a.shape()[normalized_axis(op, *axis, a)] : a.elements();
  if (fn == ReduceFn::max && length == 0)
    throw Error(Code::invalid_argument, fmt::format("max: of no elements (a is {})", to_string(a.shape())));
}

float as_number(Context& ctx, ReduceFn fn, const ConstView& a, const ConstView& b, const CallOptions& call) {
  float value = 0;
  reduce_into(ctx, fn, a, b, View(&value, Shape{}), {}, call);
  return value;
}

}  // namespace

ReduceProblem Reduce::describe(const Attributes& attributes, std::span<const View> operands) {
  const ReduceArgs args = arguments(attributes, operands);
  return {attributes.fn, operands[0].dtype(), args.outer.elements, args.inner.elements, args.inner.contiguous()};
}

ReduceArgs Reduce::bind(const Attributes& attributes, std::span<const View> operands) {
  return arguments(attributes, operands);
}

double Reduce::flops(const Problem& p) {
  return (takes_two(p.fn) ? 2.0 : 1.0) * static_cast<double>(p.outputs) * static_cast<double>(p.length);
}
double Reduce::bytes(const Problem& p) {
  const double inputs = (takes_two(p.fn) ? 2.0 : 1.0) * static_cast<double>(p.outputs) * static_cast<double>(p.length);
  return (inputs + static_cast<double>(p.outputs)) * static_cast<double>(size_of(p.dtype));
}

std::optional<Request<Reduce>> Reduce::parse(std::string_view op, std::string_view text) {
  Request<Reduce> request;
  bool found = false;
  for (const ReduceFn fn :
       {ReduceFn::sum, ReduceFn::max, ReduceFn::dot, ReduceFn::euclidean_distance, ReduceFn::cosine_similarity})
    if (name(fn) == op) {
      request.attributes.fn = fn;
      found = true;
    }
  if (!found) return std::nullopt;
  const ProblemText parsed = parse_problem_text(op, text, kForm);
  const Shape shape(std::span<const std::int64_t>(parsed.sizes));
  element_count(shape);
  request.attributes.axis = parse_axis(op, text, parsed.options);
  Shape out;
  if (request.attributes.axis) {
    check_axis(op, *request.attributes.axis, shape);
    const int axis = *request.attributes.axis;
    out = without(shape, axis < 0 ? axis + shape.rank() : axis);
  }
  request.operands.push_back({"a", parsed.dtype, shape, row_major(shape)});
  if (takes_two(request.attributes.fn)) request.operands.push_back({"b", parsed.dtype, shape, row_major(shape)});
  request.operands.push_back({"out", parsed.dtype, out, row_major(out)});
  return request;
}

std::string Reduce::print(const Problem& p) {
  return fmt::format("{}:{}x{}{}", name(p.dtype), p.outputs, p.length, p.contiguous ? "" : ",strided");
}

void reduce_into(Context& ctx, ReduceFn fn, ConstView a, ConstView b, View out, std::optional<int> axis,
                 const CallOptions& call) {
  const std::string_view op = name(fn);
  validate(fn, a, b, axis);
  require_dtype(op, "out", out, DType::f32);
  const Shape shape = result_shape(a, axis, op);
  if (!(out.shape() == shape))
    throw Error(Code::invalid_argument, fmt::format("{}: out is {}, but the result is {} (a is {})", op,
                                                    to_string(out.shape()), to_string(shape), to_string(a.shape())));
  refuse_repeated(op, out);
  refuse_overlap(op, out, a, false);
  if (takes_two(fn)) refuse_overlap(op, out, b, false);
  if (takes_two(fn)) {
    const View operands[] = {readable(a), readable(b), out};
    return execute<Reduce>(ctx, {fn, axis}, operands, call);
  }
  const View operands[] = {readable(a), out};
  execute<Reduce>(ctx, {fn, axis}, operands, call);
}

Tensor reduce(Context& ctx, ReduceFn fn, ConstView a, ConstView b, std::optional<int> axis, const CallOptions& call) {
  validate(fn, a, b, axis);
  Tensor out = new_result(ctx, name(fn), result_shape(a, axis, name(fn)), a.dtype(), a.device());
  reduce_into(ctx, fn, a, b, out.view(), axis, call);
  return out;
}

float sum(Context& ctx, ConstView a, const CallOptions& call) { return as_number(ctx, ReduceFn::sum, a, {}, call); }
float max(Context& ctx, ConstView a, const CallOptions& call) { return as_number(ctx, ReduceFn::max, a, {}, call); }
float dot(Context& ctx, ConstView a, ConstView b, const CallOptions& call) {
  return as_number(ctx, ReduceFn::dot, a, b, call);
}
float euclidean_distance(Context& ctx, ConstView a, ConstView b, const CallOptions& call) {
  return as_number(ctx, ReduceFn::euclidean_distance, a, b, call);
}
float cosine_similarity(Context& ctx, ConstView a, ConstView b, const CallOptions& call) {
  return as_number(ctx, ReduceFn::cosine_similarity, a, b, call);
}

}  // namespace tandem
