// s16 x s16 with AVX2: what 8-bit integers become where there is no instruction for them. Pairs are summed in 32 bits,
// exactly.
#include "cpu/dot/dot.h"

#if defined(__AVX2__)
#include <immintrin.h>

namespace tandem::cpu {
namespace {

struct Isa {
  using Vec = __m256i;
  static constexpr int kMr = 6, kVectors = 2, kLanes = 8, kGroup = 2;
  static constexpr bool kExact = false;  // a multiplication and an addition need no more chains
  static Vec zero() { return _mm256_setzero_si256(); }
  static Vec load(const void* p) { return _mm256_loadu_si256(static_cast<const Vec*>(p)); }
  static Vec broadcast(const void* p) { return _mm256_set1_epi32(*static_cast<const int32_t*>(p)); }
  static void store(void* p, Vec v) { _mm256_storeu_si256(static_cast<Vec*>(p), v); }
  static Vec add(Vec a, Vec b) { return _mm256_add_epi32(a, b); }
  // In one piece, so that sums and products are neither taken apart nor merged.
  static void dot(Vec& sum, Vec a, Vec b) {
    Vec product;
    asm("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(sum), "=&x"(product) : "x"(a), "x"(b));
  }
  static constexpr int kRegisters = 14, kSpan = 16, kFewBytes = 2;  // one for products, one for the row of the many
  template <Signs kSigns>
  static Vec load_many(const void* p) {
    const __m128i bytes = _mm_loadu_si128(static_cast<const __m128i*>(p));
    return kSigns == Signs::few ? _mm256_cvtepu8_epi16(bytes) : _mm256_cvtepi8_epi16(bytes);
  }
  static __m256i half(Vec v) { return v; }
};

#include "cpu/dot/tile-inl.h"
//
#include "cpu/dot/dots-inl.h"

}  // namespace

const DotTiles s16_avx2 = {
    Isa::kMr, Isa::kVectors, Isa::kLanes, kTiles.at, nullptr, 0, &run, {kDots.at, Isa::kSpan, 2, false}};

}  // namespace tandem::cpu

#else

namespace tandem::cpu {
const DotTiles s16_avx2;
}  // namespace tandem::cpu

#endif
