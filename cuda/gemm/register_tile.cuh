// The inner loops of a product from slabs in shared memory: which elements a thread owns, and how it computes and
// stores them. A warp computes a tile of kLanesM * 4 * kQuadsM rows and kLanesN * 4 * kQuadsN columns; a thread owns
// kQuadsM x kQuadsN squares of 4 x 4 in it, a lane pattern apart, so that every read of shared memory is a float4 and
// the lanes of a warp touch all banks at most once.
#pragma once

#include "cuda/gemm/epilogue.cuh"
#include "cuda/gemm/tile_loader.cuh"

namespace tandem::cuda {

/// Shape of a block's work. Lanes lie 8 x 4 over a warp's tile.
template <int kTile_, int kWarpsM_, int kWarpsN_, int kQuadsM_, int kQuadsN_, int kBlocksPerSm_>
struct BlockShape {
  static constexpr int kTile = kTile_;
  static constexpr int kWarpsM = kWarpsM_, kWarpsN = kWarpsN_, kQuadsM = kQuadsM_, kQuadsN = kQuadsN_;
  static constexpr int kThreads = kWarpsM * kWarpsN * 32;
  static constexpr int kBlocksPerSm = kBlocksPerSm_;
  static constexpr int kLanesM = 8, kLanesN = 4;
  static constexpr int kWarpRows = kLanesM * 4 * kQuadsM, kWarpCols = kLanesN * 4 * kQuadsN;
  static constexpr int kRows = 4 * kQuadsM, kCols = 4 * kQuadsN;  // elements of a thread
  static constexpr int kSlab = kTile * kDepth;                    // floats of a slab of one operand
  static_assert(kWarpsM * kWarpRows == kTile && kWarpsN * kWarpCols == kTile);
};

/// One thread's place in the block's tile.
template <class Shape>
struct Place {
  int row, col;  // of the warp's tile
  int lane_row, lane_col;

  __device__ explicit Place(int thread) {
    const int warp = thread / 32, lane = thread % 32;
    row = warp / Shape::kWarpsN * Shape::kWarpRows;
    col = warp % Shape::kWarpsN * Shape::kWarpCols;
    lane_row = lane / Shape::kLanesN * 4;
    lane_col = lane % Shape::kLanesN * 4;
  }
};

/// Four consecutive columns at `base` + quad * 4 * kLanes, when the slab's columns are permuted by `swizzle`. The part
/// of the permutation above the lanes' bits moves whole quads and so becomes part of the constant offset.
template <int kLanes>
__device__ __forceinline__ float4 read_quad(const float* row, int base, int lane, int quad, int swizzle) {
  constexpr int kLaneBits = (kLanes - 1) * 4;
  const int at = base + (lane ^ (swizzle & kLaneBits)) + ((quad * kLanes * 4) ^ (swizzle & ~kLaneBits));
  return *reinterpret_cast<const float4*>(row + at);
}

/// acc += slab_a^T slab_b, depth by depth in ascending order.
template <class Shape, class LoaderA, class LoaderB>
__device__ __forceinline__ void multiply(const float* slab_a, const float* slab_b, const Place<Shape>& place,
                                         float (&acc)[Shape::kRows][Shape::kCols]) {
#pragma unroll
  for (int k = 0; k < kDepth; ++k) {
    float a[Shape::kRows], b[Shape::kCols];
#pragma unroll
    for (int q = 0; q < Shape::kQuadsM; ++q)
      *reinterpret_cast<float4*>(a + 4 * q) =
          read_quad<Shape::kLanesM>(slab_a + k * Shape::kTile, place.row, place.lane_row, q, LoaderA::column_xor(k));
#pragma unroll
    for (int q = 0; q < Shape::kQuadsN; ++q)
      *reinterpret_cast<float4*>(b + 4 * q) =
          read_quad<Shape::kLanesN>(slab_b + k * Shape::kTile, place.col, place.lane_col, q, LoaderB::column_xor(k));
#pragma unroll
    for (int i = 0; i < Shape::kRows; ++i)
#pragma unroll
      for (int j = 0; j < Shape::kCols; ++j) acc[i][j] = __fmaf_rn(a[i], b[j], acc[i][j]);
  }
}

/// float4 stores straight from the registers, 64 bytes a row and warp. For activations of a few instructions: the code
/// is repeated for every element. Needs c aligned to 16 bytes in every row, and n a multiple of 4.
template <class Shape>
__device__ __forceinline__ void store_direct(const MatmulArgs& args, const Place<Shape>& place, float* c,
                                             std::int64_t i0, std::int64_t j0, int rows, int cols,
                                             const float (&acc)[Shape::kRows][Shape::kCols]) {
  const bool clamp = args.activation == Activation::relu;
#pragma unroll
  for (int qn = 0; qn < Shape::kQuadsN; ++qn) {
    const int j = place.col + place.lane_col + qn * Shape::kLanesN * 4;
    if (j >= cols) continue;
#pragma unroll
    for (int r = 0; r < Shape::kRows; ++r) {
      const int i = place.row + place.lane_row + r / 4 * Shape::kLanesM * 4 + r % 4;
      if (i >= rows) continue;
      float4* to = reinterpret_cast<float4*>(c + i * args.c.row + j);
      float4 old = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
      if (args.beta != 0.0f) old = *to;
      float v[4] = {old.x, old.y, old.z, old.w};
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        v[e] = scale_and_add(args, acc[r][4 * qn + e], &v[e], i0 + i, j0 + j + e);
        if (clamp) v[e] = relu(v[e]);
      }
      *to = make_float4(v[0], v[1], v[2], v[3]);
    }
  }
}

/// One 16-byte store to shared memory. Written as an assignment, some of them are taken apart by the compiler, and then
/// lanes meet in the same banks.
__device__ __forceinline__ void store_shared(float* to, float x, float y, float z, float w) {
  asm volatile("st.shared.v4.f32 [%0], {%1, %2, %3, %4};" ::"r"(static_cast<unsigned>(__cvta_generic_to_shared(to))),
               "f"(x), "f"(y), "f"(z), "f"(w)
               : "memory");
}

/// The general store: a warp passes its tile through its own part of shared memory, 32 x 32 elements at a time, and
/// then writes whole rows of c. Any strides, alignment and activation; the code of the activation exists once.
template <class Shape>
__device__ __forceinline__ void store_staged(const MatmulArgs& args, const Place<Shape>& place, float* c,
                                             std::int64_t i0, std::int64_t j0, int rows, int cols,
                                             const float (&acc)[Shape::kRows][Shape::kCols], float* staging, int lane) {
  static_assert(Shape::kWarpCols == 32 && Shape::kLanesM * 4 == 32);
#pragma unroll
  for (int qm = 0; qm < Shape::kQuadsM; ++qm) {
    __syncwarp();
#pragma unroll
    for (int r = 0; r < 4; ++r)
#pragma unroll
      for (int qn = 0; qn < Shape::kQuadsN; ++qn) {
        const int at = (place.lane_row + r) * 32 + ((place.lane_col + qn * 16) ^ (place.lane_row & 4) << 2);
        const float* v = &acc[4 * qm + r][4 * qn];
        store_shared(staging + at, v[0], v[1], v[2], v[3]);
      }
    __syncwarp();
    const int j = place.col + lane;
    const int first = place.row + qm * 32;
    if (j >= cols) continue;
#pragma unroll 1
    for (int r = 0; r < 32 && first + r < rows; ++r) {
      const float sum = staging[r * 32 + (lane ^ (r & 4) << 2)];
      const int i = first + r;
      finish(args, sum, c + i * args.c.row + j * args.c.col, i0 + i, j0 + j);
    }
  }
}

}  // namespace tandem::cuda
