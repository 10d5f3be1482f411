// Pruning of f32 weights on the host: which of them stay, and what that costs.
//
// Magnitudes decide; of equal ones, those that come first (in row-major order, in the order of the tensors) stay.
// Pruned elements become +0, the others keep their bits. Weights may have any strides; results are row-major.
//
// Errors: Error(invalid_argument) for weights that are not f32, are on a GPU, or hold a NaN or an infinity (no order of
// magnitudes means anything then), for a sparsity outside [0, 1], for a structure or an importance that there is not,
// and for a shape that the function does not take.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <tandem/tensor.h>

namespace tandem {

class Context;

/// What a pruning did.
struct PruneReport {
  double requested = 0;          ///< the sparsity that was asked for
  double achieved = 0;           ///< pruned elements / elements; 0 when there are none
  double zeros = 0;              ///< zero elements of the result / elements: weights that were 0 and stay count too
  double compression_ratio = 1;  ///< elements / elements that stay; infinite when none stays
  double norm_kept = 1;          ///< Frobenius norm of the result / that of the weights; 1 when that is 0
};

struct Pruned {
  Tensor values;  ///< f32, the shape of the weights
  Tensor mask;    ///< u8, the same shape: 1 where the weight stays, else 0
  PruneReport report;
};

/// How many of `elements` a sparsity prunes: sparsity * elements, rounded to the nearest whole number, halves up.
std::int64_t pruned_count(double sparsity, std::int64_t elements);

/// Prunes exactly pruned_count(sparsity, elements) weights, those of the least magnitude.
Pruned prune_magnitude(ConstView weights, double sparsity);
/// Prunes exactly `count` weights, 0 <= count <= elements.
Pruned prune_magnitude_count(ConstView weights, std::int64_t count);

struct PrunedModel {
  std::vector<Pruned> tensors;  ///< in the order of the weights
  PruneReport report;           ///< of all together
};

/// Prunes exactly pruned_count(sparsity, elements of all tensors) weights, by magnitude over the whole model: a tensor
/// of small weights loses more of them than others.
PrunedModel prune_magnitude(std::span<const ConstView> model, double sparsity);

/// What is pruned as one.
enum class Structure : std::uint8_t {
  rows,     ///< indices of dimension 0, of weights of any rank >= 1 (filters of a convolution, too)
  columns,  ///< of a matrix
  blocks,   ///< of a matrix, block x block elements; those at the right and lower edge may be smaller
};

/// What a row, column or block is worth: the sum of magnitudes, the root of the sum of squares, or the variance of
/// its elements (the mean square of their differences to their mean). Computed in double.
enum class Importance : std::uint8_t { l1, l2, variance };

struct StructuredOptions {
  Structure structure = Structure::rows;
  Importance importance = Importance::l2;
  double sparsity = 0.5;   ///< of the rows, columns or blocks
  std::int64_t block = 4;  ///< size of a side, >= 1
};

struct PrunedStructure {
  Tensor values;                   ///< f32, the shape of the weights
  Tensor mask;                     ///< u8, the same shape
  std::vector<std::int64_t> kept;  ///< rows, columns, or blocks (numbered row by row), ascending
  /// What stays, as a smaller tensor: the rows [kept, ...], the columns [rows, kept], or the blocks [kept, block,
  /// block], with zeros where an edge block is smaller.
  Tensor dense;
  PruneReport report;  ///< counted in elements
};

/// Prunes pruned_count(sparsity, units) of the rows, columns or blocks, the least important ones, but always keeps one
/// where there is any.
PrunedStructure prune_structured(ConstView weights, const StructuredOptions& options = {});

/// Two layers with fewer units between them.
struct NarrowedLayers {
  Tensor w1;  ///< f32 [inputs, kept]: the columns of the units that stay
  Tensor b1;  ///< f32 [kept]; no dimensions where there was no bias
  Tensor w2;  ///< f32 [kept, outputs]: their rows
};

/// The smaller layers that compute what f(x @ w1 + b1) @ w2 gives without the units that are not kept: the same as with
/// the rows of w2 of the others set to 0, in fewer operations. w1 is [inputs, units], b1 is [units] or an empty view,
/// w2 is [units, outputs]. `kept` ascends, such as that of prune_structured for the columns of w1 or the rows of w2.
NarrowedLayers narrow_layers(ConstView w1, ConstView b1, ConstView w2, std::span<const std::int64_t> kept);

/// 2:4: of each four consecutive elements along `axis` (negative: from the end) the two of the largest magnitude stay.
/// When the size is no multiple of 4, the last group has 1, 2 or 3 elements, and keeps at most two like the others; so
/// the achieved sparsity is then below one half.
Pruned prune_2_4(ConstView weights, int axis = -1);

/// The fraction of elements that are 0 (of either sign); 0 for an empty tensor. Any strides, f32, NaN counts as not 0.
double sparsity(ConstView weights);

/// How far the outputs x @ pruned are from x @ weights.
struct OutputError {
  double max_abs = 0;
  double mean_abs = 0;
  double relative = 0;  ///< Frobenius norm of the difference / that of x @ weights; 0 / 0 is 0
};

/// Measured on given inputs: x is [..., k], weights and pruned are [k, n], all f32 and finite, on the host. Where x @
/// weights or x @ pruned overflows, the figures are infinite or NaN.
OutputError output_error(Context& ctx, ConstView x, ConstView weights, ConstView pruned);

}  // namespace tandem
