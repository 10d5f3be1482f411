#include "cpu/gemm/blocking.h"

#include <algorithm>
#include <atomic>

namespace tandem::cpu {
namespace {

constexpr std::int64_t kWord = 4;

std::atomic<const MatmulBlocking*> forced{nullptr};

std::int64_t multiple_below(std::int64_t value, std::int64_t step) {
  return std::max(value / step, std::int64_t{1}) * step;
}

}  // namespace

MatmulBlocking matmul_blocking(const CpuInfo& cpu, std::int64_t mr, std::int64_t nr) {
  if (const MatmulBlocking* f = forced.load(std::memory_order_acquire)) return *f;
  MatmulBlocking blocking;
  blocking.kc = std::clamp(multiple_below(cpu.l2_bytes / 6 / (nr * kWord), 64), std::int64_t{256}, std::int64_t{1024});
  // Where L2 has 2 MiB, 252 rows were some 5 % slower than 126 at 1000 cubed (s8), and alike elsewhere.
  blocking.mc = multiple_below(std::clamp(cpu.l2_bytes / 2 / (blocking.kc * kWord), 2 * mr, std::int64_t{128}), mr);
  blocking.nc = multiple_below(std::max(cpu.l3_bytes / 4 / (blocking.kc * kWord), 8 * nr), nr);
  return blocking;
}

ScopedMatmulBlocking::ScopedMatmulBlocking(const MatmulBlocking& blocking)
    : blocking_(blocking), outer_(forced.exchange(&blocking_, std::memory_order_acq_rel)) {}

ScopedMatmulBlocking::~ScopedMatmulBlocking() { forced.store(outer_, std::memory_order_release); }

}  // namespace tandem::cpu
