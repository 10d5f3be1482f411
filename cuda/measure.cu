// Ceilings of a device: what no kernel can beat. Each is repeated and the best kept, since only disturbances differ.
#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include "common/core/device_api.h"
#include "cuda/status.h"

namespace tandem::gpu {
namespace {

constexpr const char* kWhat = "measuring the GPU";
constexpr int kChains = 8;  // independent multiply-adds a thread: enough to hide their latency of 4 clocks
constexpr int kThreads = 256;

__global__ void nothing() {}

__global__ void __launch_bounds__(kThreads) copy_all(const float4* from, float4* to, std::int64_t count) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < count; i += 4 * step) {
    float4 v[4];
#pragma unroll
    for (int u = 0; u < 4; ++u)
      if (i + u * step < count) v[u] = __ldcs(from + i + u * step);
#pragma unroll
    for (int u = 0; u < 4; ++u)
      if (i + u * step < count) __stcs(to + i + u * step, v[u]);
  }
}

__global__ void __launch_bounds__(kThreads) multiply_adds(float* out, float x, int rounds) {
  float v[kChains];
#pragma unroll
  for (int c = 0; c < kChains; ++c) v[c] = static_cast<float>(threadIdx.x + c);
  for (int r = 0; r < rounds; ++r) {
#pragma unroll
    for (int u = 0; u < 16; ++u)
#pragma unroll
      for (int c = 0; c < kChains; ++c) v[c] = __fmaf_rn(v[c], x, x);
  }
  float sum = 0.0f;
#pragma unroll
  for (int c = 0; c < kChains; ++c) sum += v[c];
  if (sum == -1.0f) *out = sum;  // never: keeps the work
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

class Event {
 public:
  Event() { require(cudaEventCreate(&event_), kWhat); }
  ~Event() { (void)cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  cudaEvent_t get() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

/// Memory of a stream, freed at the end of the scope.
class Buffer {
 public:
  Buffer(Stream& stream, std::size_t bytes) : stream_(stream), data_(stream.allocate(bytes, kWhat)) {}
  ~Buffer() { stream_.release(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  void* get() const { return data_; }

 private:
  Stream& stream_;
  void* data_;
};

/// Seconds that the device needs for what `enqueue` puts on the stream, the least of a few.
template <class Enqueue>
double device_seconds(cudaStream_t stream, int repetitions, Enqueue&& enqueue) {
  const Event begin, end;
  double best = 1e30;
  for (int i = 0; i < repetitions; ++i) {
    require(cudaEventRecord(begin.get(), stream), kWhat);
    enqueue();
    require(cudaGetLastError(), kWhat);
    require(cudaEventRecord(end.get(), stream), kWhat);
    require(cudaEventSynchronize(end.get()), kWhat);
    float milliseconds = 0;
    require(cudaEventElapsedTime(&milliseconds, begin.get(), end.get()), kWhat);
    best = std::min(best, static_cast<double>(milliseconds) * 1e-3);
  }
  return std::max(best, 1e-9);
}

/// Seconds on the host until `work` is done, the median.
template <class Work>
double host_seconds(int repetitions, Work&& work) {
  std::vector<double> seconds;
  for (int i = 0; i < repetitions; ++i) {
    const double begin = now();
    work();
    seconds.push_back(now() - begin);
  }
  std::nth_element(seconds.begin(), seconds.begin() + repetitions / 2, seconds.end());
  return seconds[static_cast<std::size_t>(repetitions / 2)];
}

double copy_bytes_per_second(Stream& stream, std::size_t bytes, int multiprocessors) {
  const Buffer from(stream, bytes), to(stream, bytes);
  const auto handle = static_cast<cudaStream_t>(stream.handle());
  require(cudaMemsetAsync(from.get(), 0, bytes, handle), kWhat);
  const double seconds = device_seconds(handle, 5, [&] {
    copy_all<<<static_cast<unsigned>(multiprocessors) * 8, kThreads, 0, handle>>>(
        static_cast<const float4*>(from.get()), static_cast<float4*>(to.get()), static_cast<std::int64_t>(bytes / 16));
  });
  return 2.0 * static_cast<double>(bytes) / seconds;
}

double multiply_add_flops(Stream& stream, int multiprocessors) {
  const Buffer out(stream, sizeof(float));
  const auto handle = static_cast<cudaStream_t>(stream.handle());
  const unsigned blocks = static_cast<unsigned>(multiprocessors) * 8;
  double best = 0;
  // Longer until start and end no longer matter: a fifth of a millisecond is some hundred times a launch.
  for (int rounds = 16;; rounds *= 4) {
    const double seconds = device_seconds(handle, 3, [&] {
      multiply_adds<<<blocks, kThreads, 0, handle>>>(static_cast<float*>(out.get()), 0.5f, rounds);
    });
    const double flops = 2.0 * 16 * kChains * rounds * static_cast<double>(blocks) * kThreads;
    best = flops / seconds;
    if (seconds > 2e-4 || rounds > (1 << 20)) return best;
  }
}

void measure_host_side(Stream& stream, Ceilings& ceilings) {
  const auto handle = static_cast<cudaStream_t>(stream.handle());
  const auto launch_and_wait = [&] {
    nothing<<<1, 32, 0, handle>>>();
    require(cudaGetLastError(), kWhat);
    stream.synchronize(kWhat);
  };
  launch_and_wait();
  const double idle = host_seconds(21, [&] { stream.synchronize(kWhat); });
  ceilings.launch_seconds = std::max(host_seconds(21, launch_and_wait) - idle, 1e-7);

  constexpr std::size_t kBytes = std::size_t{32} << 20;
  std::vector<char> host(kBytes, 1);
  const Buffer memory(stream, kBytes);
  const auto up = [&](std::size_t bytes) {
    stream.upload(memory.get(), host.data(), bytes, kWhat);
    stream.synchronize(kWhat);
  };
  const auto down = [&](std::size_t bytes) { stream.download(host.data(), memory.get(), bytes, kWhat); };
  up(kBytes);
  ceilings.copy_seconds = std::max(host_seconds(11, [&] { up(4); }) - idle, 1e-7);
  const double latency = ceilings.copy_seconds;
  ceilings.h2d_bytes = static_cast<double>(kBytes) / std::max(host_seconds(3, [&] { up(kBytes); }) - latency, 1e-9);
  ceilings.d2h_bytes = static_cast<double>(kBytes) / std::max(host_seconds(3, [&] { down(kBytes); }) - latency, 1e-9);
}

}  // namespace

void measure(int device, Ceilings& ceilings) {
  Stream stream(device);
  int multiprocessors = 0, l2 = 0;
  require(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device), kWhat);
  require(cudaDeviceGetAttribute(&l2, cudaDevAttrL2CacheSize, device), kWhat);
  std::size_t free = 0, total = 0;
  require(cudaMemGetInfo(&free, &total), kWhat);
  // Each buffer twice the L2, so that little of it is found there; less on a device that is nearly full.
  const std::size_t wanted = std::max(std::size_t{64} << 20, 2 * static_cast<std::size_t>(l2));
  const std::size_t bytes = std::max(std::min(wanted, free / 8) / 4096 * 4096, std::size_t{4096});
  measure_host_side(stream, ceilings);
  ceilings.gpu_bytes = copy_bytes_per_second(stream, bytes, multiprocessors);
  ceilings.gpu_flops = multiply_add_flops(stream, multiprocessors);
}

}  // namespace tandem::gpu
