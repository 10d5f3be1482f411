#include "cpu/gemm/gemm.h"

#include <algorithm>
#include <utility>

#include "common/core/bf16.h"
#include "common/core/thread_pool.h"
#include "cpu/gemm/packed.h"
#include "cpu/gemm/plan.h"
#include "cpu/gemm/sweep_part.h"
#include "cpu/gemm/threads.h"

namespace tandem::cpu {
namespace {

void prefetch(const char* p) {
#if defined(__GNUC__)
  __builtin_prefetch(p, 1);
#else
  (void)p;
#endif
}

// The rows of a block in equal panels of at most mr: base + 1 rows in the first `longer`, base in the others.
struct RowPanels {
  RowPanels(std::int64_t rows, std::int64_t mr) : count(ceil_div(rows, mr)), base(rows / count), longer(rows % count) {}
  std::int64_t count, base, longer;
  std::int64_t rows(std::int64_t panel) const { return base + (panel < longer ? 1 : 0); }
};

struct BlockOfK {
  std::int64_t begin = 0, words = 0;
  bool first = true, last = true;
};

// What a tile's rows and columns add up to, where the store wants to know.
struct Sums {
  const std::int32_t *rows = nullptr, *columns = nullptr;
};

// One tile to c: written by the micro-kernel itself where it may, else through a buffer and the fused store. `args`
// lacks only what belongs to c.
void tile(const Plan& plan, const Item& item, const BlockOfK& block, std::int64_t i, std::int64_t rows, std::int64_t j,
          std::int64_t columns, Sums sums, TileArgs& args) {
  const GemmSet& set = *plan.set;
  const std::int64_t vectors = ceil_div(columns, set.lanes);
  const std::int64_t which = (rows - 1) * set.vectors + vectors - 1;
  const auto& c = plan.args->c;
  char* at = item.c + (i * c.row + j * c.col) * plan.c_element;
  args.last = columns - (vectors - 1) * set.lanes;
  const MicroKernel kernel = (args.a_step == 1 ? set.tiles_along_k : set.tiles)[which];
  if (plan.call.direct && (set.masks || args.last == set.lanes)) {
    args.c = at;
    args.c_row = c.row;
    args.accumulate = !block.first;
    const auto& bias = plan.args->bias;
    args.bias = block.first && bias.data != nullptr ? static_cast<const float*>(bias.data) + j : nullptr;
    args.relu = block.last && plan.args->activation == Activation::relu;
    kernel(args);
    return;
  }
  // c on its way into the cache while the tile is computed.
  if (plan.fetches_c)
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t byte = 0; byte < columns * plan.c_element; byte += kLine)
        prefetch(at + r * c.row * plan.c_element + byte);
  alignas(kLine) float buffer[kMaxTileWords];
  args.c = buffer;
  args.c_row = vectors * set.lanes;
  args.accumulate = false;
  kernel(args);
  StoreArgs store;
  store.tile = buffer;
  store.tile_row = args.c_row;
  store.rows = rows;
  store.columns = columns;
  store.i = i;
  store.j = j;
  store.c = at;
  store.first = block.first;
  store.last = block.last;
  store.args = plan.call.fused;
  store.row_sums = sums.rows;
  store.column_sums = sums.columns;
  set.store(store);
}

// The panels of b for one block of a: in place, or packed, the next one while the tiles of the present one are
// computed.
struct ColumnPanels {
  const Plan& plan;
  const char* in;        // element (begin of the block, begin of the columns) of b
  std::int64_t columns;  // of the block
  std::int64_t words, depth;
  char* out;
  const char* ready;  // packed by pack_panels(); null: not
  bool packed;        // all panels lie in `out`
  bool keeps;         // each at its own place; else two places are used in turn

  std::int64_t count() const { return ceil_div(columns, plan.set->nr()); }
  std::int64_t width(std::int64_t panel) const { return std::min(plan.set->nr(), columns - panel * plan.set->nr()); }
  std::int64_t padded(std::int64_t panel) const {
    return ready != nullptr ? plan.set->nr() : round_up(width(panel), plan.set->lanes);
  }
  bool in_place(std::int64_t panel) const {
    return !plan.packing.b && (plan.set->masks || width(panel) % plan.set->lanes == 0);
  }
  const char* source(std::int64_t panel) const {
    return element_at(in, plan, panel * plan.set->nr() * plan.args->b.col);
  }
  char* place(std::int64_t panel) const { return out + (keeps ? panel : panel % 2) * plan.set->nr() * words * kWord; }
  const char* at(std::int64_t panel) const {
    return ready != nullptr ? ready + panel * plan.set->nr() * plan.words * kWord : place(panel);
  }
  bool must_pack(std::int64_t panel) const {
    return panel < count() && ready == nullptr && !packed && !in_place(panel);
  }
  void pack(std::int64_t panel, Share rows) const {
    const auto& b = plan.args->b;
    const std::int64_t group = plan.set->group;
    plan.set->pack_b(element_at(source(panel), plan, rows.begin * group * b.row), b.col, b.row, width(panel),
                     std::min(depth, rows.end * group) - rows.begin * group, padded(panel),
                     place(panel) + rows.begin * padded(panel) * kWord);
  }
};

constexpr std::int64_t kDepthAtOnce = 64;  // words of k

// A block of a (rows x block) against a block of b.
void block_of_a(const Plan& plan, const Item& item, const BlockOfK& block, Share rows, Share columns, bool packed,
                bool keeps, Scratch scratch) {
  const GemmSet& set = *plan.set;
  const auto &a = plan.args->a, &b = plan.args->b;
  const std::int64_t depth = std::min(plan.args->k - block.begin * set.group, block.words * set.group);
  const RowPanels panels(rows.end - rows.begin, set.mr);
  const char* a_block = element_at(item.a, plan, rows.begin * a.row + block.begin * set.group * a.col);
  const std::int64_t a_width = round_up(panels.base + (panels.longer > 0 ? 1 : 0), kPanelStep);
  const std::int64_t a_panel = a_width * block.words * kWord;
  if (plan.packing.a) {
    // Of an a in columns all panels take some values of k before any takes the next ones: those of each k lie on a page
    // of their own.
    const std::int64_t at_once = a.row == 1 ? kDepthAtOnce * set.group : std::max<std::int64_t>(depth, 1);
    for (std::int64_t k = 0; k < depth; k += at_once)
      for (std::int64_t p = 0, r = 0; p < panels.count; r += panels.rows(p), ++p)
        set.pack_a(element_at(a_block, plan, r * a.row + k * a.col), a.row, a.col, panels.rows(p),
                   std::min(at_once, depth - k), a_width, scratch.a + p * a_panel + k / set.group * a_width * kWord);
    for (std::int64_t p = 0; plan.call.row_sums && p < panels.count; ++p)
      add_up_rows(set, scratch.a + p * a_panel, a_width, block.words, panels.rows(p), scratch.row_sums + p * a_width);
  }
  const char* ready = plan.packed_b;
  if (ready != nullptr) ready += (columns.begin * plan.words + block.begin * set.nr()) * kWord;
  const ColumnPanels b_panels{plan,
                              element_at(item.b, plan, block.begin * set.group * b.row + columns.begin * b.col),
                              columns.end - columns.begin,
                              block.words,
                              depth,
                              scratch.b,
                              ready,
                              packed,
                              keeps};
  const auto column_sums = [&](std::int64_t q, bool is_new) -> const std::int32_t* {
    if (!plan.call.column_sums) return nullptr;
    if (ready != nullptr)
      return packed_column_sums(set, plan.args->k, plan.args->n, plan.packed_b) + columns.begin + q * set.nr();
    std::int32_t* here = scratch.column_sums + (keeps ? q * set.nr() : 0);
    if (is_new) add_up_columns(set, b_panels.place(q), b_panels.padded(q), block.words, b_panels.width(q), here);
    return here;
  };
  const auto against = [&](std::int64_t q) {
    TileArgs args;
    args.kc = block.words;
    args.b = b_panels.in_place(q) ? b_panels.source(q) : b_panels.at(q);
    args.b_step = b_panels.in_place(q) ? b.row : b_panels.padded(q);
    return args;
  };
  const auto multiply = [&](std::int64_t p, std::int64_t r, std::int64_t q, Sums sums, TileArgs& args) {
    if (plan.packing.a) {
      args.a = scratch.a + p * a_panel;
      args.a_row = 1;
      args.a_step = a_width;
    } else {
      args.a = element_at(a_block, plan, r * a.row);
      args.a_row = a.row;
      args.a_step = plan.args->k == 1 ? 1 : a.col;
    }
    if (plan.call.row_sums) sums.rows = scratch.row_sums + p * a_width;
    tile(plan, item, block, rows.begin + r, panels.rows(p), columns.begin + q * set.nr(), b_panels.width(q), sums,
         args);
  };
  if (plan.by_rows && keeps) {
    for (std::int64_t p = 0, r = 0; p < panels.count; r += panels.rows(p), ++p)
      for (std::int64_t q = 0; q < b_panels.count(); ++q) {
        if (p == 0 && b_panels.must_pack(q)) b_panels.pack(q, {0, block.words});
        TileArgs args = against(q);
        args.ahead = static_cast<const char*>(args.b);
        multiply(p, r, q, {nullptr, column_sums(q, p == 0 && !packed)}, args);
      }
    return;
  }
  // The share of the next panel that one tile takes care of.
  const std::int64_t slice = ceil_div(block.words, panels.count);
  if (b_panels.must_pack(0)) b_panels.pack(0, {0, block.words});
  for (std::int64_t q = 0; q < b_panels.count(); ++q) {
    const bool packs_next = b_panels.must_pack(q + 1);
    const Sums sums{nullptr, column_sums(q, !packed)};
    TileArgs args = against(q);
    const char* ahead = args.b == nullptr ? nullptr : static_cast<const char*>(args.b);
    if (q + 1 < b_panels.count()) {
      const bool from_b = packs_next || b_panels.in_place(q + 1);
      ahead = from_b ? b_panels.source(q + 1) : b_panels.at(q + 1);
      args.ahead_step = from_b ? b.row * set.element * set.group : b_panels.padded(q + 1) * kWord;
      args.ahead_every = 2 * std::max<std::int64_t>(1, block.words / std::max<std::int64_t>(slice, 1));
      // One tile of few rows of a against panels that came goes through all of k at once: its sums are taken in chains
      // of several steps, and the next panel follows in memory.
      if ((from_b && b.col != 1) || (ready != nullptr && panels.count == 1)) args.ahead_every = TileArgs().ahead_every;
    }
    for (std::int64_t p = 0, r = 0; p < panels.count; r += panels.rows(p), ++p) {
      const Share part{std::min(block.words, p * slice), std::min(block.words, (p + 1) * slice)};
      args.ahead = ahead + part.begin * args.ahead_step;
      multiply(p, r, q, sums, args);
      if (packs_next && part.begin < part.end) b_panels.pack(q + 1, part);
    }
  }
}

// The part rows x columns of one item.
void part(const Plan& plan, const Item& item, Share rows, Share columns, Scratch scratch) {
  const GemmSet& set = *plan.set;
  const std::int64_t m = rows.end - rows.begin;
  if (m <= 0 || columns.end <= columns.begin) return;
  const std::int64_t blocks = ceil_div(m, plan.mc);
  const std::int64_t mc = blocks == 1 ? m : round_up(ceil_div(m, blocks), set.mr);
  for (std::int64_t jc = columns.begin; jc < columns.end; jc += plan.nc) {
    const Share columns_now{jc, std::min(columns.end, jc + plan.nc)};
    std::int64_t pc = 0;
    do {  // once for k = 0 too
      const BlockOfK block{pc, std::min(plan.kc, plan.words - pc), pc == 0, pc + plan.kc >= plan.words};
      for (std::int64_t ic = rows.begin; ic < rows.end; ic += mc)
        block_of_a(plan, item, block, {ic, std::min(rows.end, ic + mc)}, columns_now, ic != rows.begin, blocks > 1,
                   scratch);
      pc += plan.kc;
    } while (pc < plan.words);
  }
}

// Few rows: the sums of some columns, then their store. Words of several values of a are packed, with a row of ones
// below them where the sums of columns are wanted.
void skinny_part(const Plan& plan, const Item& item, Share columns, Scratch scratch) {
  const GemmSet& set = *plan.set;
  const MatmulArgs& args = *plan.args;
  const std::int64_t at_once = skinny_columns(set, args.m);
  SkinnyArgs skinny;
  skinny.k = args.k;
  skinny.a = item.a;
  skinny.a_row = args.a.row;
  skinny.a_col = args.a.col;
  skinny.b_row = args.b.row;
  skinny.sum = scratch.a;
  skinny.sum_row = at_once;
  StoreArgs store;
  if (set.group > 1) {
    const std::int64_t width = round_up(args.m + 1, kPanelStep);
    set.pack_a(item.a, args.a.row, args.a.col, args.m, args.k, width, scratch.a);
    auto* words = reinterpret_cast<std::int32_t*>(scratch.a);
    if (plan.call.column_sums)
      for (std::int64_t p = 0; p < plan.words; ++p) words[p * width + args.m] = set.ones;
    if (plan.call.row_sums) {
      add_up_rows(set, scratch.a, width, plan.words, args.m, scratch.row_sums);
      store.row_sums = scratch.row_sums;
    }
    skinny.a = scratch.a;
    skinny.a_row = 1;
    skinny.a_col = width;
    skinny.sum = scratch.b;
  }
  if (plan.call.column_sums) store.column_sums = static_cast<std::int32_t*>(skinny.sum) + args.m * at_once;
  store.tile = skinny.sum;
  store.tile_row = at_once;
  store.rows = args.m;
  store.args = plan.call.fused;
  const SkinnyKernel kernel = set.skinny[args.m - (plan.call.column_sums ? 0 : 1)];
  for (std::int64_t j = columns.begin; j < columns.end; j += at_once) {
    skinny.n = std::min(at_once, columns.end - j);
    skinny.b = element_at(item.b, plan, j);
    kernel(skinny);
    store.columns = skinny.n;
    store.j = j;
    store.c = item.c + j * args.c.col * plan.c_element;
    set.store(store);
  }
}

// c = a b into rows of unit stride, and nothing else but what finishing tiles do.
bool is_direct(const MatmulArgs& args, bool finishes) {
  const bool bias = args.bias.data == nullptr || (finishes && args.bias.row == 0 && args.bias.col == 1);
  const bool activation = args.activation == Activation::none || (finishes && args.activation == Activation::relu);
  return args.alpha == 1.0f && args.beta == 0.0f && bias && activation && args.c.col == 1 && args.result == DType::f32;
}

// Row by row, as DotsArgs wants a.
void copy_few(const Plan& plan, const Item& item, float* to) {
  const MatmulArgs& args = *plan.args;
  const std::int64_t row = dots_row(*plan.set, args.k), lanes = plan.set->lanes;
  for (std::int64_t i = 0; i < args.m; ++i, to += row) {
    const char* from = element_at(item.a, plan, i * args.a.row);
    if (plan.set->takes_words()) {
      for (std::int64_t p = 0; p < args.k; ++p) to[p] = reinterpret_cast<const float*>(from)[p * args.a.col];
      continue;
    }
    const auto value = [&](std::int64_t p) { return to_f32(reinterpret_cast<const Bf16*>(from)[p * args.a.col]); };
    const std::int64_t whole = args.k - args.k % (2 * lanes);
    for (std::int64_t p = 0; p < whole; p += 2 * lanes)
      for (std::int64_t q = 0; q < lanes; ++q) {
        to[p + q] = value(p + 2 * q);
        to[p + lanes + q] = value(p + 2 * q + 1);
      }
    std::fill(to + whole, to + row, 0.0f);
    for (std::int64_t p = whole; p < args.k; ++p) to[whole + p % 2 * lanes + (p - whole) / 2] = value(p);
  }
}

void dots_part(const Plan& plan, const Item& item, Share columns, Scratch scratch) {
  const MatmulArgs& args = *plan.args;
  alignas(kLine) float sums[kSkinnyRows * kDotsAtOnce];
  DotsArgs dots;
  dots.k = args.k;
  dots.a = reinterpret_cast<const float*>(item.a);
  dots.a_row = args.a.row;
  if (plan.copies_a) {
    auto* copy = reinterpret_cast<float*>(scratch.a);
    copy_few(plan, item, copy);
    dots.a = copy;
    dots.a_row = dots_row(*plan.set, args.k);
  }
  dots.b_col = args.b.col;
  StoreArgs store;
  store.tile = sums;
  store.tile_row = kDotsAtOnce;
  store.rows = args.m;
  store.args = plan.call.fused;
  for (std::int64_t j = columns.begin; j < columns.end; j += kDotsAtOnce) {
    dots.n = std::min(kDotsAtOnce, columns.end - j);
    dots.b = element_at(item.b, plan, j * args.b.col);
    char* c = item.c + j * args.c.col * plan.c_element;
    dots.sum = plan.call.direct ? reinterpret_cast<float*>(c) : sums;
    dots.sum_row = plan.call.direct ? args.c.row : kDotsAtOnce;
    plan.set->dots[args.m - 1](dots);
    if (plan.call.direct) continue;
    store.columns = dots.n;
    store.j = j;
    store.c = c;
    plan.set->store(store);
  }
}

// Threads share c as a grid of rows x columns of shares; each packs what it needs by itself, so none waits for another.
struct Grid {
  int rows = 1, columns = 1;
};
Grid best_grid(const Plan& plan, int threads) {
  const auto cost = [&](int rows) {
    const std::int64_t m = ceil_div(plan.args->m, rows);
    const std::int64_t n = round_up(ceil_div(plan.args->n, threads / rows), plan.set->lanes);
    // Multiplying, against about 6 words a cycle packed: a cost per value of k, in cycles of two vector multiply-adds.
    const bool packs_b = plan.packing.b && plan.packed_b == nullptr;
    return static_cast<double>(m * n) / (2 * plan.set->lanes) + static_cast<double>(m) / (plan.packing.a ? 6 : 24) +
           static_cast<double>(n) / (packs_b ? 6 : 24);
  };
  int best = 1;
  for (int rows = 2; rows <= threads; ++rows)
    if (threads % rows == 0 && cost(rows) < cost(best)) best = rows;
  return {best, threads / best};
}

Item item_at(const Plan& plan, std::int64_t index) {
  const MatmulArgs& args = *plan.args;
  std::int64_t at[3] = {};
  if (args.batch.rank > 0) args.batch.offsets(index, args.batch.rank, at);
  return {element_at(static_cast<const char*>(args.a.data), plan, at[0]),
          element_at(static_cast<const char*>(args.b.data), plan, at[1]),
          static_cast<char*>(args.c.data) + at[2] * plan.c_element};
}

// Participant t of n: its items when there are enough of them, else its cell of the grid in every item.
void participate(const Plan& plan, int t, int n, Scratch scratch) {
  const std::int64_t items = plan.args->batch.elements;
  const bool by_items = items % n == 0 || items >= 4 * n;
  const Share mine = by_items ? share_of(items, 1, t, n) : Share{0, items};
  const Grid grid = by_items ? Grid{} : plan.skinny || plan.dots ? Grid{1, n} : best_grid(plan, n);
  const int cell = by_items ? 0 : t;
  const Share rows = share_of(plan.args->m, 1, cell / grid.columns, grid.rows);
  const bool whole_panels = plan.packed_b != nullptr || plan.set->sweep != nullptr;
  const std::int64_t step = plan.dots      ? kDotsStep
                            : plan.skinny  ? skinny_step(*plan.set)
                            : whole_panels ? plan.set->nr()
                                           : plan.set->lanes;
  const Share columns = share_of(plan.args->n, step, cell % grid.columns, grid.columns);
  if (plan.set->enter != nullptr) plan.set->enter();
  for (std::int64_t i = mine.begin; i < mine.end; ++i) {
    if (plan.dots) {
      dots_part(plan, item_at(plan, i), columns, scratch);
    } else if (plan.skinny) {
      skinny_part(plan, item_at(plan, i), columns, scratch);
    } else {
      (plan.set->sweep != nullptr ? sweep_part : part)(plan, item_at(plan, i), rows, columns, scratch);
    }
  }
  if (plan.set->leave != nullptr) plan.set->leave();
}

}  // namespace

std::size_t gemm_workspace(const GemmSet& set, std::int64_t m, std::int64_t n, std::int64_t k, const Machine& machine) {
  const MatmulBlocking blocking = blocking_of(set, machine.cpu, ceil_div(k, set.group));
  const std::size_t as_it_is = scratch_words(set, machine.cpu, blocking, m, n, k).bytes();
  const std::size_t when_turned = scratch_words(set, machine.cpu, blocking, n, m, k).bytes();
  return std::max(as_it_is, when_turned) * static_cast<std::size_t>(machine.cpu.threads);
}

void gemm(const GemmSet& set, const MatmulArgs& args, const GemmCall& call, const Queue& queue, Workspace workspace) {
  const CpuInfo& cpu = queue.machine->cpu;
  Plan plan;
  plan.set = &set;
  plan.args = &args;
  plan.call = call;
  if (plan.call.fused == nullptr) plan.call.fused = &args;
  if (has_panels(set, args.packed_b, args.packed_panel)) plan.packed_b = static_cast<const char*>(args.packed_b);
  const bool streams = streams_b(set, plan.packed_b != nullptr);
  MatmulArgs other;
  plan.dots = plan.packed_b == nullptr && takes_dots(set, args.m, args.n, args.k, args.a.col == 1, args.b.row == 1);
  if (plan.dots && args.n < args.m) {
    other = turned(args);
    plan.args = &other;
    plan.call = {.fused = &other};
  }
  plan.copies_a = plan.args->a.col != 1 || !set.takes_words();
  if (plan.dots) plan.call.direct = is_direct(*plan.args, false);
  plan.skinny = !plan.dots && streams && args.b.col == 1 && is_skinny_size(set, args.m, args.n, args.k, cpu);
  plan.c_element = static_cast<std::int64_t>(size_of(args.result));
  plan.words = ceil_div(args.k, set.group);
  // From L2 it comes soon enough.
  plan.fetches_c = args.m * args.n * plan.c_element > cpu.l2_bytes / 2;
  MatmulBlocking blocking = blocking_of(set, cpu, plan.words);
  if (set.takes_words() && is_thin(args, blocking))
    blocking.kc =
        plan.packed_b == nullptr ? thin_depth(args, blocking, cpu) : std::max<std::int64_t>(blocking.kc / 2, 1);
  plan.packing = {should_pack_a(set, args, cpu), plan.packed_b != nullptr || should_pack_b(set, args, blocking, cpu)};
  plan.mc = blocking.mc;
  plan.nc = blocking.nc;
  // A short k leaves most of the work to a large c, which is then written row by row, while L2 holds b: 1512x964x4 of
  // f32 or s8 takes half as long on a Xeon. Only with several blocks of a: for a single one the scratch has room for
  // two panels of b.
  constexpr std::int64_t kShort = 32;
  plan.by_rows = plan.fetches_c && plan.words <= kShort && args.n * plan.words * kWord <= cpu.l2_bytes / 4;
  // Where a is small, so is a block of a b that has to be packed: else a, b and the block do not fit L2 together.
  // 16x1024x1024 of s8 took 58 us so and 83 in blocks of half of L2, 64x1024x1024 of bf16 254 and 341. A b that does
  // not fit L2 anyway, and whose rows fall into few sets of the caches, is better read along longer parts of its rows:
  // 16x4096x4096 of s8 took 2.4 ms so and 4.1 in the smaller blocks.
  if (set.sweep != nullptr && plan.packed_b == nullptr && args.m * plan.words * kWord <= cpu.l2_bytes / 4) {
    constexpr int kRowsRead = 64;  // while a line is still needed for the next panel
    const bool along = args.b.col == 1 && args.k * args.n * set.element > cpu.l2_bytes &&
                       rows_collide(args.b.row * set.element, kRowsRead);
    plan.nc = std::min(plan.nc, round_up(cpu.l2_bytes / (along ? 4 : 16) / (plan.words * kWord + 1) + 1, set.nr()));
  }
  plan.kc = plan.words == 0 ? 1 : ceil_div(plan.words, ceil_div(plan.words, blocking.kc));
  const ScratchWords words = scratch_words(set, cpu, blocking, args.m, args.n, args.k);
  const auto scratch = [&](int t) {
    char* base = static_cast<char*>(workspace.data) + static_cast<std::size_t>(t) * words.bytes();
    char* b = base + words.a * kWord;
    auto* sums = reinterpret_cast<std::int32_t*>(b + words.b * kWord);
    return Scratch{base, b, sums, sums + words.row_sums};
  };
  // A word of several values takes the time of one.
  const int threads = threads_worth(matmul_flops(args) / set.group, queue);
  if (threads == 1) {
    participate(plan, 0, 1, scratch(0));
  } else {
    queue.pool->run(threads, [&](int t, int n) { participate(plan, t, n, scratch(t)); });
  }
}

void run_matmul(const GemmSet& set, const MatmulArgs& args, const Queue& queue, Workspace workspace) {
  if (args.m == 0 || args.n == 0 || args.batch.elements == 0) return;
  if (is_better_turned(set, args, queue.machine->cpu)) return run_matmul(set, turned(args), queue, workspace);
  gemm(set, args, {.direct = is_direct(args, set.finishes)}, queue, workspace);
}

}  // namespace tandem::cpu
