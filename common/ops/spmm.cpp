#include "common/ops/spmm.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>

#include <fmt/format.h>

#include "common/dispatch/execute.h"

namespace tandem {
namespace {

template <class... Values>
Error refused(fmt::format_string<Values...> text, Values&&... values) {
  return Error(Code::invalid_argument, "spmm: " + fmt::format(text, std::forward<Values>(values)...));
}

SpmmArgs arguments(const SpmmAttributes& attributes, std::span<const View> operands) {
  const View &b = operands[3], &c = operands.back();
  SpmmArgs args;
  args.row_offsets = static_cast<const std::int32_t*>(operands[0].data());
  args.columns = static_cast<const std::int32_t*>(operands[1].data());
  args.values = static_cast<const float*>(operands[2].data());
  args.stored = operands[1].elements();
  MatmulArgs& dense = args.dense;
  dense.m = c.shape()[0];
  dense.n = c.shape()[1];
  dense.k = b.shape()[0];
  dense.b = {b.data(), b.strides()[0], b.strides()[1]};
  dense.c = {c.data(), c.strides()[0], c.strides()[1]};
  settle(dense.b, dense.k, dense.n);
  settle(dense.c, dense.m, dense.n);
  if (attributes.bias) {
    const View& bias = operands[4];
    dense.bias = {bias.data(), bias.rank() == 2 ? bias.strides()[0] : 0, bias.rank() == 2 ? 0 : bias.strides()[0]};
  }
  dense.activation = attributes.activation;
  return args;
}

void validate(const Csr& a, const ConstView& b, const SpmmOptions& options) {
  require_known(Spmm::kName, "activation", options.activation, Activation::silu);
  if (options.check) check_csr(a);
  if (b.rank() != 2) throw refused("b needs two dimensions (b is {})", to_string(b.shape()));
  require_dtype("spmm", "b", b, DType::f32);
  if (a.cols != b.shape()[0])
    throw refused("inner dimensions differ (a is {}x{}, b is {})", a.rows, a.cols, to_string(b.shape()));
  const ConstView& bias = options.bias;
  if (bias.rank() == 0) return;
  require_dtype("spmm", "bias", bias, DType::f32);
  if (!(bias.shape() == Shape{b.shape()[1]}) && !(bias.shape() == Shape{a.rows, 1}))
    throw refused("bias is {}, but {} (one a column) or {}x1 (one a row) is needed", to_string(bias.shape()),
                  b.shape()[1], a.rows);
}

void run(Context& ctx, const Csr& a, const ConstView& b, const View& c, const SpmmOptions& options) {
  const SpmmAttributes attributes{options.activation, options.bias.rank() > 0};
  const View offsets = readable(a.row_offsets), columns = readable(a.columns), values = readable(a.values);
  if (attributes.bias) {
    const View operands[] = {offsets, columns, values, readable(b), readable(options.bias), c};
    return execute<Spmm>(ctx, attributes, operands, options.call);
  }
  const View operands[] = {offsets, columns, values, readable(b), c};
  execute<Spmm>(ctx, attributes, operands, options.call);
}

std::int64_t stored_at(double density, double cells) {
  return static_cast<std::int64_t>(std::llround(density * cells));
}

/// The shortest decimal that parse() turns into `stored` again.
std::string print_density(std::int64_t stored, double cells) {
  if (cells == 0) return "0";
  const double density = static_cast<double>(stored) / cells;
  for (int digits = 1; digits < 17; ++digits) {
    const std::string text = fmt::format("{:.{}g}", density, digits);
    double read = 0;
    std::from_chars(text.data(), text.data() + text.size(), read);  // not std::stod, which obeys the locale
    if (stored_at(read, cells) == stored) return text;
  }
  return fmt::format("{:.17g}", density);
}

double parse_density(std::string_view text, std::string_view problem) {
  double density = -1;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), density);
  if (error != std::errc() || at != text.data() + text.size() || !(density >= 0 && density <= 1))
    throw refused("'{}': the density '{}' is not a number from 0 to 1; write {}", problem, text, Spmm::kForm);
  return density;
}

/// Least predicted seconds of the CPU kernels of an operation that are no references; infinite when there is none.
template <class Op>
double least_seconds(const typename Op::Problem& p, const Machine& machine) {
  double least = std::numeric_limits<double>::infinity();
  for (const Entry<Op>& entry : table<Op>()) {
    if (entry.backend != Backend::cpu || !detail::refuse_by_machine(detail::facts(entry), machine).empty()) continue;
    if (entry.kernel->traits.reference || refusal_of(*entry.kernel, p, machine)) continue;
    least = std::min(least, entry.kernel->cost(p, machine));
  }
  return least;
}

}  // namespace

SpmmProblem Spmm::describe(const Attributes& attributes, std::span<const View> operands) {
  const SpmmArgs args = arguments(attributes, operands);
  const MatmulArgs& d = args.dense;
  return {d.m, d.n, d.k, args.stored, layout_of(d.b), layout_of(d.c), attributes.bias, attributes.activation};
}

SpmmArgs Spmm::bind(const Attributes& attributes, std::span<const View> operands) {
  return arguments(attributes, operands);
}

double Spmm::flops(const Problem& p) { return 2.0 * static_cast<double>(p.stored) * static_cast<double>(p.n); }

double Spmm::dense_flops(const Problem& p) {
  return 2.0 * static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k);
}

double Spmm::bytes(const Problem& p) {
  const auto m = static_cast<double>(p.m), n = static_cast<double>(p.n), stored = static_cast<double>(p.stored);
  const double read = std::min(static_cast<double>(p.k), stored);  // rows of b: at most one a stored element
  return 4.0 * (m + 1 + 2 * stored + read * n + m * n + (p.bias ? n : 0));
}

std::optional<Request<Spmm>> Spmm::parse(std::string_view op, std::string_view text) {
  if (op != kName) return std::nullopt;
  constexpr std::string_view kType = "csr:";
  const std::size_t at = text.find('@');
  if (!text.starts_with(kType) || at == text.npos)
    throw refused("'{}': 'csr:' and '@DENSITY' are needed; write {}", text, kForm);
  const std::size_t comma = std::min(text.find(',', at), text.size());
  const double density = parse_density(text.substr(at + 1, comma - at - 1), text);
  const ProblemText parsed = parse_problem_text(
      op, fmt::format("f32:{}{}", text.substr(kType.size(), at - kType.size()), text.substr(comma)), kForm);
  if (parsed.sizes.size() != 3) throw refused("'{}': three sizes are needed; write {}", text, kForm);
  const std::int64_t m = parsed.sizes[0], n = parsed.sizes[1], k = parsed.sizes[2];
  bool tb = false, tc = false;
  Shape bias;
  Request<Spmm> request;
  for (const std::string& option : parsed.options) {
    if (option == "tb")
      tb = true;
    else if (option == "tc")
      tc = true;
    else if (option == "bias")
      bias = {n};
    else if (option == "bias=rows")
      bias = {m, 1};
    else if (option.starts_with("act="))
      request.attributes.activation = parse_activation(option.substr(4));
    else
      throw refused("'{}': unknown option '{}'; write {}", text, option, kForm);
  }
  const std::int64_t stored = stored_at(density, static_cast<double>(element_count({m, k})));
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (stored > kMost || k > kMost || m == std::numeric_limits<std::int64_t>::max())
    throw refused("'{}': more than {} elements or columns", text, kMost);
  const auto add = [&](const char* name, DType dtype, const Shape& shape, bool column = false) {
    element_count(shape);
    request.operands.push_back({name, dtype, shape, column ? column_major(shape) : row_major(shape)});
  };
  add("row_offsets", DType::s32, {m + 1});
  add("columns", DType::s32, {stored});
  add("values", DType::f32, {stored});
  add("b", DType::f32, {k, n}, tb);
  request.attributes.bias = !bias.empty();
  if (request.attributes.bias) add("bias", DType::f32, bias);
  add("c", DType::f32, {m, n}, tc);
  return request;
}

std::string Spmm::print(const Problem& p) {
  const auto place = [](Layout layout, char matrix) {
    return layout == Layout::row ? std::string() : std::string(layout == Layout::column ? ",t" : ",strided_") + matrix;
  };
  std::string text = fmt::format("csr:{}x{}x{}@{}", p.m, p.n, p.k,
                                 print_density(p.stored, static_cast<double>(p.m) * static_cast<double>(p.k)));
  text += place(p.b, 'b') + place(p.c, 'c');
  if (p.bias) text += ",bias";
  if (p.activation != Activation::none) text += fmt::format(",act={}", name(p.activation));
  return text;
}

void Spmm::fill_structure(std::span<const View> operands, std::uint64_t seed) {
  const std::int64_t rows = operands[0].elements() - 1, cols = operands[3].shape()[0];
  auto* offsets = operands[0].as<std::int32_t>();
  auto* columns = operands[1].as<std::int32_t>();
  std::int64_t wanted = operands[1].elements(), left = rows * cols, stored = 0;
  std::mt19937_64 random(seed);
  offsets[0] = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < cols; ++column, --left) {
      const double unit = static_cast<double>(random() >> 11) * 0x1p-53;
      if (unit * static_cast<double>(left) >= static_cast<double>(wanted)) continue;
      columns[stored++] = static_cast<std::int32_t>(column);
      --wanted;
    }
    offsets[row + 1] = static_cast<std::int32_t>(stored);
  }
}

double Spmm::break_even_density(const Problem& p, const Machine& machine) {
  MatmulProblem product;
  product.m = p.m;
  product.n = p.n;
  product.k = p.k;
  product.b = p.b;
  product.c = p.c;
  product.bias = p.bias;
  product.activation = p.activation;
  const double dense = least_seconds<Matmul>(product, machine);
  const double cells = static_cast<double>(p.m) * static_cast<double>(p.k);
  const auto is_faster = [&](double density) {
    Problem at = p;
    at.stored = stored_at(density, cells);
    return least_seconds<Spmm>(at, machine) < dense;
  };
  if (!is_faster(0)) return 0;
  if (is_faster(1)) return 1;
  double low = 0, high = 1;
  while (high - low > 1e-6) {
    const double middle = (low + high) / 2;
    (is_faster(middle) ? low : high) = middle;
  }
  return low;
}

std::string Spmm::remark(const Problem& p, const Machine& machine) {
  const double density = break_even_density(p, machine);
  const std::string here = fmt::format("a has density {:.3g}", p.density());
  if (density == 0) return here + "; a dense f32 product on the CPU is predicted no slower at any density";
  if (density == 1) return here + "; a dense f32 product on the CPU is predicted slower at every density";
  return here + fmt::format("; break-even with a dense f32 product on the CPU at {:.3g}", density);
}

Tensor spmm(Context& ctx, const Csr& a, ConstView b, const SpmmOptions& options) {
  validate(a, b, options);
  Tensor c = new_result(ctx, Spmm::kName, {a.rows, b.shape()[1]}, DType::f32, b.device());
  run(ctx, a, b, c.view(), options);
  return c;
}

void spmm_into(Context& ctx, const Csr& a, ConstView b, View c, const SpmmOptions& options) {
  validate(a, b, options);
  require_dtype("spmm", "c", c, DType::f32);
  if (const Shape shape{a.rows, b.shape()[1]}; !(c.shape() == shape))
    throw refused("c is {}, but a @ b is {} (a is {}x{}, b is {})", to_string(c.shape()), to_string(shape), a.rows,
                  a.cols, to_string(b.shape()));
  refuse_repeated("spmm", c);
  for (const ConstView& in : {b, options.bias, a.row_offsets.view(), a.columns.view(), a.values.view()})
    refuse_overlap("spmm", c, in, false);
  run(ctx, a, b, c, options);
}

}  // namespace tandem
