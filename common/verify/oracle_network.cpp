#include "common/verify/oracle_network.h"

#include <algorithm>
#include <cmath>

namespace tandem::verify {
namespace {

/// sum over l of x[l] * w[l][j], for every j. Terms of 0 are left out.
template <class Weight>
std::vector<double> times(const std::vector<double>& x, const std::vector<double>& w, std::int64_t n, Weight weight) {
  std::vector<double> sum(static_cast<std::size_t>(n), 0.0);
  for (std::size_t l = 0; l < x.size(); ++l) {
    if (x[l] == 0) continue;
    const double* row = w.data() + l * sum.size();
    for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += x[l] * weight(row[j]);
  }
  return sum;
}
constexpr auto kAsIs = [](double w) { return w; };
constexpr auto kMagnitude = [](double w) { return std::abs(w); };

/// What products of bf16 may lose where denormals count as zero: at each step, and of the operands.
double flushed_by_bf16(const std::vector<double>& x, const std::vector<double>& weights) {
  double sum = 0, largest = 0;
  for (const double v : x) sum += v;
  for (const double w : weights) largest = std::max(largest, std::abs(w));
  return kNormal * (sum + static_cast<double>(x.size()) * (1 + largest));
}

/// The interval of a function that never falls, from those of its argument.
template <class Function>
void map_monotone(std::vector<double>& value, std::vector<double>& radius, Function f) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    const double y = f(value[i]);
    radius[i] = radius[i] == 0 ? 0 : std::max(f(value[i] + radius[i]) - y, y - f(value[i] - radius[i]));
    value[i] = y;
  }
}

}  // namespace

NetworkOracle::NetworkOracle(const Model& model) { read(model); }

NetworkOracle::NetworkOracle(const Model& model, const Thinning& thinning, WeightForm form,
                             const std::vector<Quantization>& inputs) {
  read(model);
  if (thinning.sparsity > 0) thin_out(thinning.sparsity);
  if (thinning.two_of_four) thin_out_2_4();
  arithmetic_ = is_integer(form) ? Arithmetic::s8 : form == WeightForm::bf16 ? Arithmetic::bf16 : Arithmetic::f32;
  if (arithmetic_ == Arithmetic::s8)
    for (Layer& layer : layers_) quantize_weights(layer);
  if (arithmetic_ == Arithmetic::bf16)
    for (Layer& layer : layers_)
      for (double& w : layer.weights) w = nearest_bf16(w);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    layers_[i].input_scale = static_cast<double>(inputs[i].scales.data<float>()[0]);
}

void NetworkOracle::read(const Model& model) {
  softmax_ = model.softmax;
  for (const tandem::Layer& layer : model.layers) {
    const float* w = layer.weight.data<float>();
    Layer out{layer.inputs(), layer.outputs(), {w, w + layer.weight.elements()}, {}, {}, 0, layer.activation};
    if (layer.has_bias()) {
      const float* b = layer.bias.data<float>();
      out.bias.assign(b, b + layer.bias.elements());
    }
    layers_.push_back(std::move(out));
  }
}

// The last of equal magnitudes go first.
void NetworkOracle::thin_out(double sparsity) {
  std::vector<double*> all;
  for (Layer& layer : layers_)
    for (double& w : layer.weights) all.push_back(&w);
  const auto count = static_cast<std::size_t>(std::floor(sparsity * static_cast<double>(all.size()) + 0.5));
  std::reverse(all.begin(), all.end());
  std::stable_sort(all.begin(), all.end(), [](double* a, double* b) { return std::abs(*a) < std::abs(*b); });
  for (std::size_t i = 0; i < count; ++i) *all[i] = 0;
}

// A weight stays when fewer than two of its group are larger, or equal and before it.
void NetworkOracle::thin_out_2_4() {
  for (Layer& layer : layers_) {
    const std::vector<double> old = layer.weights;
    for (std::int64_t l = 0; l < layer.k; ++l)
      for (std::int64_t j = 0; j < layer.n; ++j) {
        const auto magnitude = [&](std::int64_t row) {
          return std::abs(old[static_cast<std::size_t>(row * layer.n + j)]);
        };
        int ahead = 0;
        for (std::int64_t other = l / 4 * 4; other < std::min(l / 4 * 4 + 4, layer.k); ++other)
          ahead += magnitude(other) > magnitude(l) || (magnitude(other) == magnitude(l) && other < l) ? 1 : 0;
        if (ahead >= 2) layer.weights[static_cast<std::size_t>(l * layer.n + j)] = 0;
      }
  }
}

void NetworkOracle::quantize_weights(Layer& layer) {
  Tensor w = Tensor::empty({layer.k, layer.n}), scales = Tensor::empty({layer.n});
  Tensor zeros = Tensor::zeros({layer.n}, DType::s32), q = Tensor::empty({layer.k, layer.n}, DType::s8);
  std::transform(layer.weights.begin(), layer.weights.end(), w.data<float>(),
                 [](double v) { return static_cast<float>(v); });
  const View operands[] = {w.view(), scales.view(), zeros.view(), q.view()};
  const Oracle<DynamicQuantize> oracle({Scheme::symmetric, 1}, operands);
  std::vector<Expected> expected(layer.weights.size());
  oracle.expect(0, oracle.elements(), expected.data());
  for (std::size_t i = 0; i < expected.size(); ++i) layer.weights[i] = expected[i].value;
  expected.resize(static_cast<std::size_t>(layer.n));
  oracle.expect_other(0, expected.data());
  for (const Expected& scale : expected) layer.scales.push_back(scale.value);
}

double NetworkOracle::work() const {
  double products = 0;
  for (const Layer& layer : layers_) products += static_cast<double>(layer.k) * static_cast<double>(layer.n);
  return products * (arithmetic_ == Arithmetic::real ? 1 : 3);
}

std::vector<Expected> NetworkOracle::row(const float* x) const {
  Row row{{x, x + inputs()}, std::vector<double>(static_cast<std::size_t>(inputs()), 0.0)};
  for (const Layer& layer : layers_) {
    row = arithmetic_ == Arithmetic::s8 ? integer_product(layer, row) : rounded_product(layer, row);
    apply(layer.activation, row);
  }
  if (softmax_) return softmax_of(row);
  std::vector<Expected> out;
  for (std::size_t j = 0; j < row.size(); ++j) out.push_back({row.value[j], row.radius[j]});
  return out;
}

// One rounding a term and one for the bias, in any order of summation.
NetworkOracle::Row NetworkOracle::rounded_product(const Layer& layer, const Row& input) const {
  Row x = input;
  if (arithmetic_ == Arithmetic::bf16) map_monotone(x.value, x.radius, nearest_bf16);
  Row y{times(x.value, layer.weights, layer.n, kAsIs), {}};
  y.radius.assign(y.size(), 0.0);
  if (arithmetic_ != Arithmetic::real) {
    std::vector<double> largest(x.size());
    for (std::size_t l = 0; l < x.size(); ++l) largest[l] = std::abs(x.value[l]) + x.radius[l];
    const std::vector<double> magnitude = times(largest, layer.weights, layer.n, kMagnitude);
    const std::vector<double> spread = times(x.radius, layer.weights, layer.n, kMagnitude);
    const double roundings = static_cast<double>(layer.k) + 1;
    const double flushed = arithmetic_ == Arithmetic::bf16 ? flushed_by_bf16(largest, layer.weights) : 0;
    for (std::size_t j = 0; j < y.size(); ++j) {
      const double scale = magnitude[j] + (layer.bias.empty() ? 0 : std::abs(layer.bias[j]));
      const double bound = spread[j] + gamma(roundings) * scale + roundings * kDenormal + flushed;
      y.radius[j] = scale + bound < kLargest ? bound : kInfinity;
    }
  }
  for (std::size_t j = 0; j < layer.bias.size(); ++j) y.value[j] += layer.bias[j];
  return y;
}

NetworkOracle::QuantizedRow NetworkOracle::quantized(const Row& x, double static_scale) {
  QuantizedRow out;
  out.scale = out.low = out.high = static_scale;
  if (static_scale == 0) {
    double value = 0, low = 0, high = 0;
    for (std::size_t l = 0; l < x.size(); ++l) {
      const double magnitude = std::abs(x.value[l]);
      value = std::max(value, magnitude);
      low = std::max(low, magnitude - x.radius[l]);
      high = std::max(high, magnitude + x.radius[l]);
    }
    const auto scale_for = [](double largest) {
      return largest == 0 ? 1.0 : std::max(f32(f32(std::min(largest, kLargest)) / 127), 0x1p-126);
    };
    out.known = low > 0 || high == 0;  // else: a scale of 1, or a tiny one
    out.scale = scale_for(value);
    out.low = scale_for(low);
    out.high = scale_for(high);
  }
  out.integers.value.resize(x.size());
  out.integers.radius.resize(x.size());
  for (std::size_t l = 0; l < x.size(); ++l) {
    const auto at = [&](double v, double scale) { return to_integer(f32(f32(v) / scale), 0, -127, 127); };
    const double q = at(x.value[l], out.scale);
    double radius = 0;
    if (x.radius[l] > 0 || out.low != out.high)
      for (const double scale : {out.low, out.high})
        for (const double v : {x.value[l] - x.radius[l], x.value[l] + x.radius[l]})
          radius = std::max(radius, std::abs(at(v, scale) - q));
    out.integers.value[l] = q;
    out.integers.radius[l] = radius;
  }
  return out;
}

// f32(f32(acc) * f32(sa sb)) + bias: exact steps where the input is exact. Where it is not, the result may differ by
// the integers that could be others, by the range of the scale, and by the roundings of both sides.
NetworkOracle::Row NetworkOracle::integer_product(const Layer& layer, const Row& x) const {
  const QuantizedRow q = quantized(x, layer.input_scale);
  Row y{times(q.integers.value, layer.weights, layer.n, kAsIs),
        times(q.integers.radius, layer.weights, layer.n, kMagnitude)};
  for (std::size_t j = 0; j < y.size(); ++j) {
    const double acc = y.value[j], others = y.radius[j], scale = layer.scales[j];
    const double bias = layer.bias.empty() ? 0 : layer.bias[j];
    const double product = f32(f32(acc) * f32(q.scale * scale));
    y.value[j] = layer.bias.empty() ? product : f32(product + bias);
    if (others == 0 && q.low == q.high) continue;
    const double largest = (std::abs(acc) + others) * q.high * scale;
    y.radius[j] = q.known ? others * q.high * scale + std::abs(acc) * (q.high - q.low) * scale +
                                gamma(8) * (largest + std::abs(bias)) + 4 * kDenormal
                          : kInfinity;
  }
  return y;
}

void NetworkOracle::apply(Activation activation, Row& row) const {
  if (activation == Activation::none) return;
  for (std::size_t j = 0; j < row.size(); ++j) {
    if (arithmetic_ == Arithmetic::real) {
      row.value[j] = exact(function_of(activation), row.value[j]);
      continue;
    }
    const Expected after = activated(activation, {row.value[j], row.radius[j]}, 0);
    row.value[j] = after.value;
    row.radius[j] = after.bound;
  }
}

// The kernel's own error is that of Oracle<Softmax> at the value rounded to f32. Arguments that are off by at most r
// change a probability by a factor between exp(-2 r) and exp(2 r), and what the kernel loses by as much.
std::vector<Expected> NetworkOracle::softmax_of(const Row& row) const {
  const auto n = static_cast<std::int64_t>(row.size());
  if (arithmetic_ == Arithmetic::real) {
    const double largest = *std::max_element(row.value.begin(), row.value.end());
    std::vector<Expected> out;
    double sum = 0;
    for (const double v : row.value) sum += std::exp(v - largest);
    for (const double v : row.value) out.push_back({std::exp(v - largest) / sum, 0});
    return out;
  }
  Tensor x = Tensor::empty({1, n}), y = Tensor::empty({1, n});
  double r = 0;
  for (std::int64_t j = 0; j < n; ++j) {
    const double value = row.value[static_cast<std::size_t>(j)], near = f32(value);
    x.data<float>()[j] = static_cast<float>(value);
    r = std::max(r, row.radius[static_cast<std::size_t>(j)] + std::abs(near - value));
  }
  const View operands[] = {x.view(), y.view()};
  std::vector<Expected> out(row.size());
  Oracle<Softmax>({SoftmaxFn::softmax, -1}, operands).expect(0, n, out.data());
  for (Expected& e : out)
    e.bound = std::isfinite(r)
                  ? e.value * std::expm1(2 * r) + e.bound * std::exp(2 * r) + 8 * kUnit * r * std::exp(2 * r)
                  : kInfinity;
  return out;
}

}  // namespace tandem::verify
