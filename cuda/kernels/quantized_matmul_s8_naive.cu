// Idea:    one thread computes one element of c from single bytes of a and b; the threads of a warp take consecutive
//          columns, so that rows of b and c are read and written whole.
// Limits:  any types, sizes and strides. Every byte comes from memory or cache again for each product.
// Expect:  the reference of the GPU side, chosen only when nothing else is left; its speed is not a goal.
#include "common/dispatch/kernel.h"
#include "cuda/gemm/quantized_epilogue.cuh"
#include "cuda/launch.h"
#include "cuda/prior.h"

namespace tandem::cuda::quantized_matmul_s8_naive {
namespace {

constexpr int kCols = 32, kRows = 8;  // elements of c a block

template <class A>
__global__ void __launch_bounds__(kCols* kRows)
    quantized_naive(const __grid_constant__ QuantizedMatmulArgs args, std::int64_t first_tile, std::int64_t tiles_n) {
  const std::int64_t tile = first_tile + blockIdx.x;
  const std::int64_t i = tile / tiles_n * kRows + threadIdx.y;
  const std::int64_t j = tile % tiles_n * kCols + threadIdx.x;
  if (i >= args.m || j >= args.n) return;
  const A* a = static_cast<const A*>(args.a.data) + i * args.a.row;
  const std::int8_t* b = args.b.data + j * args.b.col;
  const std::int32_t za = value_at(args.za, i, 0), zb = value_at(args.zb, j, 0);
  std::uint32_t sum = 0;
  for (std::int64_t k = 0; k < args.k; ++k)
    sum += static_cast<std::uint32_t>((a[k * args.a.col] - za) * (b[k * args.b.row] - zb));
  finish(args, sum, column_of(args, j), i, j);
}

Code run(const QuantizedMatmulArgs& args, const Queue& queue, Workspace) {
  const auto kernel = args.a_type == DType::u8 ? quantized_naive<std::uint8_t> : quantized_naive<std::int8_t>;
  return in_tiles(args.m, args.n, 1, kRows, kCols,
                  [&](dim3 grid, std::int64_t, std::int64_t tile, std::int64_t tiles_n) {
                    return launch(queue, grid, dim3(kCols, kRows), kernel, args, tile, tiles_n);
                  });
}

// Efficiency: prior, not measured.
double cost(const QuantizedMatmulProblem& p, const Machine& machine) {
  return seconds_for_flops(QuantizedMatmul::flops(p), 0.05, machine);
}

}  // namespace

extern const Kernel<QuantizedMatmul> kKernel;
const Kernel<QuantizedMatmul> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {.reference = true},
    .supports = supports_all<QuantizedMatmul>,
    .cost = cost,
    .workspace = no_workspace<QuantizedMatmul>,
    .run = run,
};

}  // namespace tandem::cuda::quantized_matmul_s8_naive
