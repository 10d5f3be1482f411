// The functions of cpu/simd/math-inl.h against double precision, over the whole f32 range, at every IsaLevel.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/unit/simd_math_test.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "cpu/simd/simd.h"

#include "cpu/simd/math-inl.h"
#include "cpu/simd/part-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace {

// In batches of three vectors where they fit, then by single vectors, so that both forms are walked.
template <class F>
void map(const float* x, float* y, size_t n, F f) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    Batch<hn::ScalableTag<float>, 3> b{
        {hn::LoadU(d, x + i), hn::LoadU(d, x + i + lanes), hn::LoadU(d, x + i + 2 * lanes)}};
    b = f(b);
    for (size_t k = 0; k < 3; ++k) hn::StoreU(b.v[k], d, y + i + k * lanes);
    hn::StoreU(f(hn::LoadU(d, x + i + 3 * lanes)), d, y + i + 3 * lanes);
  }
  for (; i < n; i += lanes) {
    const size_t rest = std::min(lanes, n - i);
    store_part(f(load_part(d, x + i, rest)), d, y + i, rest);
  }
}

#undef TANDEM_MAP
#define TANDEM_MAP(name)                                          \
  void map_##name(const float* x, float* y, size_t n) {           \
    const hn::ScalableTag<float> d;                               \
    map(x, y, n, [d](auto v) HWY_ATTR { return v##name(d, v); }); \
  }
TANDEM_MAP(relu)
TANDEM_MAP(exp)
TANDEM_MAP(log)
TANDEM_MAP(sigmoid)
TANDEM_MAP(tanh)
TANDEM_MAP(silu)
TANDEM_MAP(gelu_erf)
TANDEM_MAP(gelu_tanh)
TANDEM_MAP(gelu_sigmoid)

const char* target_name() { return hwy::TargetName(HWY_TARGET); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "common/core/host_api.h"
#include "cpu/simd/math_error.h"
#include "tests/support/ulp.h"

namespace tandem::cpu {
namespace {

HWY_EXPORT(map_relu);
HWY_EXPORT(map_exp);
HWY_EXPORT(map_log);
HWY_EXPORT(map_sigmoid);
HWY_EXPORT(map_tanh);
HWY_EXPORT(map_silu);
HWY_EXPORT(map_gelu_erf);
HWY_EXPORT(map_gelu_tanh);
HWY_EXPORT(map_gelu_sigmoid);
HWY_EXPORT(target_name);

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr IsaLevel kLevels[] = {IsaLevel::scalar, IsaLevel::sse4, IsaLevel::avx2, IsaLevel::avx512};

double exact_sigmoid(double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }
double exact_relu(double x) { return x < 0 ? 0 : x; }
double exact_exp(double x) { return std::exp(x); }
double exact_log(double x) { return std::log(x); }
double exact_tanh(double x) { return std::tanh(x); }
double exact_silu(double x) { return x < -800 ? 0 : x * exact_sigmoid(x); }
double exact_gelu_erf(double x) { return x < -800 ? 0 : 0.5 * x * std::erfc(-x * 0.70710678118654752440); }
double exact_gelu_sigmoid(double x) { return x < -800 ? 0 : x * exact_sigmoid(1.702 * x); }
double exact_gelu_tanh(double x) {
  return x < -800 ? 0 : x * exact_sigmoid(2 * 0.79788456080286535588 * (x + 0.044715 * x * x * x));
}

using Map = void (*)(const float*, float*, size_t);
struct Function {
  const char* name;
  Map (*at)(IsaLevel);
  double (*exact)(double);
  std::span<const MathError> errors;
};

const Function kFunctions[] = {
    {"relu", [](IsaLevel level) -> Map { return TANDEM_SIMD_CALL(level, map_relu); }, exact_relu, kReluError},
    {"exp", [](IsaLevel level) -> Map { return TANDEM_SIMD_CALL(level, map_exp); }, exact_exp, kExpError},
    {"log", [](IsaLevel level) -> Map { return TANDEM_SIMD_CALL(level, map_log); }, exact_log, kLogError},
    {"sigmoid", [](IsaLevel level) -> Map { return TANDEM_SIMD_CALL(level, map_sigmoid); }, exact_sigmoid,
     kSigmoidError},
    {"tanh", [](IsaLevel level) -> Map { return TANDEM_SIMD_CALL(level, map_tanh); }, exact_tanh, kTanhError},
    {"silu", [](IsaLevel level) -> Map { return TANDEM_SIMD_CALL(level, map_silu); }, exact_silu, kSiluError},
    {"gelu_erf", [](IsaLevel level) -> Map { return TANDEM_SIMD_CALL(level, map_gelu_erf); }, exact_gelu_erf,
     kGeluErfError},
    {"gelu_tanh", [](IsaLevel level) -> Map { return TANDEM_SIMD_CALL(level, map_gelu_tanh); }, exact_gelu_tanh,
     kGeluTanhError},
    {"gelu_sigmoid", [](IsaLevel level) -> Map { return TANDEM_SIMD_CALL(level, map_gelu_sigmoid); },
     exact_gelu_sigmoid, kGeluSigmoidError},
};

// Every 2039th bit pattern (a prime, so that all exponents and mantissas come up, NaN and infinities among them), and
// 4096 neighbours on both sides of the places where the code changes branch or clamp.
std::vector<float> arguments() {
  std::vector<float> x;
  x.reserve(2200000 + 400000);
  for (std::uint64_t bits = 0; bits < (1ull << 32); bits += 2039)
    x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  for (const float centre : {0.0f,     0x1p-126f, 1e-4f,    0.125f, 0.375f,    0.625f,    1.0f,   1.41421356f,
                             4.0f,     7.625f,    7.75f,    8.0f,   9.02f,     9.25f,     14.5f,  15.0f,
                             87.3365f, 88.0297f,  88.7228f, 90.0f,  103.2789f, 103.9721f, 105.0f, 110.0f}) {
    const auto bits = static_cast<std::int64_t>(std::bit_cast<std::uint32_t>(centre));
    for (std::int64_t k = -4096; k <= 4096; ++k) {
      const float v = std::bit_cast<float>(static_cast<std::uint32_t>(std::max<std::int64_t>(bits + k, 0)));
      x.push_back(v);
      x.push_back(-v);
    }
  }
  return x;
}

double allowed(std::span<const MathError> errors, float x, double exact) {
  for (const MathError& e : errors)
    if (x >= e.from) {
      const double magnitude = std::min(std::abs(exact), static_cast<double>(std::numeric_limits<float>::max()));
      const double spacing = magnitude < 0x1p-126 ? 0x1p-149 : std::ldexp(1.0, std::ilogb(magnitude) - 23);
      return e.ulp * spacing + e.absolute;
    }
  return 0;
}

// Empty when y is within the stated error of the exact value.
std::string complaint(const Function& f, float x, float y, double exact) {
  const auto text = [&](const char* what) {
    return std::string(f.name) + "(" + std::to_string(x) + "): " + what + ", got " + std::to_string(y) + ", exact " +
           std::to_string(exact);
  };
  if (std::isnan(exact)) return std::isnan(y) ? "" : text("NaN was lost");
  if (std::isnan(y)) return text("NaN appeared");
  constexpr double kLargest = std::numeric_limits<float>::max();
  if (std::isinf(y))
    return std::abs(exact) > kLargest * (1 - 0x1p-24) && (y > 0) == (exact > 0) ? "" : text("infinite");
  if (std::isinf(exact)) return text("should be infinite");
  const double bound = allowed(f.errors, x, exact);
  if (std::abs(exact) > kLargest && std::abs(y) >= kLargest) return "";
  return std::abs(static_cast<double>(y) - exact) <= bound ? "" : text("beyond the stated error");
}

TEST(SimdMath, EveryFunctionHoldsItsStatedErrorOverTheWholeRangeAtEveryLevel) {
  const std::vector<float> x = arguments();
  std::vector<float> y(x.size());
  std::vector<double> exact(x.size());
  for (const Function& f : kFunctions) {
    std::transform(x.begin(), x.end(), exact.begin(), [&](float v) { return f.exact(static_cast<double>(v)); });
    for (const IsaLevel level : kLevels) {
      std::fill(y.begin(), y.end(), -7.0f);
      f.at(level)(x.data(), y.data(), x.size());
      int complaints = 0;
      for (size_t i = 0; i < x.size() && complaints < 5; ++i) {
        const std::string c = complaint(f, x[i], y[i], exact[i]);
        if (c.empty()) continue;
        ++complaints;
        ADD_FAILURE() << TANDEM_SIMD_CALL(level, target_name)() << ": " << c;
      }
    }
  }
}

// The stated errors are not so wide that nothing could break them: each is at most three times what is seen at one of
// the levels.
TEST(SimdMath, StatedErrorsAreNotIdle) {
  if (cpu::query().isa < IsaLevel::avx512) GTEST_SKIP() << "the widest errors are those of AVX-512";
  const std::vector<float> x = arguments();
  std::vector<float> y(x.size());
  for (const Function& f : kFunctions) {
    std::vector<double> seen(f.errors.size(), 0.0);
    for (const IsaLevel level : kLevels) {
      f.at(level)(x.data(), y.data(), x.size());
      for (size_t i = 0; i < x.size(); i += 3) {
        const double exact = f.exact(static_cast<double>(x[i]));
        const auto e =
            std::find_if(f.errors.begin(), f.errors.end(), [&](const MathError& m) { return x[i] >= m.from; });
        if (e == f.errors.end() || e->absolute > 0 || !std::isfinite(exact) || !std::isfinite(y[i])) continue;
        double& worst = seen[static_cast<size_t>(e - f.errors.begin())];
        worst = std::max(worst, test::ulp_error(y[i], exact));
      }
    }
    for (size_t i = 0; i < seen.size(); ++i) {
      if (f.errors[i].absolute > 0) continue;
      EXPECT_LE(f.errors[i].ulp, 3 * seen[i]) << f.name << " from " << f.errors[i].from;
    }
  }
}

void expect_bits(const Function& f, IsaLevel level, float x, float want) {
  float y = -7;
  f.at(level)(&x, &y, 1);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(y), std::bit_cast<std::uint32_t>(want))
      << f.name << "(" << x << ") at " << TANDEM_SIMD_CALL(level, target_name)() << ": got " << y << ", want " << want;
}
const Function& function(const char* name) {
  return *std::find_if(std::begin(kFunctions), std::end(kFunctions),
                       [&](const Function& f) { return std::string(f.name) == name; });
}

TEST(SimdMath, LimitsAreExact) {
  for (const IsaLevel level : kLevels) {
    expect_bits(function("relu"), level, -0.0f, 0.0f);
    expect_bits(function("relu"), level, kInf, kInf);
    expect_bits(function("relu"), level, -kInf, 0.0f);
    expect_bits(function("exp"), level, kInf, kInf);
    expect_bits(function("exp"), level, 89.0f, kInf);
    expect_bits(function("exp"), level, -kInf, 0.0f);
    expect_bits(function("exp"), level, -104.0f, 0.0f);
    expect_bits(function("exp"), level, -103.0f, 0x1p-149f);
    expect_bits(function("exp"), level, 0.0f, 1.0f);
    expect_bits(function("exp"), level, -0.0f, 1.0f);
    expect_bits(function("sigmoid"), level, kInf, 1.0f);
    expect_bits(function("sigmoid"), level, -kInf, 0.0f);
    expect_bits(function("sigmoid"), level, 0.0f, 0.5f);
    expect_bits(function("tanh"), level, kInf, 1.0f);
    expect_bits(function("tanh"), level, -kInf, -1.0f);
    expect_bits(function("tanh"), level, 0.0f, 0.0f);
    expect_bits(function("tanh"), level, -0.0f, -0.0f);
    expect_bits(function("log"), level, 0.0f, -kInf);
    expect_bits(function("log"), level, kInf, kInf);
    expect_bits(function("log"), level, 1.0f, 0.0f);
    for (const char* name : {"silu", "gelu_erf", "gelu_tanh", "gelu_sigmoid"}) {
      expect_bits(function(name), level, kInf, kInf);
      expect_bits(function(name), level, 0.0f, 0.0f);
      for (const float x : {-kInf, -std::numeric_limits<float>::max(), -120.0f}) {
        float y = -7;
        function(name).at(level)(&x, &y, 1);
        EXPECT_EQ(y, 0.0f) << name << "(" << x << ")";
      }
    }
  }
}

TEST(SimdMath, AVectorAndABatchGiveTheSameBits) {
  const std::vector<float> all = arguments();
  for (const Function& f : kFunctions)
    for (const IsaLevel level : kLevels) {
      // 64 copies of one argument: every lane of a batch and of a single vector.
      for (size_t i = 0; i < all.size(); i += 40009) {
        float x[64], y[64];
        std::fill(std::begin(x), std::end(x), all[i]);
        f.at(level)(x, y, 64);
        for (const float v : y)
          ASSERT_EQ(std::bit_cast<std::uint32_t>(v), std::bit_cast<std::uint32_t>(y[0]))
              << f.name << "(" << all[i] << ")";
      }
    }
}

TEST(SimdDispatch, TheBestTargetThatIsCompiledAndAllowedIsTaken) {
#if HWY_ARCH_X86
  const std::int64_t compiled = HWY_SCALAR | HWY_SSE4 | HWY_AVX2 | HWY_AVX3;
  const auto index = [&](std::int64_t allowed) { return simd_table_index(compiled, HWY_SCALAR, allowed); };
  EXPECT_LT(index(HWY_AVX3 | HWY_AVX2 | HWY_SSE4), index(HWY_AVX2 | HWY_SSE4));
  EXPECT_LT(index(HWY_AVX2 | HWY_SSE4), index(HWY_SSE4));
  EXPECT_LT(index(HWY_SSE4), index(0));
  EXPECT_EQ(index(HWY_AVX2), simd_table_index(HWY_SCALAR | HWY_AVX2, HWY_SCALAR, HWY_AVX3 | HWY_AVX2));
  EXPECT_EQ(simd_table_index(HWY_AVX3, HWY_AVX3, 0), 0u);  // one target: a table of one
  // A level never brings in a target that a lower one lacks.
  for (int level = 0; level < 3; ++level) {
    const std::int64_t lower = simd_targets(static_cast<IsaLevel>(level));
    EXPECT_EQ(lower & simd_targets(static_cast<IsaLevel>(level + 1)), lower);
  }
  EXPECT_EQ(simd_targets(IsaLevel::avx2) & HWY_AVX3, 0);
  EXPECT_EQ(simd_targets(IsaLevel::sse4) & HWY_AVX2, 0);
  EXPECT_EQ(simd_targets(IsaLevel::scalar) & HWY_SSE4, 0);
#endif
}

}  // namespace
}  // namespace tandem::cpu
#endif
