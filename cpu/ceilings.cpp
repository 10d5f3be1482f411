// The arithmetic and bandwidth ceilings of one core, in the same Highway code that the kernels use.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/ceilings.cpp"  // NOLINT: re-included once a target
#include "cpu/simd/simd.h"
// simd.h first: it says which targets exist
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include "common/core/host_api.h"
#include "common/core/memory.h"
#include "cpu/dot/choose.h"

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
  for (std::size_t i = 0; i + 4 * lanes <= count; i += 4 * lanes)  // in L1, fewer at a time would count the loop
    for (std::size_t u = 0; u < 4; ++u) hn::Store(hn::Load(d, from + i + u * lanes), d, to + i + u * lanes);
}

/// Past the caches, which saves reading the lines that are overwritten.
void StreamRun(const float* from, float* to, std::size_t count) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t i = 0; i + 2 * lanes <= count; i += 2 * lanes) {
    const auto a = hn::Load(d, from + i), b = hn::Load(d, from + i + lanes);
    hn::Stream(a, d, to + i);
    hn::Stream(b, d, to + i + lanes);
  }
  hwy::FlushStream();
}

template <bool kPastCaches>
HWY_INLINE void Fill(float* to, std::size_t count) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto v = hn::Set(d, 1.f);
  for (std::size_t i = 0; i + 4 * lanes <= count; i += 4 * lanes)
    for (std::size_t u = 0; u < 4; ++u)
      if constexpr (kPastCaches)
        hn::Stream(v, d, to + i + u * lanes);
      else
        hn::Store(v, d, to + i + u * lanes);
  if constexpr (kPastCaches) hwy::FlushStream();
}
void WriteRun(float* to, std::size_t count) { Fill<false>(to, count); }
void StreamWriteRun(float* to, std::size_t count) { Fill<true>(to, count); }

/// Eight sums: with fewer, the latency of an addition would be slower than two loads a cycle.
void ReadRun(const float* from, std::size_t count) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d);
  V s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  for (std::size_t i = 0; i + 8 * lanes <= count; i += 8 * lanes) {
    const float* at = from + i;
    s0 = hn::Add(s0, hn::Load(d, at)), s1 = hn::Add(s1, hn::Load(d, at + lanes));
    s2 = hn::Add(s2, hn::Load(d, at + 2 * lanes)), s3 = hn::Add(s3, hn::Load(d, at + 3 * lanes));
    s4 = hn::Add(s4, hn::Load(d, at + 4 * lanes)), s5 = hn::Add(s5, hn::Load(d, at + 5 * lanes));
    s6 = hn::Add(s6, hn::Load(d, at + 6 * lanes)), s7 = hn::Add(s7, hn::Load(d, at + 7 * lanes));
  }
  const V sum = hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)), hn::Add(hn::Add(s4, s5), hn::Add(s6, s7)));
  volatile float sink = hn::GetLane(sum);
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
HWY_EXPORT(StreamRun);
HWY_EXPORT(ReadRun);
HWY_EXPORT(WriteRun);
HWY_EXPORT(StreamWriteRun);

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// How often `once` must run to last `seconds`.
template <class Once>
std::int64_t runs_for(double seconds, Once& once) {
  std::int64_t runs = 0;
  const double start = now();
  do {
    once();
    ++runs;
  } while (now() - start < seconds);
  return runs;
}

/// Work a second of `threads` threads that run together, in rounds: the work of all over the time from the common start
/// until the last is done. The best round of about `seconds`, and of three at least. setup(t) prepares thread t and
/// returns what it runs; `work` is that of one run.
template <class Setup>
double best_rate(double seconds, int threads, double work, Setup setup) {
  // Long enough for the clock, and for the barrier where there is one.
  const double round_seconds = threads > 1 ? 4e-3 : 50e-6;
  std::barrier gate(threads);
  std::int64_t runs = 0;  // this and the next two are written by thread 0, between barriers
  double best = 0;
  bool more = true;
  std::vector<double> starts(static_cast<std::size_t>(threads));  // the barrier lets threads go one after the other
  const auto participate = [&](int t) {
    auto once = setup(t);
    if (t == 0) runs = runs_for(round_seconds, once);
    const double begin = now();
    for (int round = 1;; ++round) {
      gate.arrive_and_wait();
      if (!more) return;
      starts[static_cast<std::size_t>(t)] = now();
      for (std::int64_t i = 0; i < runs; ++i) once();
      gate.arrive_and_wait();
      if (t != 0) continue;
      const double end = now(), start = *std::min_element(starts.begin(), starts.end());
      if (end > start) best = std::max(best, threads * static_cast<double>(runs) * work / (end - start));
      more = round < 3 || end - begin < seconds;
    }
  };
  std::vector<std::jthread> helpers;
  try {
    for (int t = 1; t < threads; ++t) helpers.emplace_back(participate, t);
  } catch (...) {  // no thread to be had: those that are there leave at their first gate
    more = false;
    (void)gate.arrive(threads - static_cast<std::ptrdiff_t>(helpers.size()));
    throw;
  }
  participate(0);
  return best;
}

/// `bytes` of memory for each thread, which the first thread that measures with it touches.
struct Pieces {
  Pieces(int threads, std::size_t each) : bytes(each), touched(static_cast<std::size_t>(threads)) {
    for (int t = 0; t < threads; ++t) memory.push_back(allocate_host(bytes, 64, "ceilings"));
  }
  int threads() const { return static_cast<int>(memory.size()); }
  float* of(int thread) {
    const auto t = static_cast<std::size_t>(thread);
    if (!touched[t]) std::memset(memory[t].get(), 0, bytes);
    touched[t] = 1;
    return static_cast<float*>(memory[t].get());
  }

 private:
  std::size_t bytes;
  std::vector<std::shared_ptr<void>> memory;
  std::vector<char> touched;
};

/// A piece of memory in parts that take their turns, so that a round need not last as long as all of a large piece. A
/// part comes again when the others have pushed it out of the caches that they do not fit. Parts are large, since the
/// best of many short rounds is what nobody gets for long: with 16 MiB it was 7 to 18 % above whole passes on a Xeon.
struct Parts {
  /// Parts of a multiple of `step` floats.
  Parts(std::size_t bytes, std::size_t step) {
    constexpr std::size_t kPart = std::size_t{256} << 20;
    parts = std::max<std::size_t>(bytes / kPart, 1);
    count = bytes / sizeof(float) / parts / step * step;
  }
  std::size_t parts = 1, count = 0;  // count: floats in a part
  double part_bytes() const { return static_cast<double>(count * sizeof(float)); }
};

/// The best rate of run(p) on each thread's own piece, p its next part; it moves `work` bytes.
template <class Run>
double rate_of_parts(Pieces& memory, const Parts& parts, double work, double seconds, Run run) {
  return best_rate(seconds, memory.threads(), work, [&](int t) {
    return [=, own = memory.of(t), part = std::size_t{0}]() mutable {
      run(own + part * parts.count);
      part = part + 1 < parts.parts ? part + 1 : 0;
    };
  });
}

/// The better rate of storing through the caches and past them: run(past_caches, p).
template <class Run>
double best_way(Pieces& memory, const Parts& parts, std::size_t bytes, double work, double seconds, Run run) {
  constexpr std::size_t kPastCaches = std::size_t{4} << 20;  // below that, storing past the caches can only lose
  double best = 0;
  for (const bool past_caches : {false, true})
    if (!past_caches || bytes >= kPastCaches)
      best = std::max(best, rate_of_parts(memory, parts, work, seconds, [=](float* p) { run(past_caches, p); }));
  return best;
}

}  // namespace

double measure_fma(IsaLevel level, double seconds, int threads) {
  // The flops of a run depend on the level; asking costs a run.
  const double flops = TANDEM_SIMD_CALL(level, FmaRun)(20000);
  return best_rate(seconds, threads, flops, [&](int) { return [level] { TANDEM_SIMD_CALL(level, FmaRun)(20000); }; });
}

double measure_dot(const CpuInfo& cpu, DType dtype, double seconds, int threads) {
  const DotTiles* dot = dtype == DType::bf16 ? fastest_bf16_dot(cpu) : fastest_s8_dot(cpu);
  if (dot == nullptr && dtype == DType::s8 && cpu.isa >= IsaLevel::avx2) dot = &s16_avx2;
  if (dot == nullptr || dot->run == nullptr) return measure_fma(cpu.isa, seconds, threads);
  constexpr std::int64_t kSteps = 20000;
  const double operations = 2 * dot->run(kSteps);
  return best_rate(seconds, threads, operations, [dot](int) { return [dot] { dot->run(kSteps); }; });
}

namespace {

double copy_rate(Pieces& memory, IsaLevel level, std::size_t bytes, double seconds) {
  const Parts parts(bytes, 64);
  const std::size_t count = parts.count, to = parts.parts * count;
  return best_way(memory, parts, bytes, 2 * parts.part_bytes(), seconds, [=](bool past_caches, float* from) {
    if (past_caches)
      TANDEM_SIMD_CALL(level, StreamRun)(from, from + to, count);
    else
      TANDEM_SIMD_CALL(level, CopyRun)(from, from + to, count);
  });
}

double write_rate(Pieces& memory, IsaLevel level, std::size_t bytes, double seconds) {
  const Parts parts(bytes, 64);
  const std::size_t count = parts.count;
  return best_way(memory, parts, bytes, parts.part_bytes(), seconds, [=](bool past_caches, float* to) {
    if (past_caches)
      TANDEM_SIMD_CALL(level, StreamWriteRun)(to, count);
    else
      TANDEM_SIMD_CALL(level, WriteRun)(to, count);
  });
}

double read_rate(Pieces& memory, IsaLevel level, std::size_t bytes, double seconds) {
  const Parts parts(bytes, 128);
  const std::size_t count = parts.count;
  return rate_of_parts(memory, parts, parts.part_bytes(), seconds, [=](const float* from) {
    TANDEM_SIMD_CALL(level, ReadRun)(from, count);
  });
}

}  // namespace

double measure_copy(IsaLevel level, std::size_t bytes, double seconds, int threads) {
  Pieces memory(threads, 2 * bytes);
  return copy_rate(memory, level, bytes, seconds);
}
double measure_read(IsaLevel level, std::size_t bytes, double seconds, int threads) {
  Pieces memory(threads, bytes);
  return read_rate(memory, level, bytes, seconds);
}
double measure_write(IsaLevel level, std::size_t bytes, double seconds, int threads) {
  Pieces memory(threads, bytes);
  return write_rate(memory, level, bytes, seconds);
}

MemoryRates measure_memory(IsaLevel level, std::size_t bytes, double seconds, int threads) {
  Pieces memory(threads, bytes);
  return {copy_rate(memory, level, bytes / 2, seconds), read_rate(memory, level, bytes, seconds),
          write_rate(memory, level, bytes, seconds)};
}

}  // namespace tandem::cpu
#endif
