// Ceilings of a device: what no kernel can beat. Each is repeated and the best kept, since only disturbances differ.
#include "common/core/thread_pool.h"
#include "cuda/measuring.cuh"

namespace tandem::gpu {
namespace {

using namespace measuring;

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

double copy_bytes_per_second(Stream& stream, std::size_t bytes, int multiprocessors) {
  const Buffer from(stream, bytes), to(stream, bytes);
  const cudaStream_t handle = handle_of(stream);
  require(cudaMemsetAsync(from.get(), 0, bytes, handle), kWhat);
  const double seconds = device_seconds(handle, 5, [&] {
    copy_all<<<static_cast<unsigned>(multiprocessors) * 8, kThreads, 0, handle>>>(
        static_cast<const float4*>(from.get()), static_cast<float4*>(to.get()), static_cast<std::int64_t>(bytes / 16));
  });
  return 2.0 * static_cast<double>(bytes) / seconds;
}

double multiply_add_flops(Stream& stream, int multiprocessors) {
  const Buffer out(stream, sizeof(float));
  const unsigned blocks = static_cast<unsigned>(multiprocessors) * 8;
  const double work = 2.0 * 16 * kChains * static_cast<double>(blocks) * kThreads;
  return steady_rate(handle_of(stream), 16, work, [&](int rounds) {
    multiply_adds<<<blocks, kThreads, 0, handle_of(stream)>>>(static_cast<float*>(out.get()), 0.5f, rounds);
  });
}

void measure_host_side(Stream& stream, Ceilings& ceilings) {
  const cudaStream_t handle = handle_of(stream);
  const auto launch_and_wait = [&] {
    nothing<<<1, 32, 0, handle>>>();
    require(cudaGetLastError(), kWhat);
    stream.synchronize(kWhat);
  };
  launch_and_wait();
  const double idle = host_seconds(21, [&] { stream.synchronize(kWhat); });
  ceilings.launch_seconds = std::max(host_seconds(21, launch_and_wait) - idle, 1e-7);
  ceilings.wait_seconds = std::max(idle, 1e-9);
  ceilings.allocate_seconds = std::max(host_seconds(21, [&] { const Buffer buffer(stream, 1 << 20); }), 1e-9);

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

void measure(int device, int threads, Ceilings& ceilings) {
  ThreadPool pool(threads);
  Stream stream(device);
  stream.use_threads(&pool);
  int multiprocessors = 0, l2 = 0, major = 0, minor = 0;
  require(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device), kWhat);
  require(cudaDeviceGetAttribute(&l2, cudaDevAttrL2CacheSize, device), kWhat);
  require(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), kWhat);
  require(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device), kWhat);
  std::size_t free = 0, total = 0;
  require(cudaMemGetInfo(&free, &total), kWhat);
  // Each buffer twice the L2, so that little of it is found there; less on a device that is nearly full.
  const std::size_t wanted = std::max(std::size_t{64} << 20, 2 * static_cast<std::size_t>(l2));
  const std::size_t bytes = std::max(std::min(wanted, free / 8) / 4096 * 4096, std::size_t{4096});
  measure_host_side(stream, ceilings);
  ceilings.gpu_bytes = copy_bytes_per_second(stream, bytes, multiprocessors);
  ceilings.gpu_flops = multiply_add_flops(stream, multiprocessors);
  ceilings.gpu_s8_ops = tensor_operations(stream, multiprocessors, 10 * major + minor, 1);
  ceilings.gpu_bf16_flops = tensor_operations(stream, multiprocessors, 10 * major + minor, 2);
}

}  // namespace tandem::gpu
