#include <tandem/weights.h>

#include <utility>

#include <fmt/format.h>
#include <tandem/error.h>

#include "common/compress/sparse_2_4.h"
#include "common/core/context_impl.h"
#include "common/core/host_api.h"
#include "common/core/memory.h"
#include "common/ops/dynamic_quantize.h"
#include "common/ops/operand.h"
#include "common/weights/state.h"

namespace tandem {
namespace {

/// What every form asks: packing for the CPU of another machine would use its instructions here.
void check(Context& ctx, std::string_view op, const ConstView& w) {
  ctx.impl().require_own_machine(op);
  if (w.rank() != 2)
    throw Error(Code::invalid_argument,
                fmt::format("{}: the weights have shape {}, but two dimensions are needed", op, to_string(w.shape())));
}

std::int64_t bytes_of(const std::shared_ptr<const StoredWeights>& stored) {
  std::int64_t bytes = 0;
  if (stored)
    for (const Tensor* part : parts_of(*stored))
      bytes += part->elements() * static_cast<std::int64_t>(size_of(part->dtype()));
  return bytes;
}

Tensor copy_on(Context& ctx, Device device, const Tensor& t) { return t.to(ctx, device); }
Quantization copy_on(Context& ctx, Device device, const Quantization& q) {
  return {q.dtype, q.axis, q.scales.to(ctx, device), {}, q.narrow};
}
QuantizedTensor copy_on(Context& ctx, Device device, const QuantizedTensor& t) {
  return {t.values.to(ctx, device), copy_on(ctx, device, t.quantization)};
}
Sparse24 copy_on(Context& ctx, Device device, const Sparse24& s) {
  return {s.rows, s.cols, s.values.to(ctx, device), s.metadata.to(ctx, device)};
}
QuantizedSparse24 copy_on(Context& ctx, Device device, const QuantizedSparse24& t) {
  return {copy_on(ctx, device, t.sparse), copy_on(ctx, device, t.quantization)};
}
Csr copy_on(Context& ctx, Device device, const Csr& csr) {
  return {csr.rows, csr.cols, csr.row_offsets.to(ctx, device), csr.columns.to(ctx, device), csr.values.to(ctx, device)};
}

/// Packs what products would otherwise pack in every call, or expand and pack: 8-bit integers and bf16. `b` is dense.
void pack(Weights::State& state, const CpuInfo& cpu, const ConstView& b) {
  const cpu::PackedLayout layout = cpu::packed_layout(cpu, b.dtype(), b.size(0), b.size(1));
  if (layout.panel == 0 || layout.bytes == 0) return;
  const std::shared_ptr<void> memory = allocate_host(layout.bytes, 64, "Weights");
  cpu::pack_b(cpu, b.dtype(), b.size(0), b.size(1), b.data(), b.strides()[0], b.strides()[1], memory.get());
  state.panels = memory;
  state.panel = layout.panel;
  state.panel_bytes = layout.bytes;
}

/// 2:4 storage of w, transposed, for the function `op`.
Sparse24 stored_2_4(const ConstView& w, const char* op) {
  return compress::store_2_4(w.transposed(), {op, "output", "inputs"});
}

std::shared_ptr<Weights::State> on_host(Context& ctx, WeightForm form, const ConstView& w, StoredWeights stored,
                                        bool packed = false) {
  auto state = std::make_shared<Weights::State>();
  state->form = form;
  state->inputs = w.size(0);
  state->outputs = w.size(1);
  state->host = std::make_shared<const StoredWeights>(std::move(stored));
  if (const Tensor* dense = packed ? packable(*state->host) : nullptr) pack(*state, ctx.impl().machine.cpu, *dense);
  return state;
}

QuantizedTensor quantized_on_host(Context& ctx, const ConstView& w, const QuantizedWeightsOptions& options,
                                  const char* op) {
  check(ctx, op, w);
  require_dtype(op, "w", w, DType::f32);
  const Tensor here = copy(ctx, w, Device::cpu());
  const QuantizeOptions symmetric{DType::s8, Scheme::symmetric, options.per_channel ? 1 : -1, {}};
  return dynamic_quantize_on(ctx, here, symmetric, Device::cpu());
}

}  // namespace

std::string_view name(WeightForm form) noexcept {
  constexpr std::string_view kNames[] = {"f32", "bf16", "s8", "csr", "2:4", "s8 2:4"};
  const auto at = static_cast<std::size_t>(form);
  return at < std::size(kNames) ? kNames[at] : std::string_view("invalid");
}

Weights Weights::dense(Context& ctx, ConstView w, const DenseWeightsOptions& options) {
  constexpr const char* kOp = "Weights::dense";
  check(ctx, kOp, w);
  const bool bf16 = options.dtype == DType::bf16;
  if (!bf16 && options.dtype != DType::f32)
    throw Error(Code::invalid_argument,
                fmt::format("{}: the dtype is {}, but dense weights are f32 or bf16", kOp, name(options.dtype)));
  if (!bf16 || w.dtype() != DType::bf16) require_dtype(kOp, "w", w, DType::f32);
  Tensor stored = copy(ctx, w, Device::cpu());
  if (stored.dtype() != options.dtype) {
    Tensor rounded = Tensor::empty(w.shape(), DType::bf16);
    convert_into(ctx, stored, rounded.view(), {"", Backend::cpu});
    stored = std::move(rounded);
  }
  return Weights(on_host(ctx, bf16 ? WeightForm::bf16 : WeightForm::f32, w, std::move(stored), options.pack));
}

Weights Weights::quantized(Context& ctx, ConstView w, const QuantizedWeightsOptions& options) {
  return Weights(
      on_host(ctx, WeightForm::s8, w, quantized_on_host(ctx, w, options, "Weights::quantized"), options.pack));
}

Weights Weights::csr(Context& ctx, ConstView w) {
  constexpr const char* kOp = "Weights::csr";
  check(ctx, kOp, w);
  require_dtype(kOp, "w", w, DType::f32);
  const Tensor here = copy(ctx, w, Device::cpu());
  return Weights(on_host(ctx, WeightForm::csr, w, to_csr(here.view().transposed())));
}

Weights Weights::sparse_2_4(Context& ctx, ConstView w) {
  constexpr const char* kOp = "Weights::sparse_2_4";
  check(ctx, kOp, w);
  require_dtype(kOp, "w", w, DType::f32);
  const Tensor here = copy(ctx, w, Device::cpu());
  return Weights(on_host(ctx, WeightForm::sparse_2_4, w, stored_2_4(here, kOp)));
}

Weights Weights::quantized_2_4(Context& ctx, ConstView w, const QuantizedWeightsOptions& options) {
  constexpr const char* kOp = "Weights::quantized_2_4";
  QuantizedTensor q = quantized_on_host(ctx, w, options, kOp);
  auto state = on_host(ctx, WeightForm::s8_sparse_2_4, w,
                       QuantizedSparse24{stored_2_4(q.values, kOp), std::move(q.quantization)});
  if (options.pack) pack(*state, ctx.impl().machine.cpu, q.values);
  return Weights(std::move(state));
}

WeightForm Weights::form() const noexcept { return state_ ? state_->form : WeightForm::f32; }
std::int64_t Weights::inputs() const noexcept { return state_ ? state_->inputs : 0; }
std::int64_t Weights::outputs() const noexcept { return state_ ? state_->outputs : 0; }
WeightsBytes Weights::bytes() const noexcept {
  if (!state_) return {};
  return {bytes_of(state_->host), static_cast<std::int64_t>(state_->panel_bytes), bytes_of(state_->device)};
}

Weights Weights::upload(Context& ctx, bool keep_host) const {
  if (!state_) throw Error(Code::invalid_argument, "Weights::upload: the handle holds no matrix");
  auto state = std::make_shared<State>(*state_);
  if (!state->device) {
    const Device device = Device::cuda(ctx.impl().stream("Weights::upload")->device());
    state->device = std::make_shared<const StoredWeights>(
        std::visit([&](const auto& s) { return StoredWeights(copy_on(ctx, device, s)); }, *state->host));
    ctx.synchronize();  // from here on every context may read it
  }
  if (!keep_host) {
    state->host = nullptr;
    state->panels = nullptr;
    state->panel_bytes = 0;
  }
  return Weights(std::move(state));
}

}  // namespace tandem
