// The micro-kernels of AMX, on blocks of 32 x 32 sums: two tiles of 16 rows of 64 bytes of a, two of b, four of c.
// Included by its files, inside their anonymous namespaces, for
//
//   template <int kC, int kA, int kB> void multiply();   // tile kC += tile kA times tile kB
//
// a is packed by pack_lines(): 16 words of k of each row after another, then the next 16, filled up with zeros; b lies as
// for every other micro-kernel. With a_step 0, a is one row of the same word. Rows of a beyond those that count may be
// read up to a multiple of 16: what they give is not stored.

#define TANDEM_AMX_INLINE inline __attribute__((always_inline))

constexpr int kTileRows = 16, kLineBytes = 64;

struct alignas(64) TileConfig {
  unsigned char palette = 1, start_row = 0, reserved[14] = {};
  unsigned short bytes_a_row[16] = {};
  unsigned char rows[16] = {};
};

// Tiles belong to a thread, and the system saves them for it until they are released.
void enter() {
  TileConfig config;
  for (int t = 0; t < 8; ++t) config.bytes_a_row[t] = kLineBytes, config.rows[t] = kTileRows;
  asm volatile("ldtilecfg %0" : : "m"(config));
}
void leave() { asm volatile("tilerelease"); }

// Written out, since the intrinsics of g++ do not say which memory they read and write.
template <int kTile>
TANDEM_AMX_INLINE void clear() {
  asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
}
template <int kTile>
TANDEM_AMX_INLINE void load(const char* p, int64_t row) {
  asm volatile("tileloadd (%1,%2,1), %%tmm%c0" : : "i"(kTile), "r"(p), "r"(row) : "memory");
}
template <int kTile>
TANDEM_AMX_INLINE void store(char* p, int64_t row) {
  asm volatile("tilestored %%tmm%c0, (%1,%2,1)" : : "i"(kTile), "r"(p), "r"(row) : "memory");
}

template <int kTile>
TANDEM_AMX_INLINE void store_rows(char* c, int64_t c_row, int rows) {
  if (rows >= kTileRows) return store<kTile>(c, c_row);
  alignas(64) char part[kTileRows][kLineBytes];
  store<kTile>(part[0], kLineBytes);
  for (int i = 0; i < rows; ++i) __builtin_memcpy(c + i * c_row, part[i], kLineBytes);
}

// kTall: more than 16 rows. kWide: two vectors of columns.
template <bool kTall, bool kWide>
TANDEM_AMX_INLINE void step(const char* a, int64_t a_row, const char* b, int64_t b_row) {
  load<6>(b, b_row);
  load<4>(a, a_row);
  multiply<0, 4, 6>();
  if constexpr (kWide) {
    load<7>(b + kLineBytes, b_row);
    multiply<1, 4, 7>();
  }
  if constexpr (kTall) {
    load<5>(a + kTileRows * a_row, a_row);
    multiply<2, 5, 6>();
    if constexpr (kWide) multiply<3, 5, 7>();
  }
}

template <bool kTall, bool kWide>
void product(const TileArgs& args, int rows) {
  constexpr int kBytes = (kWide ? 2 : 1) * kLineBytes;
  const char *a = static_cast<const char*>(args.a), *b = static_cast<const char*>(args.b);
  const int64_t b_row = 4 * args.b_step, c_row = 4 * args.c_row;
  int64_t a_row = kLineBytes, a_next = rows * kLineBytes;
  alignas(64) int32_t same[kTileRows];
  if (args.a_step == 0) {
    for (int32_t& word : same) __builtin_memcpy(&word, a, 4);
    a = reinterpret_cast<const char*>(same);
    a_row = a_next = 0;
  }
  clear<0>();
  if (kWide) clear<1>();
  if (kTall) clear<2>();
  if (kTall && kWide) clear<3>();
  int64_t left = args.kc;
  for (; left >= kTileRows; left -= kTileRows) {
    step<kTall, kWide>(a, a_row, b, b_row);
    a += a_next;
    b += kTileRows * b_row;
  }
  if (left > 0) {
    alignas(64) char rest[kTileRows][kBytes] = {};
    for (int64_t p = 0; p < left; ++p) __builtin_memcpy(rest[p], b + p * b_row, kBytes);
    step<kTall, kWide>(a, a_row, rest[0], kBytes);
  }
  char* c = static_cast<char*>(args.c);
  store_rows<0>(c, c_row, rows);
  if constexpr (kWide) store_rows<1>(c + kLineBytes, c_row, rows);
  if constexpr (kTall) {
    store_rows<2>(c + kTileRows * c_row, c_row, rows - kTileRows);
    if constexpr (kWide) store_rows<3>(c + kTileRows * c_row + kLineBytes, c_row, rows - kTileRows);
  }
}

template <int kRows, int kCols>
void tile(const TileArgs& args) {
  product<(kRows > kTileRows), (kCols > 1)>(args, kRows);
}

constexpr int kMr = 2 * kTileRows, kVectors = 2;
struct Tiles {
  MicroKernel at[kMr * kVectors];
};
template <int kCount>
constexpr void fill(Tiles& tiles) {
  if constexpr (kCount > 0) {
    fill<kCount - 1>(tiles);
    tiles.at[kCount - 1] = &tile<(kCount - 1) / kVectors + 1, (kCount - 1) % kVectors + 1>;
  }
}
constexpr Tiles all_tiles() {
  Tiles tiles{};
  fill<kMr * kVectors>(tiles);
  return tiles;
}
constexpr Tiles kTiles = all_tiles();

// Independent tiles; returns multiply-adds of single values, of which a word holds kGroup.
template <int kGroup>
double run(int64_t steps) {
  enter();
  clear<0>(), clear<1>(), clear<2>(), clear<3>();
  clear<4>(), clear<5>(), clear<6>(), clear<7>();
  for (int64_t s = 0; s < steps; ++s) {
    multiply<0, 4, 6>();
    multiply<1, 4, 7>();
    multiply<2, 5, 6>();
    multiply<3, 5, 7>();
  }
  leave();
  return static_cast<double>(steps) * 4 * kTileRows * kTileRows * kTileRows * kGroup;
}
