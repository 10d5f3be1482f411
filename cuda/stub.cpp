// The GPU side of a build without a CUDA toolkit: no device, and the reason.
#include "common/core/device_api.h"

#include <tandem/error.h>

namespace tandem::gpu {
namespace {

constexpr const char* kReason = "built without CUDA";

[[noreturn]] void unavailable(const char* what) {
  throw Error(Code::unavailable, std::string(what) + ": no GPU (" + kReason + ")");
}

}  // namespace

Devices query() noexcept {
  Devices devices;
  try {
    devices.no_gpu_reason = kReason;
  } catch (...) {  // no memory for the reason: still no device
  }
  return devices;
}

void measure(int, Ceilings&) { unavailable("measuring the GPU"); }

struct Stream::State {};

Stream::Stream(int device) : device_(device) { unavailable("cuda stream"); }
Stream::~Stream() = default;
void* Stream::allocate(std::size_t, const char* what) { unavailable(what); }
void Stream::release(void*) noexcept {}
void Stream::upload(void*, const void*, std::size_t, const char* what) { unavailable(what); }
void Stream::download(void*, const void*, std::size_t, const char* what) { unavailable(what); }
void Stream::copy(void*, const void*, std::size_t, const char* what) { unavailable(what); }
void Stream::synchronize(const char* what) { unavailable(what); }
void Stream::check(const char* what) { unavailable(what); }

}  // namespace tandem::gpu
