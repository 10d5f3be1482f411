// What happens without memory, without a device, on another current device, after fork, after a fault of the device: in
// processes of their own.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <tandem/tandem.h>

#include "common/core/context_impl.h"
#include "cuda/kernels.h"
#include "tests/cuda/error_of.h"
#include "tests/support/child.h"
#include "tests/support/left_out.h"
#include "tests/support/machines.h"

namespace tandem::test::process_test {
namespace {

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
  return in_child(
             [&]() -> int {
               ::setenv(kAgain, "1", 1);
               for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
               const std::string filter = "--gtest_filter=" + test;
               ::unsetenv("GTEST_OUTPUT");
               ::execl("/proc/self/exe", "again", filter.c_str(), "--gtest_brief=1", static_cast<char*>(nullptr));
               return 98;
             },
             600) == 0;
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
  const Code code = cuda::unary_f32_naive::kKernel.run(args, {&machine, nullptr, stream.handle()}, {});
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

}  // namespace
}  // namespace tandem::test::process_test
