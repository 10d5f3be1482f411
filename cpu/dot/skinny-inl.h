// Few rows times a b in place: rows of b are read in the order of memory, four of them interleaved to words in
// registers. Included like tile-inl.h and after it; Isa has moreover
//
//     static void interleave(const Vec (&rows)[4], Vec (&words)[4]);   // bytes of four rows: see unpermuted()
//
// Sums of words that need not be in order are kept in the order that interleaving gives, and put right at the end.

constexpr int kBlockColumns = 4 * Isa::kLanes;
constexpr int kDepth = 4;  // words of k for which the sums stay in registers

// Rows of b in part: columns beyond n and values beyond k become 0.
TANDEM_DOT_INLINE void load_edge(const char* b, int64_t b_row, int64_t rows, int64_t columns, Isa::Vec (&out)[4]) {
  alignas(64) char part[4][kBlockColumns] = {};
  for (int64_t r = 0; r < 4 && r < rows; ++r)
    for (int64_t j = 0; j < columns; ++j) part[r][j] = b[r * b_row + j];
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) out[r] = Isa::load(part[r]);
}

template <int kRows, bool kWhole>
TANDEM_DOT_INLINE void skinny_block(const SkinnyArgs& args, int64_t p, int64_t depth, int64_t j) {
  constexpr int kBytes = 4 * Isa::kLanes;
  char* at = static_cast<char*>(args.sum) + 4 * j;
  Isa::Vec sum[kRows][4];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) sum[i][v] = p == 0 ? Isa::zero() : Isa::load(at + 4 * i * args.sum_row + kBytes * v);
  const char* a = static_cast<const char*>(args.a) + 4 * p * args.a_col;
  const char* b = static_cast<const char*>(args.b) + 4 * p * args.b_row + j;
  for (int64_t d = 0; d < depth; ++d) {
    Isa::Vec rows[4], words[4];
    if (kWhole) {
#pragma GCC unroll 4
      for (int r = 0; r < 4; ++r) {
        rows[r] = Isa::load(b + r * args.b_row);
        // So many rows are too many streams for the hardware.
        __builtin_prefetch(b + r * args.b_row + 1024, 0, 2);
      }
    } else {
      const int64_t columns = args.n - j;
      load_edge(b, args.b_row, args.k - 4 * (p + d), columns < kBlockColumns ? columns : kBlockColumns, rows);
    }
    b += 4 * args.b_row;
    Isa::interleave(rows, words);
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

// Vector v holds, in its 128-bit part l, columns 16 l + 4 v to 16 l + 4 v + 3 of a block.
TANDEM_DOT_INLINE void put_in_order(int32_t* block) {
  alignas(64) int32_t from[kBlockColumns];
  for (int i = 0; i < kBlockColumns; ++i) from[i] = block[i];
  for (int v = 0; v < 4; ++v)
    for (int l = 0; l < Isa::kLanes / 4; ++l)
      for (int i = 0; i < 4; ++i) block[16 * l + 4 * v + i] = from[v * Isa::kLanes + 4 * l + i];
}

template <int kRows>
void skinny(const SkinnyArgs& args) {
  const int64_t words = (args.k + 3) / 4;
  int64_t p = 0;
  do {  // once for k = 0 too
    const int64_t depth = words - p < kDepth ? words - p : kDepth;
    int64_t j = 0;
    if (4 * (p + depth) <= args.k)
      for (; j + kBlockColumns <= args.n; j += kBlockColumns) skinny_block<kRows, true>(args, p, depth, j);
    for (; j < args.n; j += kBlockColumns) skinny_block<kRows, false>(args, p, depth, j);
    p += kDepth;
  } while (p < words);
  for (int i = 0; i < kRows; ++i)
    for (int64_t j = 0; j < args.n; j += kBlockColumns)
      put_in_order(static_cast<int32_t*>(args.sum) + i * args.sum_row + j);
}
