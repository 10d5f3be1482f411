// Conversions to the bit, signs and payloads of NaN included: every bf16 and f16 to f32, and to these every upper half
// of an f32 with lower halves at, below and above the middle between two results: ties, denormals, infinities, what
// rounds to them; and to f16 every middle between two of its denormals.
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/support/kernel_tests.h"

namespace tandem::test::convert_bits_test {
namespace {

struct Bits {
  std::vector<std::uint32_t> wide;    // of f32
  std::vector<std::uint16_t> narrow;  // of bf16 or f16
};

double value_of(std::uint32_t wide) { return static_cast<double>(std::bit_cast<float>(wide)); }

Bits of_every_bf16() {
  Bits bits;
  for (std::uint32_t high = 0; high < 0x10000; ++high) {
    bits.narrow.push_back(static_cast<std::uint16_t>(high));
    bits.wide.push_back(high << 16);
  }
  return bits;
}

/// The bits of a value that f16 has.
std::uint16_t bits_of_f16(double value) {
  const int sign = std::signbit(value) ? 0x8000 : 0;
  if (std::isinf(value)) return static_cast<std::uint16_t>(sign | 0x7c00);
  const int exponent = value == 0 ? -14 : std::max(std::ilogb(value), -14);
  const auto mantissa = static_cast<int>(std::ldexp(std::abs(value), 10 - exponent));
  return static_cast<std::uint16_t>(sign | (((exponent + 14) << 10) + mantissa));
}

/// Every f16 as f32, where a NaN becomes quiet.
Bits of_every_f16() {
  Bits bits;
  for (std::uint32_t half = 0; half < 0x10000; ++half) {
    bits.narrow.push_back(static_cast<std::uint16_t>(half));
    const double value = f16_value(static_cast<std::uint16_t>(half));
    bits.wide.push_back(std::isnan(value) ? (half & 0x8000) << 16 | 0x7fc00000 | (half & 0x3ff) << 13
                                          : std::bit_cast<std::uint32_t>(static_cast<float>(value)));
  }
  return bits;
}

Bits of_f32_to_f16() {
  Bits bits;
  const auto add = [&](std::uint32_t wide) {
    bits.wide.push_back(wide);
    const double value = value_of(wide);
    bits.narrow.push_back(std::isnan(value)
                              ? static_cast<std::uint16_t>((wide >> 16 & 0x8000) | 0x7e00 | (wide >> 13 & 0x3ff))
                              : bits_of_f16(nearest_f16(value)));
  };
  for (std::uint32_t high = 0; high < 0x10000; ++high)
    for (const std::uint32_t low : {0x0000u, 0x0001u, 0x0fffu, 0x1000u, 0x1001u, 0x3000u, 0x8000u, 0xffffu})
      add(high << 16 | low);
  for (int half = 0; half < 1024; ++half)
    for (const double sign : {-1.0, 1.0}) {
      const auto middle = std::bit_cast<std::uint32_t>(static_cast<float>(sign * std::ldexp(half + 0.5, -24)));
      for (const std::uint32_t wide : {middle - 1, middle, middle + 1}) add(wide);
    }
  return bits;
}

Bits of_f32() {
  Bits bits;
  for (std::uint32_t high = 0; high < 0x10000; ++high)
    for (const std::uint32_t low : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) {
      bits.wide.push_back(high << 16 | low);
      const double value = value_of(bits.wide.back());
      const auto nearest = std::bit_cast<std::uint32_t>(static_cast<float>(nearest_bf16(value))) >> 16;
      bits.narrow.push_back(static_cast<std::uint16_t>(std::isnan(value) ? high | 0x40 : nearest));
    }
  return bits;
}

/// What the kernel makes of `x`, the elements of x `step` apart; empty where it refuses.
template <class Out, class In>
std::vector<Out> converted(const Entry<Convert>& entry, DType half, const std::vector<In>& x, std::int64_t step,
                           const HostSetting& setting) {
  const DType from = sizeof(In) == 4 ? DType::f32 : half, to = sizeof(Out) == 4 ? DType::f32 : half;
  const auto n = static_cast<std::int64_t>(x.size());
  std::vector<In> apart(x.size() * static_cast<std::size_t>(step));
  for (std::size_t i = 0; i < x.size(); ++i) apart[i * static_cast<std::size_t>(step)] = x[i];
  std::vector<Out> y(x.size());
  const auto run = [&](void* in, void* out, Device device, const Machine& machine, const Queue& queue) {
    const View views[] = {View(in, from, {n}, Strides{step}, device), View(out, to, {n}, device)};
    if (refusal_of(*entry.kernel, Convert::describe({}, views), machine)) return false;
    EXPECT_EQ(entry.kernel->run(Convert::bind({}, views), queue, {}), Code::ok);
    return true;
  };
  if (entry.backend == Backend::cpu) {
    const Machine machine = machine_of(setting);
    const bool ran = run(apart.data(), y.data(), Device::cpu(), machine, {&machine, pool_of(setting.threads), nullptr});
    return ran ? y : std::vector<Out>();
  }
  gpu::Stream& stream = gpu_stream();
  const DeviceMemory in(apart.size() * sizeof(In), 0), out(y.size() * sizeof(Out), 0);
  stream.upload(in.data(), apart.data(), apart.size() * sizeof(In), "test");
  const bool ran = run(in.data(), out.data(), Device::cuda(stream.device()), gpu_machine(),
                       {&gpu_machine(), nullptr, stream.handle()});
  if (!ran) return {};
  stream.download(y.data(), out.data(), y.size() * sizeof(Out), "test");
  return y;
}

template <class In, class Out>
void expect_bits(const Entry<Convert>& entry, DType half, const std::vector<In>& x, const std::vector<Out>& y) {
  std::vector<HostSetting> settings(1);
  if (entry.backend == Backend::cpu) {
    settings = few_host_settings(entry.kernel->needs.isa);
    for (std::size_t i = settings.size(); i-- > 0;)  // past the caches on every level
      settings.push_back({settings[i].isa, settings[i].threads, true});
  }
  for (const HostSetting& setting : settings)
    for (const std::int64_t step : {1, 3}) {
      const std::vector<Out> result = converted<Out>(entry, half, x, step, setting);
      if (result.empty()) continue;
      std::int64_t wrong = 0;
      for (std::size_t i = 0; i < y.size(); ++i)
        if (result[i] != y[i] && wrong++ == 0)
          ADD_FAILURE() << std::hex << x[i] << " became " << result[i] << " instead of " << y[i] << std::dec << " on "
                        << describe(setting) << ", step " << step;
      EXPECT_EQ(wrong, 0);
    }
}

void every_bit(const Entry<Convert>& entry) {
  if (const std::string reason = not_here(entry); !reason.empty()) {
    leave_out(entry.name, reason);
    TANDEM_SKIP(entry.backend, reason);
  }
  // Of the two types each kernel refuses one.
  for (const DType half : {DType::bf16, DType::f16}) {
    const Bits exact = half == DType::bf16 ? of_every_bf16() : of_every_f16();
    const Bits rounded = half == DType::bf16 ? of_f32() : of_f32_to_f16();
    expect_bits(entry, half, exact.narrow, exact.wide);
    expect_bits(entry, half, rounded.wide, rounded.narrow);
  }
}

const bool kAdded = [] {
  add_kernel_tests<Convert>("EveryBit", every_bit, __FILE__, __LINE__);
  return true;
}();

// What the lists above are meant to hold.
TEST(ConvertBits, HoldTiesOverflowAndNan) {
  EXPECT_TRUE(kAdded);
  const Bits bits = of_f32();
  const auto rounded = [&](std::uint32_t wide) {
    for (std::size_t i = 0; i < bits.wide.size(); ++i)
      if (bits.wide[i] == wide) return static_cast<int>(bits.narrow[i]);
    return -1;
  };
  EXPECT_EQ(rounded(0x3f808000), 0x3f80);  // a tie, down to even
  EXPECT_EQ(rounded(0x3f818000), 0x3f82);  // and up
  EXPECT_EQ(rounded(0x7f7f7fff), 0x7f7f);  // the last that stays finite
  EXPECT_EQ(rounded(0x7f7f8000), 0x7f80);
  EXPECT_EQ(rounded(0xff7fffff), 0xff80);
  EXPECT_EQ(rounded(0x00008000), 0x0000);  // half of the smallest denormal
  EXPECT_EQ(rounded(0x80008001), 0x8001);
  EXPECT_EQ(rounded(0x007fffff), 0x0080);  // a denormal that becomes normal
  EXPECT_EQ(rounded(0x7f800001), 0x7fc0);  // a signalling NaN whose payload is cut off
  EXPECT_EQ(rounded(0xffbfffff), 0xffff);
}

TEST(ConvertBits, HoldTiesOverflowAndNanOfF16) {
  const Bits bits = of_f32_to_f16();
  const auto rounded = [&](std::uint32_t wide) {
    for (std::size_t i = 0; i < bits.wide.size(); ++i)
      if (bits.wide[i] == wide) return static_cast<int>(bits.narrow[i]);
    return -1;
  };
  EXPECT_EQ(rounded(0x3f801000), 0x3c00);  // a tie, down to even
  EXPECT_EQ(rounded(0x3f803000), 0x3c02);  // and up
  EXPECT_EQ(rounded(0x3f801001), 0x3c01);
  EXPECT_EQ(rounded(0x477f0fff), 0x7bf8);
  EXPECT_EQ(rounded(0x477fffff), 0x7c00);  // beyond 65520
  EXPECT_EQ(rounded(0xc7800000), 0xfc00);
  EXPECT_EQ(rounded(0x33000000), 0x0000);  // half of the smallest denormal
  EXPECT_EQ(rounded(0xb3000001), 0x8001);
  EXPECT_EQ(rounded(0x33c00000), 0x0002);  // between the first two, up to even
  EXPECT_EQ(rounded(0x387fffff), 0x0400);  // a denormal that becomes normal
  EXPECT_EQ(rounded(0x7f800001), 0x7e00);  // a signalling NaN whose payload is cut off
  EXPECT_EQ(rounded(0xffffffff), 0xffff);
}

}  // namespace
}  // namespace tandem::test::convert_bits_test
