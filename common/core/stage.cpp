#include "common/core/stage.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <tandem/error.h>

#include "common/core/context_impl.h"
#include "common/core/device_memory.h"
#include "common/core/memory.h"
#include "common/ops/operand.h"

namespace tandem {
namespace {

/// The strides that a moved operand has: repetitions stay repetitions; without gaps the order of the dimensions stays;
/// else row-major.
Strides arrival_strides(const ConstView& view) {
  Shape distinct = view.shape();
  for (int d = 0; d < view.rank(); ++d)
    if (view.strides()[d] == 0) distinct[d] = std::min<std::int64_t>(distinct[d], 1);
  const ConstView without_repeats(view.data(), view.dtype(), distinct, view.strides(), view.device());
  Strides strides = without_repeats.is_dense() ? view.strides() : row_major(distinct);
  for (int d = 0; d < view.rank(); ++d)
    if (view.strides()[d] == 0) strides[d] = 0;
  return strides;
}

std::int64_t arrival_bytes(const ConstView& view) {
  if (view.elements() == 0) return 0;
  std::int64_t count = 1;
  for (int d = 0; d < view.rank(); ++d)
    if (view.strides()[d] != 0) count *= view.shape()[d];
  return count * static_cast<std::int64_t>(size_of(view.dtype()));
}

Device target_of(Backend backend, std::span<const View> operands) {
  for (const View& v : operands)
    if (v.device().backend == backend) return v.device();
  return {backend, 0};
}

template <class Copy>
void for_each_run(const View& to, const ConstView& from, Copy copy) {
  const Loops<2> loops = make_loops<2>(to.shape(), {&from.strides(), &to.strides()});
  if (loops.elements == 0) return;
  const auto bytes = static_cast<std::int64_t>(size_of(to.dtype()));
  const bool runs = loops.rank > 0 && loops.strides[0][loops.rank - 1] == 1 && loops.strides[1][loops.rank - 1] == 1;
  const int outer = runs ? loops.rank - 1 : loops.rank;
  const std::int64_t run = runs ? loops.shape[loops.rank - 1] : 1;
  const std::int64_t count = loops.elements / run;
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t at[2];
    loops.offsets(i, outer, at);
    copy(static_cast<char*>(to.data()) + at[1] * bytes, static_cast<const char*>(from.data()) + at[0] * bytes,
         static_cast<std::size_t>(run * bytes));
  }
}

std::size_t extent_bytes(const ConstView& view) {
  return static_cast<std::size_t>(view.extent()) * size_of(view.dtype());
}

/// A host image of device memory, for views with gaps: as many elements as the view can reach.
struct HostImage {
  std::shared_ptr<void> memory;
  View view;
  HostImage(const ConstView& like, const char* op)
      : memory(allocate_host(extent_bytes(like), 64, op)),
        view(memory.get(), like.dtype(), like.shape(), like.strides()) {}
};

bool same_view(const ConstView& a, const ConstView& b) {
  return a.data() == b.data() && a.device() == b.device() && a.dtype() == b.dtype() && a.shape() == b.shape() &&
         a.strides() == b.strides();
}

void note_copy(Tracer& tracer, const ConstView& from) noexcept {
  if (trace::Span* span = tracer.current(); span && span->kind == trace::Kind::stage)
    span->bytes = static_cast<double>(from.elements()) * static_cast<double>(size_of(from.dtype()));
}

bool same_strides(const ConstView& a, const ConstView& b) {
  for (int d = 0; d < a.rank(); ++d)
    if (a.shape()[d] != 1 && a.strides()[d] != b.strides()[d]) return false;
  return true;
}

}  // namespace

bool all_on(Backend backend, std::span<const View> operands) {
  return std::all_of(operands.begin(), operands.end(), [&](const View& v) { return v.device().backend == backend; });
}

NearViews::NearViews(Backend backend, std::span<const View> operands, std::span<const Twin> twins, std::size_t results,
                     const char* op)
    : span_(operands) {
  for (std::size_t i = 0; i + results < operands.size(); ++i) {
    const View& operand = operands[i];
    if (operand.device().backend == backend) continue;
    for (const Twin& twin : twins) {
      if (!same_view(twin.view, operand) || twin.other.device().backend != backend) continue;
      if (twin.other.dtype() != operand.dtype() || !(twin.other.shape() == operand.shape()))
        throw Error(Code::invalid_argument,
                    fmt::format("{}: an operand is {} of {}, but its twin is {} of {}", op, to_string(operand.shape()),
                                name(operand.dtype()), to_string(twin.other.shape()), name(twin.other.dtype())));
      if (span_.data() == operands.data()) {
        std::copy(operands.begin(), operands.end(), views_.begin());
        span_ = {views_.data(), operands.size()};
      }
      views_[i] = readable(twin.other);
      break;
    }
  }
}

ArrivalViews arrival_views(Backend backend, std::span<const View> operands) {
  ArrivalViews out;
  const Device target = target_of(backend, operands);
  for (const View& v : operands)
    out.views[out.count++] =
        v.device().backend == backend ? v : View(v.data(), v.dtype(), v.shape(), arrival_strides(v), target);
  return out;
}

Copies copies_to(Backend backend, std::span<const View> operands, std::size_t results, bool reads_result,
                 std::size_t changing, float reuse) {
  Copies copies;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const View& v = operands[i];
    if (v.device().backend == backend || v.elements() == 0) continue;
    const bool result = i + results >= operands.size();
    if (!result || reads_result) {
      copies.in_bytes += arrival_bytes(v);
      ++copies.in_count;
    }
    if (!result && i != changing && reuse > 1) {
      copies.kept_bytes += arrival_bytes(v);
      ++copies.kept_count;
      copies.reuse = reuse;
    }
    if (result) {
      copies.out_bytes += arrival_bytes(v);
      ++copies.out_count;
    }
  }
  return copies;
}

void copy_strided(const View& to, const ConstView& from) {
  for_each_run(to, from, [](void* t, const void* f, std::size_t bytes) { std::memcpy(t, f, bytes); });
}

void copy_across(Context::Impl& ctx, const View& to, const ConstView& from, const char* op) {
  if (to.elements() == 0) return;
  const bool to_host = to.device().is_cpu(), from_host = from.device().is_cpu();
  if (to_host && from_host) return copy_strided(to, from);
  for (const Device device : {to.device(), from.device()}) ctx.require_reachable(device, op);
  gpu::Stream& stream = *ctx.stream(op);
  const bool same = same_strides(to, from) && from.is_dense();
  if (!to_host && !from_host) {
    if (same) return stream.copy(to.data(), from.data(), extent_bytes(from), op);
    // Through the host: nothing on the hot path copies strided device memory.
    HostImage image(from, op);
    stream.download(image.view.data(), from.data(), extent_bytes(from), op);
    return copy_across(ctx, to, image.view, op);
  }
  const TraceStage stage(ctx.tracer.get(), from_host ? trace::Stage::host_to_device : trace::Stage::device_to_host,
                         &ctx.stream(op));
  if (ctx.tracer) [[unlikely]]
    note_copy(*ctx.tracer, from);
  if (from_host) {
    if (same) return stream.upload(to.data(), from.data(), extent_bytes(from), op);
    HostImage image(to, op);
    if (!to.is_dense())
      stream.download(image.view.data(), to.data(), extent_bytes(to), op);  // what lies in the gaps stays
    copy_strided(image.view, from);
    return stream.upload(to.data(), image.view.data(), extent_bytes(to), op);
  }
  if (same) return stream.download(to.data(), from.data(), extent_bytes(from), op);
  HostImage image(from, op);
  stream.download(image.view.data(), from.data(), extent_bytes(from), op);
  copy_strided(to, image.view);
}

Tensor copy(Context& ctx, ConstView from, Device device) {
  require_view("copy", "the source", from);
  ctx.impl().require_reachable(device, "copy");
  Tensor to = Tensor::empty(ctx, from.shape(), from.dtype(), device);
  copy_across(ctx.impl(), to.view(), from, "copy");
  return to;
}

void copy_into(Context& ctx, ConstView from, View to) {
  constexpr const char* kOp = "copy";
  require_view(kOp, "the source", from);
  require_dtype(kOp, "the result", to, from.dtype());
  if (!(to.shape() == from.shape()))
    throw Error(Code::invalid_argument, fmt::format("{}: the result is {}, but the source is {}", kOp,
                                                    to_string(to.shape()), to_string(from.shape())));
  refuse_repeated(kOp, to);
  refuse_overlap(kOp, to, from, false);
  copy_across(ctx.impl(), to, from, kOp);
}

Staged::Staged(Context::Impl& ctx, Backend backend, std::span<const View> operands, std::size_t results,
               bool reads_result, const char* op)
    : ctx_(ctx), backend_(backend), op_(op), owners_(operands), results_(results) {
  for (const View& operand : operands) {
    const bool is_result = count_ + results >= operands.size();
    views_[count_++] = operand.device().backend == backend ? operand : bring(operand, !is_result || reads_result);
  }
}

Staged::~Staged() {
  const TraceStage stage(ctx_.tracer.get(), trace::Stage::allocate);
  memory_.clear();
}

View Staged::bring(const View& operand, bool copy) {
  const Strides strides = arrival_strides(operand);
  const auto bytes = static_cast<std::size_t>(std::max<std::int64_t>(arrival_bytes(operand), 1));
  std::shared_ptr<void> memory;
  Device device = Device::cpu();
  {
    const TraceStage stage(ctx_.tracer.get(), trace::Stage::allocate);
    if (backend_ == Backend::cpu) {
      memory = allocate_host(bytes, 64, op_);
    } else {
      const std::shared_ptr<gpu::Stream>& stream = ctx_.stream(op_);
      device = Device::cuda(stream->device());
      memory = std::shared_ptr<void>(stream->allocate(bytes, op_), DeviceMemory{stream});
    }
  }
  memory_.push_back(memory);
  if (copy && operand.elements() > 0) {
    // Each element once: repetitions are not moved.
    Shape distinct = operand.shape();
    for (int d = 0; d < operand.rank(); ++d)
      if (operand.strides()[d] == 0) distinct[d] = 1;
    copy_across(ctx_, View(memory.get(), operand.dtype(), distinct, strides, device),
                ConstView(operand.data(), operand.dtype(), distinct, operand.strides(), operand.device()), op_);
  }
  return View(memory.get(), operand.dtype(), operand.shape(), strides, device);
}

void Staged::bring_back() {
  for (std::size_t i = count_ - results_; i < count_; ++i)
    if (views_[i].data() != owners_[i].data()) copy_across(ctx_, owners_[i], views_[i], op_);
}

}  // namespace tandem
