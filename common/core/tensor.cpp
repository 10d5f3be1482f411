// Owning tensors and their memory.
#include <algorithm>
#include <cstring>
#include <limits>

#include <fmt/format.h>
#include <tandem/context.h>
#include <tandem/error.h>
#include <tandem/tensor.h>

#include "common/core/context_impl.h"
#include "common/core/device_memory.h"
#include "common/core/memory.h"
#include "common/ops/operand.h"

namespace tandem {
namespace {

constexpr std::size_t kTensorAlignment = 64;

std::size_t byte_count(const Shape& shape, DType dtype) {
  return static_cast<std::size_t>(element_count(shape)) * size_of(dtype);  // element_count leaves room for the factor
}

}  // namespace

Tensor Tensor::empty(const Shape& shape, DType dtype) { return empty(shape, row_major(shape), dtype); }

Tensor Tensor::empty(const Shape& shape, const Strides& strides, DType dtype) {
  const std::size_t bytes = byte_count(shape, dtype);
  Tensor t;
  t.memory_ = allocate_host(bytes, kTensorAlignment, "tensor");
  t.view_ = View(t.memory_.get(), dtype, shape, strides);
  if (!t.view_.is_dense())
    throw Error(Code::invalid_argument,
                fmt::format("a tensor of shape {} cannot own strides {}: they leave gaps or repeat elements",
                            to_string(shape), to_string(strides)));
  return t;
}

Tensor Tensor::empty(Context& ctx, const Shape& shape, DType dtype, Device device) {
  if (device.is_cpu()) return empty(shape, dtype);
  ctx.impl().require_reachable(device, "tensor");
  const std::shared_ptr<gpu::Stream>& stream = ctx.impl().stream("tensor");
  const std::size_t bytes = std::max<std::size_t>(byte_count(shape, dtype), 1);
  Tensor t;
  void* memory = stream->allocate(bytes, "tensor");
  t.memory_ = std::shared_ptr<void>(memory, DeviceMemory{stream});
  t.view_ = View(memory, dtype, shape, device);
  return t;
}

Tensor new_result(Context& ctx, std::string_view op, const Shape& shape, DType dtype, Device beside) {
  const Device device = ctx.policy().result.value_or(beside);
  ctx.impl().require_reachable(device, op);
  return Tensor::empty(ctx, shape, dtype, device);
}

Tensor Tensor::zeros(const Shape& shape, DType dtype) {
  Tensor t = empty(shape, dtype);
  if (t.elements() > 0) std::memset(t.memory_.get(), 0, byte_count(shape, dtype));
  return t;
}

Tensor Tensor::full(const Shape& shape, float value) {
  Tensor t = empty(shape);
  std::fill_n(t.data<float>(), t.elements(), value);
  return t;
}

Tensor Tensor::copy_of(const Shape& shape, DType dtype, const void* values, std::int64_t count) {
  if (element_count(shape) != count)
    throw Error(Code::invalid_argument,
                fmt::format("shape {} needs {} values, {} were given", to_string(shape), element_count(shape), count));
  Tensor t = empty(shape, dtype);
  if (count > 0) std::memcpy(t.memory_.get(), values, byte_count(shape, dtype));
  return t;
}

Tensor Tensor::clone(Context& ctx) const {
  require_view("clone", "the tensor", view_);
  return copy(ctx, view_, device());
}

Tensor Tensor::to(Context& ctx, Device device) const {
  require_view("to", "the tensor", view_);
  return copy(ctx, view_, device);
}

}  // namespace tandem
