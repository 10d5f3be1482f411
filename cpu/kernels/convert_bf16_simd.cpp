// Idea:    integer arithmetic on the upper and lower halves of a vector of f32; results that no cache would hold are
//          stored past the caches; strided operands are gathered in pieces.
// Limits:  strided elements cost several times what contiguous ones do.
// Expect:  the same bits as the reference. Bytes a second against those of relu, a copy, on an AVX2 server core, one
//          thread, 1e4 to 3e7 elements: to f32 0.9 to 1.3 times, to bf16 0.6 to 0.8 times.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/convert_bf16_simd.cpp"
#include "cpu/simd/simd.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include <hwy/cache_control.h>

#include "common/core/bf16.h"
#include "cpu/simd/bf16-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {

struct Round {
  using In = float;
  using Out = std::uint16_t;
  static Out one(In x) { return tandem::to_bf16(x).bits; }
  template <class D>
  static HWY_INLINE hn::Vec<Halves<D>> vector(D d, const In* x) {
    return round_to_bf16(d, hn::LoadU(d, x));
  }
};
struct Widen {
  using In = std::uint16_t;
  using Out = float;
  static Out one(In x) { return tandem::to_f32(Bf16{x}); }
  template <class D>
  static HWY_INLINE hn::Vec<D> vector(D d, const In* x) {
    return widen_bf16(d, hn::LoadU(Halves<D>(), x));
  }
};

// y[at .. end), whole vectors; with kStream y + at is aligned to one.
template <class How, bool kStream>
HWY_INLINE void convert_vectors(const typename How::In* x, typename How::Out* y, size_t at, size_t end) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<typename How::Out, decltype(d)> to;
  // Highway 1.0.3 streams 16 bytes of vectors that have fewer.
  constexpr bool kWhole = hn::MaxLanes(decltype(to)()) * sizeof(typename How::Out) >= 16;
  const auto one = [&](size_t i) HWY_ATTR {
    const auto v = How::vector(d, x + i);
    if constexpr (kStream && kWhole)
      hn::Stream(v, to, y + i);
    else
      hn::StoreU(v, to, y + i);
  };
  const size_t lanes = hn::Lanes(d);
  for (; at + 4 * lanes <= end; at += 4 * lanes) {
    one(at);
    one(at + lanes);
    one(at + 2 * lanes);
    one(at + 3 * lanes);
  }
  for (; at < end; at += lanes) one(at);
}

template <class How>
HWY_INLINE void convert_all(const typename How::In* x, typename How::Out* y, size_t n, bool stream) {
  const auto rest = [&](size_t at, size_t end) {
    for (; at < end; ++at) y[at] = How::one(x[at]);
  };
  const size_t lanes = hn::Lanes(hn::ScalableTag<float>()), element = sizeof(typename How::Out);
  const size_t head =
      stream ? std::min<size_t>(n, -reinterpret_cast<std::uintptr_t>(y) % (lanes * element) / element) : 0;
  const size_t end = head + (n - head) / lanes * lanes;
  rest(0, head);
  if (stream) {
    convert_vectors<How, true>(x, y, head, end);
    hwy::FlushStream();
  } else {
    convert_vectors<How, false>(x, y, head, end);
  }
  rest(end, n);
}

// y[0 .. n) = x[0 .. n), bf16 as bits.
void round_run(const float* x, std::uint16_t* y, size_t n, bool stream) { convert_all<Round>(x, y, n, stream); }
void widen_run(const std::uint16_t* x, float* y, size_t n, bool stream) { convert_all<Widen>(x, y, n, stream); }

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/convert.h"
#include "cpu/loops/shares.h"
#include "cpu/loops/walk.h"

namespace tandem::cpu {
namespace {

HWY_EXPORT(round_run);
HWY_EXPORT(widen_run);

constexpr std::int64_t kPerThread = 16384;  // elements that take about a microsecond

double cost(const ConvertProblem& p, const Machine& machine) {
  const double weight = p.contiguous ? 3 : 60;
  return cpu_seconds(machine, weight * Convert::flops(p), Convert::bytes(p), 1,
                     threads_worth(p.elements, kPerThread, machine.cpu.threads));
}

template <class In, class Out, class F>
void convert_all(const ConvertArgs& args, const Queue& queue, F convert) {
  const auto* x = static_cast<const In*>(args.x);
  auto* y = static_cast<Out*>(args.y);
  const std::int64_t elements = args.loops.elements;
  const bool contiguous = args.loops.contiguous();
  const bool stream =
      contiguous && bypass_caches(*queue.machine, elements * static_cast<std::int64_t>(sizeof(In) + sizeof(Out)));
  for_shares(queue, elements, 64, kPerThread, [&](std::int64_t begin, std::int64_t end) {
    if (contiguous) return convert(x + begin, y + begin, static_cast<std::size_t>(end - begin), stream);
    for_unit_runs(args.loops, x, y, begin, end, [&](const In* from, Out* to, std::int64_t count) {
      convert(from, to, static_cast<std::size_t>(count), false);
    });
  });
}

Code run(const ConvertArgs& args, const Queue& queue, Workspace) {
  const IsaLevel isa = queue.machine->cpu.isa;
  if (args.dtype == DType::bf16)
    convert_all<float, std::uint16_t>(args, queue, TANDEM_SIMD_CALL(isa, round_run));
  else
    convert_all<std::uint16_t, float>(args, queue, TANDEM_SIMD_CALL(isa, widen_run));
  return Code::ok;
}

}  // namespace

extern const Kernel<Convert> convert_bf16_simd;
const Kernel<Convert> convert_bf16_simd = {.needs = {},
                                           .traits = {},
                                           .supports = supports_all<Convert>,
                                           .cost = cost,
                                           .workspace = no_workspace<Convert>,
                                           .run = run};

}  // namespace tandem::cpu

#endif  // HWY_ONCE
