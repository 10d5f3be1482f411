#include "common/profile/evict.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <set>
#include <string>

#include <tandem/tensor.h>

#include "common/core/context_impl.h"
#include "common/core/stage.h"

namespace tandem::profile {
namespace {

/// How many last-level caches the CPUs have that this process may use; 1 where that cannot be read.
std::int64_t last_level_caches() {
  cpu_set_t usable;
  std::set<std::string> shared;
  if (sched_getaffinity(0, sizeof usable, &usable) != 0) return 1;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &usable)) continue;
    std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cache/index3/shared_cpu_list");
    if (std::string cpus; std::getline(file, cpus)) shared.insert(cpus);
  }
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(shared.size()));
}

}  // namespace

std::function<void()> evict_host(Context& ctx) {
  constexpr std::int64_t kLine = 64;  // bytes; writing one of a line brings the line in
  const CpuInfo& cpu = ctx.machine().cpu;
  const std::int64_t bytes =
      std::max<std::int64_t>(4 * last_level_caches() * std::max(cpu.l3_bytes, cpu.l2_bytes), 8 << 20);
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
