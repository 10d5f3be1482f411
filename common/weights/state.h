// What a handle of weights shares.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include <tandem/sparse.h>
#include <tandem/weights.h>

namespace tandem {

/// 2:4 storage of s8, with a scale for each row of the storage, or one.
struct QuantizedSparse24 {
  Sparse24 sparse;
  Quantization quantization;  ///< spelled as for the dense [k, n]: axis 1
};

/// The matrix in its form: dense [k, n]; quantised [k, n] with its scales; CSR or 2:4 of the transposed matrix [n, k].
using StoredWeights = std::variant<Tensor, QuantizedTensor, Csr, Sparse24, QuantizedSparse24>;

struct Weights::State {
  WeightForm form = WeightForm::f32;
  std::int64_t inputs = 0, outputs = 0;
  std::shared_ptr<const StoredWeights> host, device;  // null: not there; one of them is
  std::shared_ptr<const void> panels;                 // beside `host`, for this CPU's fast product; null: none
  std::int64_t panel = 0;
  std::size_t panel_bytes = 0;

  const StoredWeights& home() const { return host ? *host : *device; }
};

/// What products take panels for: a dense matrix of integers or bf16, or the integers of a 2:4 storage; null for other
/// forms.
inline const Tensor* packable(const StoredWeights& stored) {
  if (const auto* t = std::get_if<QuantizedTensor>(&stored)) return &t->values;
  if (const auto* t = std::get_if<QuantizedSparse24>(&stored)) return &t->sparse.values;
  const auto* t = std::get_if<Tensor>(&stored);
  return t && t->dtype() == DType::bf16 ? t : nullptr;
}

/// The tensors that a stored matrix consists of, always in the same order.
inline std::vector<const Tensor*> parts_of(const Tensor& t) { return {&t}; }
inline std::vector<const Tensor*> parts_of(const QuantizedTensor& t) { return {&t.values, &t.quantization.scales}; }
inline std::vector<const Tensor*> parts_of(const Csr& csr) { return {&csr.row_offsets, &csr.columns, &csr.values}; }
inline std::vector<const Tensor*> parts_of(const Sparse24& sparse) { return {&sparse.values, &sparse.metadata}; }
inline std::vector<const Tensor*> parts_of(const QuantizedSparse24& t) {
  return {&t.sparse.values, &t.sparse.metadata, &t.quantization.scales};
}
inline std::vector<const Tensor*> parts_of(const StoredWeights& stored) {
  return std::visit([](const auto& s) { return parts_of(s); }, stored);
}

}  // namespace tandem
