// Block sizes of a matrix product, from the cache sizes of the machine.
#pragma once

#include <cstdint>

#include <tandem/machine.h>

namespace tandem::cpu {

/// A product is computed in blocks of kc values of k; of b, nc columns at a time; of a, mc rows at a time. All are
/// upper bounds: a product is cut into equal blocks no larger than these.
struct MatmulBlocking {
  std::int64_t mc = 0;
  std::int64_t kc = 0;
  std::int64_t nc = 0;
  friend bool operator==(const MatmulBlocking&, const MatmulBlocking&) = default;
};

/// kc is long, since each further block of k reads and writes c once more: one panel of b (kc x nr words, nr the width
/// of a tile) takes a sixth of L2. A block of a (mc x kc) takes at most half of L2, a block of b (nc x kc) a
/// quarter of the last-level cache. mc is a multiple of mr, nc of nr.
MatmulBlocking matmul_blocking(const CpuInfo& cpu, std::int64_t mr, std::int64_t nr);

/// While it lives, matmul_blocking() answers with these sizes. For tests and tuning: not while a product runs.
class ScopedMatmulBlocking {
 public:
  explicit ScopedMatmulBlocking(const MatmulBlocking& blocking);
  ~ScopedMatmulBlocking();
  ScopedMatmulBlocking(const ScopedMatmulBlocking&) = delete;
  ScopedMatmulBlocking& operator=(const ScopedMatmulBlocking&) = delete;

 private:
  MatmulBlocking blocking_;
  const MatmulBlocking* outer_;
};

}  // namespace tandem::cpu
