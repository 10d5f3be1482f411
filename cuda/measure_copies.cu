// Copies between host and device by size and kind of host memory, through the same functions that calls use.
#include <array>
#include <memory>

#include "common/core/thread_pool.h"
#include "cuda/measuring.cuh"

namespace tandem::gpu {
namespace {

using namespace measuring;

constexpr double kLongest = 0.25;  // seconds of one copy, after which no larger one is measured
constexpr double kEnough = 0.02;   // seconds spent on one size

/// Memory of the host that the GPU reads itself; null when there is none left.
std::unique_ptr<void, cudaError_t (*)(void*)> pinned_memory(std::size_t bytes) {
  void* memory = nullptr;
  if (cudaMallocHost(&memory, bytes) != cudaSuccess) {
    (void)cudaGetLastError();
    memory = nullptr;
  }
  return {memory, &cudaFreeHost};
}

/// Sizes from the smallest on, until one takes too long; those after it stay unmeasured.
template <class Copy>
CopyCurve curve_of(double idle, std::size_t most, Copy copy) {
  CopyCurve curve;
  for (std::size_t point = 0; point < CopyCurve::kPoints; ++point) {
    const auto bytes = static_cast<std::size_t>(CopyCurve::bytes_at(point));
    if (bytes > most) break;
    const double first = host_seconds(1, [&] { copy(bytes); });  // warms staging and pages up
    const int repetitions = 3 + static_cast<int>(std::min(kEnough / std::max(first, 1e-6), 20.0));
    const double seconds = host_seconds(repetitions, [&] { copy(bytes); });
    curve.seconds[point] = std::max(seconds - idle, 1e-9);
    if (seconds > kLongest) break;
  }
  return curve;
}

void measure_side(Stream& stream, void* device_memory, void* host, std::size_t most, double idle, CopyCurve& up,
                  CopyCurve& down) {
  up = curve_of(idle, most, [&](std::size_t bytes) {
    stream.upload(device_memory, host, bytes, kWhat);
    stream.synchronize(kWhat);
  });
  // A download waits for itself.
  down = curve_of(idle, most, [&](std::size_t bytes) { stream.download(host, device_memory, bytes, kWhat); });
}

}  // namespace

void measure_copies(int device, int threads, Ceilings& ceilings) {
  ThreadPool pool(threads);
  Stream stream(device);
  stream.use_threads(&pool);
  std::size_t free = 0, total = 0;
  require(cudaMemGetInfo(&free, &total), kWhat);
  const std::size_t most =
      std::min(free / 2, static_cast<std::size_t>(CopyCurve::bytes_at(CopyCurve::kPoints - 1))) / 4096 * 4096;
  const Buffer memory(stream, most);
  const double idle = host_seconds(21, [&] { stream.synchronize(kWhat); });
  {
    std::vector<char> pageable(most, 1);
    measure_side(stream, memory.get(), pageable.data(), most, idle, ceilings.h2d_pageable, ceilings.d2h_pageable);
  }
  if (const auto pinned = pinned_memory(most))
    measure_side(stream, memory.get(), pinned.get(), most, idle, ceilings.h2d_pinned, ceilings.d2h_pinned);
}

}  // namespace tandem::gpu
