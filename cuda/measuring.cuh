// What the measurements of ceilings share: events, memory, and clocks on both sides.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "common/core/device_api.h"
#include "cuda/status.h"

namespace tandem::gpu::measuring {

inline constexpr const char* kWhat = "measuring the GPU";

inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

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

inline cudaStream_t handle_of(const Stream& stream) { return static_cast<cudaStream_t>(stream.handle()); }

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

/// Work a second of launch(rounds), which does `work` a round: longer until start and end no longer matter, since a
/// fifth of a millisecond is some hundred times a launch.
template <class Launch>
double steady_rate(cudaStream_t stream, int first_rounds, double work, Launch&& launch) {
  for (int rounds = first_rounds;; rounds *= 4) {
    const double seconds = device_seconds(stream, 3, [&] { launch(rounds); });
    if (seconds > 2e-4 || rounds > (1 << 20)) return work * rounds / seconds;
  }
}

/// Operations a second of mma.sync on the tensor cores, which is what this library's kernels issue (wgmma of compute
/// capability 9.0 can do more). `element_bytes` 1: s8, 2: bf16. 0 where the device, or the code that it runs, has no
/// such instruction.
double tensor_operations(Stream& stream, int multiprocessors, int capability, int element_bytes);

}  // namespace tandem::gpu::measuring
