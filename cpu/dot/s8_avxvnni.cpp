// u8 x s8 with AVX-VNNI, in 256 bits.
#include "cpu/dot/dot.h"

#if defined(__AVXVNNI__) && defined(__AVX2__)
#include <immintrin.h>

namespace tandem::cpu {
namespace {

struct Isa {
  using Vec = __m256i;
  static constexpr int kMr = 6, kVectors = 2, kLanes = 8, kGroup = 4;
  static constexpr bool kExact = true;
  static Vec zero() { return _mm256_setzero_si256(); }
  static Vec load(const void* p) { return _mm256_loadu_si256(static_cast<const Vec*>(p)); }
  static Vec broadcast(const void* p) { return _mm256_set1_epi32(*static_cast<const int32_t*>(p)); }
  static void store(void* p, Vec v) { _mm256_storeu_si256(static_cast<Vec*>(p), v); }
  static Vec add(Vec a, Vec b) { return _mm256_add_epi32(a, b); }
  static void dot(Vec& sum, Vec a, Vec b) { asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b)); }
  static void interleave(const Vec (&r)[4], Vec* words) {
    const Vec low01 = _mm256_unpacklo_epi8(r[0], r[1]), high01 = _mm256_unpackhi_epi8(r[0], r[1]);
    const Vec low23 = _mm256_unpacklo_epi8(r[2], r[3]), high23 = _mm256_unpackhi_epi8(r[2], r[3]);
    words[0] = _mm256_unpacklo_epi16(low01, low23);
    words[1] = _mm256_unpackhi_epi16(low01, low23);
    words[2] = _mm256_unpacklo_epi16(high01, high23);
    words[3] = _mm256_unpackhi_epi16(high01, high23);
  }
  static constexpr int kRegisters = 16, kSpan = 32, kFewBytes = 1;
  template <Signs kSigns>
  static Vec load_many(const void* p) {
    return kSigns == Signs::both ? _mm256_xor_si256(load(p), _mm256_set1_epi8(-128)) : load(p);
  }
  static __m256i half(Vec v) { return v; }
};

#include "cpu/dot/tile-inl.h"
//
#include "cpu/dot/dots-inl.h"
#include "cpu/dot/skinny-inl.h"

constexpr SkinnyKernel kSkinny[] = {&skinny<1>, &skinny<2>};  // more would not fit 16 registers

}  // namespace

const DotTiles s8_avxvnni = {
    Isa::kMr, Isa::kVectors, Isa::kLanes, kTiles.at, kSkinny, 2, &run, {kDots.at, Isa::kSpan, 1, true}};

}  // namespace tandem::cpu

#else

namespace tandem::cpu {
const DotTiles s8_avxvnni;
}  // namespace tandem::cpu

#endif
