// Streams, memory and copies; what happens without memory, without a device, after fork, after a fault of the device.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <tandem/tandem.h>

#include "common/core/context_impl.h"
#include "common/core/device_memory.h"
#include "cuda/kernels.h"
#include "tests/support/data.h"
#include "tests/support/left_out.h"
#include "tests/support/machines.h"

namespace tandem::test {
namespace {

std::vector<unsigned char> random_bytes(std::size_t count, std::uint64_t seed) {
  std::vector<unsigned char> bytes(count);
  Random random(seed);
  for (unsigned char& b : bytes) b = static_cast<unsigned char>(random.bits());
  return bytes;
}

/// The message of the Error that `work` throws; empty when it throws none.
std::string error_of(const std::function<void()>& work, Code wanted) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), wanted) << error.what();
    return error.what();
  }
  return {};
}

/// Runs `work` in a child and returns its exit status; 99 when it threw.
int in_child(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    int status = 99;
    try {
      status = work();
    } catch (...) {
    }
    ::_exit(status);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(GpuQuery, DescribesTheDevice) {
  TANDEM_NEED_GPU();
  const gpu::Devices devices = gpu::query();
  ASSERT_FALSE(devices.gpus.empty());
  EXPECT_EQ(devices.no_gpu_reason, "");
  const GpuInfo& gpu = devices.gpus[0];
  EXPECT_EQ(gpu.index, 0);
  EXPECT_GE(gpu.compute_capability, 75);
  EXPECT_GT(gpu.multiprocessors, 0);
  EXPECT_GT(gpu.memory_bytes, 1 << 20);
  EXPECT_GE(gpu.shared_bytes_per_block, 48 << 10);
  EXPECT_EQ(gpu.bus_id.size(), std::string("0000:17:00.0").size()) << gpu.bus_id;
  EXPECT_GE(gpu.driver_version, gpu.runtime_version) << "an older driver would have refused";
  EXPECT_GE(gpu.runtime_version, 11000);
  // Known together, through a library that may not be there.
  EXPECT_EQ(gpu.pcie_generation > 0, gpu.pcie_width > 0);
}

// Sizes around the direct copy, the least and the largest piece, and the pair of staging buffers.
TEST(GpuStream, CopiesOfEverySize) {
  TANDEM_NEED_GPU();
  gpu::Stream stream(0);
  constexpr std::size_t kKi = 1 << 10, kMi = 1 << 20;
  for (const std::size_t bytes :
       {std::size_t{1}, std::size_t{3}, 64 * kKi - 1, 64 * kKi, 64 * kKi + 1, 256 * kKi, 256 * kKi + 1, 513 * kKi + 7,
        4 * kMi, 4 * kMi + 1, 8 * kMi, 16 * kMi - 3, 16 * kMi + 5, 21 * kMi + 123}) {
    const std::vector<unsigned char> sent = random_bytes(bytes, bytes);
    std::vector<unsigned char> given = sent, received(bytes, 0);
    void* const memory = stream.allocate(bytes, "test");
    void* const other = stream.allocate(bytes, "test");
    stream.upload(memory, given.data(), bytes, "test");
    std::fill(given.begin(), given.end(), 0xee);  // allowed on return
    stream.copy(other, memory, bytes, "test");
    stream.download(received.data(), other, bytes, "test");
    EXPECT_TRUE(received == sent) << bytes << " bytes";
    stream.release(memory);
    stream.release(other);
  }
  stream.synchronize("test");
}

TEST(GpuStream, UploadsAndDownloadsShareTheirStaging) {
  TANDEM_NEED_GPU();
  gpu::Stream stream(0);
  constexpr std::size_t kBytes = (9 << 20) + 1;
  void* const first = stream.allocate(kBytes, "test");
  void* const second = stream.allocate(kBytes, "test");
  const std::vector<unsigned char> a = random_bytes(kBytes, 1), b = random_bytes(kBytes, 2);
  std::vector<unsigned char> back(kBytes);
  stream.upload(first, a.data(), kBytes, "test");
  stream.upload(second, b.data(), kBytes, "test");
  stream.download(back.data(), first, kBytes, "test");
  EXPECT_TRUE(back == a);
  stream.upload(first, b.data(), kBytes, "test");
  stream.download(back.data(), second, kBytes, "test");
  EXPECT_TRUE(back == b);
  stream.download(back.data(), first, kBytes, "test");
  EXPECT_TRUE(back == b);
  stream.release(first);
  stream.release(second);
}

TEST(GpuStream, PinnedHostMemory) {
  TANDEM_NEED_GPU();
  gpu::Stream stream(0);
  constexpr std::size_t kBytes = 300001;
  void* pinned = nullptr;
  ASSERT_EQ(cudaMallocHost(&pinned, kBytes), cudaSuccess);
  const std::vector<unsigned char> sent = random_bytes(kBytes, 3);
  std::memcpy(pinned, sent.data(), kBytes);
  void* const memory = stream.allocate(kBytes, "test");
  stream.upload(memory, pinned, kBytes, "test");
  std::memset(pinned, 0, kBytes);  // allowed on return, though the device reads it directly
  stream.download(pinned, memory, kBytes, "test");
  EXPECT_EQ(std::memcmp(pinned, sent.data(), kBytes), 0);
  stream.release(memory);
  EXPECT_EQ(cudaFreeHost(pinned), cudaSuccess);
}

TEST(GpuStream, PageableMemoryMayBeChangedAfterAnUpload) {
  TANDEM_NEED_GPU();
  gpu::Stream stream(0);
  constexpr std::size_t kBytes = 1000;
  std::vector<void*> memory;
  std::vector<unsigned char> host(kBytes), back(kBytes);
  for (unsigned char i = 1; i < 6; ++i) {  // more than there are pieces of staging memory
    std::memset(host.data(), i, kBytes);
    memory.push_back(stream.allocate(kBytes, "test"));
    stream.upload(memory.back(), host.data(), kBytes, "test");
  }
  std::memset(host.data(), 77, kBytes);
  for (std::size_t i = 0; i < memory.size(); ++i) {
    stream.download(back.data(), memory[i], kBytes, "test");
    EXPECT_TRUE(back == std::vector<unsigned char>(kBytes, static_cast<unsigned char>(i + 1)));
    stream.release(memory[i]);
  }
}

TEST(GpuStream, NothingIsAllocatedOrCopiedForNoBytes) {
  TANDEM_NEED_GPU();
  gpu::Stream stream(0);
  void* const none = stream.allocate(0, "test");
  EXPECT_EQ(none, nullptr);
  stream.upload(none, nullptr, 0, "test");
  stream.download(nullptr, none, 0, "test");
  stream.copy(none, none, 0, "test");
  stream.release(none);
}

TEST(GpuStream, OutOfMemoryNamesTheCallerAndLeavesTheStreamUsable) {
  TANDEM_NEED_GPU();
  gpu::Stream stream(0);
  constexpr std::size_t kFar = std::size_t{1} << 45;
  const std::string message = error_of([&] { stream.allocate(kFar, "matmul"); }, Code::out_of_memory);
  EXPECT_NE(message.find("matmul: "), std::string::npos) << message;
  EXPECT_NE(message.find(std::to_string(kFar)), std::string::npos) << message;
  EXPECT_NE(message.find("cudaErrorMemoryAllocation"), std::string::npos) << message;
  stream.check("test");  // nothing of it is left for a later call to find
  void* const memory = stream.allocate(1000, "test");
  const std::vector<unsigned char> sent = random_bytes(1000, 4);
  std::vector<unsigned char> received(1000);
  stream.upload(memory, sent.data(), 1000, "test");
  stream.download(received.data(), memory, 1000, "test");
  EXPECT_TRUE(received == sent);
  stream.release(memory);
}

// Memory that was freed but is kept by the pool must not stand in the way of a large allocation.
TEST(GpuStream, FreedMemoryCanBeAllocatedAgain) {
  TANDEM_NEED_GPU();
  gpu::Stream stream(0);
  std::size_t free = 0, total = 0;
  ASSERT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
  const std::size_t most = free / 4 * 3;
  for (int i = 0; i < 2; ++i) {
    void* const memory = stream.allocate(most + static_cast<std::size_t>(i) * (1 << 20), "test");
    stream.release(memory);
  }
}

TEST(GpuStream, ALaunchErrorIsReportedOnce) {
  TANDEM_NEED_GPU();
  gpu::Stream stream(0);
  cudaFuncAttributes attributes;
  EXPECT_NE(cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(&in_child)), cudaSuccess);
  const std::string message = error_of([&] { stream.check("relu"); }, Code::device_error);
  EXPECT_EQ(message.find("relu: "), 0u) << message;
  stream.check("relu");
  void* const memory = stream.allocate(16, "test");  // not an error that the device is lost by
  stream.release(memory);
}

TEST(GpuMeasure, FillsTheGpuCeilingsAlone) {
  TANDEM_NEED_GPU();
  Ceilings ceilings;
  ceilings.cpu_flops = 17;
  gpu::measure(0, ceilings);
  for (const double c : {ceilings.gpu_flops, ceilings.gpu_bytes, ceilings.launch_seconds, ceilings.copy_seconds,
                         ceilings.h2d_bytes, ceilings.d2h_bytes, ceilings.wait_seconds, ceilings.allocate_seconds})
    EXPECT_GT(c, 0);
  EXPECT_EQ(ceilings.cpu_flops, 17);
  EXPECT_FALSE(ceilings.h2d_pinned.measured()) << "only on request";
  const int capability = gpu::query().gpus.at(0).compute_capability;
  EXPECT_EQ(ceilings.gpu_s8_ops > 0, capability >= 75);
  EXPECT_EQ(ceilings.gpu_bf16_flops > 0, capability >= 80);
}

TEST(GpuMeasure, CopiesBySizeAndKindOfMemory) {
  TANDEM_NEED_GPU();
  Ceilings ceilings;
  gpu::measure_copies(0, ceilings);
  for (const CopyCurve* curve :
       {&ceilings.h2d_pageable, &ceilings.d2h_pageable, &ceilings.h2d_pinned, &ceilings.d2h_pinned}) {
    // From the smallest size on, without a gap.
    EXPECT_GT(curve->seconds.front(), 0);
    bool ended = false;
    for (const double seconds : curve->seconds) {
      EXPECT_GE(seconds, 0);
      EXPECT_FALSE(ended && seconds > 0);
      ended = seconds == 0;
    }
  }
  EXPECT_EQ(ceilings.gpu_flops, 0) << "the rest is left alone";
}

TEST(GpuFork, AChildHasNoDevice) {
  TANDEM_NEED_GPU();
  gpu::Stream stream(0);
  void* const memory = stream.allocate(16, "test");
  const int status = in_child([&] {
    const gpu::Devices devices = gpu::query();
    if (!devices.gpus.empty() || devices.no_gpu_reason.find("forked") == std::string::npos) return 1;
    if (error_of([&] { gpu::Stream another(0); }, Code::unavailable).find("forked") == std::string::npos) return 2;
    if (error_of([&] { stream.allocate(16, "matmul"); }, Code::unavailable).find("matmul: ") != 0) return 3;
    if (error_of([&] { stream.synchronize("matmul"); }, Code::unavailable).find("forked") == std::string::npos)
      return 4;
    stream.release(memory);  // does nothing
    return 0;
  });
  EXPECT_EQ(status, 0);
  stream.release(memory);
  stream.synchronize("test");  // the parent goes on
}

// What needs a process of its own is registered only in a second run of this program, which has this set.
constexpr const char* kAgain = "TANDEM_TEST_AGAIN";

/// Runs this program again for one test, with further variables of the environment; true when it passed.
bool passes_again(const std::string& test, const std::vector<std::pair<std::string, std::string>>& environment) {
  return in_child([&]() -> int {
           ::setenv(kAgain, "1", 1);
           for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
           const std::string filter = "--gtest_filter=" + test;
           ::unsetenv("GTEST_OUTPUT");
           ::execl("/proc/self/exe", "again", filter.c_str(), "--gtest_brief=1", static_cast<char*>(nullptr));
           return 98;
         }) == 0;
}

bool emulated() { return std::getenv("CUDAEMU_REPORT") != nullptr; }

void without_device() {
  const gpu::Devices devices = gpu::query();
  EXPECT_TRUE(devices.gpus.empty());
  EXPECT_NE(devices.no_gpu_reason.find("no CUDA-capable device"), std::string::npos) << devices.no_gpu_reason;
  EXPECT_NE(error_of([] { gpu::Stream stream(0); }, Code::device_error), "");
}

void after_a_fault() {
  gpu::Stream stream(0);
  void* const memory = stream.allocate(64, "test");
  UnaryArgs args;
  args.x = reinterpret_cast<const void*>(std::uintptr_t{64});  // nobody's
  args.y = memory;
  const Machine machine = {.cpu = {}, .gpus = gpu::query().gpus, .no_gpu_reason = {}, .ceilings = {}};
  const Code code = cuda::unary_f32_naive.run(args, {&machine, nullptr, stream.handle()}, {});
  EXPECT_TRUE(code == Code::ok || code == Code::device_error);  // the runtime may know at once or later
  const std::string first = error_of([&] { stream.synchronize("relu"); }, Code::device_error);
  EXPECT_EQ(first.find("relu: "), 0u) << first;
  EXPECT_NE(first.find("cannot be used any more"), std::string::npos) << first;
  stream.synchronize("relu");  // once is enough
  const std::string later = error_of([&] { stream.allocate(64, "matmul"); }, Code::unavailable);
  EXPECT_NE(later.find("matmul: CUDA was lost earlier (relu: "), std::string::npos) << later;
  EXPECT_NE(error_of([&] { stream.check("matmul"); }, Code::unavailable), "");
  const gpu::Devices devices = gpu::query();
  EXPECT_TRUE(devices.gpus.empty());
  EXPECT_NE(devices.no_gpu_reason.find("lost"), std::string::npos) << devices.no_gpu_reason;
  stream.release(memory);
}

/// Everything that the device has left, in pieces of down to 4 KiB.
std::vector<Tensor> all_memory(Context& ctx) {
  std::vector<Tensor> taken;
  for (std::int64_t bytes = ctx.machine().gpus.at(0).memory_bytes; bytes >= 4096;) {
    try {
      taken.push_back(Tensor::empty(ctx, {bytes}, DType::u8, Device::cuda()));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::out_of_memory) << error.what();
      bytes /= 2;
    }
  }
  return taken;
}

void without_device_memory() {
  Context ctx;
  Machine& machine = ctx.impl().machine;
  machine.ceilings = gpu_machine_with(1e12).ceilings;  // so that the GPU is chosen
  machine.ceilings.cpu_flops = 1e6;
  ctx.impl().tuning = nullptr;
  ctx.set_policy({});
  const Tensor a = Tensor::full({256, 256}, 0.5f);
  const auto product = [&](const MatmulOptions& options = {}) { return matmul(ctx, a, a, options); };
  product();
  ASSERT_EQ(ctx.last().backend, Backend::cuda);
  std::vector<Tensor> taken = all_memory(ctx);
  const Tensor c = product();
  EXPECT_EQ(ctx.last().backend, Backend::cpu) << "moved operands did not fit";
  for (std::int64_t i = 0; i < c.elements(); ++i) ASSERT_EQ(c.data<float>()[i], 64.0f);
  MatmulOptions forced;
  forced.call.backend = Backend::cuda;
  EXPECT_NE(error_of([&] { product(forced); }, Code::out_of_memory), "");
  Policy policy;
  policy.cpu_when_out_of_memory = false;
  ctx.set_policy(policy);
  EXPECT_NE(error_of([&] { product(); }, Code::out_of_memory), "");
  policy = {};
  policy.result = Device::cuda();
  ctx.set_policy(policy);
  EXPECT_NE(error_of([&] { product(); }, Code::out_of_memory), "") << "its result belongs on the GPU";
  ctx.set_policy({});
  taken.clear();
  product();
  EXPECT_EQ(ctx.last().backend, Backend::cuda) << "nothing is kept of the failure";
}

/// Two items at the same time: the second breaks the device and then says so itself, the first ends in order, and its
/// context finds the device broken when it waits.
void a_batch_that_breaks_the_device() {
  ContextOptions options;
  options.threads = 2;
  Context ctx(options);
  const Tensor first = Tensor::full({8}, 0), second = Tensor::full({8}, 1);
  const ConstView items[] = {first, second};
  std::atomic<int> arrived{0}, broken{0};
  const auto wait = [](const std::atomic<int>& count, int wanted) {
    for (int i = 0; i < 10000 && count < wanted; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  std::string what;
  try {
    parallel_batch(ctx, items, [&](Context& worker, ConstView item) -> Tensor {
      worker.stream();  // both have one
      ++arrived;
      wait(arrived, 2);
      if (item.as<float>()[0] == 0) {
        wait(broken, 1);
        return Tensor::full({8}, 2);
      }
      try {
        const ConstView nowhere(reinterpret_cast<const void*>(std::uintptr_t{64}), DType::f32, {8}, Device::cuda());
        relu(worker, nowhere, {"cuda.unary.f32.naive", {}});
        worker.synchronize();
      } catch (const Error&) {
      }
      ++broken;
      throw std::runtime_error("the second item");
    });
  } catch (const std::exception& error) {
    what = error.what();
  }
  EXPECT_EQ(what, "the second item");
}

// The library's calls go to the device of their context, whichever is the thread's.
void another_current_device() {
  Context ctx;
  const Device device = Device::cuda(0);
  const Tensor x = Tensor::full({1000}, -1.0f).to(ctx, device);
  Tensor y = Tensor::full({1000}, 5.0f).to(ctx, device);
  for (const char* kernel : {"", "cuda.unary.f32.naive", "cuda.unary.f32.thrust"}) {
    const CallOptions call{kernel, Backend::cuda};
    ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
    unary_into(ctx, UnaryFn::relu, x, y.view(), call);
    int current = -1;
    ASSERT_EQ(cudaGetDevice(&current), cudaSuccess);
    EXPECT_EQ(current, 0) << kernel;
  }
  EXPECT_EQ(y.to(ctx, Device::cpu()).data<float>()[999], 0.0f);
}

class Again : public ::testing::Test {
 public:
  explicit Again(void (*body)()) : body_(body) {}
  void TestBody() override { body_(); }

 private:
  void (*body_)();
};

const bool kRegistered = [] {
  if (!std::getenv(kAgain)) return false;
  const auto add = [](const char* name, void (*body)()) {
    ::testing::RegisterTest("Again", name, nullptr, nullptr, __FILE__, __LINE__,
                            [body]() -> Again* { return new Again(body); });
  };
  add("WithoutDevice", without_device);
  add("AfterAFault", after_a_fault);
  add("WithoutDeviceMemory", without_device_memory);
  add("ABatchThatBreaksTheDevice", a_batch_that_breaks_the_device);
  add("AnotherCurrentDevice", another_current_device);
  return true;
}();

TEST(GpuQuery, WithoutAVisibleDeviceThereIsTheDriversReason) {
  TANDEM_NEED_GPU();
  EXPECT_FALSE(kRegistered);
  if (emulated())
    EXPECT_TRUE(passes_again("Again.WithoutDevice", {{"CUDAEMU_DEVICES", "0"}}));
  else
    EXPECT_TRUE(passes_again("Again.WithoutDevice", {{"CUDA_VISIBLE_DEVICES", "-1"}}));
}

TEST(GpuStream, LaunchesMakeItsDeviceTheCurrentOne) {
  TANDEM_NEED_GPU();
  int devices = 0;
  ASSERT_EQ(cudaGetDeviceCount(&devices), cudaSuccess);
  if (emulated())
    EXPECT_TRUE(passes_again("Again.AnotherCurrentDevice", {{"CUDAEMU_DEVICES", "2"}}));
  else if (devices < 2)
    GTEST_SKIP() << "there is one device";
  else
    EXPECT_TRUE(passes_again("Again.AnotherCurrentDevice", {}));
}

// Thrust and CUB look at the last error to learn of their own launches.
TEST(GpuStream, AnErrorOfTheProgramIsNotOneOfAKernel) {
  TANDEM_NEED_GPU();
  Context ctx;
  const Device device = Device::cuda(0);
  const Tensor x = Tensor::full({3, 1000}, -1.0f).to(ctx, device);
  const auto fail = [] {
    cudaFuncAttributes attributes;
    EXPECT_NE(cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(&in_child)), cudaSuccess);
    EXPECT_NE(cudaPeekAtLastError(), cudaSuccess);
  };
  Tensor y = Tensor::zeros({3, 1000}).to(ctx, device), sums = Tensor::zeros({3}).to(ctx, device),
         total = Tensor::zeros(Shape{}).to(ctx, device);
  fail();
  unary_into(ctx, UnaryFn::relu, x, y.view(), {"cuda.unary.f32.thrust", {}});
  fail();
  reduce_into(ctx, ReduceFn::sum, x, {}, sums.view(), 1, {"cuda.reduce.f32.cub", {}});
  fail();
  reduce_into(ctx, ReduceFn::sum, x, {}, total.view(), {}, {"cuda.reduce.f32.cub", {}});
  EXPECT_EQ(sums.to(ctx, Device::cpu()).data<float>()[2], -1000.0f);
  EXPECT_EQ(total.to(ctx, Device::cpu()).data<float>()[0], -3000.0f);
}

// The fault is meant: an emulator's report of it must not count.
TEST(GpuStream, AFaultIsReportedOnceAndEndsTheUseOfCuda) {
  TANDEM_NEED_GPU();
  EXPECT_TRUE(passes_again("Again.AfterAFault", {{"CUDAEMU_REPORT", "/dev/null"}, {"CUDAEMU_QUIET", "1"}}));
}

// In a process of its own, since it takes all memory of the device; that of an emulated one is host memory.
TEST(GpuContext, RunsOnTheCpuWhenDeviceMemoryRunsOut) {
  TANDEM_NEED_GPU();
  EXPECT_TRUE(passes_again("Again.WithoutDeviceMemory", {{"CUDAEMU_MEM", "64M"}}));
}

TEST(GpuContext, ABatchReportsTheItemThatFailedNotWhatCameOfIt) {
  TANDEM_NEED_GPU();
  EXPECT_TRUE(
      passes_again("Again.ABatchThatBreaksTheDevice", {{"CUDAEMU_REPORT", "/dev/null"}, {"CUDAEMU_QUIET", "1"}}));
}

TEST(GpuContext, ResultsOfABatchAreFreedInTheOrderOfTheCallersStream) {
  TANDEM_NEED_GPU();
  ContextOptions options;
  options.threads = 2;
  Context ctx(options);
  Context other;
  const Tensor x = Tensor::zeros({64}).to(ctx, Device::cuda());
  const std::vector<ConstView> items(5, x);
  std::atomic<int> next = 0;
  const std::vector<Tensor> results = parallel_batch(ctx, items, [&](Context& worker, ConstView item) {
    EXPECT_NE(&worker, &ctx);
    Context& maker = next++ == 0 ? other : worker;
    return Tensor::empty(maker, item.shape(), item.dtype(), Device::cuda());
  });
  int of_caller = 0, of_other = 0;
  for (const Tensor& result : results) {
    of_caller += DeviceMemory::of(result)->stream == ctx.impl().stream("test");
    of_other += DeviceMemory::of(result)->stream == other.impl().stream("test");
  }
  EXPECT_EQ(of_caller, 4);
  EXPECT_EQ(of_other, 1) << "a context that the operation brought along keeps what it made";
}

TEST(GpuContext, ItsStreamOrdersAProgramsOwnWork) {
  TANDEM_NEED_GPU();
  Context ctx;
  Tensor x = Tensor::empty(ctx, {1000}, DType::f32, Device::cuda());
  const auto stream = static_cast<cudaStream_t>(ctx.stream());
  ASSERT_NE(stream, nullptr);
  EXPECT_EQ(ctx.stream(), stream);
  const auto linger = [](void*) { std::this_thread::sleep_for(std::chrono::milliseconds(20)); };
  ASSERT_EQ(cudaLaunchHostFunc(stream, linger, nullptr), cudaSuccess);
  ASSERT_EQ(cudaMemsetAsync(x.view().data(), 0x40, 4000, stream), cudaSuccess);
  CallOptions there;
  there.backend = Backend::cuda;
  const Tensor y = add(ctx, x, x, there);
  ASSERT_EQ(cudaMemsetAsync(x.view().data(), 0x41, 4000, stream), cudaSuccess);
  const Tensor back = y.to(ctx, Device::cpu());
  const float set = std::bit_cast<float>(0x40404040);
  for (std::int64_t i = 0; i < 1000; ++i) ASSERT_EQ(back.data<float>()[i], 2 * set);
}

}  // namespace
}  // namespace tandem::test
