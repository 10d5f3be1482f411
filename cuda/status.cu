#include "cuda/status.h"

#include <pthread.h>

#include <atomic>
#include <mutex>

namespace tandem::gpu {
namespace {

std::atomic<bool> is_forked{false};
std::atomic<bool> is_lost{false};
std::mutex lost_mutex;
std::string lost_words;  // guarded by lost_mutex

/// Whether every further call fails with this error. A harmless call tells: only such errors come back from it.
bool survives(cudaError_t error) noexcept {
  (void)cudaGetLastError();
  if (error == cudaErrorMemoryAllocation) return true;
  const cudaError_t again = cudaFree(nullptr);
  (void)cudaGetLastError();
  return again != error;
}

void remember_loss(const std::string& message) {
  const std::lock_guard lock(lost_mutex);
  if (is_lost.load()) return;
  lost_words = message;
  is_lost.store(true);
}

}  // namespace

bool forked() noexcept { return is_forked.load(std::memory_order_relaxed); }

bool enter() noexcept {
  if (forked()) return false;
  static const bool watching =
      pthread_atfork(nullptr, nullptr, [] { is_forked.store(true, std::memory_order_relaxed); }) == 0;
  (void)watching;
  return true;
}

std::string words(cudaError_t error) {
  return std::string(cudaGetErrorString(error)) + " (" + cudaGetErrorName(error) + ")";
}

std::string lost_reason() {
  const std::lock_guard lock(lost_mutex);
  return lost_words;
}
bool lost() noexcept { return is_lost.load(); }

void fail(cudaError_t error, const char* what) {
  std::string message = std::string(what) + ": " + words(error);
  if (!survives(error)) {
    remember_loss(message);
    message += "; CUDA cannot be used any more in this process";
  }
  throw Error(error == cudaErrorMemoryAllocation ? Code::out_of_memory : Code::device_error, message);
}

void use(int device, const char* what) {
  if (forked()) throw Error(Code::unavailable, std::string(what) + ": " + kForkedReason);
  if (lost()) throw Error(Code::unavailable, std::string(what) + ": CUDA was lost earlier (" + lost_reason() + ")");
  require(cudaSetDevice(device), what);
}

}  // namespace tandem::gpu
