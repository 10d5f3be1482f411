// Sparse matrices: their storage, the way there from dense ones and back (on the host), and products with them.
//
// Errors: Error(invalid_argument) names the function and the offending value.
#pragma once

#include <cstdint>

#include <tandem/ops.h>
#include <tandem/tensor.h>

namespace tandem {

/// Compressed sparse rows. Row i has the elements row_offsets[i] .. row_offsets[i + 1] - 1 of `columns` and `values`.
struct Csr {
  std::int64_t rows = 0, cols = 0;
  Tensor row_offsets;  ///< s32 [rows + 1]: starts with 0, never falls, ends with the number of stored elements
  Tensor columns;      ///< s32 [stored]: ascending within a row, each once, 0 <= column < cols
  Tensor values;       ///< f32 [stored]

  std::int64_t stored() const noexcept { return values.elements(); }
  /// stored / (rows * cols); 0 for an empty matrix.
  double density() const noexcept;
};

/// The elements of an f32 matrix of any strides that are not 0. Zeros of either sign are left out; NaN is kept. At
/// most 2^31 - 1 elements can be stored, and cols must not pass that either.
Csr to_csr(ConstView matrix);
/// Row-major f32. Checks the matrix first.
Tensor to_dense(const Csr& csr);
/// Throws unless everything holds that Csr says: a matrix from elsewhere is checked before it is used.
void check_csr(const Csr& csr);

struct SpmmOptions {
  ConstView bias;  ///< empty, or f32 [n], added to every row, or [m, 1], added to every column
  Activation activation = Activation::none;
  /// check_csr(a) before the product. Turn it off only for a matrix that has been checked, or comes from to_csr, and
  /// not been changed since: wrong offsets or columns are then reads beyond memory.
  bool check = true;
  CallOptions call;
};

/// activation(a @ b + bias), row-major: a [m, k] in f32, b f32 [k, n] of any strides. Elements of a that are not stored
/// contribute nothing, whatever b holds there (0 times infinity does not occur). f32 arithmetic in the order of the
/// columns, multiply and add fused by some kernels, |error| <= gamma(elements of the row) * (|a| @ |b|); the same bits
/// for every number of threads of a kernel (see tandem/ops.h). A kernel that expands a and multiplies densely is among
/// those that may be chosen; explain() tells the density at which a dense f32 product is predicted to be as fast.
Tensor spmm(Context& ctx, const Csr& a, ConstView b, const SpmmOptions& options = {});
/// c is [m, n] of any strides and overlaps no input.
void spmm_into(Context& ctx, const Csr& a, ConstView b, View c, const SpmmOptions& options = {});

/// 2:4: two of each four consecutive elements of a row are stored, with their places.
///
/// A row of `cols` elements has ceil(cols / 4) groups; beyond the end of the row a last group is filled up with zeros.
/// Group g of a row has the values 2g and 2g + 1 and four bits of metadata: bits 0 and 1 hold the place (0 to 3) of the
/// first value in the group, bits 2 and 3 that of the second, which is larger. Two groups share a byte, the even
/// group in the low half; the high half of the last byte of a row with an odd number of groups is 0. A group with fewer
/// than two nonzero elements stores zeros at the lowest free places. (These are the 4-bit groups of the sparse
/// tensor cores, in the order of the matrix instead of the order of the threads.)
struct Sparse24 {
  std::int64_t rows = 0, cols = 0;
  Tensor values;    ///< [rows, 2 * groups], of the matrix's dtype
  Tensor metadata;  ///< u8 [rows, ceil(groups / 2)]

  std::int64_t groups() const noexcept { return cols / 4 + (cols % 4 != 0 ? 1 : 0); }
};

/// Stores a matrix (f32, bf16, f16, s8 or u8; any strides) in which no group of four has more than two nonzero
/// elements; prune_2_4 makes such matrices. Throws naming the first group that has more. A zero of negative sign counts
/// as zero, and returns as +0.
Sparse24 to_2_4(ConstView matrix);
/// Row-major, of the dtype of the values. Checks the storage first.
Tensor to_dense(const Sparse24& sparse);
/// Throws unless everything holds that Sparse24 says, and nothing but zeros is stored beyond the end of a row.
void check_2_4(const Sparse24& sparse);

/// activation(alpha * a @ b + bias) with b in 2:4 storage, transposed: `b_transposed` is [n, k], one row a column of
/// the result, like the weights of a layer. a is [..., m, k] in f32 or bf16, b of the same dtype, the result [..., m,
/// n] as matmul() says. The storage is not checked beyond shapes: one from elsewhere needs check_2_4 first; wrong
/// metadata give wrong numbers and nothing else. The error is bounded as matmul() says. Elements of b that are not
/// stored contribute nothing; where a row of a holds a NaN or an infinity, any of its results may be NaN.
Tensor matmul_2_4(Context& ctx, ConstView a, const Sparse24& b_transposed, const MatmulOptions& options = {});
/// c = activation(alpha * a @ b + beta * c + bias); c has any strides and overlaps no input.
void matmul_2_4_into(Context& ctx, ConstView a, const Sparse24& b_transposed, View c,
                     const MatmulOptions& options = {});

}  // namespace tandem
