// u8 x s8 with AVX-512 VNNI.
#include "cpu/dot/dot.h"

#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
#include <immintrin.h>

namespace tandem::cpu {
namespace {

struct Isa {
  using Vec = __m512i;
  static constexpr int kMr = 14, kVectors = 2, kLanes = 16, kGroup = 4;
  static constexpr bool kExact = true;
  static Vec zero() { return _mm512_setzero_si512(); }
  static Vec load(const void* p) { return _mm512_loadu_si512(p); }
  static Vec broadcast(const void* p) { return _mm512_set1_epi32(*static_cast<const int32_t*>(p)); }
  static void store(void* p, Vec v) { _mm512_storeu_si512(p, v); }
  static Vec add(Vec a, Vec b) { return _mm512_add_epi32(a, b); }
  // Written out, since g++ 12 copies the accumulators of the intrinsic through memory.
  static void dot(Vec& sum, Vec a, Vec b) { asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b)); }
  static void interleave(const Vec (&r)[4], Vec* words) {
    const Vec low01 = _mm512_unpacklo_epi8(r[0], r[1]), high01 = _mm512_unpackhi_epi8(r[0], r[1]);
    const Vec low23 = _mm512_unpacklo_epi8(r[2], r[3]), high23 = _mm512_unpackhi_epi8(r[2], r[3]);
    words[0] = _mm512_unpacklo_epi16(low01, low23);
    words[1] = _mm512_unpackhi_epi16(low01, low23);
    words[2] = _mm512_unpacklo_epi16(high01, high23);
    words[3] = _mm512_unpackhi_epi16(high01, high23);
  }
  static constexpr int kRegisters = 32, kSpan = 64, kFewBytes = 1;
  template <Signs kSigns>
  static Vec load_many(const void* p) {
    return kSigns == Signs::both ? _mm512_xor_si512(load(p), _mm512_set1_epi8(-128)) : load(p);
  }
  static __m256i half(Vec v) {  // the variants with a mask, since g++ 12 warns of the others
    return _mm256_add_epi32(_mm512_maskz_extracti64x4_epi64(0xff, v, 0), _mm512_maskz_extracti64x4_epi64(0xff, v, 1));
  }
};

#include "cpu/dot/tile-inl.h"
//
#include "cpu/dot/dots-inl.h"
#include "cpu/dot/skinny-inl.h"

constexpr SkinnyKernel kSkinny[] = {&skinny<1>, &skinny<2>, &skinny<3>, &skinny<4>, &skinny<5>};

}  // namespace

const DotTiles s8_avx512vnni = {
    Isa::kMr, Isa::kVectors, Isa::kLanes, kTiles.at, kSkinny, 5, &run, {kDots.at, Isa::kSpan, 1, true}};

}  // namespace tandem::cpu

#else

namespace tandem::cpu {
const DotTiles s8_avx512vnni;
}  // namespace tandem::cpu

#endif
