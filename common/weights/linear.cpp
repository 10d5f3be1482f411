#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <tandem/error.h>

#include "common/core/context_impl.h"
#include "common/ops/dynamic_quantize.h"
#include "common/ops/operand.h"
#include "common/weights/state.h"

namespace tandem {
namespace {

constexpr const char* kLinear = "linear";

template <class... Values>
Error refused(fmt::format_string<Values...> text, Values&&... values) {
  return Error(Code::invalid_argument, "linear: " + fmt::format(text, std::forward<Values>(values)...));
}

/// What a form takes and gives.
void require_one_of(std::string_view what, DType dtype, WeightForm form, std::initializer_list<DType> allowed) {
  if (std::find(allowed.begin(), allowed.end(), dtype) != allowed.end()) return;
  std::string list;
  for (const DType d : allowed) list += fmt::format("{}{}", list.empty() ? "" : " or ", name(d));
  throw refused("{} is {}, but weights in {} need {}", what, name(dtype), name(form), list);
}

void check_types(const ConstView& x, WeightForm form, const LinearOptions& options) {
  if (is_integer(form)) {
    require_one_of("x", x.dtype(), form, {DType::f32, DType::s8, DType::u8});
    require_one_of("the result", options.result, form, {DType::f32, DType::s32, DType::s8, DType::u8});
    if (x.dtype() == DType::f32) return;
    if (!options.input) throw refused("x is {}, but no input quantisation says what it means", name(x.dtype()));
    if (options.input->dtype != x.dtype())
      throw refused("x is {}, but the input quantisation is for {}", name(x.dtype()), name(options.input->dtype));
    return;
  }
  if (options.input) throw refused("there is an input quantisation, but the weights are in {}", name(form));
  if (form == WeightForm::bf16) {
    require_one_of("x", x.dtype(), form, {DType::f32, DType::bf16});
    return require_one_of("the result", options.result, form, {DType::f32, DType::bf16});
  }
  require_one_of("x", x.dtype(), form, {DType::f32});
  require_one_of("the result", options.result, form, {DType::f32});
}

void validate(const ConstView& x, const Weights& weights, const LinearOptions& options) {
  require_known(kLinear, "activation", options.activation, Activation::silu);
  if (weights.empty()) throw refused("the weights hold no matrix");
  if (x.rank() != 2 || x.size(1) != weights.inputs())
    throw refused("x is {}, but the weights are {}x{}", to_string(x.shape()), weights.inputs(), weights.outputs());
  check_types(x, weights.form(), options);
  if (options.bias.rank() == 0) return;
  if (options.bias.rank() != 1 || options.bias.size(0) != weights.outputs())
    throw refused("the bias is {}, but the weights have {} outputs", to_string(options.bias.shape()),
                  weights.outputs());
}

/// The options that all products have in common.
template <class Options>
Options common_options(const LinearOptions& options) {
  Options out;
  out.bias = options.bias;
  out.activation = options.activation;
  out.call = options.call;
  return out;
}

/// Of the operation that brings x into the type of the weights.
CallOptions input_options(const LinearOptions& options) { return {"", options.call.backend, {}, nullptr}; }

void multiply(Context& ctx, const ConstView& x, const Tensor& w, const View& y, const LinearOptions& options) {
  const auto product = common_options<MatmulOptions>(options);
  if (w.dtype() != DType::bf16 || x.dtype() == DType::bf16) return matmul_into(ctx, x, w, y, product);
  Tensor rounded = Tensor::empty(ctx, x.shape(), DType::bf16, x.device());
  convert_into(ctx, x, rounded.view(), input_options(options));
  matmul_into(ctx, rounded, w, y, product);
}

/// Calls product(q, quantisation of q, options) with x in integers.
template <class Product>
void multiply_integers(Context& ctx, const ConstView& x, const LinearOptions& options, Product product) {
  auto how = common_options<QuantizedMatmulOptions>(options);
  how.result = options.result;
  how.result_scale = options.result_scale;
  how.result_zero_point = options.result_zero_point;
  if (x.dtype() != DType::f32) return product(x, *options.input, how);
  // The integers stay where x is, whatever the policy says of results.
  if (options.input) {
    Tensor q = Tensor::empty(ctx, x.shape(), options.input->dtype, x.device());
    quantize_into(ctx, x, *options.input, q.view(), input_options(options));
    return product(q, *options.input, how);
  }
  const QuantizeOptions by_row{DType::s8, Scheme::symmetric, 0, input_options(options)};
  const QuantizedTensor q = dynamic_quantize_on(ctx, x, by_row, x.device());
  product(q.values, q.quantization, how);
}

void multiply(Context& ctx, const ConstView& x, const QuantizedTensor& w, const View& y, const LinearOptions& options) {
  multiply_integers(ctx, x, options, [&](const ConstView& q, const Quantization& qx, const auto& how) {
    quantized_matmul_into(ctx, q, qx, w.values, w.quantization, y, how);
  });
}

void multiply(Context& ctx, const ConstView& x, const Sparse24& w, const View& y, const LinearOptions& options) {
  matmul_2_4_into(ctx, x, w, y, common_options<MatmulOptions>(options));
}

void multiply(Context& ctx, const ConstView& x, const QuantizedSparse24& w, const View& y,
              const LinearOptions& options) {
  multiply_integers(ctx, x, options, [&](const ConstView& q, const Quantization& qx, const auto& how) {
    quantized_matmul_2_4_into(ctx, q, qx, w.sparse, w.quantization, y, how);
  });
}

/// y^T = activation(w^T x^T + bias), with a bias for each row.
void multiply(Context& ctx, const ConstView& x, const Csr& w, const View& y, const LinearOptions& options) {
  auto product = common_options<SpmmOptions>(options);
  product.check = false;
  if (const ConstView& b = options.bias; b.rank() == 1)
    product.bias = ConstView(b.data(), b.dtype(), {b.size(0), 1}, {b.strides()[0], 1}, b.device());
  spmm_into(ctx, w, x.transposed(), y.transposed(), product);
}

void run(Context& ctx, const ConstView& x, const Weights& weights, const View& y, const LinearOptions& options) {
  const Weights::State& state = weights.state();
  LinearOptions known = options;
  std::vector<Twin> twins;
  if (state.host && state.device) {
    twins.assign(options.call.twins.begin(), options.call.twins.end());
    const std::vector<const Tensor*> here = parts_of(*state.host), there = parts_of(*state.device);
    for (std::size_t i = 0; i < here.size(); ++i) twins.push_back({*here[i], *there[i]});
    known.call.twins = twins;
  }
  PackedMatrix packed;
  if (state.panels) {
    packed = {*packable(*state.host), state.panels.get(), state.panel, state.panel_bytes};
    known.call.packed = &packed;
  }
  std::visit([&](const auto& w) { multiply(ctx, x, w, y, known); }, state.home());
}

}  // namespace

Tensor linear(Context& ctx, ConstView x, const Weights& weights, const LinearOptions& options) {
  validate(x, weights, options);
  Tensor y = new_result(ctx, kLinear, {x.size(0), weights.outputs()}, options.result, x.device());
  run(ctx, x, weights, y.view(), options);
  return y;
}

void linear_into(Context& ctx, ConstView x, const Weights& weights, View y, const LinearOptions& options) {
  validate(x, weights, options);
  require_dtype(kLinear, "y", y, options.result);
  if (const Shape shape{x.size(0), weights.outputs()}; !(y.shape() == shape))
    throw refused("y is {}, but the result is {}", to_string(y.shape()), to_string(shape));
  refuse_repeated(kLinear, y);
  for (const ConstView& in : {x, options.bias}) refuse_overlap(kLinear, y, in, false);
  run(ctx, x, weights, y, options);
}

}  // namespace tandem
