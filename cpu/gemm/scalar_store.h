// The store of the scalar and reference kernels: activation(alpha * sum + beta * c + bias), one element at a time.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "common/core/bf16.h"
#include "common/ops/matmul.h"

namespace tandem::cpu {

/// The activation of one value, by its formula in double.
inline float activated(Activation activation, float value) {
  const double x = static_cast<double>(value);
  const auto sigmoid = [](double v) { return 1.0 / (1.0 + std::exp(-v)); };
  // x times a factor that underflows to 0: an infinite x must not make that NaN.
  const auto gated = [x](double factor) { return static_cast<float>(factor == 0.0 ? 0.0 : x * factor); };
  switch (activation) {
    case Activation::none:
      return value;
    case Activation::relu:
      return value > 0.0f || value != value ? value : 0.0f;
    case Activation::gelu_erf:
      return gated(0.5 * std::erfc(-x / std::numbers::sqrt2));
    case Activation::gelu_tanh:  // (1 + tanh(u)) / 2 = sigmoid(2 u)
      return gated(sigmoid(2.0 * 0.79788456080286535588 * (x + 0.044715 * x * x * x)));
    case Activation::gelu_sigmoid:
      return gated(sigmoid(1.702 * x));
    case Activation::sigmoid:
      return static_cast<float>(sigmoid(x));
    case Activation::tanh:
      return static_cast<float>(std::tanh(x));
    case Activation::silu:
      return gated(sigmoid(x));
  }
  return value;
}

/// Stores one finished sum to c(i, j) of a batch item whose matrix starts at `c`; C is float or Bf16.
template <class C>
void store_element(const MatmulArgs& args, C* c, std::int64_t i, std::int64_t j, float sum) {
  C& to = c[i * args.c.row + j * args.c.col];
  float value = args.alpha * sum;
  if (args.beta != 0.0f) value += args.beta * to_f32(to);
  if (args.bias.data) value += static_cast<const float*>(args.bias.data)[i * args.bias.row + j * args.bias.col];
  assign(to, activated(args.activation, value));
}

/// Calls item(a, b, c) with the matrices of every batch item, in order; their elements are In and C.
template <class In = float, class C = float, class Item>
void for_each_item(const MatmulArgs& args, Item item) {
  for (std::int64_t index = 0; index < args.batch.elements; ++index) {
    std::int64_t at[3];
    args.batch.offsets(index, args.batch.rank, at);
    item(static_cast<const In*>(args.a.data) + at[0], static_cast<const In*>(args.b.data) + at[1],
         static_cast<C*>(args.c.data) + at[2]);
  }
}

}  // namespace tandem::cpu
