// Brings an operand of any strides to the form that the copy engine reads: rows that are contiguous along k and begin
// at multiples of 16 bytes. A pass over memory of its own, which large products win back.
#pragma once

#include "common/dispatch/kernel.h"
#include "cuda/gemm/mma_plan.h"
#include "cuda/gemm/slab.cuh"
#include "cuda/gemm/tensor_map.h"
#include "cuda/launch.h"

namespace tandem::cuda {

/// An operand of a product: element (i, l) of item b at data[i * row + l * depth + b * item], i along m or n, l along
/// k.
struct OperandOfK {
  const void* data;
  std::int64_t rows, k, row, depth;
  std::int64_t items = 1, item = 0;

  /// Items that differ.
  std::int64_t distinct() const { return item == 0 ? 1 : items; }
};

constexpr std::int64_t packed_stride(std::int64_t k, int size) { return ceil_div(k * size, 16) * 16 / size; }
/// Bytes of `items` operands of `rows` x k elements in that form.
constexpr std::size_t packed_bytes(std::int64_t rows, std::int64_t k, std::int64_t items, int size) {
  return static_cast<std::size_t>(ceil_div(items * rows * packed_stride(k, size) * size, 256) * 256);
}

inline constexpr int kPackRows = 128, kPackThreads = 256;

/// One block: 128 bytes of k of 128 rows, through a slab.
template <class Element, Way kWay>
__global__ void __launch_bounds__(kPackThreads)
    pack_k_major(const OperandOfK from, Element* to, std::int64_t stride, std::int64_t first_item, unsigned slabs) {
  constexpr int kSize = sizeof(Element), kDepth = kSlabBytes / kSize;
  __shared__ __align__(16) char slab[kPackRows * kSlabBytes];
  const int thread = static_cast<int>(threadIdx.x);
  const std::int64_t item = first_item + blockIdx.y, k0 = static_cast<std::int64_t>(blockIdx.x % slabs) * kDepth;
  const std::int64_t i0 = static_cast<std::int64_t>(blockIdx.x / slabs) * kPackRows;
  const int rows = static_cast<int>(::min(from.rows - i0, std::int64_t{kPackRows}));
  const auto* data = static_cast<const Element*>(from.data) + item * from.item + i0 * from.row + k0 * from.depth;
  SlabLoader<Element, kPackRows, kPackThreads, kWay> load(
      {data, from.row, from.depth, rows, static_cast<int>(::min(from.k - k0, std::int64_t{kDepth}))}, thread);
  load.fetch(slab);
  load.store(slab);
  async_wait();
  __syncthreads();
  Element* const out = to + item * from.rows * stride + i0 * stride + k0;
#pragma unroll
  for (int s = 0; s < kPackRows * 8 / kPackThreads; ++s) {
    const int row = (s * kPackThreads + thread) / 8, chunk = thread % 8;
    if (row < rows && k0 + chunk * (16 / kSize) < stride)
      *reinterpret_cast<uint4*>(out + row * stride + chunk * (16 / kSize)) =
          *reinterpret_cast<const uint4*>(slab + slab_at(row, chunk * 16));
  }
}

/// Enqueues the pass; `to` has packed_bytes() of room.
template <class Element>
Code pack(const Queue& queue, const OperandOfK& from, void* to) {
  constexpr int kSize = sizeof(Element);
  const std::int64_t stride = packed_stride(from.k, kSize), slabs = ceil_div(from.k, kSlabBytes / kSize);
  const std::int64_t blocks = slabs * ceil_div(from.rows, kPackRows);
  if (blocks > kMaxGridX) return Code::unsupported;
  const Way way =
      from.item * kSize % 16 == 0 ? way_of(from.data, from.row, from.depth, from.rows, kSize) : Way::elements;
  return with_way(way, [&]<Way kWay>() {
    return in_ranges(from.distinct(), kMaxGridY, [&](std::int64_t item, std::int64_t items) {
      return launch(queue, dim3(static_cast<unsigned>(blocks), static_cast<unsigned>(items)), dim3(kPackThreads),
                    pack_k_major<Element, kWay>, from, static_cast<Element*>(to), stride, item,
                    static_cast<unsigned>(slabs));
    });
  });
}

/// An operand that is not contiguous along k, packed into `room`, which is then advanced; others, and where the room
/// does not suffice, as they are. One that is contiguous, but not aligned, asked for no room: what there is is the
/// other's.
template <class Element>
OperandOfK k_major(const Queue& queue, const OperandOfK& operand, Workspace& room, Code& code) {
  constexpr int kSize = sizeof(Element);
  const std::size_t bytes = packed_bytes(operand.rows, operand.k, operand.distinct(), kSize);
  if (operand.depth == 1 || bytes > room.bytes || code != Code::ok) return operand;
  const std::int64_t stride = packed_stride(operand.k, kSize);
  const OperandOfK packed{
      room.data, operand.rows, operand.k, stride, 1, operand.items, operand.item == 0 ? 0 : operand.rows * stride};
  code = pack<Element>(queue, operand, room.data);
  room = {static_cast<char*>(room.data) + bytes, room.bytes - bytes};
  return packed;
}

/// Describes an operand for boxes of `box_rows` rows; false where the copy engine cannot read it.
inline bool describe(const OperandOfK& operand, int element_bytes, int box_rows, CUtensorMap& map) {
  return operand.depth == 1 &&
         describe_rows({operand.data, element_bytes, operand.k, operand.rows, operand.row, operand.items, operand.item},
                       box_rows, map);
}

}  // namespace tandem::cuda
