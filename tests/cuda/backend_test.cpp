// Streams, memory and copies, what is measured of a device, and how contexts use their streams.
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
#include "tests/cuda/error_of.h"
#include "tests/support/data.h"
#include "tests/support/left_out.h"
#include "tests/support/machines.h"

namespace tandem::test::backend_test {
namespace {

std::vector<unsigned char> random_bytes(std::size_t count, std::uint64_t seed) {
  std::vector<unsigned char> bytes(count);
  Random random(seed);
  for (unsigned char& b : bytes) b = static_cast<unsigned char>(random.bits());
  return bytes;
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
  EXPECT_NE(cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(&random_bytes)), cudaSuccess);
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
  gpu::measure(0, 2, ceilings);
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
  gpu::measure_copies(0, 2, ceilings);
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

// Thrust and CUB look at the last error to learn of their own launches.
TEST(GpuStream, AnErrorOfTheProgramIsNotOneOfAKernel) {
  TANDEM_NEED_GPU();
  Context ctx;
  const Device device = Device::cuda(0);
  const Tensor x = Tensor::full({3, 1000}, -1.0f).to(ctx, device);
  const auto fail = [] {
    cudaFuncAttributes attributes;
    EXPECT_NE(cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(&random_bytes)), cudaSuccess);
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
}  // namespace tandem::test::backend_test
