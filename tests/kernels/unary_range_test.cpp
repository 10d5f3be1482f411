// Elementwise functions over the whole range of f32: every sign and exponent, a prime step between the bit patterns, so
// that all low bits occur. Errors are held to the figures of common/ops/accuracy.h.
#include <bit>
#include <cmath>

#include "tests/support/kernel_tests.h"

namespace tandem::test::unary_range_test {
namespace {

constexpr UnaryFn kFunctions[] = {UnaryFn::relu,    UnaryFn::gelu_erf, UnaryFn::gelu_tanh, UnaryFn::gelu_sigmoid,
                                  UnaryFn::sigmoid, UnaryFn::tanh,     UnaryFn::silu,      UnaryFn::exp};

// The interpreter of an emulator gets fewer points.
std::vector<float> points(Backend backend) {
  const std::uint64_t step = backend == Backend::cuda ? 262147 : 4099;
  std::vector<float> out;
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += step)
    out.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  // Where the functions bend: densely around zero and up to where exp overflows.
  for (int i = -2000; i <= 2000; i += backend == Backend::cuda ? 20 : 1) out.push_back(static_cast<float>(i) * 0.0625f);
  for (const float end : {-INFINITY, INFINITY}) out.push_back(end);  // where the limits are exact
  return out;
}

struct Operands {
  std::vector<float> x, y;
  std::vector<View> views() {
    const auto n = static_cast<std::int64_t>(x.size());
    return {View(x.data(), {n}), View(y.data(), {n})};
  }
};

std::string worst(UnaryFn fn, const Operands& o) {
  Check check;
  for (std::size_t i = 0; i < o.x.size(); ++i)
    compare(check, expected_of(fn, static_cast<double>(o.x[i])), static_cast<double>(o.y[i]), [&] {
      char text[64];
      std::snprintf(text, sizeof text, "%s(%a)", std::string(name(fn)).c_str(), static_cast<double>(o.x[i]));
      return std::string(text);
    });
  return check.complaint;
}

/// Computes y of x on the GPU, or under each setting of the host, and calls visit(where) after each run. How many runs
/// there were: none where the kernel refuses the function.
template <class Visit>
int run_everywhere(const Entry<Unary>& entry, UnaryFn fn, Operands& o, Visit visit) {
  if (entry.backend == Backend::cuda) {
    gpu::Stream& stream = gpu_stream();
    const std::size_t bytes = o.x.size() * sizeof(float);
    const DeviceMemory x(bytes, 0), y(bytes, 0);
    const auto n = static_cast<std::int64_t>(o.x.size());
    const Device device = Device::cuda(stream.device());
    const View views[] = {View(x.data(), DType::f32, {n}, device), View(y.data(), DType::f32, {n}, device)};
    if (refusal_of(*entry.kernel, Unary::describe({fn}, views), gpu_machine())) return 0;
    stream.upload(x.data(), o.x.data(), bytes, "test");
    EXPECT_EQ(entry.kernel->run(Unary::bind({fn}, views), {&gpu_machine(), nullptr, stream.handle()}, {}), Code::ok);
    o.y.assign(o.x.size(), 0);
    stream.download(o.y.data(), y.data(), bytes, "test");
    visit("the GPU");
    return 1;
  }
  int runs = 0;
  for (const HostSetting& setting : few_host_settings(entry.kernel->needs.isa)) {
    const Machine machine = machine_of(setting);
    o.y.assign(o.x.size(), std::numeric_limits<float>::quiet_NaN());
    const std::vector<View> views = o.views();
    if (refusal_of(*entry.kernel, Unary::describe({fn}, views), machine)) continue;
    EXPECT_EQ(entry.kernel->run(Unary::bind({fn}, views), {&machine, pool_of(setting.threads), nullptr}, {}), Code::ok);
    visit(describe(setting));
    ++runs;
  }
  return runs;
}

void whole_range(const Entry<Unary>& entry) {
  if (const std::string reason = not_here(entry); !reason.empty()) {
    leave_out(entry.name, reason);
    TANDEM_SKIP(entry.backend, reason);
  }
  Operands o{points(entry.backend), {}};
  int runs = 0;
  for (const UnaryFn fn : kFunctions)
    runs += run_everywhere(entry, fn, o, [&](const std::string& where) { EXPECT_EQ(worst(fn, o), "") << where; });
  if (runs == 0) GTEST_SKIP() << "refuses every function";
}

// To the bit, the zeros and infinities included.
void tanh_is_odd(const Entry<Unary>& entry) {
  if (const std::string reason = not_here(entry); !reason.empty()) {
    leave_out(entry.name, reason);
    TANDEM_SKIP(entry.backend, reason);
  }
  Operands o{points(entry.backend), {}}, negated = o;
  for (float& x : negated.x) x = -x;
  std::vector<std::vector<float>> results;
  run_everywhere(entry, UnaryFn::tanh, o, [&](const std::string&) { results.push_back(o.y); });
  if (results.empty()) GTEST_SKIP() << "refuses tanh";
  std::size_t run = 0;
  run_everywhere(entry, UnaryFn::tanh, negated, [&](const std::string& where) {
    const std::vector<float>& y = results.at(run++);
    int even = 0;
    for (std::size_t i = 0; i < y.size() && even < 5; ++i) {
      if (std::isnan(y[i]) && std::isnan(negated.y[i])) continue;  // the sign of a NaN says nothing
      if (std::bit_cast<std::uint32_t>(-y[i]) == std::bit_cast<std::uint32_t>(negated.y[i])) continue;
      ++even;
      ADD_FAILURE() << where << ": tanh(" << o.x[i] << ") is " << y[i] << ", of the opposite " << negated.y[i];
    }
  });
}

// max(x, 0) has two answers for -0; the promise is +0.
void relu_of_minus_zero(const Entry<Unary>& entry) {
  if (const std::string reason = not_here(entry); !reason.empty()) {
    leave_out(entry.name, reason);
    TANDEM_SKIP(entry.backend, reason);
  }
  for (const bool contiguous : {true, false}) {
    Operands o;
    o.x.assign(100, -0.0f);
    o.y.assign(100, 1.0f);
    std::vector<View> views = o.views();
    if (entry.backend == Backend::cuda) {
      gpu::Stream& stream = gpu_stream();
      const DeviceMemory x(400, 0), y(400, 0);
      stream.upload(x.data(), o.x.data(), 400, "test");
      const Device device = Device::cuda(stream.device());
      views = {View(x.data(), DType::f32, {100}, Strides{contiguous ? 1 : 0}, device),
               View(y.data(), DType::f32, {100}, device)};
      if (refusal_of(*entry.kernel, Unary::describe({UnaryFn::relu}, views), gpu_machine())) continue;
      ASSERT_EQ(entry.kernel->run(Unary::bind({UnaryFn::relu}, views), {&gpu_machine(), nullptr, stream.handle()}, {}),
                Code::ok);
      stream.download(o.y.data(), y.data(), 400, "test");
      for (const float v : o.y) EXPECT_EQ(std::bit_cast<std::uint32_t>(v), 0u);
      continue;
    }
    views[0] = View(o.x.data(), DType::f32, {100}, Strides{contiguous ? 1 : 0});
    for (const HostSetting& setting : few_host_settings(entry.kernel->needs.isa)) {
      const Machine machine = machine_of(setting);
      o.y.assign(100, 1.0f);
      if (refusal_of(*entry.kernel, Unary::describe({UnaryFn::relu}, views), machine)) continue;
      ASSERT_EQ(entry.kernel->run(Unary::bind({UnaryFn::relu}, views), {&machine, nullptr, nullptr}, {}), Code::ok);
      for (const float v : o.y) EXPECT_EQ(std::bit_cast<std::uint32_t>(v), 0u) << describe(setting);
    }
  }
}

const bool kAdded = [] {
  add_kernel_tests<Unary>("WholeRange", whole_range, __FILE__, __LINE__);
  add_kernel_tests<Unary>("TanhIsOdd", tanh_is_odd, __FILE__, __LINE__);
  add_kernel_tests<Unary>("ReluOfMinusZero", relu_of_minus_zero, __FILE__, __LINE__);
  return true;
}();

TEST(UnaryRange, IsRegistered) {
  EXPECT_TRUE(kAdded);
  EXPECT_GT(points(Backend::cpu).size(), 1000000u);
}

}  // namespace
}  // namespace tandem::test::unary_range_test
