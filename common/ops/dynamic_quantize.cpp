#include "common/ops/dynamic_quantize.h"

#include <fmt/format.h>

#include "common/dispatch/execute.h"

namespace tandem {
namespace {

DynamicQuantizeArgs arguments(const DynamicQuantizeAttributes& attributes, std::span<const View> operands) {
  const View &x = operands[0], &scales = operands[1], &zero_points = operands[2], &q = operands[3];
  DynamicQuantizeArgs args;
  args.dtype = q.dtype();
  args.scheme = attributes.scheme;
  args.x = static_cast<const float*>(x.data());
  args.scales = static_cast<float*>(scales.data());
  args.zero_points = static_cast<std::int32_t*>(zero_points.data());
  args.q = q.data();
  if (attributes.axis < 0) {
    args.inner = make_loops<2>(x.shape(), {&x.strides(), &q.strides()});
    return args;
  }
  const int axis = attributes.axis;
  args.channels = x.shape()[axis];
  args.x_channel = x.strides()[axis];
  args.scale_channel = scales.strides()[0];
  args.zero_channel = zero_points.strides()[0];
  args.q_channel = q.strides()[axis];
  const Strides sx = without(x.strides(), axis), sq = without(q.strides(), axis);
  args.inner = make_loops<2>(without(x.shape(), axis), {&sx, &sq});
  return args;
}

}  // namespace

DynamicQuantizeProblem DynamicQuantize::describe(const Attributes& attributes, std::span<const View> operands) {
  const DynamicQuantizeArgs args = arguments(attributes, operands);
  return {args.dtype, args.scheme, args.channels, args.inner.elements, args.place()};
}

DynamicQuantizeArgs DynamicQuantize::bind(const Attributes& attributes, std::span<const View> operands) {
  return arguments(attributes, operands);
}

double DynamicQuantize::flops(const Problem& p) {
  return 4.0 * static_cast<double>(p.channels) * static_cast<double>(p.length);
}
double DynamicQuantize::bytes(const Problem& p) {
  return static_cast<double>(p.channels) * (5.0 * static_cast<double>(p.length) + 8.0);
}

std::optional<Request<DynamicQuantize>> DynamicQuantize::parse(std::string_view op, std::string_view text) {
  if (op != kName) return std::nullopt;
  const ProblemText parsed = parse_problem_text(op, text, kForm);
  require_quantized(op, "the problem", parsed.dtype);
  const Shape shape(std::span<const std::int64_t>(parsed.sizes));
  element_count(shape);
  Request<DynamicQuantize> request;
  for (const std::string& option : parsed.options) {
    if (parse_scale_axis(op, text, option, shape, request.attributes.axis)) continue;
    if (option != "asymmetric")
      throw Error(Code::invalid_argument,
                  fmt::format("{} '{}': unknown option '{}'; write {}", op, text, option, kForm));
    request.attributes.scheme = Scheme::asymmetric;
  }
  const Shape count{request.attributes.axis < 0 ? 1 : shape[request.attributes.axis]};
  request.operands = {{"x", DType::f32, shape, row_major(shape)},
                      {"scales", DType::f32, count, Strides{1}},
                      {"zero_points", DType::s32, count, Strides{1}},
                      {"q", parsed.dtype, shape, row_major(shape)}};
  return request;
}

std::string DynamicQuantize::print(const Problem& p) {
  return fmt::format("{}:{}x{}{}{}", name(p.dtype), p.channels, p.length,
                     p.scheme == Scheme::asymmetric ? ",asymmetric" : "",
                     p.place == ChannelPlace::along    ? ""
                     : p.place == ChannelPlace::across ? ",across"
                                                       : ",strided");
}

QuantizedTensor dynamic_quantize(Context& ctx, ConstView x, const QuantizeOptions& options) {
  return dynamic_quantize_on(ctx, x, options, ctx.policy().result.value_or(x.device()));
}

QuantizedTensor dynamic_quantize_on(Context& ctx, ConstView x, const QuantizeOptions& options, Device device) {
  constexpr std::string_view kOp = DynamicQuantize::kName;
  require_dtype(kOp, "x", x, DType::f32);
  require_quantized(kOp, "the result", options.dtype);
  require_known(kOp, "scheme", options.scheme, Scheme::asymmetric);
  check_scale_axis(kOp, options.axis, x.shape());
  ctx.impl().require_reachable(device, kOp);
  const Shape count{options.axis < 0 ? 1 : x.shape()[options.axis]};
  const bool symmetric = options.scheme == Scheme::symmetric;
  QuantizedTensor out;
  out.quantization.dtype = options.dtype;
  out.quantization.axis = options.axis;
  out.quantization.narrow = symmetric;
  out.quantization.scales = Tensor::empty(ctx, count, DType::f32, device);
  Tensor zero_points = Tensor::empty(ctx, count, DType::s32, device);
  out.values = Tensor::empty(ctx, x.shape(), options.dtype, device);
  const View operands[] = {readable(x), out.quantization.scales.view(), zero_points.view(), out.values.view()};
  execute<DynamicQuantize>(ctx, {options.scheme, options.axis}, operands, options.call);
  // Those of symmetric s8 are all zero: leaving them out tells products so.
  if (!symmetric || options.dtype == DType::u8) out.quantization.zero_points = std::move(zero_points);
  return out;
}

}  // namespace tandem
