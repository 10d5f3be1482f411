#include "common/profile/cold.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <utility>

#include <tandem/error.h>
#include <tandem/tensor.h>

#include "common/core/context_impl.h"
#include "common/profile/timer.h"

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

std::function<void()> flush_host(Context& ctx) {
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

}  // namespace

class ColdCaches::DeviceFlush {
 public:
  explicit DeviceFlush(Context& ctx)
      : stream_(ctx.impl().stream("cold caches")),
        marks_(stream_),
        half_(2 * l2_bytes(ctx)),
        memory_(stream_->allocate(2 * half_, "cold caches")) {}
  ~DeviceFlush() { stream_->release(memory_); }
  DeviceFlush(const DeviceFlush&) = delete;
  DeviceFlush& operator=(const DeviceFlush&) = delete;

  void flush() { stream_->copy(static_cast<char*>(memory_) + half_, memory_, half_, "cold caches"); }

  double time(const std::function<void()>& call) {
    marks_.add();
    call();
    marks_.add();
    const std::vector<double> moments = marks_.resolve();
    stream_->synchronize("cold caches");  // reports what made moments absent
    if (moments.size() != 2) throw Error(Code::unavailable, "cold caches: the device gave no events to time a call by");
    return moments[1] - moments[0];
  }

 private:
  static std::size_t l2_bytes(Context& ctx) {
    const std::int64_t bytes = ctx.machine().gpus.front().l2_bytes;
    if (bytes <= 0) throw Error(Code::unavailable, "the device does not tell the size of its L2");
    return static_cast<std::size_t>(bytes);
  }

  std::shared_ptr<gpu::Stream> stream_;
  gpu::Marks marks_;
  std::size_t half_;
  void* memory_;
};

Timed ColdCaches::timed(std::string name, Backend backend, std::function<void()> call) {
  if (backend == Backend::cpu) {
    if (!host_) host_ = flush_host(ctx_);
    return {std::move(name), [call = std::move(call)](int calls) { return time_calls(calls, call); }, host_};
  }
  if (!device_) device_ = std::make_shared<DeviceFlush>(ctx_);
  return {std::move(name), [device = device_, call = std::move(call)](int) { return device->time(call); },
          [device = device_] { device->flush(); }};
}

std::vector<Samples> measure_cold(std::span<const Timed> calls, MeasureOptions how) {
  how.max_seconds = 10 * how.min_seconds;
  how.min_samples = 15;
  return measure(calls, how);
}

}  // namespace tandem::profile
