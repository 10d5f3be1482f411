// What the rest of the library needs from the GPU side, free of CUDA types. cuda/backend.cu implements it;
// cuda/stub.cpp does so when there is no toolkit, with no device and the reason.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <tandem/machine.h>

namespace tandem {
class ThreadPool;
}

namespace tandem::gpu {

/// The devices that can be used now. Empty: `no_gpu_reason` says why. Never throws; any failure means no device.
struct Devices {
  std::vector<GpuInfo> gpus;
  std::string no_gpu_reason;
};
Devices query() noexcept;

/// Measures a device: launch, wait, allocation, one latency and rate of copies, bandwidth, arithmetic in f32 and on
/// tensor cores (some tens of milliseconds). Leaves CPU fields and the curves alone. `threads` of the host take part in
/// copies, as in a context of so many.
void measure(int device, int threads, Ceilings& ceilings);

/// Measures the four curves of copies, up to 256 MiB: one to two seconds. A size that cannot be had in memory, or that
/// comes after one which took a quarter of a second, stays unmeasured. `threads`: the same.
void measure_copies(int device, int threads, Ceilings& ceilings);

/// Learns of a copy while a stream makes it, for traces.
class CopyObserver {
 public:
  virtual void enqueued() noexcept = 0;  ///< its last piece is on the stream
  virtual void arrived() noexcept = 0;   ///< the host has seen that one end

 protected:
  ~CopyObserver() = default;
};

/// A stream with its memory pool and pinned staging buffers. All functions below throw Error with `what` (the name of
/// the operation) and the runtime's own words.
class Stream {
 public:
  explicit Stream(int device);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int device() const noexcept { return device_; }
  void* handle() const noexcept { return handle_; }  // cudaStream_t
  /// The handle for launches by the calling thread, whose current device it changes to that of the stream.
  void* to_launch_on(const char* what);

  /// Stream-ordered. Throws Error(out_of_memory) when the device has no room.
  void* allocate(std::size_t bytes, const char* what);
  void release(void* memory) noexcept;

  /// The threads that copy pageable memory to and from pinned staging, which must be free during uploads and downloads;
  /// null: the caller alone.
  void use_threads(ThreadPool* pool) noexcept { pool_ = pool; }
  /// Host to device through pinned staging: returns when `host` may be changed.
  void upload(void* device_memory, const void* host, std::size_t bytes, const char* what);
  /// Device to host: waits.
  void download(void* host, const void* device_memory, std::size_t bytes, const char* what);
  void copy(void* to, const void* from, std::size_t bytes, const char* what);  // device to device, asynchronous
  void synchronize(const char* what);
  /// Throws if a launch since the last check failed (launch errors, not asynchronous ones).
  void check(const char* what);

  /// Who learns of the copies between host and device from now on; null: nobody.
  void observe(CopyObserver* observer) noexcept { observer_ = observer; }

 private:
  struct State;
  void tell(void (CopyObserver::*what)() noexcept) const noexcept {
    if (observer_) (observer_->*what)();
  }
  int device_;
  CopyObserver* observer_ = nullptr;
  ThreadPool* pool_ = nullptr;
  void* handle_ = nullptr;
  State* state_ = nullptr;
};

/// Moments on a stream, by events, told on the host's steady clock.
class Marks {
 public:
  explicit Marks(std::shared_ptr<Stream> stream);
  ~Marks();
  Marks(const Marks&) = delete;
  Marks& operator=(const Marks&) = delete;

  /// The moment at which the stream gets here: a number from 0, or -1 where that failed.
  int add() noexcept;
  std::size_t count() const noexcept { return count_; }
  /// Waits for the stream. Seconds of std::chrono::steady_clock, NaN where the device was lost; forgets the moments.
  /// Off by what it takes to see an event happen, some microseconds, the same for all.
  std::vector<double> resolve() noexcept;

 private:
  std::shared_ptr<Stream> stream_;
  std::vector<void*> events_;  // cudaEvent_t; used again
  std::size_t count_ = 0;
};

/// NVTX ranges of the calling thread; nothing where the library was built without CUDA, or no tool listens.
void push_range(const char* name) noexcept;
void pop_range() noexcept;

}  // namespace tandem::gpu
