// Dot products of a few rows with many, bytes side by side along k in both: no packing. Included by the files of
// integers, inside their anonymous namespaces, after tile-inl.h, for an Isa that also has
//
//   static constexpr int kRegisters;           // vectors
//   static constexpr int kSpan, kFewBytes;     // bytes of the many a step, of a value of the few
//   static Vec load_many<Signs>(const void*);  // kSpan bytes of a row of the many
//   static __m256i half(Vec);                  // words that add up to the same, in 32 bytes

// As many of the many at a time as leave the registers to the sums, and enough chains for the latency of one.
constexpr int dots_columns(int rows) {
  constexpr int kSums = Isa::kRegisters * 3 / 4;
  return rows == 1 ? 8 : 4 * rows <= kSums ? 4 : 2 * rows <= kSums ? 2 : 1;
}

// Unsigned bytes come first in the instruction.
template <Signs kSigns>
TANDEM_DOT_INLINE void multiply(Isa::Vec& sum, Isa::Vec few, Isa::Vec many) {
  kSigns == Signs::many ? Isa::dot(sum, few, many) : Isa::dot(sum, many, few);
}

// The sum of the words of each, wrapping.
TANDEM_DOT_INLINE void store4(int32_t* to, Isa::Vec a, Isa::Vec b, Isa::Vec c, Isa::Vec d) {
  const __m256i four =
      _mm256_hadd_epi32(_mm256_hadd_epi32(Isa::half(a), Isa::half(b)), _mm256_hadd_epi32(Isa::half(c), Isa::half(d)));
  const __m128i sums = _mm_add_epi32(_mm256_castsi256_si128(four), _mm256_extracti128_si256(four, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), sums);
}

template <Signs kSigns, int kRows, int kColumns>
TANDEM_DOT_INLINE void dots_of(const IntDotsArgs& args, int64_t j) {
  constexpr int kSpan = Isa::kSpan, kFewSpan = kSpan * Isa::kFewBytes;
  const char *few = static_cast<const char*>(args.few), *many = static_cast<const char*>(args.many) + j * args.many_row;
  const int64_t few_row = args.few_row, many_row = args.many_row;
  Isa::Vec sum[kColumns][kRows];
#pragma GCC unroll 8
  for (int c = 0; c < kColumns; ++c)
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) sum[c][i] = Isa::zero();
  const auto step = [&](const char* at) __attribute__((always_inline)) {
    Isa::Vec y[kColumns];
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) y[c] = Isa::template load_many<kSigns>(at + c * many_row);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const Isa::Vec x = Isa::load(few + i * few_row);
#pragma GCC unroll 8
      for (int c = 0; c < kColumns; ++c) multiply<kSigns>(sum[c][i], x, y[c]);
    }
    few += kFewSpan;
  };
  int64_t p = 0;
  for (; p + kSpan <= args.k; p += kSpan) step(many + p);
  if (p < args.k) step(many + args.k - kSpan);  // ends at k: what it meets again, the few have zeros for
  constexpr int kCount = kRows * kColumns;
  int32_t sums[(kCount + 3) / 4 * 4];
  const auto at = [&](int q) __attribute__((always_inline)) {
    return q < kCount ? sum[q % kColumns][q / kColumns] : Isa::zero();
  };
#pragma GCC unroll 8
  for (int q = 0; q < kCount; q += 4) store4(sums + q, at(q), at(q + 1), at(q + 2), at(q + 3));
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) args.sum[i * args.sum_row + j + c] = sums[i * kColumns + c] + args.start[i];
}

template <Signs kSigns, int kRows, int kColumns>
TANDEM_DOT_INLINE void dots_from(const IntDotsArgs& args, int64_t j) {
  for (; j + kColumns <= args.count; j += kColumns) dots_of<kSigns, kRows, kColumns>(args, j);
  if constexpr (kColumns > 1) dots_from<kSigns, kRows, kColumns / 2>(args, j);
}

template <Signs kSigns, int kRows>
void dots(const IntDotsArgs& args) {
  dots_from<kSigns, kRows, dots_columns(kRows)>(args, 0);
}

struct Dots {
  IntDotsKernel at[kSignsCount * kIntDotsRows];
};
template <int kCount>
constexpr void fill(Dots& kernels) {
  if constexpr (kCount > 0) {
    fill<kCount - 1>(kernels);
    constexpr int kIndex = kCount - 1;
    kernels.at[kIndex] = &dots<static_cast<Signs>(kIndex / kIntDotsRows), kIndex % kIntDotsRows + 1>;
  }
}
constexpr Dots all_dots() {
  Dots kernels{};
  fill<kSignsCount * kIntDotsRows>(kernels);
  return kernels;
}
constexpr Dots kDots = all_dots();
