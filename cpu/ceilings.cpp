// The arithmetic and bandwidth ceilings of one core, in the same Highway code that the kernels use.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/ceilings.cpp"  // NOLINT: re-included once a target
#include "cpu/simd/simd.h"
// simd.h first: it says which targets exist
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <chrono>
#include <cstring>

#include "common/core/host_api.h"
#include "common/core/memory.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// 12 independent chains of multiply-adds, `steps` times; returns the flops done.
double FmaRun(std::int64_t steps) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  const V x = hn::Set(d, 0.5f), y = hn::Set(d, 0.25f);
  // Different starts, or a compiler makes one chain of the twelve.
  V a0 = hn::Set(d, 0.f), a1 = hn::Set(d, 1.f), a2 = hn::Set(d, 2.f), a3 = hn::Set(d, 3.f), a4 = hn::Set(d, 4.f),
    a5 = hn::Set(d, 5.f), a6 = hn::Set(d, 6.f), a7 = hn::Set(d, 7.f), a8 = hn::Set(d, 8.f), a9 = hn::Set(d, 9.f),
    a10 = hn::Set(d, 10.f), a11 = hn::Set(d, 11.f);
  for (std::int64_t i = 0; i < steps; ++i) {
    // a = x a + y has no closed form that a compiler may use.
    a0 = hn::MulAdd(x, a0, y), a1 = hn::MulAdd(x, a1, y), a2 = hn::MulAdd(x, a2, y), a3 = hn::MulAdd(x, a3, y);
    a4 = hn::MulAdd(x, a4, y), a5 = hn::MulAdd(x, a5, y), a6 = hn::MulAdd(x, a6, y), a7 = hn::MulAdd(x, a7, y);
    a8 = hn::MulAdd(x, a8, y), a9 = hn::MulAdd(x, a9, y), a10 = hn::MulAdd(x, a10, y), a11 = hn::MulAdd(x, a11, y);
  }
  const V sum = hn::Add(hn::Add(hn::Add(hn::Add(a0, a1), hn::Add(a2, a3)), hn::Add(hn::Add(a4, a5), hn::Add(a6, a7))),
                        hn::Add(hn::Add(a8, a9), hn::Add(a10, a11)));
  volatile float sink = hn::GetLane(sum);
  (void)sink;
  return static_cast<double>(steps) * 24.0 * static_cast<double>(hn::Lanes(d));
}

void CopyRun(const float* from, float* to, std::size_t count) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t i = 0; i + 2 * lanes <= count; i += 2 * lanes) {
    const auto a = hn::Load(d, from + i), b = hn::Load(d, from + i + lanes);
    hn::Store(a, d, to + i);
    hn::Store(b, d, to + i + lanes);
  }
}

void ReadRun(const float* from, std::size_t count) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  auto a = hn::Zero(d), b = a, c = a, e = a;
  for (std::size_t i = 0; i + 4 * lanes <= count; i += 4 * lanes) {
    a = hn::Add(a, hn::Load(d, from + i));
    b = hn::Add(b, hn::Load(d, from + i + lanes));
    c = hn::Add(c, hn::Load(d, from + i + 2 * lanes));
    e = hn::Add(e, hn::Load(d, from + i + 3 * lanes));
  }
  volatile float sink = hn::GetLane(hn::Add(hn::Add(a, b), hn::Add(c, e)));
  (void)sink;
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tandem::cpu {
namespace {

HWY_EXPORT(FmaRun);
HWY_EXPORT(CopyRun);
HWY_EXPORT(ReadRun);

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// The best rate of repeated runs within about `seconds`, at least three.
template <class Run>
double best_rate(double seconds, Run run) {
  double best = 0;
  const double begin = now();
  for (int i = 0; i < 3 || now() - begin < seconds; ++i) {
    const double start = now();
    const double work = run();
    const double took = now() - start;
    if (took > 0) best = std::max(best, work / took);
  }
  return best;
}

/// Runs that last long enough for the clock: at least 50 us.
template <class Once>
double repeated(double work_each, Once once) {
  const double start = now();
  double work = 0;
  do {
    once();
    work += work_each;
  } while (now() - start < 50e-6);
  return work;
}

}  // namespace

double measure_fma(IsaLevel level, double seconds) {
  return best_rate(seconds, [&] { return TANDEM_SIMD_CALL(level, FmaRun)(20000); });
}

double measure_copy(IsaLevel level, std::size_t bytes, double seconds) {
  const std::shared_ptr<void> memory = allocate_host(2 * bytes, 64, "ceilings");
  std::memset(memory.get(), 0, 2 * bytes);
  auto* from = static_cast<float*>(memory.get());
  const std::size_t count = bytes / sizeof(float) / 32 * 32;
  return best_rate(seconds, [&] {
    return repeated(2.0 * static_cast<double>(count * sizeof(float)), [&] {
      TANDEM_SIMD_CALL(level, CopyRun)(from, from + count, count);
    });
  });
}

double measure_read(IsaLevel level, std::size_t bytes, double seconds) {
  const std::shared_ptr<void> memory = allocate_host(bytes, 64, "ceilings");
  std::memset(memory.get(), 0, bytes);
  const auto* from = static_cast<const float*>(memory.get());
  const std::size_t count = bytes / sizeof(float) / 64 * 64;
  return best_rate(seconds, [&] {
    return repeated(static_cast<double>(count * sizeof(float)), [&] { TANDEM_SIMD_CALL(level, ReadRun)(from, count); });
  });
}

}  // namespace tandem::cpu
#endif
