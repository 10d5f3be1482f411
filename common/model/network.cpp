#include <tandem/network.h>

#include <utility>
#include <variant>

#include <fmt/format.h>
#include <tandem/error.h>
#include <tandem/sparse.h>

#include "common/core/bf16.h"
#include "common/core/stage.h"
#include "common/model/fault.h"

namespace tandem {
namespace {

/// Row-major, on `device`.
Tensor copied(Context& ctx, const ConstView& view, Device device = Device::cpu()) {
  Tensor copy = Tensor::empty(ctx, view.shape(), view.dtype(), device);
  if (view.elements() > 0 && view.device().is_cpu() && device.is_cpu())
    copy_strided(copy.view(), view);
  else if (view.elements() > 0)
    copy_across(ctx.impl(), copy.view(), view, "network");
  return copy;
}

/// The same in bf16, on the host.
Tensor in_bf16(Context& ctx, const ConstView& view) {
  const Tensor plain = copied(ctx, view);
  Tensor out = Tensor::empty(view.shape(), DType::bf16);
  auto* to = static_cast<Bf16*>(out.view().data());
  const float* from = plain.data<float>();
  for (std::int64_t i = 0; i < out.elements(); ++i) to[i] = to_bf16(from[i]);
  return out;
}

/// A layer in one form.
struct Prepared {
  std::variant<Tensor, QuantizedTensor, Csr> weight;  // the Csr is that of the transposed weight
  Tensor bias;                                        // [out], or [out, 1] beside a Csr
  Activation activation = Activation::none;
  Quantization input;  // without scales: of each row, when it runs

  ConstView bias_view() const { return bias.elements() > 0 ? bias.view() : ConstView(); }

  Tensor run(Context& ctx, const ConstView& x, const Tensor& w, DType result) const {
    MatmulOptions options;
    options.bias = bias_view();
    options.activation = activation;
    options.result = result;
    return matmul(ctx, x, w, options);
  }
  Tensor run(Context& ctx, const ConstView& x, const QuantizedTensor& w, DType) const {
    QuantizedMatmulOptions options;
    options.bias = bias_view();
    options.activation = activation;
    if (input.scales.elements() > 0)
      return quantized_matmul(ctx, quantize(ctx, x, input), input, w.values, w.quantization, options);
    const QuantizedTensor q = dynamic_quantize(ctx, x, {DType::s8, Scheme::symmetric, 0, {}});
    return quantized_matmul(ctx, q.values, q.quantization, w.values, w.quantization, options);
  }
  Tensor run(Context& ctx, const ConstView& x, const Csr& w, DType) const {
    SpmmOptions options;
    options.bias = bias_view();
    options.activation = activation;
    options.check = false;
    Tensor y = Tensor::empty(ctx, {x.size(0), w.rows}, DType::f32, x.device());
    spmm_into(ctx, w, x.transposed(), y.view().transposed(), options);
    return y;
  }
};

std::variant<Tensor, QuantizedTensor, Csr> in_form(Context& ctx, const ConstView& weight, WeightForm form) {
  switch (form) {
    case WeightForm::f32:
      return copied(ctx, weight);
    case WeightForm::bf16:
      return in_bf16(ctx, weight);
    case WeightForm::s8:
      return dynamic_quantize(ctx, weight, {DType::s8, Scheme::symmetric, 1, {}});
    case WeightForm::csr:
      return to_csr(weight.transposed());
    case WeightForm::sparse_2_4:
    case WeightForm::s8_sparse_2_4:
      break;
  }
  throw Error(Code::unsupported, fmt::format("network: no kernel takes weights in {}", name(form)));
}

void move(Context& ctx, Device device, Tensor& t) {
  if (t.elements() > 0 && t.device() != device) t = t.to(ctx, device);
}
void move(Context& ctx, Device device, QuantizedTensor& t) {
  move(ctx, device, t.values);
  move(ctx, device, t.quantization.scales);
}
void move(Context& ctx, Device device, Csr& csr) {
  for (Tensor* t : {&csr.row_offsets, &csr.columns, &csr.values}) move(ctx, device, *t);
}

std::int64_t bytes_of(const Tensor& t) { return t.elements() * static_cast<std::int64_t>(size_of(t.dtype())); }
std::int64_t bytes_of(const QuantizedTensor& t) { return bytes_of(t.values) + bytes_of(t.quantization.scales); }
std::int64_t bytes_of(const Csr& csr) {
  return bytes_of(csr.row_offsets) + bytes_of(csr.columns) + bytes_of(csr.values);
}

}  // namespace

struct Network::State {
  WeightForm form = WeightForm::f32;
  Device device;
  std::vector<Prepared> layers;
  bool softmax = false;
  std::int64_t inputs = 0, outputs = 0;
};

Network::Network(Context& ctx, const Model& model, const NetworkOptions& options) {
  if (const std::string fault = model_fault(model); !fault.empty())
    throw Error(Code::invalid_argument, fmt::format("network: {}", fault));
  if (!options.inputs.empty() && (options.inputs.size() != model.layers.size() || !is_integer(options.form)))
    throw Error(Code::invalid_argument, fmt::format("network: {} input quantisations for {} layers with weights in {}",
                                                    options.inputs.size(), model.layers.size(), name(options.form)));
  auto state = std::make_shared<State>();
  state->form = options.form;
  state->device = options.device;
  state->softmax = model.softmax;
  state->inputs = model.inputs();
  state->outputs = model.outputs();
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const Layer& layer = model.layers[i];
    Prepared& out = state->layers.emplace_back();
    out.activation = layer.activation;
    out.weight = in_form(ctx, layer.weight, options.form);
    std::visit([&](auto& weight) { move(ctx, options.device, weight); }, out.weight);
    if (layer.has_bias()) {
      const Shape shape = options.form == WeightForm::csr ? Shape{layer.outputs(), 1} : layer.bias.shape();
      out.bias = copied(ctx, layer.bias.view().reshaped(shape), options.device);
    }
    if (options.inputs.empty()) continue;
    const Quantization& q = options.inputs[i];
    out.input = {q.dtype, q.axis, copied(ctx, q.scales, options.device), {}, q.narrow};
    if (q.zero_points.elements() > 0) out.input.zero_points = copied(ctx, q.zero_points, options.device);
  }
  state_ = std::move(state);
}

Tensor Network::run(Context& ctx, ConstView x, const LayerObserver& observe) const {
  if (x.dtype() != DType::f32 || x.rank() != 2 || x.size(1) != state_->inputs)
    throw Error(Code::invalid_argument, fmt::format("network: x is {} of {}, [rows, {}] of f32 is needed",
                                                    to_string(x.shape()), name(x.dtype()), state_->inputs));
  const bool bf16 = state_->form == WeightForm::bf16;
  const Device home = x.device();
  Tensor y;  // what x is a view of, but for the caller's x
  if (bf16) x = y = in_bf16(ctx, x);
  if (x.device() != state_->device) x = y = copied(ctx, x, state_->device);
  for (std::size_t i = 0; i < state_->layers.size(); ++i) {
    const Prepared& layer = state_->layers[i];
    const bool last = i + 1 == state_->layers.size();
    const DType result = bf16 && !last ? DType::bf16 : DType::f32;
    x = y = std::visit([&](const auto& weight) { return layer.run(ctx, x, weight, result); }, layer.weight);
    if (observe) observe(i, y);
  }
  if (state_->softmax) softmax_into(ctx, SoftmaxFn::softmax, y, y);
  move(ctx, ctx.policy().result.value_or(home), y);
  return y;
}

std::int64_t Network::inputs() const noexcept { return state_->inputs; }
std::int64_t Network::outputs() const noexcept { return state_->outputs; }
Device Network::device() const noexcept { return state_->device; }
std::int64_t Network::bytes() const noexcept {
  std::int64_t bytes = 0;
  for (const Prepared& layer : state_->layers)
    bytes += bytes_of(layer.bias) + bytes_of(layer.input.scales) +
             std::visit([](const auto& weight) { return bytes_of(weight); }, layer.weight);
  return bytes;
}

std::vector<Quantization> calibrate(Context& ctx, const Model& model, ConstView x, double percentile) {
  std::vector<Quantization> inputs;
  const auto add = [&](const ConstView& input) {
    if (inputs.size() == model.layers.size()) return;
    inputs.push_back(percentile == 100 ? calibrate_min_max(ctx, input) : calibrate_percentile(ctx, input, percentile));
  };
  add(x);
  Network(ctx, model).run(ctx, x, [&](std::size_t, const ConstView& output) { add(output); });
  return inputs;
}

}  // namespace tandem
