// The ceiling of the tensor cores: matrix instructions on registers, independent of each other; where warpgroups have
// instructions of their own, those.
#include "cuda/gemm/slab.cuh"
#include "cuda/gemm/wgmma.cuh"
#include "cuda/launch.h"
#include "cuda/measuring.cuh"

namespace tandem::gpu::measuring {
namespace {

constexpr int kTensorThreads = 256;
constexpr int kTiles = 8;  // independent sums a warp: with four warps on each quarter of a multiprocessor, enough

/// The architecture of the code that a device of this capability runs, as __CUDA_ARCH__ says it; 0: none fits.
constexpr int code_for(int capability) {
  constexpr int built[] = {__CUDA_ARCH_LIST__};
  int best = 0;
  for (const int arch : built)
    if (arch <= 10 * capability && arch > best) best = arch;
  return best;
}

/// Operands that differ from lane to lane: zeros would need less power, and run faster, than data does. Pairs of bf16
/// between 1/2 and 1 (which any bytes are too).
__device__ unsigned some_operand(unsigned seed) {
  const unsigned bits = seed * 2654435761u;
  return 0x3f003f00u | (bits & 0x007f007fu) | (bits & 0x80008000u);
}

template <class Product>
__global__ void __launch_bounds__(kTensorThreads) matrix_products(typename Product::Sum* out, int rounds) {
  using Sum = typename Product::Sum;
  Sum sums[kTiles][4] = {};
  unsigned a[4], b[2];
#pragma unroll
  for (unsigned i = 0; i < 4; ++i) a[i] = some_operand(threadIdx.x * 6 + i);
#pragma unroll
  for (unsigned i = 0; i < 2; ++i) b[i] = some_operand(threadIdx.x * 6 + 4 + i);
  for (int r = 0; r < rounds; ++r) {
#pragma unroll
    for (int t = 0; t < kTiles; ++t) cuda::mma<Product>(sums[t], a, b[0], b[1]);
  }
  Sum sum = 0;
#pragma unroll
  for (int t = 0; t < kTiles; ++t)
#pragma unroll
    for (int i = 0; i < 4; ++i) sum += sums[t][i];
  if (sum == Sum{-1234567}) *out = sum;  // keeps the work; sometimes true, and harmless
}

template <class Product>
double rate_of(Stream& stream, int multiprocessors, double work_of_warp) {
  const Buffer out(stream, sizeof(typename Product::Sum));
  const unsigned blocks = static_cast<unsigned>(multiprocessors) * 2;
  const double work = work_of_warp * kTiles * blocks * (kTensorThreads / 32);
  return steady_rate(handle_of(stream), 1, work, [&](int rounds) {
    matrix_products<Product>
        <<<blocks, kTensorThreads, 0, handle_of(stream)>>>(static_cast<typename Product::Sum*>(out.get()), rounds);
  });
}

#ifdef TANDEM_CUDA_90A
constexpr int kGroups = 2, kGroupThreads = 128 * kGroups;  // of 64 rows each
constexpr int kOperandBytes = (64 * kGroups + 256) * cuda::kSlabBytes;

/// The same by warpgroups, on operands in shared memory: slabs of 128 rows of a and 256 columns of b, always the same.
template <class Product>
__global__ void __launch_bounds__(kGroupThreads, 1) group_products(typename Product::Sum* out, int rounds) {
  if constexpr (!cuda::kHasWgmma) {
    __trap();
  } else {
    using Sum = typename Product::Sum;
    extern __shared__ __align__(1024) char shared[];
    char* const slabs = cuda::aligned_slabs(shared);
    for (unsigned i = threadIdx.x; i < kOperandBytes / 4; i += kGroupThreads)
      reinterpret_cast<unsigned*>(slabs)[i] = some_operand(i);
    cuda::fence_for_wgmma();
    __syncthreads();
    const char* const rows = slabs + threadIdx.x / 128 * 64 * cuda::kSlabBytes;
    const std::uint64_t a = cuda::slab_descriptor(rows),
                        b = cuda::slab_descriptor(slabs + 64 * kGroups * cuda::kSlabBytes);
    Sum sums[32][4] = {};
    for (int r = 0; r < rounds; ++r) {
      cuda::wgmma_begin();
#pragma unroll
      for (int part = 0; part < cuda::kSlabBytes / 32; ++part) cuda::wgmma<Product>(sums, a + part * 2, b + part * 2);
      cuda::wgmma_commit();
      cuda::wgmma_wait_but<1>(sums);
    }
    cuda::wgmma_wait_but<0>(sums);
    Sum sum = 0;
#pragma unroll
    for (int n = 0; n < 32; ++n) sum += sums[n][0] + sums[n][1] + sums[n][2] + sums[n][3];
    if (sum == Sum{-1234567}) *out = sum;
  }
}

template <class Product>
double rate_by_groups(Stream& stream, int multiprocessors, int element_bytes) {
  const Buffer out(stream, sizeof(typename Product::Sum));
  const double work =
      2.0 * 64 * kGroups * 256 * (cuda::kSlabBytes / element_bytes) * static_cast<double>(multiprocessors);
  const Queue queue{.stream = stream.handle()};
  return steady_rate(handle_of(stream), 1, work, [&](int rounds) {
    (void)cuda::launch_with_shared(queue, dim3(static_cast<unsigned>(multiprocessors)), dim3(kGroupThreads),
                                   kOperandBytes + 1024, group_products<Product>,
                                   static_cast<typename Product::Sum*>(out.get()), rounds);
  });
}
#endif

}  // namespace

double tensor_operations(Stream& stream, int multiprocessors, int capability, int element_bytes) {
  constexpr double kTile = 2.0 * 16 * 8;  // operations for each k of an instruction
#ifdef TANDEM_CUDA_90A
  if (capability == 90)
    return element_bytes == 1 ? rate_by_groups<cuda::S8Product>(stream, multiprocessors, 1)
                              : rate_by_groups<cuda::Bf16Product>(stream, multiprocessors, 2);
#endif
  const int code = code_for(capability);
  if (element_bytes == 1) return code >= 750 ? rate_of<cuda::S8Product>(stream, multiprocessors, kTile * 32) : 0;
  return code >= 800 ? rate_of<cuda::Bf16Product>(stream, multiprocessors, kTile * 16) : 0;
}

}  // namespace tandem::gpu::measuring
