// The stream of a context: stream-ordered memory from a pool, copies through pinned staging.
#include <cuda_runtime.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>

#include "common/core/device_api.h"
#include "common/core/thread_pool.h"
#include "cuda/status.h"

namespace tandem::gpu {
namespace {

constexpr std::size_t kPiece = std::size_t{4} << 20;    // of pinned memory; there are two
constexpr std::size_t kDirect = std::size_t{64} << 10;  // downloads up to this size leave the staging to the driver
constexpr std::size_t kLeastPiece = std::size_t{256} << 10;

/// One pool a device, for all streams of the process: what one stream frees, another may use. Not the device's default
/// pool, whose settings belong to the program. Null where the device has no pools.
cudaMemPool_t pool_of(int device) {
  static std::mutex mutex;
  static std::vector<std::pair<int, cudaMemPool_t>> pools;
  const std::lock_guard lock(mutex);
  for (const auto& [index, pool] : pools)
    if (index == device) return pool;
  cudaMemPool_t pool = nullptr;
  int supported = 0;
  if (cudaDeviceGetAttribute(&supported, cudaDevAttrMemoryPoolsSupported, device) == cudaSuccess && supported != 0) {
    cudaMemPoolProps properties = {};
    properties.allocType = cudaMemAllocationTypePinned;
    properties.location.type = cudaMemLocationTypeDevice;
    properties.location.id = device;
    if (cudaMemPoolCreate(&pool, &properties) == cudaSuccess) {
      // Freed memory is kept up to a quarter of the device: giving it back at each synchronisation costs milliseconds.
      std::size_t free = 0, total = 0;
      std::uint64_t keep = std::uint64_t{1} << 30;
      if (cudaMemGetInfo(&free, &total) == cudaSuccess) keep = total / 4;
      (void)cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep);
    } else {
      pool = nullptr;
    }
  }
  (void)cudaGetLastError();
  pools.emplace_back(device, pool);
  return pool;
}

/// Host memory that the GPU reads itself, while a copy from it is under way.
bool is_pinned(const void* host) noexcept {
  cudaPointerAttributes attributes = {};
  if (cudaPointerGetAttributes(&attributes, host) != cudaSuccess) {
    (void)cudaGetLastError();
    return false;
  }
  return attributes.type != cudaMemoryTypeUnregistered;
}

/// Pieces of a large copy: at least four where they stay large, so that both halves of the pipeline work at once.
std::size_t piece_for(std::size_t bytes) {
  const std::size_t quarter = (bytes / 4 + 4095) / 4096 * 4096;
  return std::clamp(quarter, kLeastPiece, kPiece);
}

/// One thread copies some 10 GB/s, the bus five times as much.
void copy_by_all(ThreadPool* pool, void* to, const void* from, std::size_t bytes) {
  constexpr std::int64_t kLeastShare = 256 << 10, kPage = 4096;
  const auto total = static_cast<std::int64_t>(bytes);
  const int threads = pool ? static_cast<int>(std::min<std::int64_t>(pool->threads(), total / kLeastShare)) : 1;
  if (threads < 2) {
    std::memcpy(to, from, bytes);
    return;
  }
  pool->run(threads, [&](int t, int count) {
    const Share share = share_of(total, kPage, t, count);
    std::memcpy(static_cast<char*>(to) + share.begin, static_cast<const char*>(from) + share.begin,
                static_cast<std::size_t>(share.end - share.begin));
  });
}

std::string mebibytes(std::size_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

struct Stream::State {
  cudaMemPool_t pool = nullptr;  // null: plain cudaMalloc and cudaFree
  void* staging[2] = {};
  cudaEvent_t staged[2] = {};  // the copy that used a piece last
  std::size_t next = 0;        // the piece of the next upload: small ones take turns too
  cudaEvent_t copied = nullptr;
  bool reported = false;  // an error that ends the use of the device, by synchronize

  void prepare(const char* what) {
    if (staging[1]) return;
    for (int i = 0; i < 2; ++i) {
      if (!staged[i]) require(cudaEventCreateWithFlags(&staged[i], cudaEventDisableTiming), what);
      if (!staging[i]) require(cudaMallocHost(&staging[i], kPiece), what);
    }
  }
};

Stream::Stream(int device) : device_(device) {
  constexpr const char* kWhat = "cuda stream";
  if (!enter()) throw Error(Code::unavailable, std::string(kWhat) + ": " + kForkedReason);
  use(device, kWhat);
  auto state = std::make_unique<State>();
  cudaStream_t stream = nullptr;
  require(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), kWhat);
  handle_ = stream;
  const cudaError_t error = cudaEventCreateWithFlags(&state->copied, cudaEventDisableTiming);
  if (error != cudaSuccess) {
    (void)cudaStreamDestroy(stream);
    fail(error, kWhat);
  }
  state->pool = pool_of(device);
  state_ = state.release();
}

Stream::~Stream() {
  if (!forked()) {  // a child leaves the parent's objects alone
    const auto stream = static_cast<cudaStream_t>(handle_);
    (void)cudaSetDevice(device_);
    (void)cudaStreamSynchronize(stream);
    for (int i = 0; i < 2; ++i) {
      if (state_->staged[i]) (void)cudaEventDestroy(state_->staged[i]);
      if (state_->staging[i]) (void)cudaFreeHost(state_->staging[i]);
    }
    if (state_->copied) (void)cudaEventDestroy(state_->copied);
    (void)cudaStreamDestroy(stream);
    (void)cudaGetLastError();
  }
  delete state_;
}

void* Stream::to_launch_on(const char* what) {
  use(device_, what);
  return handle_;
}

void* Stream::allocate(std::size_t bytes, const char* what) {
  if (bytes == 0) return nullptr;
  use(device_, what);
  const auto stream = static_cast<cudaStream_t>(handle_);
  void* memory = nullptr;
  const auto attempt = [&] {
    return state_->pool ? cudaMallocFromPoolAsync(&memory, bytes, state_->pool, stream) : cudaMalloc(&memory, bytes);
  };
  cudaError_t error = attempt();
  if (error == cudaErrorMemoryAllocation && state_->pool) {
    // What was freed but is still kept or in use by queued work may be enough.
    (void)cudaGetLastError();
    require(cudaStreamSynchronize(stream), what);
    (void)cudaMemPoolTrimTo(state_->pool, 0);
    error = attempt();
  }
  if (error == cudaErrorMemoryAllocation) {
    (void)cudaGetLastError();
    std::size_t free = 0, total = 0;
    (void)cudaMemGetInfo(&free, &total);
    (void)cudaGetLastError();
    throw Error(Code::out_of_memory, std::string(what) + ": cuda:" + std::to_string(device_) + " has no room for " +
                                         std::to_string(bytes) + " bytes (" + mebibytes(free) + " of " +
                                         mebibytes(total) + " are free): " + words(error));
  }
  require(error, what);
  return memory;
}

void Stream::release(void* memory) noexcept {
  if (!memory || forked() || lost()) return;
  (void)cudaSetDevice(device_);
  if (state_->pool)
    (void)cudaFreeAsync(memory, static_cast<cudaStream_t>(handle_));
  else
    (void)cudaFree(memory);
}

void Stream::upload(void* device_memory, const void* host, std::size_t bytes, const char* what) {
  if (bytes == 0) return;
  use(device_, what);
  const auto stream = static_cast<cudaStream_t>(handle_);
  if (is_pinned(host)) {
    require(cudaMemcpyAsync(device_memory, host, bytes, cudaMemcpyDefault, stream), what);
    tell(&CopyObserver::enqueued);
    require(cudaEventRecord(state_->copied, stream), what);
    require(cudaEventSynchronize(state_->copied), what);
    return;
  }
  // Pageable memory is staged here however little it is: of its asynchronous copies CUDA promises only that they "might
  // be synchronous" (CUDA Runtime API, API synchronization behavior), so that the source would have to be kept.
  state_->prepare(what);
  const std::size_t piece = piece_for(bytes);
  for (std::size_t at = 0; at < bytes; at += piece, state_->next ^= 1) {
    const std::size_t turn = state_->next;
    const std::size_t size = std::min(piece, bytes - at);
    require(cudaEventSynchronize(state_->staged[turn]), what);
    copy_by_all(pool_, state_->staging[turn], static_cast<const char*>(host) + at, size);
    require(cudaMemcpyAsync(static_cast<char*>(device_memory) + at, state_->staging[turn], size, cudaMemcpyHostToDevice,
                            stream),
            what);
    require(cudaEventRecord(state_->staged[turn], stream), what);
  }
}

void Stream::download(void* host, const void* device_memory, std::size_t bytes, const char* what) {
  if (bytes == 0) return;
  use(device_, what);
  const auto stream = static_cast<cudaStream_t>(handle_);
  if (bytes <= kDirect || is_pinned(host)) {
    require(cudaMemcpyAsync(host, device_memory, bytes, cudaMemcpyDefault, stream), what);
    tell(&CopyObserver::enqueued);
    require(cudaStreamSynchronize(stream), what);
    tell(&CopyObserver::arrived);
    return;
  }
  state_->prepare(what);
  const std::size_t piece = piece_for(bytes);
  const auto unload = [&](std::size_t at, std::size_t turn) {
    require(cudaEventSynchronize(state_->staged[turn]), what);
    if (at + piece >= bytes) tell(&CopyObserver::arrived);
    copy_by_all(pool_, static_cast<char*>(host) + at, state_->staging[turn], std::min(piece, bytes - at));
  };
  std::size_t turn = 0;
  for (std::size_t at = 0; at < bytes; at += piece, turn ^= 1) {
    // Stream order keeps this copy behind an upload that still reads the piece.
    require(cudaMemcpyAsync(state_->staging[turn], static_cast<const char*>(device_memory) + at,
                            std::min(piece, bytes - at), cudaMemcpyDeviceToHost, stream),
            what);
    require(cudaEventRecord(state_->staged[turn], stream), what);
    if (at + piece >= bytes) tell(&CopyObserver::enqueued);
    if (at > 0) unload(at - piece, turn ^ 1);
  }
  unload((bytes - 1) / piece * piece, turn ^ 1);
}

void Stream::copy(void* to, const void* from, std::size_t bytes, const char* what) {
  if (bytes == 0) return;
  use(device_, what);
  require(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, static_cast<cudaStream_t>(handle_)), what);
}

void Stream::synchronize(const char* what) {
  if (lost() && state_->reported) return;  // nothing is under way any more, and it was said once
  state_->reported = lost();
  use(device_, what);
  const cudaError_t error = cudaStreamSynchronize(static_cast<cudaStream_t>(handle_));
  if (error == cudaSuccess) return;
  state_->reported = true;
  fail(error, what);
}

void Stream::check(const char* what) {
  use(device_, what);
  require(cudaGetLastError(), what);
}

}  // namespace tandem::gpu
