#include "common/ops/convert.h"

#include <fmt/format.h>

#include "common/dispatch/execute.h"

namespace tandem {
namespace {

Loops<2> loops_of(std::span<const View> operands) {
  return make_loops<2>(operands[1].shape(), {&operands[0].strides(), &operands[1].strides()});
}

constexpr std::string_view kFromF16 = "from=f16";

void check_dtypes(DType from, DType to) {
  const DType half = from == DType::f32 ? to : from, other = from == DType::f32 ? from : to;
  if (other != DType::f32 || (half != DType::bf16 && half != DType::f16))
    throw Error(Code::invalid_argument,
                fmt::format("convert: from {} to {} was asked for; f32 to bf16 or f16, and these to f32, are supported",
                            name(from), name(to)));
}

}  // namespace

ConvertProblem Convert::describe(const Attributes&, std::span<const View> operands) {
  const Loops<2> loops = loops_of(operands);
  const auto unit = [&](int operand) { return loops.rank == 0 || loops.strides[operand][loops.rank - 1] == 1; };
  return {operands[1].dtype(), operands[0].dtype(), loops.elements, unit(0) && unit(1)};
}

ConvertArgs Convert::bind(const Attributes&, std::span<const View> operands) {
  return {operands[1].dtype(), operands[0].dtype(), operands[0].data(), operands[1].data(), loops_of(operands)};
}

std::optional<Request<Convert>> Convert::parse(std::string_view op, std::string_view text) {
  if (op != kName) return std::nullopt;
  const ProblemText parsed = parse_problem_text(op, text, kForm);
  DType from = parsed.dtype == DType::f32 ? DType::bf16 : DType::f32;
  for (const std::string& option : parsed.options) {
    if (option != kFromF16 || parsed.dtype != DType::f32)
      throw Error(Code::invalid_argument,
                  fmt::format("convert '{}': unknown option '{}'; write {}", text, option, kForm));
    from = DType::f16;
  }
  check_dtypes(from, parsed.dtype);
  const Shape shape(std::span<const std::int64_t>(parsed.sizes));
  element_count(shape);
  Request<Convert> request;
  request.operands = {{"x", from, shape, row_major(shape)}, {"y", parsed.dtype, shape, row_major(shape)}};
  return request;
}

std::string Convert::print(const Problem& p) {
  return fmt::format("{}:{}{}{}{}", name(p.dtype), p.elements, p.from == DType::f16 ? "," : "",
                     p.from == DType::f16 ? kFromF16 : "", p.contiguous ? "" : ",strided");
}

void convert_into(Context& ctx, ConstView x, View y, const CallOptions& call) {
  require_view(Convert::kName, "x", x);
  require_view(Convert::kName, "y", y);
  check_dtypes(x.dtype(), y.dtype());
  if (!(y.shape() == x.shape()))
    throw Error(Code::invalid_argument,
                fmt::format("convert: y is {}, but x is {}", to_string(y.shape()), to_string(x.shape())));
  refuse_repeated(Convert::kName, y);
  refuse_overlap(Convert::kName, y, x, false);
  const View operands[] = {readable(x), y};
  execute<Convert>(ctx, {}, operands, call);
}

Tensor convert(Context& ctx, ConstView x, DType dtype, const CallOptions& call) {
  require_view(Convert::kName, "x", x);
  check_dtypes(x.dtype(), dtype);
  Tensor y = new_result(ctx, Convert::kName, x.shape(), dtype, x.device());
  convert_into(ctx, x, y.view(), call);
  return y;
}

}  // namespace tandem
