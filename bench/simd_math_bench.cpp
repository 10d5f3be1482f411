// The elementwise and softmax kernels of this library, one thread, against Eigen's packet math. This file alone is
// compiled for the host's instruction set (see CMakeLists.txt), so that Eigen is what its users get with -march=native;
// the kernels choose theirs at run time. Verified before timed; interleaved rounds, medians, ratios of one run.
//
// Errors are the largest over the whole f32 range, in units in the last place of the exact value; "abs" is the largest
// absolute error for |x| <= 100.
#define Eigen eigen_native  // keeps these instances of Eigen apart from those in the library
#include <Eigen/Core>
#include <unsupported/Eigen/SpecialFunctions>
#undef Eigen

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include <CLI/CLI.hpp>
#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <tandem/tandem.h>

#include "bench/support/program.h"
#include "bench/support/run_options.h"
#include "common/core/memory.h"
#include "common/dispatch/registry.h"
#include "common/ops/accuracy.h"
#include "common/ops/all.h"
#include "cpu/loops/shares.h"

namespace {

using namespace tandem;
using Array = eigen_native::Map<eigen_native::ArrayXf, eigen_native::Aligned64>;
using ConstArray = eigen_native::Map<const eigen_native::ArrayXf, eigen_native::Aligned64>;
using Rows =
    eigen_native::Map<eigen_native::Array<float, eigen_native::Dynamic, eigen_native::Dynamic, eigen_native::RowMajor>>;

void eigen_unary(UnaryFn fn, const float* from, float* to, std::int64_t n) {
  const ConstArray x(from, n);
  Array y(to, n);
  switch (fn) {
    case UnaryFn::relu:
      y = x.max(0.0f);
      break;
    case UnaryFn::exp:
      y = x.exp();
      break;
    case UnaryFn::tanh:
      y = x.tanh();
      break;
    case UnaryFn::sigmoid:
      y = x.logistic();
      break;
    case UnaryFn::silu:
      y = x * x.logistic();
      break;
    case UnaryFn::gelu_sigmoid:
      y = x * (1.702f * x).logistic();
      break;
    case UnaryFn::gelu_erf:
      y = 0.5f * x * (1.0f + (x * 0.70710678f).erf());
      break;
    case UnaryFn::gelu_tanh:
      y = 0.5f * x * (1.0f + (0.79788456f * (x + 0.044715f * x.cube())).tanh());
      break;
  }
}

void eigen_softmax(const float* from, float* to, std::int64_t rows, std::int64_t n) {
  const Rows x(const_cast<float*>(from), rows, n);
  Rows y(to, rows, n);
  for (std::int64_t r = 0; r < rows; ++r) {
    y.row(r) = (x.row(r) - x.row(r).maxCoeff()).exp();
    y.row(r) *= 1.0f / y.row(r).sum();
  }
}

double exact(UnaryFn fn, double x) {
  const auto sigmoid = [](double v) { return v < 0 ? std::exp(v) / (1 + std::exp(v)) : 1 / (1 + std::exp(-v)); };
  switch (fn) {
    case UnaryFn::relu:
      return std::max(x, 0.0);
    case UnaryFn::exp:
      return std::exp(x);
    case UnaryFn::tanh:
      return std::tanh(x);
    case UnaryFn::sigmoid:
      return sigmoid(x);
    case UnaryFn::silu:
      return x * sigmoid(x);
    case UnaryFn::gelu_sigmoid:
      return x * sigmoid(1.702 * x);
    case UnaryFn::gelu_erf:
      return 0.5 * x * std::erfc(-x * 0.70710678118654752440);
    case UnaryFn::gelu_tanh:
      return x * sigmoid(1.59576912160573071176 * (x + 0.044715 * x * x * x));
  }
  return 0;
}

double spacing(double y) {
  const double m = std::abs(y);
  return m < 0x1p-126 ? 0x1p-149 : std::ldexp(1.0, std::ilogb(m) - 23);
}

struct Error {
  double ulp = 0, absolute = 0;
  double bound_ratio = 0;  // error / what accuracy() allows
};
using Unary1 = std::function<void(const float*, float*, std::int64_t)>;

// Over finite arguments with finite results in f32.
Error largest_error(UnaryFn fn, const Unary1& run) {
  constexpr std::int64_t kCount = 4096;
  alignas(64) static float x[kCount], y[kCount];
  Error worst;
  std::uint64_t bits = 0;
  while (bits < (1ull << 32)) {
    std::int64_t n = 0;
    for (; n < kCount && bits < (1ull << 32); bits += 4099) {
      const float v = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
      if (std::isfinite(v)) x[n++] = v;
    }
    run(x, y, n);
    for (std::int64_t i = 0; i < n; ++i) {
      const double want = exact(fn, static_cast<double>(x[i]));
      if (!(std::abs(want) < static_cast<double>(std::numeric_limits<float>::max()))) continue;
      const double error = std::abs(static_cast<double>(y[i]) - want);
      worst.ulp = std::max(worst.ulp, error / spacing(want));
      const double magnitude = std::abs(static_cast<double>(x[i]));
      const Accuracy a = accuracy(fn);
      const double allowed = (a.ulp + a.slope * magnitude) * spacing(want) + a.argument * 0x1p-24 * magnitude;
      if (error > 0) worst.bound_ratio = std::max(worst.bound_ratio, error / allowed);
      if (std::abs(x[i]) <= 100.0f && want < 100) worst.absolute = std::max(worst.absolute, error);
    }
  }
  return worst;
}

double seconds(const std::function<void()>& f) {
  const auto begin = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}
double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}
// Medians of interleaved rounds.
std::vector<double> measure(const std::vector<std::function<void()>>& variants, int rounds) {
  std::vector<std::vector<double>> times(variants.size());
  for (int r = 0; r < rounds; ++r)
    for (std::size_t i = 0; i < variants.size(); ++i) {
      const double s = seconds(variants[i]);
      if (r >= rounds / 10) times[i].push_back(s);
    }
  std::vector<double> out;
  for (auto& t : times) out.push_back(median(std::move(t)));
  return out;
}

template <class Op>
const Kernel<Op>& kernel(const std::string& name) {
  for (const Entry<Op>& entry : table<Op>())
    if (entry.name == name) return *entry.kernel;
  std::fprintf(stderr, "no kernel %s\n", name.c_str());
  std::exit(1);
}

struct Bench {
  Context ctx;
  Queue queue;
  Bench() { queue.machine = &ctx.machine(); }

  void unary(UnaryFn fn, const float* x, float* y, std::int64_t n) const {
    static const Kernel<Unary>& k = kernel<Unary>("cpu.unary.f32.simd");
    UnaryArgs args;
    args.fn = fn;
    args.x = x;
    args.y = y;
    args.loops.rank = 1;
    args.loops.shape[0] = args.loops.elements = n;
    args.loops.strides[0][0] = args.loops.strides[1][0] = 1;
    k.run(args, queue, {});
  }
  void softmax(const float* x, float* y, std::int64_t rows, std::int64_t n) const {
    static const Kernel<Softmax>& k = kernel<Softmax>("cpu.softmax.f32.simd");
    SoftmaxArgs args;
    args.x = x;
    args.y = y;
    args.length = n;
    args.rows.rank = 1;
    args.rows.shape[0] = args.rows.elements = rows;
    args.rows.strides[0][0] = args.rows.strides[1][0] = n;
    k.run(args, queue, {});
  }
};

bool unary_table(const Bench& bench, const float* x, float* y, std::int64_t n) {
  bool right = true;
  std::printf("%-14s %10s %10s %7s %12s %12s %10s %10s   (%lld elements, uniform in [-8, 8])\n", "function", "ns/elem",
              "Eigen", "ratio", "max ulp", "Eigen", "max abs", "Eigen", static_cast<long long>(n));
  for (const UnaryFn fn : {UnaryFn::relu, UnaryFn::exp, UnaryFn::sigmoid, UnaryFn::tanh, UnaryFn::gelu_erf,
                           UnaryFn::gelu_tanh, UnaryFn::gelu_sigmoid, UnaryFn::silu}) {
    const Unary1 ours = [&](const float* a, float* b, std::int64_t k) { bench.unary(fn, a, b, k); };
    const Error error = largest_error(fn, ours);
    const Error eigen = largest_error(fn, [&](const float* a, float* b, std::int64_t k) { eigen_unary(fn, a, b, k); });
    if (error.bound_ratio > 1) {
      std::printf("%-14s WRONG: %.3g times the error that is allowed\n", std::string(name(fn)).c_str(),
                  error.bound_ratio);
      right = false;
      continue;
    }
    const auto t = measure({[&] { ours(x, y, n); }, [&] { eigen_unary(fn, x, y, n); }}, 300);
    const double per = 1e9 / static_cast<double>(n);
    std::printf("%-14s %10.4f %10.4f %7.2f %12.4g %12.4g %10.2e %10.2e\n", std::string(name(fn)).c_str(), t[0] * per,
                t[1] * per, t[1] / t[0], error.ulp, eigen.ulp, error.absolute, eigen.absolute);
  }
  return right;
}

bool softmax_row(const Bench& bench, const float* x, float* y, std::int64_t rows, std::int64_t n) {
  double worst[2] = {};
  for (int which = 0; which < 2; ++which) {
    if (which == 0) bench.softmax(x, y, rows, n);
    if (which == 1) eigen_softmax(x, y, rows, n);
    for (std::int64_t r = 0; r < rows; ++r) {
      const float* from = x + r * n;
      const double max = static_cast<double>(*std::max_element(from, from + n));
      double sum = 0;
      for (std::int64_t i = 0; i < n; ++i) sum += std::exp(static_cast<double>(from[i]) - max);
      for (std::int64_t i = 0; i < n; ++i) {
        const double want = std::exp(static_cast<double>(from[i]) - max) / sum;
        worst[which] = std::max(worst[which], std::abs(static_cast<double>(y[r * n + i]) - want) / spacing(want));
      }
    }
  }
  const std::string shape = "softmax " + std::to_string(rows) + "x" + std::to_string(n);
  if (worst[0] > 32) {
    std::printf("%-20s WRONG: %.3g ulp\n", shape.c_str(), worst[0]);
    return false;
  }
  const auto t = measure({[&] { bench.softmax(x, y, rows, n); }, [&] { eigen_softmax(x, y, rows, n); }}, 300);
  std::printf("%-20s %8.2f us, Eigen %8.2f us, ratio %5.2f; max ulp %.3g, Eigen %.3g\n", shape.c_str(), t[0] * 1e6,
              t[1] * 1e6, t[1] / t[0], worst[0], worst[1]);
  return true;
}

// The ceilings of a map: a copy with ordinary and, where the compiler has them, with non-temporal stores.
void copy(const float* x, float* y, std::int64_t n) { Array(y, n) = ConstArray(x, n); }
void copy_past_caches(const float* x, float* y, std::int64_t n) {
#if defined(__AVX512F__)
  for (std::int64_t i = 0; i + 16 <= n; i += 16) _mm512_stream_ps(y + i, _mm512_loadu_ps(x + i));
  _mm_sfence();
#else
  copy(x, y, n);
#endif
}

void relu_against_copy(const Bench& bench, std::int64_t n, int rounds) {
  const auto count = static_cast<std::size_t>(n);
  const auto x_memory = allocate_host(count * 4, 4096, "bench"), y_memory = allocate_host(count * 4, 4096, "bench");
  auto *x = static_cast<float*>(x_memory.get()), *y = static_cast<float*>(y_memory.get());
  for (std::size_t i = 0; i < count; ++i) {
    x[i] = static_cast<float>(i % 7) - 3.0f;
    y[i] = 0;
  }
  const auto relu = [&] { bench.unary(UnaryFn::relu, x, y, n); };
  const auto eigen = [&] { eigen_unary(UnaryFn::relu, x, y, n); };
  // Non-temporal stores would throw y out of the caches that a small one is measured in.
  const bool large = cpu::bypass_caches(bench.ctx.machine(), n * 8);
  auto t = measure({relu, [&] { copy(x, y, n); }, [&] { large ? copy_past_caches(x, y, n) : copy(x, y, n); }, eigen},
                   rounds);
  const double bytes = 8.0 * static_cast<double>(n) * 1e-9;
  std::printf(
      "relu %9lld elements: %6.1f GB/s; copy %6.1f, copy past the caches %6.1f, Eigen's relu %6.1f; "
      "relu / best copy %.2f, relu / Eigen %.2f\n",
      static_cast<long long>(n), bytes / t[0], bytes / t[1], bytes / t[2], bytes / t[3], std::min(t[1], t[2]) / t[0],
      t[3] / t[0]);
}

int run(int argc, const char* const* argv) {
  CLI::App app("elementwise and softmax kernels beside Eigen, one thread", "tandem-simd-math-bench");
  if (!tandem::bench::parse_command_line(app, argc, argv)) return 0;
  const Bench bench;
  constexpr std::int64_t kElements = 100000, kSoftmax = 128 * 1024;
  const auto x_memory = allocate_host(4 << 18, 4096, "bench"), y_memory = allocate_host(4 << 18, 4096, "bench");
  auto *x = static_cast<float*>(x_memory.get()), *y = static_cast<float*>(y_memory.get());
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-8, 8);
  std::generate(x, x + kSoftmax, [&] { return uniform(random); });
  std::fill(y, y + kSoftmax, 0.0f);
  std::printf("one thread, %s\n", std::string(name(bench.ctx.machine().cpu.isa)).c_str());
  bool right = unary_table(bench, x, y, kElements);
  right = softmax_row(bench, x, y, 128, 1024) && right;
  right = softmax_row(bench, x, y, 1797, 10) && right;
  relu_against_copy(bench, 100000, 2000);
  relu_against_copy(bench, 1 << 22, 100);
  relu_against_copy(bench, 40000000, 15);
  return right ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return tandem::bench::run_program("tandem-simd-math-bench", [&] { return run(argc, argv); });
}
