#include <tandem/network.h>

#include <utility>

#include <fmt/format.h>
#include <tandem/error.h>

#include "common/core/context_impl.h"
#include "common/model/fault.h"
#include "common/ops/quantization.h"

namespace tandem {
namespace {

/// A layer in one form.
struct Prepared {
  Weights weights;
  Tensor bias;
  Activation activation = Activation::none;
  Quantization input;  // without scales: of each row, when it runs

  /// The result is on `device`, whatever the policy says.
  Tensor run(Context& ctx, const ConstView& x, DType result, Device device) const {
    LinearOptions options;
    if (bias.elements() > 0) options.bias = bias;
    options.activation = activation;
    if (input.scales.elements() > 0) options.input = &input;
    options.result = result;
    Tensor y = Tensor::empty(ctx, {x.size(0), weights.outputs()}, result, device);
    linear_into(ctx, x, weights, y.view(), options);
    return y;
  }
};

Weights in_form(Context& ctx, const ConstView& weight, WeightForm form) {
  switch (form) {
    case WeightForm::f32:
      return Weights::dense(ctx, weight);
    case WeightForm::bf16:
      return Weights::dense(ctx, weight, {DType::bf16});
    case WeightForm::s8:
      return Weights::quantized(ctx, weight);
    case WeightForm::csr:
      return Weights::csr(ctx, weight);
    case WeightForm::sparse_2_4:
      return Weights::sparse_2_4(ctx, weight);
    case WeightForm::s8_sparse_2_4:
      return Weights::quantized_2_4(ctx, weight);
  }
  throw Error(Code::internal, "network: no such form of weights");
}

/// Its errors name the layer.
Weights weights_of(Context& ctx, const Layer& layer, std::size_t number, WeightForm form) {
  try {
    return in_form(ctx, layer.weight, form);
  } catch (const Error& error) {
    if (error.code() != Code::invalid_argument) throw;
    throw Error(error.code(), fmt::format("network: layer {} ('{}'): {}", number, layer.weight_name, error.what()));
  }
}

/// Throws unless a quantisation suits the input of a layer: how many rows there will be is not known.
void check_input(const Quantization& q, const Layer& layer, std::size_t number) {
  const std::string who = fmt::format("network: the input of layer {} ('{}')", number, layer.weight_name);
  if (q.axis != -1)
    throw Error(Code::invalid_argument,
                fmt::format("{}: scales along axis {}; one scale (axis -1) is needed", who, q.axis));
  check_quantization(who, q, Shape{1, layer.inputs()});
}

std::int64_t bytes_of(const Tensor& t) { return t.elements() * static_cast<std::int64_t>(size_of(t.dtype())); }

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
  require_known("network", "form", options.form, WeightForm::s8_sparse_2_4);
  if (!options.inputs.empty() && (options.inputs.size() != model.layers.size() || !is_integer(options.form)))
    throw Error(Code::invalid_argument, fmt::format("network: {} input quantisations for {} layers with weights in {}",
                                                    options.inputs.size(), model.layers.size(), name(options.form)));
  ctx.impl().require_reachable(options.device, "network");
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
    out.weights = weights_of(ctx, layer, i + 1, options.form);
    if (!options.device.is_cpu()) out.weights = out.weights.upload(ctx, false);
    if (layer.has_bias()) out.bias = copy(ctx, layer.bias, options.device);
    if (options.inputs.empty()) continue;
    const Quantization& q = options.inputs[i];
    check_input(q, layer, i + 1);
    out.input = {q.dtype, q.axis, copy(ctx, q.scales, options.device), {}, q.narrow};
    if (q.zero_points.elements() > 0) out.input.zero_points = copy(ctx, q.zero_points, options.device);
  }
  state_ = std::move(state);
}

Tensor Network::run(Context& ctx, ConstView x, const LayerObserver& observe) const {
  if (x.dtype() != DType::f32 || x.rank() != 2 || x.size(1) != state_->inputs)
    throw Error(Code::invalid_argument, fmt::format("network: x is {} of {}, [rows, {}] of f32 is needed",
                                                    to_string(x.shape()), name(x.dtype()), state_->inputs));
  const Device home = x.device();
  Tensor y;  // what x is a view of, but for the caller's x
  if (x.device() != state_->device) x = y = copy(ctx, x, state_->device);
  for (std::size_t i = 0; i < state_->layers.size(); ++i) {
    const Prepared& layer = state_->layers[i];
    const bool last = i + 1 == state_->layers.size();
    const DType result = state_->form == WeightForm::bf16 && !last ? DType::bf16 : DType::f32;
    x = y = layer.run(ctx, x, result, state_->device);
    if (observe) observe(i, y);
  }
  if (state_->softmax) softmax_into(ctx, SoftmaxFn::softmax, y, y);
  const Device wanted = ctx.policy().result.value_or(home);
  return y.device() == wanted ? std::move(y) : y.to(ctx, wanted);
}

std::int64_t Network::inputs() const noexcept { return state_->inputs; }
std::int64_t Network::outputs() const noexcept { return state_->outputs; }
Device Network::device() const noexcept { return state_->device; }
std::int64_t Network::bytes() const noexcept {
  std::int64_t bytes = 0;
  for (const Prepared& layer : state_->layers)
    bytes += bytes_of(layer.bias) + bytes_of(layer.input.scales) + bytes_of(layer.input.zero_points) +
             layer.weights.bytes().total();
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
