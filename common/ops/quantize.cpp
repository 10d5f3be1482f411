#include "common/ops/quantize.h"

#include <fmt/format.h>

#include "common/dispatch/execute.h"

namespace tandem {
namespace {

QuantizeArgs arguments(const QuantizeAttributes& attributes, std::span<const View> operands, DType dtype) {
  const View &in = operands[0], &scales = operands[1], &out = operands.back();
  const int rank = out.rank();
  const Strides s = strides_along(scales, attributes.axis, rank);
  const Strides z = attributes.zero_points ? strides_along(operands[2], attributes.axis, rank) : repeated(rank);
  QuantizeArgs args;
  args.dtype = dtype;
  args.scales = static_cast<const float*>(scales.data());
  args.zero_points = attributes.zero_points ? static_cast<const std::int32_t*>(operands[2].data()) : nullptr;
  args.in = in.data();
  args.out = out.data();
  args.range = range_of(dtype, attributes.narrow);
  args.loops = make_loops<4>(out.shape(), {&in.strides(), &s, &z, &out.strides()});
  return args;
}

QuantizeProblem problem_of(const QuantizeAttributes& attributes, std::span<const View> operands, DType dtype) {
  const QuantizeArgs args = arguments(attributes, operands, dtype);
  const Loops<4>& loops = args.loops;
  QuantizeProblem p;
  p.dtype = dtype;
  p.elements = loops.elements;
  p.scales = operands[1].elements();
  p.zero_points = attributes.zero_points;
  p.narrow = attributes.narrow;
  p.run = loops.rank == 0 ? 1 : loops.shape[loops.rank - 1];
  if (loops.rank > 0) {
    const auto inner = [&](int operand) { return loops.strides[operand][loops.rank - 1]; };
    p.contiguous = inner(0) == 1 && inner(3) == 1;
    p.place = std::max(place_of(inner(1)), place_of(inner(2)));
  }
  return p;
}

template <class Op>
Request<Op> request_of(std::string_view op, std::string_view text) {
  const ProblemText parsed = parse_problem_text(op, text, Op::kForm);
  require_quantized(op, "the problem", parsed.dtype);
  const Shape shape(std::span<const std::int64_t>(parsed.sizes));
  element_count(shape);
  Request<Op> request;
  QuantizeAttributes& attributes = request.attributes;
  for (const std::string& option : parsed.options) {
    if (parse_scale_axis(op, text, option, shape, attributes.axis)) continue;
    if (option == "zp")
      attributes.zero_points = true;
    else if (option == "narrow" && std::is_same_v<Op, Quantize> && parsed.dtype == DType::s8)
      attributes.narrow = true;
    else
      throw Error(Code::invalid_argument,
                  fmt::format("{} '{}': unknown option '{}'; write {}", op, text, option, Op::kForm));
  }
  const Shape count{attributes.axis < 0 ? 1 : shape[attributes.axis]};
  const OperandSpec x{"x", DType::f32, shape, row_major(shape)}, q{"q", parsed.dtype, shape, row_major(shape)};
  request.operands.push_back(std::is_same_v<Op, Quantize> ? x : q);
  request.operands.push_back({"scales", DType::f32, count, Strides{1}, kScaleRange});
  if (attributes.zero_points)
    request.operands.push_back({"zero_points", DType::s32, count, Strides{1}, zero_point_range(parsed.dtype)});
  request.operands.push_back(std::is_same_v<Op, Quantize> ? q : x);
  return request;
}

template <class Op>
void run(Context& ctx, const ConstView& in, const Quantization& quantization, const View& out,
         const CallOptions& call) {
  const View scales = readable(quantization.scales);
  const QuantizeAttributes attributes{quantization.axis, has_zero_points(quantization),
                                      quantization.narrow && std::is_same_v<Op, Quantize>};
  if (attributes.zero_points) {
    const View operands[] = {readable(in), scales, readable(quantization.zero_points), out};
    return execute<Op>(ctx, attributes, operands, call);
  }
  const View operands[] = {readable(in), scales, out};
  execute<Op>(ctx, attributes, operands, call);
}

/// What quantize_into and dequantize_into ask of their operands.
void validate(std::string_view op, const ConstView& in, DType in_type, const Quantization& quantization,
              const View& out, DType out_type) {
  require_dtype(op, "the input", in, in_type);
  require_dtype(op, "the result", out, out_type);
  if (!(in.shape() == out.shape()))
    throw Error(Code::invalid_argument, fmt::format("{}: the result is {}, but the input is {}", op,
                                                    to_string(out.shape()), to_string(in.shape())));
  refuse_repeated(op, out);
  refuse_overlap(op, out, in, false);
  refuse_overlap(op, out, quantization.scales, false);
  refuse_overlap(op, out, quantization.zero_points, false);
}

}  // namespace

QuantizeProblem Quantize::describe(const Attributes& attributes, std::span<const View> operands) {
  return problem_of(attributes, operands, operands.back().dtype());
}
QuantizeArgs Quantize::bind(const Attributes& attributes, std::span<const View> operands) {
  return arguments(attributes, operands, operands.back().dtype());
}
double Quantize::bytes(const Problem& p) {
  return 5.0 * static_cast<double>(p.elements) + (p.zero_points ? 8.0 : 4.0) * static_cast<double>(p.scales);
}
std::optional<Request<Quantize>> Quantize::parse(std::string_view op, std::string_view text) {
  if (op != kName) return std::nullopt;
  return request_of<Quantize>(op, text);
}
std::string Quantize::print(const Problem& p) {
  std::string text = fmt::format("{}:{}", name(p.dtype), p.elements);
  if (p.scales != 1)
    text += fmt::format(",{} scales by {}", p.scales, p.place == ScalePlace::run ? "runs" : "elements");
  if (p.zero_points) text += ",zp";
  if (p.narrow) text += ",narrow";
  return text + (p.contiguous ? "" : ",strided");
}

QuantizeProblem Dequantize::describe(const Attributes& attributes, std::span<const View> operands) {
  return problem_of(attributes, operands, operands.front().dtype());
}
QuantizeArgs Dequantize::bind(const Attributes& attributes, std::span<const View> operands) {
  return arguments(attributes, operands, operands.front().dtype());
}
std::optional<Request<Dequantize>> Dequantize::parse(std::string_view op, std::string_view text) {
  if (op != kName) return std::nullopt;
  return request_of<Dequantize>(op, text);
}

void quantize_into(Context& ctx, ConstView x, const Quantization& quantization, View q, const CallOptions& call) {
  check_quantization(Quantize::kName, quantization, x.shape());
  validate(Quantize::kName, x, DType::f32, quantization, q, quantization.dtype);
  run<Quantize>(ctx, x, quantization, q, call);
}

Tensor quantize(Context& ctx, ConstView x, const Quantization& quantization, const CallOptions& call) {
  check_quantization(Quantize::kName, quantization, x.shape());
  Tensor q = new_result(ctx, Quantize::kName, x.shape(), quantization.dtype, x.device());
  quantize_into(ctx, x, quantization, q.view(), call);
  return q;
}

void dequantize_into(Context& ctx, ConstView q, const Quantization& quantization, View x, const CallOptions& call) {
  check_quantization(Dequantize::kName, quantization, q.shape());
  validate(Dequantize::kName, q, quantization.dtype, quantization, x, DType::f32);
  run<Dequantize>(ctx, q, quantization, x, call);
}

Tensor dequantize(Context& ctx, ConstView q, const Quantization& quantization, const CallOptions& call) {
  check_quantization(Dequantize::kName, quantization, q.shape());
  Tensor x = new_result(ctx, Dequantize::kName, q.shape(), DType::f32, q.device());
  dequantize_into(ctx, q, quantization, x.view(), call);
  return x;
}

}  // namespace tandem
