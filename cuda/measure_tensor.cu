// The ceiling of the tensor cores: matrix instructions on registers, independent of each other.
#include "cuda/gemm/mma.cuh"
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

}  // namespace

double tensor_operations(Stream& stream, int multiprocessors, int capability, int element_bytes) {
  constexpr double kTile = 2.0 * 16 * 8;  // operations for each k of an instruction
  const int code = code_for(capability);
  if (element_bytes == 1) return code >= 750 ? rate_of<cuda::S8Product>(stream, multiprocessors, kTile * 32) : 0;
  return code >= 800 ? rate_of<cuda::Bf16Product>(stream, multiprocessors, kTile * 16) : 0;
}

}  // namespace tandem::gpu::measuring
