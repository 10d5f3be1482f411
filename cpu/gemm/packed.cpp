#include "cpu/gemm/packed.h"

#include <algorithm>
#include <iterator>

#include "common/core/host_api.h"
#include "cpu/gemm/plan.h"
#include "cpu/gemm/sets.h"

namespace tandem::cpu {
namespace {

std::int64_t words_of(const GemmSet& set, std::int64_t k) { return ceil_div(k, set.group); }
std::int64_t panels_of(const GemmSet& set, std::int64_t n) { return ceil_div(n, set.nr()); }

}  // namespace

std::size_t packed_bytes(const GemmSet& set, std::int64_t k, std::int64_t n) {
  const std::int64_t deep = words_of(set, k) + (set.ones != 0 ? 1 : 0);
  return static_cast<std::size_t>(panels_of(set, n) * set.nr() * deep * kWord);
}

const std::int32_t* packed_column_sums(const GemmSet& set, std::int64_t k, std::int64_t n, const void* packed) {
  return static_cast<const std::int32_t*>(packed) + panels_of(set, n) * set.nr() * words_of(set, k);
}

void add_up_columns(const GemmSet& set, const void* panel, std::int64_t step, std::int64_t words, std::int64_t columns,
                    std::int32_t* sums) {
  std::int32_t ones[kWord];  // one row of a packed a, the same word for all of k
  std::fill(std::begin(ones), std::end(ones), set.ones);
  TileArgs args;
  args.kc = words;
  args.a = ones;
  args.b = panel;
  args.b_step = step;
  args.c = sums;
  args.ahead = static_cast<const char*>(panel);
  set.tiles[ceil_div(columns, set.lanes) - 1](args);
}

void add_up_rows(const GemmSet& set, const void* panel, std::int64_t step, std::int64_t words, std::int64_t rows,
                 std::int32_t* sums) {
  // The panel times a vector of ones.
  alignas(kLine) std::int32_t ones[kLine / kWord], c[kMaxTileWords];
  std::fill(std::begin(ones), std::end(ones), set.ones);
  TileArgs args;
  args.kc = words;
  args.a = panel;
  args.a_step = step;
  args.b = ones;
  args.c = c;
  args.c_row = set.lanes;
  args.ahead = static_cast<const char*>(panel);
  set.tiles[(rows - 1) * set.vectors](args);
  for (std::int64_t i = 0; i < rows; ++i) sums[i] = c[i * set.lanes];
}

void pack_panels(const GemmSet& set, std::int64_t k, std::int64_t n, const void* b, std::int64_t row, std::int64_t col,
                 void* out) {
  const std::int64_t words = words_of(set, k), nr = set.nr();
  auto* panel = static_cast<std::int32_t*>(out);
  std::int32_t* sums = panel + panels_of(set, n) * nr * words;
  for (std::int64_t j = 0; j < n; j += nr, panel += nr * words) {
    const char* columns = static_cast<const char*>(b) + j * col * set.element;
    set.pack_b(columns, col, row, std::min(nr, n - j), k, nr, panel);
    if (set.ones != 0) add_up_columns(set, panel, nr, words, nr, sums + j);
  }
}

namespace {

/// Calls use(set) with that of the fast kernel which takes panels of this type; false where there is none.
template <class Use>
bool with_set(const CpuInfo& cpu, DType dtype, Use use) {
  if (dtype == DType::f32) return use(f32_set(cpu)), true;
  if (dtype == DType::bf16 && cpu.has_bf16_dot()) return use(bf16_set(cpu)), true;
  if (dtype == DType::s8 && cpu.has_s8_dot()) return use(s8_set(cpu, false)), true;
  return false;
}

}  // namespace

PackedLayout packed_layout(const CpuInfo& cpu, DType dtype, std::int64_t k, std::int64_t n) {
  PackedLayout layout;
  with_set(cpu, dtype, [&](const GemmSet& set) { layout = {set.nr(), packed_bytes(set, k, n)}; });
  return layout;
}

void pack_b(const CpuInfo& cpu, DType dtype, std::int64_t k, std::int64_t n, const void* b, std::int64_t row,
            std::int64_t col, void* out) {
  with_set(cpu, dtype, [&](const GemmSet& set) { pack_panels(set, k, n, b, row, col, out); });
}

}  // namespace tandem::cpu
