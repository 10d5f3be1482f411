// Packing of a for tiles of AMX, whose rows are cache lines.
// Included once a target.
#if defined(TANDEM_CPU_GEMM_PACK_LINES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_CPU_GEMM_PACK_LINES_INL_H_
#undef TANDEM_CPU_GEMM_PACK_LINES_INL_H_
#else
#define TANDEM_CPU_GEMM_PACK_LINES_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "cpu/gemm/pack-inl.h"
#include "cpu/gemm/sweep.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {

// A PackPanel of T, in another order: 16 words of k of each row after another, then the next 16, filled up with zeros.
// At most kSweepRows rows; `width` is ignored.
template <class T>
void pack_lines(const void* in_data, std::int64_t across, std::int64_t along, std::int64_t count, std::int64_t depth,
                std::int64_t /*width*/, void* out_data) {
  constexpr std::int64_t kWords = kTileSide, kRows = kSweepRows, kLine = kWords * AsTheyAre<T>::kGroup;
  const T* in = static_cast<const T*>(in_data);
  T* out = static_cast<T*>(out_data);
  for (std::int64_t p = 0; p < depth; p += kLine, in += kLine * along, out += kLine * count) {
    const std::int64_t values = std::min(kLine, depth - p);
    if (along == 1) {
      for (std::int64_t i = 0; i < count; ++i) {
        std::memcpy(out + i * kLine, in + i * across, static_cast<std::size_t>(values) * sizeof(T));
        std::fill(out + i * kLine + values, out + (i + 1) * kLine, T{});
      }
      continue;
    }
    // Words of all rows as other kernels take them, which are then transposed.
    HWY_ALIGN float words[kWords * kRows];
    if (values < kLine) std::fill(std::begin(words), std::end(words), 0.0f);
    pack_panel<AsTheyAre<T>>(in, across, along, count, values, kRows, words);
    pack_panel<AsTheyAre<float>>(words, kRows, 1, kWords, count, kWords, out);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
