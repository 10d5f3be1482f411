#include "common/profile/evict.h"

#include <algorithm>
#include <memory>

#include <tandem/tensor.h>

#include "common/core/context_impl.h"
#include "common/core/stage.h"

namespace tandem::profile {

std::function<void()> evict_host(Context& ctx) {
  constexpr std::int64_t kLine = 64;  // bytes; writing one of a line brings the line in
  const CpuInfo& cpu = ctx.machine().cpu;
  const std::int64_t bytes = std::clamp<std::int64_t>(4 * std::max(cpu.l3_bytes, cpu.l2_bytes), 8 << 20, 1 << 30);
  const auto buffer = std::make_shared<Tensor>(Tensor::empty(Shape{bytes}, DType::u8));
  return [&ctx, buffer, bytes] {
    auto* data = static_cast<unsigned char*>(buffer->view().data());
    const auto write = [&](int thread, int threads) {
      for (std::int64_t at = thread * kLine; at < bytes; at += threads * kLine)
        data[at] = static_cast<unsigned char>(at);
    };
    ThreadPool* pool = ctx.impl().queue(Backend::cpu).pool;
    if (pool)
      pool->run(pool->threads(), write);
    else
      write(0, 1);
  };
}

std::function<void()> evict_device(Context& ctx) {
  const GpuInfo& gpu = ctx.machine().gpus.front();
  const Shape shape{std::max<std::int64_t>(2 * gpu.l2_bytes, 64 << 20)};
  const Device device = Device::cuda(gpu.index);
  const auto from = std::make_shared<Tensor>(Tensor::empty(ctx, shape, DType::u8, device));
  const auto to = std::make_shared<Tensor>(Tensor::empty(ctx, shape, DType::u8, device));
  return [&ctx, from, to] {
    copy_across(ctx.impl(), to->view(), from->view(), "evict");
    ctx.synchronize();
  };
}

}  // namespace tandem::profile
