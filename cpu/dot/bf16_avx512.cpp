// bf16 x bf16 with AVX512_BF16, summed in f32. The instruction takes denormals for zero and flushes what becomes one.
#include "cpu/dot/dot.h"

#if defined(__AVX512BF16__)
#include <immintrin.h>

namespace tandem::cpu {
namespace {

struct Isa {
  using Vec = __m512;
  static constexpr int kMr = 14, kVectors = 2, kLanes = 16, kGroup = 2;
  static constexpr bool kExact = false;
  static Vec zero() { return _mm512_setzero_ps(); }
  static Vec load(const void* p) { return _mm512_loadu_ps(p); }
  static Vec broadcast(const void* p) {
    return _mm512_castsi512_ps(_mm512_set1_epi32(*static_cast<const int32_t*>(p)));
  }
  static void store(void* p, Vec v) { _mm512_storeu_ps(p, v); }
  static Vec add(Vec a, Vec b) { return _mm512_add_ps(a, b); }
  static void dot(Vec& sum, Vec a, Vec b) { asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b)); }
  static void interleave(const Vec (&r)[2], Vec* words) {
    const __m512i r0 = _mm512_castps_si512(r[0]), r1 = _mm512_castps_si512(r[1]);
    words[0] = _mm512_castsi512_ps(_mm512_unpacklo_epi16(r0, r1));
    words[1] = _mm512_castsi512_ps(_mm512_unpackhi_epi16(r0, r1));
  }
};

#include "cpu/dot/tile-inl.h"
//
#include "cpu/dot/skinny-inl.h"

constexpr SkinnyKernel kSkinny[] = {&skinny<1>, &skinny<2>, &skinny<3>, &skinny<4>};

}  // namespace

const DotTiles bf16_avx512 = {Isa::kMr, Isa::kVectors, Isa::kLanes, kTiles.at, kSkinny, 4, &run};

}  // namespace tandem::cpu

#else

namespace tandem::cpu {
const DotTiles bf16_avx512;
}  // namespace tandem::cpu

#endif
