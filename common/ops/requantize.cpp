#include "common/ops/requantize.h"

#include <charconv>

#include <fmt/format.h>

#include "common/dispatch/execute.h"

namespace tandem {
namespace {

RequantizeArgs arguments(const RequantizeAttributes& attributes, std::span<const View> operands) {
  const View &acc = operands[0], &multipliers = operands[1], &q = operands[2];
  const Strides m = strides_along(multipliers, q.rank() - 1, q.rank());
  return {q.dtype(),
          static_cast<const std::int32_t*>(acc.data()),
          static_cast<const float*>(multipliers.data()),
          q.data(),
          attributes.zero_point,
          range_of(q.dtype()),
          make_loops<3>(q.shape(), {&acc.strides(), &m, &q.strides()})};
}

QuantizedReluArgs arguments(const QuantizedReluAttributes& attributes, std::span<const View> operands) {
  const View &q = operands[0], &y = operands.back();
  const Strides z = attributes.zero_points ? strides_along(operands[1], attributes.axis, y.rank()) : repeated(y.rank());
  return {q.dtype(), q.data(), attributes.zero_points ? static_cast<const std::int32_t*>(operands[1].data()) : nullptr,
          y.data(), make_loops<3>(y.shape(), {&q.strides(), &z, &y.strides()})};
}

/// Stride of an operand along the innermost loop; `none` where there is no loop.
std::int64_t inner(const Loops<3>& loops, int operand, std::int64_t none) {
  return loops.rank == 0 ? none : loops.strides[operand][loops.rank - 1];
}

void check_same_shape(std::string_view op, const ConstView& in, const View& out) {
  if (!(in.shape() == out.shape()))
    throw Error(Code::invalid_argument, fmt::format("{}: the result is {}, but the input is {}", op,
                                                    to_string(out.shape()), to_string(in.shape())));
  refuse_repeated(op, out);
}

void check_requantize(const ConstView& acc, const ConstView& multipliers, std::int32_t zero_point, DType dtype) {
  constexpr std::string_view kOp = Requantize::kName;
  require_dtype(kOp, "acc", acc, DType::s32);
  require_quantized(kOp, "the result", dtype);
  check_scales(kOp, "multipliers", multipliers, acc.rank() == 0 ? 1 : acc.shape().back());
  const IntRange range = range_of(dtype);
  if (zero_point < range.low || zero_point > range.high)
    throw Error(Code::invalid_argument,
                fmt::format("requantize: zero point {} is outside [{}, {}]", zero_point, range.low, range.high));
}

void check_relu(const ConstView& q, const Quantization& quantization) {
  check_quantization(QuantizedRelu::kName, quantization, q.shape());
  require_dtype(QuantizedRelu::kName, "q", q, quantization.dtype);
}

std::int32_t parse_zero_point(std::string_view op, std::string_view text, std::string_view number, DType dtype) {
  std::int32_t z = 0;
  const auto [at, error] = std::from_chars(number.data(), number.data() + number.size(), z);
  const IntRange range = range_of(dtype);
  if (error != std::errc() || at != number.data() + number.size() || z < range.low || z > range.high)
    throw Error(Code::invalid_argument,
                fmt::format("{} '{}': '{}' is no zero point of {}", op, text, number, name(dtype)));
  return z;
}

}  // namespace

RequantizeProblem Requantize::describe(const Attributes& attributes, std::span<const View> operands) {
  const Loops<3> loops = arguments(attributes, operands).loops;
  return {operands[2].dtype(),          loops.elements,
          operands[1].elements(),       inner(loops, 0, 1) == 1 && inner(loops, 2, 1) == 1,
          place_of(inner(loops, 1, 0)), loops.rank == 0 ? 1 : loops.shape[loops.rank - 1]};
}
RequantizeArgs Requantize::bind(const Attributes& attributes, std::span<const View> operands) {
  return arguments(attributes, operands);
}
double Requantize::bytes(const Problem& p) {
  return 5.0 * static_cast<double>(p.elements) + 4.0 * static_cast<double>(p.multipliers);
}

std::optional<Request<Requantize>> Requantize::parse(std::string_view op, std::string_view text) {
  if (op != kName) return std::nullopt;
  const ProblemText parsed = parse_problem_text(op, text, kForm);
  require_quantized(op, "the problem", parsed.dtype);
  const Shape shape(std::span<const std::int64_t>(parsed.sizes));
  element_count(shape);
  Request<Requantize> request;
  Shape count{1};
  for (const std::string& option : parsed.options) {
    if (option == "per_channel")
      count = Shape{shape.back()};
    else if (option.starts_with("zp="))
      request.attributes.zero_point = parse_zero_point(op, text, std::string_view(option).substr(3), parsed.dtype);
    else
      throw Error(Code::invalid_argument,
                  fmt::format("{} '{}': unknown option '{}'; write {}", op, text, option, kForm));
  }
  // Accumulators of products some hundred long, and multipliers that bring them to 8 bits.
  request.operands = {{"acc", DType::s32, shape, row_major(shape), ValueRange{-0x1p20, 0x1p20}},
                      {"multipliers", DType::f32, count, Strides{1}, ValueRange{0x1p-15, 0x1p-12}},
                      {"q", parsed.dtype, shape, row_major(shape)}};
  return request;
}

std::string Requantize::print(const Problem& p) {
  std::string text = fmt::format("{}:{}", name(p.dtype), p.elements);
  if (p.multipliers != 1) text += fmt::format(",{} multipliers", p.multipliers);
  return text + (p.contiguous ? "" : ",strided");
}

QuantizedReluProblem QuantizedRelu::describe(const Attributes& attributes, std::span<const View> operands) {
  const Loops<3> loops = arguments(attributes, operands).loops;
  return {operands[0].dtype(),          loops.elements,
          attributes.zero_points,       inner(loops, 0, 1) == 1 && inner(loops, 2, 1) == 1,
          place_of(inner(loops, 1, 0)), operands.front().data() == operands.back().data()};
}
QuantizedReluArgs QuantizedRelu::bind(const Attributes& attributes, std::span<const View> operands) {
  return arguments(attributes, operands);
}

std::optional<Request<QuantizedRelu>> QuantizedRelu::parse(std::string_view op, std::string_view text) {
  if (op != kName) return std::nullopt;
  const ProblemText parsed = parse_problem_text(op, text, kForm);
  require_quantized(op, "the problem", parsed.dtype);
  const Shape shape(std::span<const std::int64_t>(parsed.sizes));
  element_count(shape);
  Request<QuantizedRelu> request;
  QuantizedReluAttributes& attributes = request.attributes;
  for (const std::string& option : parsed.options) {
    if (option != "zp" && !parse_scale_axis(op, text, option, shape, attributes.axis))
      throw Error(Code::invalid_argument,
                  fmt::format("{} '{}': unknown option '{}'; write {}", op, text, option, kForm));
    attributes.zero_points = true;
  }
  request.operands.push_back({"q", parsed.dtype, shape, row_major(shape)});
  if (attributes.zero_points)
    request.operands.push_back({"zero_points", DType::s32, Shape{attributes.axis < 0 ? 1 : shape[attributes.axis]},
                                Strides{1}, zero_point_range(parsed.dtype)});
  request.operands.push_back({"y", parsed.dtype, shape, row_major(shape)});
  return request;
}

std::string QuantizedRelu::print(const Problem& p) {
  return fmt::format("{}:{}{}{}{}", name(p.dtype), p.elements,
                     p.place != ScalePlace::run ? ",zp by elements"
                     : p.zero_points            ? ",zp"
                                                : "",
                     p.contiguous ? "" : ",strided", p.in_place ? ",in_place" : "");
}

void requantize_into(Context& ctx, ConstView acc, ConstView multipliers, std::int32_t zero_point, View q,
                     const CallOptions& call) {
  check_requantize(acc, multipliers, zero_point, q.dtype());
  check_same_shape(Requantize::kName, acc, q);
  refuse_overlap(Requantize::kName, q, acc, false);
  refuse_overlap(Requantize::kName, q, multipliers, false);
  const View operands[] = {readable(acc), readable(multipliers), q};
  execute<Requantize>(ctx, {zero_point}, operands, call);
}

Tensor requantize(Context& ctx, ConstView acc, ConstView multipliers, std::int32_t zero_point, DType dtype,
                  const CallOptions& call) {
  check_requantize(acc, multipliers, zero_point, dtype);
  Tensor q = new_result(ctx, Requantize::kName, acc.shape(), dtype, acc.device());
  requantize_into(ctx, acc, multipliers, zero_point, q.view(), call);
  return q;
}

void quantized_relu_into(Context& ctx, ConstView q, const Quantization& quantization, View y, const CallOptions& call) {
  constexpr std::string_view kOp = QuantizedRelu::kName;
  check_relu(q, quantization);
  require_dtype(kOp, "y", y, quantization.dtype);
  check_same_shape(kOp, q, y);
  refuse_overlap(kOp, y, q, true);
  refuse_overlap(kOp, y, quantization.zero_points, false);
  if (has_zero_points(quantization)) {
    const View operands[] = {readable(q), readable(quantization.zero_points), y};
    return execute<QuantizedRelu>(ctx, {quantization.axis, true}, operands, call);
  }
  const View operands[] = {readable(q), y};
  execute<QuantizedRelu>(ctx, {}, operands, call);
}

Tensor quantized_relu(Context& ctx, ConstView q, const Quantization& quantization, const CallOptions& call) {
  check_relu(q, quantization);
  Tensor y = new_result(ctx, QuantizedRelu::kName, q.shape(), quantization.dtype, q.device());
  quantized_relu_into(ctx, q, quantization, y.view(), call);
  return y;
}

}  // namespace tandem
