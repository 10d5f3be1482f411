// What gemm() decides before it multiplies: block sizes, scratch, what is packed, which way few rows go.
#pragma once

#include <algorithm>

#include "cpu/gemm/blocking.h"
#include "cpu/gemm/gemm.h"

namespace tandem::cpu {

constexpr std::int64_t kWord = 4;  // bytes
constexpr std::int64_t kLine = 64;
// Panels of a are as wide as a multiple of this, so that packing need not store parts of vectors.
constexpr std::int64_t kPanelStep = 4;
constexpr int kMaxTileWords = 32 * 2 * 16;

inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
inline std::int64_t round_up(std::int64_t a, std::int64_t b) { return ceil_div(a, b) * b; }
inline std::int64_t multiple_below(std::int64_t a, std::int64_t b) { return std::max(a / b, std::int64_t{1}) * b; }

// Skinny kernels work on whole blocks of so many columns.
inline std::int64_t skinny_step(const GemmSet& set) { return std::int64_t{4} * set.lanes; }

// Everything about a product that does not depend on the batch item or the thread.
struct Plan {
  const GemmSet* set = nullptr;
  const MatmulArgs* args = nullptr;
  GemmCall call;
  const char* packed_b = nullptr;  // panels that came with b
  bool skinny = false;
  bool dots = false;
  bool copies_a = false;  // of dots: into the scratch, for unit stride along k or as f32
  GemmPacking packing;
  std::int64_t c_element = kWord;  // bytes of an element of c
  std::int64_t words = 0;          // k in words
  bool fetches_c = false;          // ahead of the tiles
  bool by_rows = false;            // a panel of a goes along all panels of b, and not the other way round
  std::int64_t mc = 0, kc = 0, nc = 0;
};

struct Item {
  const char* a = nullptr;
  const char* b = nullptr;
  char* c = nullptr;
};

struct Scratch {
  char* a = nullptr;
  char* b = nullptr;
  std::int32_t *row_sums = nullptr, *column_sums = nullptr;
};

inline const char* element_at(const char* p, const Plan& plan, std::int64_t elements) {
  return p + elements * plan.set->element;
}

inline MatmulBlocking blocking_of(const GemmSet& set, const CpuInfo& cpu, std::int64_t words) {
  MatmulBlocking blocking = matmul_blocking(cpu, set.mr, set.nr());
  if (!set.takes_words() && words > blocking.kc) {  // k in one block: fewer rows and columns, for the same space
    blocking.mc = std::max<std::int64_t>(blocking.mc * blocking.kc / words, 1);
    blocking.nc = std::max<std::int64_t>(blocking.nc * blocking.kc / words, 1);
    blocking.kc = words;
  }
  if (set.sweep != nullptr) {  // a block of b stays in L2 while panels of a pass
    blocking.mc = set.mr;
    blocking.nc = std::min(blocking.nc, cpu.l2_bytes / 2 / (std::max<std::int64_t>(words, 1) * kWord));
  }
  blocking.mc = round_up(blocking.mc, set.mr);
  blocking.nc = round_up(std::max<std::int64_t>(blocking.nc, 1), set.nr());
  return blocking;
}

// Few rows, and of f32 a b that does not fit the caches. Words of several values are streamed whatever the size of b:
// else they would have to be packed, and panels of bf16 are read no faster.
inline bool is_skinny_size(const GemmSet& set, std::int64_t m, std::int64_t n, std::int64_t k, const CpuInfo& cpu) {
  if (set.skinny == nullptr) return false;
  if (set.group > 1) return m + (set.ones != 0 ? 1 : 0) <= set.skinny_rows && n >= skinny_step(set);
  return m <= kSkinnyRows && k * n * kWord > (m <= kSkinnyCachedRows ? cpu.l2_bytes / 2 : cpu.l3_bytes);
}

// Whether panels of b came that are as wide as those of the set, and of the words that it multiplies: others are packed
// for one call only.
inline bool has_panels(const GemmSet& set, const void* packed, std::int64_t panel) {
  return packed != nullptr && panel == set.nr() && set.element * set.group == kWord;
}

// Whether few rows are streamed from b though panels of it came: only bytes have tiles that read panels as fast.
inline bool streams_b(const GemmSet& set, bool has_panels) { return set.ones == 0 || !has_panels; }

// Few rows or few columns: where both operands lie without gaps along k, dot products need no packing. Each ends in a
// sum over lanes, which a short k does not repay.
inline bool is_dots_size(std::int64_t m, std::int64_t n, std::int64_t k) {
  const std::int64_t few = std::min(m, n);
  return few <= kSkinnyRows && k >= 4 * few;
}
// A few columns of b without unit stride along k are copied to get it, where there are rows of a enough to repay that.
// Measured on Zen 5: 4096x2x1024 7 times as fast as in tiles, 4096x6x1024 2.3 times, 4096x8x1024 0.8 times.
inline bool copies_columns(std::int64_t m, std::int64_t n, std::int64_t k) { return n <= 6 && m >= 16 && k >= 32; }
// Of bf16 the few become f32, whatever their strides.
inline bool takes_dots(const GemmSet& set, std::int64_t m, std::int64_t n, std::int64_t k, bool a_along, bool b_along) {
  if (set.dots == nullptr || !is_dots_size(m, n, k)) return false;
  if (!set.takes_words()) return n < m ? a_along : b_along;
  return a_along && (b_along || copies_columns(m, n, k));
}
// Words of a row of the copy of the few: whole vectors, of bf16 whole blocks of two.
inline std::int64_t dots_row(const GemmSet& set, std::int64_t k) {
  return round_up(k, std::int64_t{set.takes_words() ? 1 : 2} * set.lanes);
}
constexpr std::int64_t kDotsStep = 8;     // of the many that go together
constexpr std::int64_t kDotsAtOnce = 64;  // whose sums are stored together

// Columns at a time, in a row or a few, so that the sums take 16 to 32 KiB.
inline std::int64_t skinny_columns(const GemmSet& set, std::int64_t m) {
  if (set.group > 1) return multiple_below(8192 / (m + 1), skinny_step(set));
  return m <= kSkinnyCachedRows ? 1024 : 512;
}

// Words of scratch for one thread: a block of a, and a block of b or, when it is used for one block of a only and not
// in a sweep, two panels; sums of rows and columns.
struct ScratchWords {
  std::int64_t a = 0, b = 0, row_sums = 0, column_sums = 0;
  std::size_t bytes() const {
    return static_cast<std::size_t>(round_up((a + b + row_sums + column_sums) * kWord, kLine));
  }
};
inline ScratchWords scratch_words(const GemmSet& set, const CpuInfo& cpu, const MatmulBlocking& blocking,
                                  std::int64_t m, std::int64_t n, std::int64_t k) {
  const std::int64_t words = ceil_div(k, set.group), kc = std::min(blocking.kc, words);
  const std::int64_t rows = ceil_div(std::min(blocking.mc, m), set.mr) * round_up(set.mr, kPanelStep);
  const bool one_block = m <= blocking.mc && set.sweep == nullptr;
  const std::int64_t columns = std::min(one_block ? 2 * set.nr() : blocking.nc, round_up(n, set.nr()));
  ScratchWords out{round_up(rows * round_up(kc, set.sweep != nullptr ? kTileSide : 1), kLine / kWord),
                   round_up(columns * kc, kLine / kWord)};
  if (set.ones != 0) {
    out.row_sums = round_up(rows, kLine / kWord);
    out.column_sums = columns;
  }
  if (is_skinny_size(set, m, n, k, cpu)) {  // sums instead of a block of f32, and beside a panel of other words
    const std::int64_t sums = (m + (set.group > 1 ? 1 : 0)) * skinny_columns(set, m);
    out.a = set.group > 1 ? round_up(round_up(m + 1, kPanelStep) * words, kLine / kWord) : std::max(sums, out.a);
    if (set.group > 1) out.b = std::max(sums, out.b);
  }
  if (takes_dots(set, m, n, k, true, set.takes_words() ? copies_columns(m, n, k) : true))
    out.a = std::max(out.a, round_up(std::min(m, n) * dots_row(set, k), kLine / kWord));
  return out;
}

constexpr std::int64_t kPackedFrom = 16 << 10;  // bytes of a: less fits L1 whatever its strides

// Whether the turned product is faster, for a c with unit stride along its rows or in columns.
// - A c in columns comes as the turned product, with a and b turned (common/ops/matmul.cpp). Where both lay by rows
//   they would now be packed value by value, which costs more than to store a c in columns does.
// - A few columns of b against an a of f32 in columns are better few rows against rows, which are read in place:
//   3461x10x3088 takes 2.8 ms so on a Xeon, and 16.5 packed.
inline bool is_better_turned(const GemmSet& set, std::int64_t m, std::int64_t n, std::int64_t k, bool a_in_columns,
                             bool b_in_columns, const CpuInfo& cpu) {
  if (!a_in_columns) return false;
  if (b_in_columns) return (set.takes_words() ? 2 : 4) * n <= k && !takes_dots(set, m, n, k, false, true);
  const std::int64_t a_bytes = m * k * kWord, few = a_bytes > cpu.l2_bytes / 2 ? 96 : 24;
  return set.takes_words() && a_bytes > kPackedFrom && n <= few && 2 * n <= m && 4 * n <= k;
}
inline bool is_better_turned(const GemmSet& set, const MatmulArgs& args, const CpuInfo& cpu) {
  const bool a_in_columns = args.a.row == 1 && args.a.col != 1, b_in_columns = args.b.row == 1 && args.b.col != 1;
  if (args.packed_b != nullptr || (!b_in_columns && args.c.col != 1)) return false;
  return is_better_turned(set, args.m, args.n, args.k, a_in_columns, b_in_columns, cpu);
}

// Whether the lines that the rows of a tile read at the same time fall into few sets of the L1 cache, where they would
// evict each other: a pitch near a multiple of 4 KiB.
inline bool rows_collide(std::int64_t pitch_bytes, int rows) {
  constexpr int kSets = 64, kWaysToSpare = 6;
  signed char lines[kSets] = {};
  for (int i = 0; i < rows; ++i)
    if (++lines[(i * pitch_bytes / kLine) & (kSets - 1)] > kWaysToSpare) return true;
  return false;
}

inline bool should_pack_a(const GemmSet& set, const MatmulArgs& args, const CpuInfo& cpu) {
  if (!set.takes_words()) return true;
  if (args.a.row != 1 && args.a.col != 1 && args.m > 1 && args.k > 1) return true;
  if (args.m * args.k * kWord <= kPackedFrom) return false;
  if (args.a.col != 1) return true;
  // Read from beyond L2 many times, rows side by side in a panel come sooner: on a Xeon 1500 cubed 1.04 times as fast.
  constexpr std::int64_t kManyColumns = 512;
  if (args.m * args.k * kWord > cpu.l2_bytes && args.n >= kManyColumns) return true;
  return rows_collide(args.a.row * kWord, set.mr);
}

// Few rows: one block of a, so that each panel of b is used once. It is then faster to read b where it is, each panel
// brought into L2 by the tiles of the one before.
inline bool is_thin(const MatmulArgs& args, const MatmulBlocking& blocking) {
  return args.b.col == 1 && args.m <= blocking.mc;
}

// The longest block of k then: L2 has to keep a panel and the next. Rows of b that are a multiple of a large power of
// two apart share few of its sets, the fewer as memory lies on huge pages: on a Xeon 64x4096x4096 takes 18.5 ms in
// blocks of 48 and 25 of 128, 16x1024x1024 0.30 ms of 64 and 0.37 of 256. Shorter ones read and write c too often.
inline std::int64_t thin_depth(const MatmulArgs& args, const MatmulBlocking& blocking, const CpuInfo& cpu) {
  constexpr std::int64_t kShortest = 48;
  const std::int64_t pitch = args.b.row * kWord, power = std::max<std::int64_t>(pitch & -pitch, kLine);
  const std::int64_t longest = std::max<std::int64_t>(blocking.kc / 2, 1);
  if (args.k <= 2 * kShortest || args.c.col != 1) return longest;  // else c would cost more than is gained
  const std::int64_t depth = std::clamp(cpu.l2_bytes / 8 / power, std::min(kShortest, longest), longest);
  return std::min(ceil_div(args.k, std::max<std::int64_t>(args.k / depth, 1)), longest);  // blocks alike, none shorter
}

inline bool should_pack_b(const GemmSet& set, const MatmulArgs& args, const MatmulBlocking& blocking,
                          const CpuInfo& cpu) {
  if (!set.takes_words() || args.b.col != 1) return true;
  if (is_thin(args, blocking)) return false;
  return args.k * args.b.row * kWord >= cpu.l2_bytes / 2;
}

}  // namespace tandem::cpu
