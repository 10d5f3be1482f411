// Unstructured pruning: by magnitude, over one tensor or a model, and 2:4.
#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>
#include <tandem/error.h>
#include <tandem/prune.h>

#include "common/compress/elements.h"
#include "common/compress/report.h"
#include "common/ops/operand.h"

namespace tandem {
namespace {

using compress::Counts;

/// Keeps what is above a magnitude, and of what equals it the first few that it is asked about.
struct Threshold {
  float magnitude = 0;
  std::int64_t equal_left = 0;

  bool keep(float weight) {
    const float m = std::abs(weight);
    return m > magnitude || (m == magnitude && equal_left-- > 0);
  }
};

/// The threshold that keeps exactly `kept` of the magnitudes, which are put into another order.
Threshold threshold_for(std::vector<float>& magnitudes, std::int64_t kept) {
  if (kept == 0) return {INFINITY, 0};
  const auto at = magnitudes.begin() + static_cast<std::ptrdiff_t>(kept - 1);
  std::nth_element(magnitudes.begin(), at, magnitudes.end(), std::greater<>());
  const float magnitude = *at;  // nothing after it is larger
  return {magnitude, kept - std::count_if(magnitudes.begin(), at, [&](float m) { return m > magnitude; })};
}

Pruned empty_like(const ConstView& weights) {
  Pruned out;
  out.values = Tensor::empty(weights.shape());
  out.mask = Tensor::empty(weights.shape(), DType::u8);
  return out;
}

void check_sparsity(std::string_view function, double sparsity) {
  if (!(sparsity >= 0 && sparsity <= 1))
    throw Error(Code::invalid_argument, fmt::format("{}: sparsity {} is not in [0, 1]", function, sparsity));
}

/// The result for one tensor; adds to `counts`.
Pruned pruned_by(Threshold& threshold, const ConstView& view, std::span<const float> weights, double requested,
                 Counts& counts) {
  Pruned out = empty_like(view);
  const Counts own = compress::apply(
      weights, [&](std::int64_t i) { return threshold.keep(weights[static_cast<std::size_t>(i)]); },
      out.values.data<float>(), out.mask.data<std::uint8_t>());
  out.report = compress::report_of(requested, own);
  counts += own;
  return out;
}

Pruned prune_one(const ConstView& view, std::span<const float> weights, std::int64_t count, double requested) {
  std::vector<float> magnitudes(weights.begin(), weights.end());
  for (float& m : magnitudes) m = std::abs(m);
  Threshold threshold = threshold_for(magnitudes, view.elements() - count);
  Counts counts;
  return pruned_by(threshold, view, weights, requested, counts);
}

/// Bit i of the result: element i of the group stays.
unsigned best_two(const float* group, std::int64_t step, std::int64_t size) {
  std::int64_t first = -1, second = -1;  // of the largest magnitudes, the earlier of equal ones first
  const auto magnitude = [&](std::int64_t i) { return std::abs(group[i * step]); };
  for (std::int64_t i = 0; i < size; ++i) {
    if (first < 0 || magnitude(i) > magnitude(first)) {
      second = first;
      first = i;
    } else if (second < 0 || magnitude(i) > magnitude(second)) {
      second = i;
    }
  }
  return (first < 0 ? 0u : 1u << first) | (second < 0 ? 0u : 1u << second);
}

}  // namespace

std::int64_t pruned_count(double sparsity, std::int64_t elements) {
  check_sparsity("pruned_count", sparsity);
  if (elements < 0) throw Error(Code::invalid_argument, fmt::format("pruned_count: {} elements", elements));
  if (sparsity == 1) return elements;
  return std::min(elements, static_cast<std::int64_t>(std::round(sparsity * static_cast<double>(elements))));
}

Pruned prune_magnitude(ConstView weights, double sparsity) {
  check_sparsity("prune_magnitude", sparsity);
  const std::vector<float> values = compress::finite_values("prune_magnitude", "the tensor of weights", weights);
  return prune_one(weights, values, pruned_count(sparsity, weights.elements()), sparsity);
}

Pruned prune_magnitude_count(ConstView weights, std::int64_t count) {
  const std::int64_t elements = weights.elements();
  if (count < 0 || count > elements)
    throw Error(Code::invalid_argument,
                fmt::format("prune_magnitude_count: {} of {} weights (shape {}) cannot be pruned", count, elements,
                            to_string(weights.shape())));
  const std::vector<float> values = compress::finite_values("prune_magnitude_count", "the tensor of weights", weights);
  return prune_one(weights, values, count,
                   elements == 0 ? 0 : static_cast<double>(count) / static_cast<double>(elements));
}

PrunedModel prune_magnitude(std::span<const ConstView> model, double sparsity) {
  check_sparsity("prune_magnitude", sparsity);
  std::vector<std::vector<float>> weights;
  std::vector<float> magnitudes;
  for (const ConstView& view : model) {
    weights.push_back(compress::finite_values("prune_magnitude", "the tensor of weights", view));
    for (const float w : weights.back()) magnitudes.push_back(std::abs(w));
  }
  const auto elements = static_cast<std::int64_t>(magnitudes.size());
  Threshold threshold = threshold_for(magnitudes, elements - pruned_count(sparsity, elements));
  PrunedModel out;
  Counts counts;
  for (std::size_t i = 0; i < model.size(); ++i)
    out.tensors.push_back(pruned_by(threshold, model[i], weights[i], sparsity, counts));
  out.report = compress::report_of(sparsity, counts);
  return out;
}

Pruned prune_2_4(ConstView weights, int axis) {
  const int along = normalized_axis("prune_2_4", axis, weights);
  const std::vector<float> values = compress::finite_values("prune_2_4", "the tensor of weights", weights);
  std::int64_t step = 1;  // between neighbours along the axis, in row-major order
  for (int d = along + 1; d < weights.rank(); ++d) step *= weights.size(d);
  const std::int64_t size = weights.size(along);
  unsigned stays = 0;
  Pruned out = empty_like(weights);
  const auto keep = [&](std::int64_t i) {
    const std::int64_t at = i / step % size, place = at % 4;
    // Elements of one group meet here one after the other only when the axis is the last one.
    if (place == 0 || step > 1)
      stays = best_two(values.data() + (i - place * step), step, std::min<std::int64_t>(4, size - (at - place)));
    return (stays >> place & 1u) != 0;
  };
  const Counts counts = compress::apply(values, keep, out.values.data<float>(), out.mask.data<std::uint8_t>());
  out.report = compress::report_of(0.5, counts);
  return out;
}

}  // namespace tandem
