// The micro-kernels of AMX, on blocks of 32 x 32 sums: two tiles of 16 rows of 64 bytes of a, two of b, four of c.
// Included by its files, inside their anonymous namespaces, for
//
//   template <int kC, int kA, int kB> void multiply();   // tile kC += tile kA times tile kB
//
// b lies as for every other micro-kernel. Tiles of MicroKernels take an a that is packed by pack_lines(): 16 words of k
// of each row after another, then the next 16, filled up with zeros; with a_step 0, a is one row of the same word.
// Sweeps take a in place too. Rows of a beyond those that count may be read up to a multiple of 16: what they give is
// not stored.

#define TANDEM_AMX_INLINE inline __attribute__((always_inline))

constexpr int kTileRows = kTileSide, kLineBytes = 4 * kTileSide;
constexpr int64_t kBlockWords = 2 * kTileSide;

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
TANDEM_AMX_INLINE void load_once(const char* p, int64_t row) {
  asm volatile("tileloaddt1 (%1,%2,1), %%tmm%c0" : : "i"(kTile), "r"(p), "r"(row) : "memory");
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

// kTall: more than 16 rows. kWide: two vectors of columns. b is read once a sweep and a many times, so that b is loaded
// with the hint that keeps a in L1: with 1024 bytes of k a step took 26 ns so and 36 without it.
template <bool kTall, bool kWide>
TANDEM_AMX_INLINE void step(const char* a, int64_t a_row, const char* b, int64_t b_row) {
  load_once<6>(b, b_row);
  load<4>(a, a_row);
  multiply<0, 4, 6>();
  if constexpr (kWide) {
    load_once<7>(b + kLineBytes, b_row);
    multiply<1, 4, 7>();
  }
  if constexpr (kTall) {
    load<5>(a + kTileRows * a_row, a_row);
    multiply<2, 5, 6>();
    if constexpr (kWide) multiply<3, 5, 7>();
  }
}

// As in SweepArgs.
struct RowsOfA {
  const char* at;
  int64_t row, next;
  const char* rest;
  int64_t rest_row = kLineBytes;
};

// The sums of one block, in tiles 0 to 3; steps and rest as in SweepArgs. between() is called after each.
template <bool kTall, bool kWide, class Between>
TANDEM_AMX_INLINE void add_up(RowsOfA a, const char* b, int64_t b_row, int64_t steps, int64_t rest, Between between) {
  constexpr int kBytes = (kWide ? 2 : 1) * kLineBytes;
  clear<0>();
  if (kWide) clear<1>();
  if (kTall) clear<2>();
  if (kTall && kWide) clear<3>();
  for (; steps > 0; --steps) {
    step<kTall, kWide>(a.at, a.row, b, b_row);
    between();
    a.at += a.next;
    b += kTileRows * b_row;
  }
  if (rest > 0) {
    alignas(64) char last[kTileRows][kBytes] = {};
    for (int64_t p = 0; p < rest; ++p) __builtin_memcpy(last[p], b + p * b_row, kBytes);
    step<kTall, kWide>(a.rest, a.rest_row, last[0], kBytes);
    between();
  }
}

template <bool kTall, bool kWide>
TANDEM_AMX_INLINE void store_block(char* c, int64_t c_row, int rows) {
  store_rows<0>(c, c_row, rows);
  if constexpr (kWide) store_rows<1>(c + kLineBytes, c_row, rows);
  if constexpr (kTall) {
    store_rows<2>(c + kTileRows * c_row, c_row, rows - kTileRows);
    if constexpr (kWide) store_rows<3>(c + kTileRows * c_row + kLineBytes, c_row, rows - kTileRows);
  }
}

// For the sums of rows and columns.
template <bool kTall, bool kWide>
void product(const TileArgs& args, int rows) {
  const char* a = static_cast<const char*>(args.a);
  alignas(64) int32_t same[kTileRows];
  RowsOfA of_a;
  if (args.a_step == 0) {
    for (int32_t& word : same) __builtin_memcpy(&word, a, 4);
    const char* line = reinterpret_cast<const char*>(same);
    of_a = {line, 0, 0, line, 0};
  } else {
    const int64_t a_next = rows * kLineBytes;
    of_a = {a, kLineBytes, a_next, a + args.kc / kTileRows * a_next, kLineBytes};
  }
  add_up<kTall, kWide>(of_a, static_cast<const char*>(args.b), 4 * args.b_step, args.kc / kTileRows,
                       args.kc % kTileRows, [] {});
  store_block<kTall, kWide>(static_cast<char*>(args.c), 4 * args.c_row, rows);
}

template <int kRows, int kCols>
void tile(const TileArgs& args) {
  product<(kRows > kTileRows), (kCols > 1)>(args, kRows);
}

constexpr int kMr = kSweepRows, kVectors = 2;
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

// A block on its way to c: some of its rows are stored after each step of the next block, whose multiplications the
// processor does meanwhile.
class Leaving {
 public:
  explicit Leaving(const SweepArgs& args) : args_(args), to_(args.to), left_(0) {
    at_once_ = args.steps >= 16 ? 4 : 2 * kTileRows;
  }
  void begin(const int32_t* block, int64_t first, int64_t columns) {
    const StoreArgs& to = args_.to;
    to_.tile = block;
    to_.tile_row = kBlockWords;
    to_.columns = columns;
    to_.i = to.i;
    to_.j = to.j + first;
    to_.c = static_cast<char*>(to.c) + first * args_.c_col;
    to_.row_sums = to.row_sums;
    if (to.column_sums != nullptr) to_.column_sums = to.column_sums + first;
    left_ = args_.rows;
  }
  TANDEM_AMX_INLINE void some() {
    if (left_ > 0) store(left_ < at_once_ ? left_ : at_once_);
  }
  void all() {
    if (left_ > 0) store(left_);
  }

 private:
  void store(int64_t rows) {
    to_.rows = rows;
    args_.store(to_);
    left_ -= rows;
    to_.tile = static_cast<const int32_t*>(to_.tile) + rows * kBlockWords;
    to_.i += rows;
    to_.c = static_cast<char*>(to_.c) + rows * args_.c_row;
    if (to_.row_sums != nullptr) to_.row_sums += rows;
  }

  const SweepArgs& args_;
  StoreArgs to_;
  int64_t left_, at_once_;
};

template <bool kTall, bool kWide>
void sweep_block(const SweepArgs& args, const char* b, int32_t* block, Leaving& leaving) {
  add_up<kTall, kWide>({args.a, args.a_row, args.a_next, args.a_rest}, b, kBlockWords * 4, args.steps, args.rest,
                       [&leaving] { leaving.some(); });
  leaving.all();
  store_block<kTall, kWide>(reinterpret_cast<char*>(block), kBlockWords * 4, 2 * kTileRows);
}

void sweep(const SweepArgs& args) {
  alignas(64) int32_t blocks[2][2 * kTileRows * kBlockWords];
  Leaving leaving(args);
  const char* b = args.b;
  int turn = 0;
  for (int64_t j = 0; j < args.columns; j += kBlockWords, b += args.b_panel, turn ^= 1) {
    const int64_t columns = args.columns - j < kBlockWords ? args.columns - j : kBlockWords;
    const bool wide = columns > kTileRows;
    if (args.rows > kTileRows)
      (wide ? sweep_block<true, true> : sweep_block<true, false>)(args, b, blocks[turn], leaving);
    else
      (wide ? sweep_block<false, true> : sweep_block<false, false>)(args, b, blocks[turn], leaving);
    leaving.begin(blocks[turn], j, columns);
  }
  leaving.all();
}

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
