#include "common/ops/transpose.h"

#include <fmt/format.h>

#include "common/dispatch/execute.h"

namespace tandem {
namespace {

TransposeArgs arguments(std::span<const View> operands) {
  const View &x = operands[0], &y = operands[1];
  const int r = x.rank() - 2;
  TransposeArgs args;
  args.x = x.data();
  args.y = y.data();
  args.element_bytes = static_cast<int>(size_of(x.dtype()));
  args.rows = x.shape()[r];
  args.cols = x.shape()[r + 1];
  args.x_row = x.strides()[r];
  args.x_col = x.strides()[r + 1];
  args.y_row = y.strides()[r];
  args.y_col = y.strides()[r + 1];
  const auto batch = static_cast<std::size_t>(r);
  const Shape shape(std::span(x.shape().begin(), batch));
  const Strides sx(std::span(x.strides().begin(), batch)), sy(std::span(y.strides().begin(), batch));
  args.batch = make_loops<2>(shape, {&sx, &sy});
  return args;
}

Shape transposed_shape(const ConstView& x) {
  if (x.rank() < 2)
    throw Error(Code::invalid_argument,
                fmt::format("transpose: needs two dimensions, not shape {}", to_string(x.shape())));
  Shape shape = x.shape();
  std::swap(shape[x.rank() - 1], shape[x.rank() - 2]);
  return shape;
}

}  // namespace

TransposeProblem Transpose::describe(const Attributes&, std::span<const View> operands) {
  const TransposeArgs args = arguments(operands);
  const auto layout = [](std::int64_t row, std::int64_t col) {
    return col == 1 ? Layout::row : row == 1 ? Layout::column : Layout::strided;
  };
  return {operands[0].dtype(),           args.batch.elements, args.rows, args.cols, layout(args.x_row, args.x_col),
          layout(args.y_row, args.y_col)};
}

TransposeArgs Transpose::bind(const Attributes&, std::span<const View> operands) { return arguments(operands); }

double Transpose::bytes(const Problem& p) {
  return 2.0 * static_cast<double>(p.batch) * static_cast<double>(p.rows) * static_cast<double>(p.cols) *
         static_cast<double>(size_of(p.dtype));
}

std::optional<Request<Transpose>> Transpose::parse(std::string_view op, std::string_view text) {
  if (op != kName) return std::nullopt;
  const ProblemText parsed = parse_problem_text(op, text, kForm);
  for (const std::string& option : parsed.options)
    throw Error(Code::invalid_argument,
                fmt::format("transpose '{}': unknown option '{}'; write {}", text, option, kForm));
  if (parsed.sizes.size() != 2)
    throw Error(Code::invalid_argument, fmt::format("transpose '{}': two sizes are needed; write {}", text, kForm));
  Shape shape = parsed.batch ? Shape{*parsed.batch} : Shape{};
  Shape out = shape;
  shape.push_back(parsed.sizes[0]);
  shape.push_back(parsed.sizes[1]);
  out.push_back(parsed.sizes[1]);
  out.push_back(parsed.sizes[0]);
  element_count(shape);
  Request<Transpose> request;
  request.operands = {{"x", parsed.dtype, shape, row_major(shape)}, {"y", parsed.dtype, out, row_major(out)}};
  return request;
}

std::string Transpose::print(const Problem& p) {
  return fmt::format("{}:{}x{}{}", name(p.dtype), p.rows, p.cols, p.batch == 1 ? "" : fmt::format("*{}", p.batch));
}

void transpose_into(Context& ctx, ConstView x, View y, const CallOptions& call) {
  const Shape shape = transposed_shape(x);
  require_dtype("transpose", "y", y, x.dtype());
  if (!(y.shape() == shape))
    throw Error(Code::invalid_argument,
                fmt::format("transpose: y is {}, but x transposed is {}", to_string(y.shape()), to_string(shape)));
  refuse_repeated("transpose", y);
  refuse_overlap("transpose", y, x, false);
  const View operands[] = {readable(x), y};
  execute<Transpose>(ctx, {}, operands, call);
}

Tensor transpose(Context& ctx, ConstView x, const CallOptions& call) {
  Tensor y = new_result(ctx, Transpose::kName, transposed_shape(x), x.dtype(), x.device());
  transpose_into(ctx, x, y.view(), call);
  return y;
}

}  // namespace tandem
