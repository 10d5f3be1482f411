// Few rows times a b in place: rows of b are read in the order of memory, as many of them as a word has values
// interleaved to words in registers. Included like tile-inl.h and after it; Isa has moreover
//
//     static void interleave(const Vec (&rows)[kGroup], Vec* words);   // values of rows to kGroup vectors of words
//
// Sums of words that need not be in order are kept in the order that interleaving gives, see put_in_order(), and put
// right at the end.

constexpr int kBlockColumns = 4 * Isa::kLanes;
constexpr int kValue = 4 / Isa::kGroup;                  // bytes
constexpr int kLoads = 4 / Isa::kGroup;                  // of a row of a block
constexpr int kLoadColumns = Isa::kGroup * Isa::kLanes;  // of one
constexpr int kDepth = 4;                                // words of k for which the sums stay in registers

// The sums of the block at `j` of `depth` words from p. Its columns of b begin at `from`. kWhole: k has all values of
// these words.
template <int kRows, bool kWhole>
TANDEM_DOT_INLINE void skinny_block(const SkinnyArgs& args, int64_t p, int64_t depth, int64_t j, int64_t from) {
  constexpr int kBytes = 4 * Isa::kLanes;
  char* at = static_cast<char*>(args.sum) + 4 * j;
  Isa::Vec sum[kRows][4];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) sum[i][v] = p == 0 ? Isa::zero() : Isa::load(at + 4 * i * args.sum_row + kBytes * v);
  const char* a = static_cast<const char*>(args.a) + 4 * p * args.a_col;
  const int64_t b_row = args.b_row * kValue;
  const char* b = static_cast<const char*>(args.b) + Isa::kGroup * p * b_row + from * kValue;
  for (int64_t d = 0; d < depth; ++d) {
    const int64_t rows_left = args.k - Isa::kGroup * (p + d);
    Isa::Vec words[4];
#pragma GCC unroll 2
    for (int h = 0; h < kLoads; ++h) {
      Isa::Vec rows[Isa::kGroup];
#pragma GCC unroll 4
      for (int r = 0; r < Isa::kGroup; ++r) {
        const char* at_row = b + r * b_row + h * kLoadColumns * kValue;
        rows[r] = kWhole || r < rows_left ? Isa::load(at_row) : Isa::zero();
        // So many rows are too many streams for the hardware.
        if (kWhole) __builtin_prefetch(at_row + 1024, 0, 2);
      }
      Isa::interleave(rows, words + h * Isa::kGroup);
    }
    b += Isa::kGroup * b_row;
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const Isa::Vec x = Isa::broadcast(a + 4 * i * args.a_row);
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) Isa::dot(sum[i][v], x, words[v]);
    }
    a += 4 * args.a_col;
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) Isa::store(at + 4 * i * args.sum_row + kBytes * v, sum[i][v]);
}

// Vector v = w + kGroup h holds, in its 128-bit part l, columns 4 kGroup l + 4 w to 4 kGroup l + 4 w + 3 of load h.
TANDEM_DOT_INLINE void put_in_order(int32_t* block) {
  alignas(64) int32_t from[kBlockColumns];
  for (int i = 0; i < kBlockColumns; ++i) from[i] = block[i];
  for (int v = 0; v < 4; ++v)
    for (int l = 0; l < Isa::kLanes / 4; ++l)
      for (int i = 0; i < 4; ++i)
        block[v / Isa::kGroup * kLoadColumns + 4 * Isa::kGroup * l + 4 * (v % Isa::kGroup) + i] =
            from[v * Isa::kLanes + 4 * l + i];
}

template <int kRows>
void skinny(const SkinnyArgs& args) {
  const int64_t words = (args.k + Isa::kGroup - 1) / Isa::kGroup;
  // The last block begins earlier where it would not be whole, and computes some columns again.
  const int64_t rest = args.n % kBlockColumns, last = args.n - rest;
  int64_t p = 0;
  do {  // once for k = 0 too
    const int64_t depth = words - p < kDepth ? words - p : kDepth;
    const bool whole = Isa::kGroup * (p + depth) <= args.k;
    for (int64_t j = 0; j < args.n; j += kBlockColumns) {
      const int64_t from = j < last ? j : args.n - kBlockColumns;
      if (whole)
        skinny_block<kRows, true>(args, p, depth, j, from);
      else
        skinny_block<kRows, false>(args, p, depth, j, from);
    }
    p += kDepth;
  } while (p < words);
  for (int i = 0; i < kRows; ++i) {
    int32_t* sum = static_cast<int32_t*>(args.sum) + i * args.sum_row;
    for (int64_t j = 0; j < args.n; j += kBlockColumns) put_in_order(sum + j);
    for (int64_t j = last; j < args.n; ++j) sum[j] = sum[j + kBlockColumns - rest];
  }
}
