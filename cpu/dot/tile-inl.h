// The micro-kernels of one instruction set. Included by its file, inside that file's anonymous namespace, after
//
//   struct Isa {
//     using Vec;                                 // of words
//     static constexpr int kMr, kVectors, kLanes, kGroup;  // kGroup: values a word
//     static constexpr bool kExact;              // sums may be taken in any order
//     static Vec zero(), load(const void*), broadcast(const void*);
//     static void store(void*, Vec);
//     static Vec add(Vec, Vec);
//     static void dot(Vec& sum, Vec a, Vec b);
//   };
//
// Everything here must stay in that anonymous namespace: an inline function that another file could link to would bring
// instructions there that its CPU may lack.

#define TANDEM_DOT_INLINE inline __attribute__((always_inline))

template <int kRows, int kCols, int kChains>
TANDEM_DOT_INLINE void step(Isa::Vec (&sum)[kChains][kRows][kCols], int chain, const char* a, const char* b) {
  constexpr int kBytes = 4 * Isa::kLanes;
  Isa::Vec bv[kCols];
#pragma GCC unroll 4
  for (int j = 0; j < kCols; ++j) bv[j] = Isa::load(b + kBytes * j);
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
    const Isa::Vec x = Isa::broadcast(a + 4 * i);
#pragma GCC unroll 4
    for (int j = 0; j < kCols; ++j) Isa::dot(sum[chain][i][j], x, bv[j]);
  }
}

// Few accumulators wait for each other's latency: exact sums are taken in several chains.
template <int kRows, int kCols>
constexpr int chains_of() {
  return Isa::kExact && 4 * kRows * kCols <= Isa::kMr * Isa::kVectors ? 4 : 1;
}

template <int kRows, int kCols>
void tile(const TileArgs& args) {
  constexpr int kChains = chains_of<kRows, kCols>();
  constexpr int64_t kAhead = 8192, kAheadOfA = 16;  // bytes; steps
  const int64_t ahead_step = args.ahead_step;
  int64_t a_step = 4 * args.a_step, b_step = 4 * args.b_step, soon = kAheadOfA * a_step;
  const int64_t ahead_every = args.ahead_every;
  const char *a = static_cast<const char*>(args.a), *b = static_cast<const char*>(args.b), *ahead = args.ahead;
  Isa::Vec sum[kChains][kRows][kCols];
#pragma GCC unroll 4
  for (int q = 0; q < kChains; ++q)
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
      for (int j = 0; j < kCols; ++j) sum[q][i][j] = Isa::zero();
  for (int64_t left = args.kc; left > 0;) {
    int64_t steps = left < ahead_every ? left : ahead_every;
    left -= steps;
#pragma GCC unroll 2
    for (int r = 0; r < 2; ++r) {
      __builtin_prefetch(ahead, 0, 2);
      __builtin_prefetch(ahead + 64, 0, 2);
      __builtin_prefetch(ahead + 124, 0, 2);
      ahead += ahead_step;
    }
    if (kChains > 1)
      for (; steps >= kChains; steps -= kChains) {
#pragma GCC unroll 4
        for (int q = 0; q < kChains; ++q) {
          // Few rows wait for b: more lines of it are on their way than the hardware asks for.
          __builtin_prefetch(b + q * b_step + kAhead);
          if (kCols * Isa::kLanes > 16) __builtin_prefetch(b + q * b_step + kAhead + 64);
          step<kRows, kCols, kChains>(sum, q, a + q * a_step, b + q * b_step);
        }
        a += kChains * a_step;
        b += kChains * b_step;
      }
    // Two at a time: what moves the pointers takes ports of the products.
    for (; steps >= 2; steps -= 2) {
      __builtin_prefetch(a + soon);
      step<kRows, kCols, kChains>(sum, 0, a, b);
      step<kRows, kCols, kChains>(sum, 0, a + a_step, b + b_step);
      a += 2 * a_step;
      b += 2 * b_step;
      // Else the addresses of the second step have a register each.
      asm("" : "+r"(a), "+r"(b), "+r"(a_step), "+r"(b_step), "+r"(soon));
    }
    if (steps > 0) {
      step<kRows, kCols, kChains>(sum, 0, a, b);
      a += a_step;
      b += b_step;
    }
  }
  char* c = static_cast<char*>(args.c);
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kCols; ++j) {
#pragma GCC unroll 4
      for (int q = 1; q < kChains; ++q) sum[0][i][j] = Isa::add(sum[0][i][j], sum[q][i][j]);
      Isa::store(c + 4 * (i * args.c_row + Isa::kLanes * j), sum[0][i][j]);
    }
  }
}

struct Tiles {
  MicroKernel at[Isa::kMr * Isa::kVectors];
};
template <int kCount>
constexpr void fill(Tiles& tiles) {
  if constexpr (kCount > 0) {
    fill<kCount - 1>(tiles);
    tiles.at[kCount - 1] = &tile<(kCount - 1) / Isa::kVectors + 1, (kCount - 1) % Isa::kVectors + 1>;
  }
}
constexpr Tiles all_tiles() {
  Tiles tiles{};
  fill<Isa::kMr * Isa::kVectors>(tiles);
  return tiles;
}
constexpr Tiles kTiles = all_tiles();

// Independent chains; returns multiply-adds of single values, of which a word holds kGroup.
double run(int64_t steps) {
  constexpr int kSums = Isa::kMr > 12 ? 24 : 12;  // registers to spare, or not
  alignas(64) int32_t words[16], starts[kSums];
  for (int i = 0; i < 16; ++i) words[i] = 0x3c013c01;
  for (int i = 0; i < kSums; ++i) starts[i] = i;  // else a compiler makes one chain of them all
  asm volatile("" : : "r"(words), "r"(starts) : "memory");
  const Isa::Vec x = Isa::load(words), y = x;
  Isa::Vec sum[kSums];
#pragma GCC unroll 32
  for (int i = 0; i < kSums; ++i) sum[i] = Isa::broadcast(starts + i);
  for (int64_t s = 0; s < steps; ++s) {
#pragma GCC unroll 32
    for (int i = 0; i < kSums; ++i) Isa::dot(sum[i], x, y);
  }
#pragma GCC unroll 32
  for (int i = 1; i < kSums; ++i) sum[0] = Isa::add(sum[0], sum[i]);
  Isa::store(words, sum[0]);
  volatile int32_t sink = words[0];
  (void)sink;
  return static_cast<double>(steps) * kSums * Isa::kLanes * Isa::kGroup;
}
