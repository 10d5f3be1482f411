// Structured pruning: whole rows, columns or blocks, and the smaller tensor that stays.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <tandem/error.h>
#include <tandem/prune.h>

#include "common/compress/elements.h"
#include "common/compress/report.h"
#include "common/ops/operand.h"

namespace tandem {
namespace {

constexpr std::string_view kPruneStructured = "prune_structured";

/// The weights as a matrix of rows x cols, cut into units of a fixed height and width (smaller at the far edges).
struct Grid {
  std::int64_t rows = 0, cols = 0;
  std::int64_t height = 1, width = 1;

  std::int64_t down() const { return rows == 0 || cols == 0 ? 0 : (rows + height - 1) / height; }
  std::int64_t across() const { return rows == 0 || cols == 0 ? 0 : (cols + width - 1) / width; }
  std::int64_t units() const { return down() * across(); }
  std::int64_t unit_of(std::int64_t element) const {
    return element / cols / height * across() + element % cols / width;
  }
};

Grid grid_of(const ConstView& weights, const StructuredOptions& options) {
  require_known(kPruneStructured, "structure", options.structure, Structure::blocks);
  require_known(kPruneStructured, "importance", options.importance, Importance::variance);
  const auto fail = [](const std::string& why) {
    return Error(Code::invalid_argument, std::string(kPruneStructured) + ": " + why);
  };
  const bool rows = options.structure == Structure::rows;
  if (rows ? weights.rank() < 1 : weights.rank() != 2)
    throw fail(fmt::format("{} of shape {}: {} is needed", rows ? "rows" : "columns and blocks",
                           to_string(weights.shape()), rows ? "one dimension" : "a matrix"));
  Grid grid;
  grid.rows = weights.size(0);
  grid.cols = 1;
  for (int d = 1; d < weights.rank(); ++d) grid.cols *= weights.size(d);
  switch (options.structure) {
    case Structure::rows:
      grid.width = std::max<std::int64_t>(grid.cols, 1);
      break;
    case Structure::columns:
      grid.height = std::max<std::int64_t>(grid.rows, 1);
      break;
    case Structure::blocks:
      if (options.block < 1) throw fail(fmt::format("blocks of {0} x {0} elements", options.block));
      grid.height = std::min(options.block, std::max<std::int64_t>(grid.rows, 1));
      grid.width = std::min(options.block, std::max<std::int64_t>(grid.cols, 1));
      break;
  }
  return grid;
}

/// What each unit is worth. The mean comes first, since a variance from sums of squares cancels.
std::vector<double> importances(std::span<const float> weights, const Grid& grid, Importance importance) {
  const auto units = static_cast<std::size_t>(grid.units());
  std::vector<double> mean(units, 0.0), size(units, 0.0), worth(units, 0.0);
  const auto each = [&](auto visit) {
    for (std::size_t i = 0; i < weights.size(); ++i)
      visit(static_cast<std::size_t>(grid.unit_of(static_cast<std::int64_t>(i))), static_cast<double>(weights[i]));
  };
  if (importance == Importance::variance) {
    each([&](std::size_t unit, double w) {
      mean[unit] += w;
      size[unit] += 1;
    });
    for (std::size_t unit = 0; unit < units; ++unit) mean[unit] /= size[unit];
  }
  each([&](std::size_t unit, double w) {
    const double d = w - mean[unit];
    worth[unit] += importance == Importance::l1 ? std::abs(w) : d * d;
  });
  if (importance == Importance::variance)
    for (std::size_t unit = 0; unit < units; ++unit) worth[unit] /= size[unit];
  return worth;  // of l2 the square: the same order
}

/// The `count` units of the largest worth, ascending; of equal ones the first.
std::vector<std::int64_t> best_units(const std::vector<double>& worth, std::int64_t count) {
  std::vector<std::int64_t> units(worth.size());
  std::iota(units.begin(), units.end(), 0);
  const auto at = [&](std::int64_t unit) { return worth[static_cast<std::size_t>(unit)]; };
  const auto better = [&](std::int64_t a, std::int64_t b) { return at(a) != at(b) ? at(a) > at(b) : a < b; };
  std::nth_element(units.begin(), units.begin() + static_cast<std::ptrdiff_t>(count), units.end(), better);
  units.resize(static_cast<std::size_t>(count));
  std::sort(units.begin(), units.end());
  return units;
}

Shape dense_shape(const ConstView& weights, const StructuredOptions& options, std::int64_t kept) {
  if (options.structure == Structure::columns) return {weights.size(0), kept};
  if (options.structure == Structure::blocks) return {kept, options.block, options.block};
  Shape shape = weights.shape();
  shape[0] = kept;
  return shape;
}

/// Copies the units that stay. A unit of height h and width w fills rows of `pitch` elements in the result.
void gather(std::span<const float> weights, const Grid& grid, const StructuredOptions& options,
            std::span<const std::int64_t> kept, float* out) {
  const std::int64_t across = grid.across();
  for (std::size_t slot = 0; slot < kept.size(); ++slot) {
    const std::int64_t top = kept[slot] / across * grid.height, left = kept[slot] % across * grid.width;
    const std::int64_t height = std::min(grid.height, grid.rows - top), width = std::min(grid.width, grid.cols - left);
    const auto at = static_cast<std::int64_t>(slot);
    std::int64_t pitch = grid.cols, start = at * grid.cols;  // rows
    if (options.structure == Structure::columns) pitch = static_cast<std::int64_t>(kept.size()), start = at;
    if (options.structure == Structure::blocks) pitch = options.block, start = at * options.block * options.block;
    for (std::int64_t i = 0; i < height; ++i)
      std::copy_n(weights.data() + (top + i) * grid.cols + left, width, out + start + i * pitch);
  }
}

}  // namespace

PrunedStructure prune_structured(ConstView weights, const StructuredOptions& options) {
  const Grid grid = grid_of(weights, options);
  const std::int64_t units = grid.units();
  const std::int64_t pruned = pruned_count(options.sparsity, units);  // checks the sparsity
  const std::vector<float> values = compress::finite_values(kPruneStructured, "the tensor of weights", weights);
  PrunedStructure out;
  out.kept = best_units(importances(values, grid, options.importance),
                        units == 0 ? 0 : std::max<std::int64_t>(1, units - pruned));
  std::vector<char> stays(static_cast<std::size_t>(units), 0);
  for (const std::int64_t unit : out.kept) stays[static_cast<std::size_t>(unit)] = 1;
  out.values = Tensor::empty(weights.shape());
  out.mask = Tensor::empty(weights.shape(), DType::u8);
  const compress::Counts counts = compress::apply(
      values, [&](std::int64_t i) { return stays[static_cast<std::size_t>(grid.unit_of(i))] != 0; },
      out.values.data<float>(), out.mask.data<std::uint8_t>());
  out.report = compress::report_of(options.sparsity, counts);
  out.dense = Tensor::zeros(dense_shape(weights, options, static_cast<std::int64_t>(out.kept.size())));
  gather(values, grid, options, out.kept, out.dense.data<float>());
  return out;
}

}  // namespace tandem
