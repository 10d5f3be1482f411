// Moments on a stream by events, and NVTX ranges: what traces need from the device.
#include <cuda_runtime.h>
#include <nvtx3/nvToolsExt.h>

#include <chrono>
#include <limits>
#include <utility>

#include "common/core/device_api.h"
#include "cuda/status.h"

namespace tandem::gpu {
namespace {

double host_now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

Marks::Marks(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}

Marks::~Marks() {
  if (forked()) return;  // a child leaves the parent's objects alone
  (void)cudaSetDevice(stream_->device());
  for (void* event : events_) (void)cudaEventDestroy(static_cast<cudaEvent_t>(event));
  (void)cudaGetLastError();
}

int Marks::add() noexcept {
  if (forked() || lost() || cudaSetDevice(stream_->device()) != cudaSuccess) return -1;
  if (count_ == events_.size()) {
    cudaEvent_t event = nullptr;
    if (cudaEventCreate(&event) != cudaSuccess) {
      (void)cudaGetLastError();
      return -1;
    }
    try {
      events_.push_back(event);
    } catch (...) {
      (void)cudaEventDestroy(event);
      return -1;
    }
  }
  const cudaError_t error =
      cudaEventRecord(static_cast<cudaEvent_t>(events_[count_]), static_cast<cudaStream_t>(stream_->handle()));
  return error == cudaSuccess ? static_cast<int>(count_++) : -1;
}

// One more event, whose moment both clocks tell: the device's, and the host's in the middle between recording it on the
// idle stream and seeing it happen. The narrowest of a few tries.
std::vector<double> Marks::resolve() noexcept {
  const std::size_t count = std::exchange(count_, 0);
  std::vector<double> moments;
  try {
    moments.assign(count, std::numeric_limits<double>::quiet_NaN());
    if (forked() || lost() || cudaSetDevice(stream_->device()) != cudaSuccess) return moments;
    const auto stream = static_cast<cudaStream_t>(stream_->handle());
    if (cudaStreamSynchronize(stream) != cudaSuccess) return moments;  // who synchronises next reports it
    cudaEvent_t anchor = nullptr, trial = nullptr;
    double anchored = 0, narrowest = 1e9;
    bool created = cudaEventCreate(&anchor) == cudaSuccess && cudaEventCreate(&trial) == cudaSuccess;
    for (int i = 0; created && i < 5; ++i) {
      const double before = host_now();
      created = cudaEventRecord(trial, stream) == cudaSuccess && cudaEventSynchronize(trial) == cudaSuccess;
      const double after = host_now();
      if (after - before >= narrowest) continue;
      narrowest = after - before;
      anchored = before + narrowest / 2;
      std::swap(anchor, trial);
    }
    for (std::size_t i = 0; created && i < count; ++i) {
      float milliseconds = 0;
      if (cudaEventElapsedTime(&milliseconds, static_cast<cudaEvent_t>(events_[i]), anchor) == cudaSuccess)
        moments[i] = anchored - static_cast<double>(milliseconds) * 1e-3;
    }
    if (anchor) (void)cudaEventDestroy(anchor);
    if (trial) (void)cudaEventDestroy(trial);
    (void)cudaGetLastError();
  } catch (...) {  // no memory for the answer
  }
  return moments;
}

void push_range(const char* name) noexcept { (void)nvtxRangePushA(name); }
void pop_range() noexcept { (void)nvtxRangePop(); }

}  // namespace tandem::gpu
