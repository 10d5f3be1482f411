// The order is that of few rows of a against all columns of a block of b: the rows stay in L1, the block in L2, and c
// is written along its rows. On a Xeon with AMX the other order, of the vector kernels, took 10 to 20 % longer.
#include "cpu/gemm/sweep_part.h"

#include <algorithm>

#include "cpu/gemm/packed.h"

namespace tandem::cpu {
namespace {

constexpr std::int64_t kWordsAtOnce = 16;  // of k

// Rows of a that a sweep takes where they are: whole tiles of them, and not all in the same few sets of L1, where they
// would not stay; rows without gaps between them fill all sets alike. Rows that begin within cache lines are loaded as
// fast as they would be packed, or faster.
bool in_place(const Plan& plan, std::int64_t rows) {
  const auto& a = plan.args->a;
  if (a.col != 1 || plan.call.row_sums || rows % kTileSide != 0) return false;
  return a.row == plan.args->k || !rows_collide(a.row * plan.set->element, static_cast<int>(rows));
}

// Panels of a block of b, as wide as all of them, and their sums. All panels take some rows before any takes the next
// ones: a row of b lies on a page of its own, and each panel alone would go through all of them.
void pack_block(const Plan& plan, const Item& item, Share columns, Scratch scratch) {
  const GemmSet& set = *plan.set;
  const auto& b = plan.args->b;
  const std::int64_t all = plan.args->k,
                     at_once = b.col == 1 ? kWordsAtOnce * set.group : std::max<std::int64_t>(all, 1);
  const auto panel_at = [&](std::int64_t j) { return scratch.b + (j - columns.begin) * plan.words * kWord; };
  for (std::int64_t k = 0; k < all; k += at_once)
    for (std::int64_t j = columns.begin; j < columns.end; j += set.nr())
      set.pack_b(element_at(item.b, plan, k * b.row + j * b.col), b.col, b.row, std::min(set.nr(), columns.end - j),
                 std::min(at_once, all - k), set.nr(), panel_at(j) + k / set.group * set.nr() * kWord);
  if (!plan.call.column_sums) return;
  for (std::int64_t j = columns.begin; j < columns.end; j += set.nr())
    add_up_columns(set, panel_at(j), set.nr(), plan.words, set.nr(), scratch.column_sums + (j - columns.begin));
}

// Where the sweep over `rows` finds them: packed, or in place but for what is left of k.
void take_rows(const Plan& plan, const char* a, std::int64_t rows, Scratch scratch, SweepArgs& sweep) {
  const GemmSet& set = *plan.set;
  const auto& strides = plan.args->a;
  const std::int64_t whole = sweep.steps * kTileSide * set.group;
  sweep.rows = rows;
  if (in_place(plan, rows)) {
    sweep.a = a;
    sweep.a_row = strides.row * set.element;
    sweep.a_next = kLine;
    sweep.a_rest = scratch.a;
    set.pack_a(element_at(a, plan, whole), strides.row, 1, rows, plan.args->k - whole, rows, scratch.a);
    return;
  }
  set.pack_a(a, strides.row, strides.col, rows, plan.args->k, rows, scratch.a);
  if (plan.call.row_sums) add_up_rows(set, scratch.a, rows, plan.words, rows, scratch.row_sums);
  sweep.a = scratch.a;
  sweep.a_row = kLine;
  sweep.a_next = rows * kLine;
  sweep.a_rest = scratch.a + sweep.steps * sweep.a_next;
}

}  // namespace

void sweep_part(const Plan& plan, const Item& item, Share rows, Share columns, Scratch scratch) {
  const GemmSet& set = *plan.set;
  const MatmulArgs& args = *plan.args;
  if (rows.begin >= rows.end || columns.begin >= columns.end) return;
  const std::int64_t blocks = ceil_div(columns.end - columns.begin, plan.nc);
  const std::int64_t nc = round_up(ceil_div(columns.end - columns.begin, blocks), set.nr());
  SweepArgs sweep;
  const std::int64_t step = kTileSide * set.group;
  sweep.steps = args.k / step;
  sweep.rest = ceil_div(args.k % step, set.group);
  sweep.b_panel = set.nr() * plan.words * kWord;
  sweep.store = set.store;
  sweep.to.args = plan.call.fused;
  sweep.c_row = args.c.row * plan.c_element;
  sweep.c_col = args.c.col * plan.c_element;
  if (plan.call.row_sums) sweep.to.row_sums = scratch.row_sums;
  for (std::int64_t j = columns.begin; j < columns.end; j += nc) {
    const Share block{j, std::min(columns.end, j + nc)};
    if (plan.packed_b == nullptr) pack_block(plan, item, block, scratch);
    sweep.b = plan.packed_b == nullptr ? scratch.b : plan.packed_b + j * plan.words * kWord;
    sweep.columns = block.end - block.begin;
    sweep.to.j = j;
    if (plan.call.column_sums)
      sweep.to.column_sums =
          plan.packed_b == nullptr ? scratch.column_sums : packed_column_sums(set, args.k, args.n, plan.packed_b) + j;
    for (std::int64_t i = rows.begin; i < rows.end; i += set.mr) {
      take_rows(plan, element_at(item.a, plan, i * args.a.row), std::min<std::int64_t>(set.mr, rows.end - i), scratch,
                sweep);
      sweep.to.i = i;
      sweep.to.c = item.c + i * sweep.c_row + j * sweep.c_col;
      set.sweep(sweep);
    }
  }
}

}  // namespace tandem::cpu
