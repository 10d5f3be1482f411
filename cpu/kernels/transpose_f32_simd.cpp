// Idea:    square tiles transposed in registers, in blocks that fit L1; results that no cache would hold are stored
//          past the caches, strip by strip of x, when their rows are whole lines. What is a copy of rows is copied.
// Limits:  elements of 1 and 2 bytes, and operands without unit stride, move one by one within the blocks.
// Expect:  measured on a Zen 5 server core, one thread, against a copy: 0.55 to 0.75 up to 1000x1000, 0.8 at 4000x4000
//          (both past the caches); 0.35 to 0.45 where the rows are a multiple of 4 KiB apart (1024x1024, 4096x4096).
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/transpose_f32_simd.cpp"
#include "cpu/simd/simd.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "cpu/loops/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {

// y(j, i) = x(i, j) for i < rows, j < cols; unit stride along the rows of both. Where a tile does not fit the last one
// overlaps its neighbour. With `stream` y and y_row are multiples of 64 bytes.
void transpose_block(const std::uint32_t* x, std::int64_t x_row, std::uint32_t* y, std::int64_t y_row,
                     std::int64_t rows, std::int64_t cols, bool stream) {
  if (rows < kTile || cols < kTile) {
    for (std::int64_t j = 0; j < cols; ++j)
      for (std::int64_t i = 0; i < rows; ++i) y[j * y_row + i] = x[i * x_row + j];
    return;
  }
  for (std::int64_t j = 0; j < cols; j += kTile)
    for (std::int64_t i = 0; i < rows; i += kTile) {
      const std::int64_t r = std::min(i, rows - kTile), c = std::min(j, cols - kTile);
      transpose_tile(x + r * x_row + c, x_row, y + c * y_row + r, y_row, stream && r == i);
    }
}

void transpose_done(bool stream) {
  if (stream) hwy::FlushStream();
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <cstring>

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/transpose.h"
#include "cpu/loops/shares.h"
#include "cpu/loops/walk.h"

namespace tandem::cpu::transpose_f32_simd {
namespace {

HWY_EXPORT(transpose_block);
HWY_EXPORT(transpose_done);

constexpr std::int64_t kBlock = 64;         // a block of x and one of y: 32 KiB of 4-byte elements
constexpr std::int64_t kStrip = 16;         // rows of x read side by side when y is not cached
constexpr std::int64_t kPerThread = 16384;  // elements that take about a microsecond

double cost(const TransposeProblem& p, const Machine& machine) {
  const double elements = Transpose::bytes(p) / (2.0 * static_cast<double>(size_of(p.dtype)));
  const int threads = threads_worth(static_cast<std::int64_t>(elements), kPerThread, machine.cpu.threads);
  const bool tiles = size_of(p.dtype) == 4 && p.x == p.y && p.x != Layout::strided;
  return cpu_seconds(machine, (tiles ? 4 : 30) * elements, Transpose::bytes(p), 1, threads);
}

// One matrix of a batch; y(j, i) = x(i, j).
struct Matrix {
  std::int64_t rows, cols, x_row, x_col, y_row, y_col;
};

// The same work with the names of rows and columns exchanged: x and y as their own transposes.
Matrix exchanged(const Matrix& m) { return {m.cols, m.rows, m.x_col, m.x_row, m.y_col, m.y_row}; }

template <class T>
void move(const T* x, T* y, const Matrix& m) {
  if (m.x_col == 1 && m.y_row == 1) {
    for (std::int64_t i = 0; i < m.rows; ++i)
      std::memcpy(y + i * m.y_col, x + i * m.x_row, static_cast<std::size_t>(m.cols) * sizeof(T));
    return;
  }
  for (std::int64_t j = 0; j < m.cols; ++j)
    for (std::int64_t i = 0; i < m.rows; ++i) y[j * m.y_row + i * m.y_col] = x[i * m.x_row + j * m.x_col];
}

// Where the next block starts: full ones, then the rest, which reaches back into its neighbour rather than be smaller
// than a tile.
std::int64_t block_start(std::int64_t at, std::int64_t begin, std::int64_t end) {
  constexpr std::int64_t kLargestTile = 16;
  return std::max(begin, std::min(at, end - kLargestTile));
}

// f(i, rows, j, cols) for the blocks whose columns are in [begin, end). In strips, x is read along its rows; else y is
// written along its own.
template <class F>
void for_blocks(std::int64_t rows, std::int64_t begin, std::int64_t end, bool strips, F f) {
  const auto block = [&](std::int64_t i, std::int64_t height, std::int64_t j) {
    const std::int64_t column = block_start(j, begin, end);
    f(i, height, column, std::min(kBlock, end - column));
  };
  if (strips) {
    for (std::int64_t i = 0; i < rows; i += kStrip)
      for (std::int64_t j = begin; j < end; j += kBlock) block(i, std::min(kStrip, rows - i), j);
    return;
  }
  for (std::int64_t j = begin; j < end; j += kBlock)
    for (std::int64_t i = 0; i < rows; i += kBlock) {
      const std::int64_t row = block_start(i, 0, rows);
      block(row, std::min(kBlock, rows - row), j);
    }
}

template <class T>
void run_of(const TransposeArgs& args, const Queue& queue) {
  Matrix m{args.rows, args.cols, args.x_row, args.x_col, args.y_row, args.y_col};
  // Unit strides of dimensions of one element say nothing; those of x along j are what the tiles want.
  if (m.cols == 1) m.x_col = 1;
  if (m.rows == 1) m.y_col = 1;
  if (m.x_col != 1 && m.y_col != 1) {
    m = exchanged(m);
    if (m.cols == 1) m.x_col = 1;
    if (m.rows == 1) m.y_col = 1;
  }
  const IsaLevel isa = queue.machine->cpu.isa;
  const auto block = TANDEM_SIMD_CALL(isa, transpose_block);
  const auto* from = static_cast<const T*>(args.x);
  auto* to = static_cast<T*>(args.y);
  const bool tiles = sizeof(T) == 4 && m.x_col == 1 && m.y_col == 1;
  const std::int64_t elements = args.batch.elements * m.rows * m.cols, bytes = 2 * elements * args.element_bytes;
  const bool whole_lines = reinterpret_cast<std::uintptr_t>(to) % 64 == 0 && m.y_row % 16 == 0 &&
                           std::all_of(args.batch.strides[1], args.batch.strides[1] + args.batch.rank,
                                       [](std::int64_t s) { return s % 16 == 0; });
  const bool stream = tiles && whole_lines && bypass_caches(*queue.machine, bytes);
  // One item a column of one matrix, so that threads share big matrices and batches alike.
  const std::int64_t per_thread = std::max<std::int64_t>(1, kPerThread / std::max<std::int64_t>(m.rows, 1));
  for_shares(queue, args.batch.elements * m.cols, kBlock, per_thread, [&](std::int64_t begin, std::int64_t end) {
    while (begin < end) {
      const std::int64_t which = begin / m.cols, first = begin % m.cols;
      const std::int64_t last = std::min(m.cols, first + end - begin);
      std::int64_t at[2];
      args.batch.offsets(which, args.batch.rank, at);
      const T* x = from + at[0];
      T* y = to + at[1];
      for_blocks(m.rows, first, last, stream,
                 [&](std::int64_t i, std::int64_t rows, std::int64_t j, std::int64_t cols) {
                   const T* x_block = x + i * m.x_row + j * m.x_col;
                   T* y_block = y + j * m.y_row + i * m.y_col;
                   if constexpr (sizeof(T) == 4) {
                     if (tiles) return block(x_block, m.x_row, y_block, m.y_row, rows, cols, stream);
                   }
                   move(x_block, y_block, Matrix{rows, cols, m.x_row, m.x_col, m.y_row, m.y_col});
                 });
      begin += last - first;
    }
    if (stream) TANDEM_SIMD_CALL(isa, transpose_done)(stream);
  });
}

Code run(const TransposeArgs& args, const Queue& queue, Workspace) {
  if (args.batch.elements == 0 || args.rows == 0 || args.cols == 0) return Code::ok;
  switch (args.element_bytes) {
    case 1:
      run_of<std::uint8_t>(args, queue);
      break;
    case 2:
      run_of<std::uint16_t>(args, queue);
      break;
    default:
      run_of<std::uint32_t>(args, queue);
  }
  return Code::ok;
}

}  // namespace

extern const Kernel<Transpose> kKernel;
const Kernel<Transpose> kKernel = {.needs = {},
                                   .traits = {},
                                   .supports = supports_all<Transpose>,
                                   .cost = cost,
                                   .workspace = no_workspace<Transpose>,
                                   .run = run};

}  // namespace tandem::cpu::transpose_f32_simd

#endif  // HWY_ONCE
