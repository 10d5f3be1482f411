// Idea:    square tiles transposed in registers, in blocks that fit L1; results that no cache would hold are stored
//          past the caches, strip by strip of x: tiles that are lines of y as they are, others through a buffer, from
//          which whole lines are stored. What is a copy of rows is copied. Two to four rows or columns are interleaved.
// Limits:  operands without unit stride move one by one within the blocks.
// Expect:  measured on a Zen 5 server core, one thread, against a copy: 0.55 to 0.75 up to 1000x1000, 0.8 at 4000x4000
//          (both past the caches, in strips of 16 rows); 0.35 to 0.45 where the rows are a multiple of 4 KiB apart
//          (1024x1024, 4096x4096; on a Xeon, in strips of 32, 4096x4096 is as fast as 4000x4000).
//          1000x1000: 88 GB/s of f32, 87 of bf16, 57 to 70 of bytes; two to four rows or columns 80 to 270 GB/s.
//          Through the buffer, on a Xeon: 8192x8192 of bf16 3.9 times as fast as in the caches, of bytes 2.5 times;
//          4001x4001 of f32, whose rows of y begin within lines, 1.9 times, 6001x7001 of bf16 as fast.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/transpose_f32_simd.cpp"
#include "cpu/simd/simd.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstring>

#include "cpu/loops/strips.h"
#include "cpu/loops/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {

// f(row, column) of the tiles that cover the block; where a tile does not fit, the last one overlaps its neighbour.
template <class F>
HWY_INLINE void for_tiles(std::int64_t rows, std::int64_t cols, std::int64_t tile_rows, std::int64_t tile_cols, F f) {
  for (std::int64_t j = 0; j < cols; j += tile_cols)
    for (std::int64_t i = 0; i < rows; i += tile_rows) f(std::min(i, rows - tile_rows), std::min(j, cols - tile_cols));
}

// Two to four rows become groups of so many neighbours, or the other way round. Returns how many of the elements of a
// row (of a column) are done.
template <class T>
HWY_INLINE std::int64_t interleave(const T* x, std::int64_t x_row, T* y, std::int64_t rows, std::int64_t cols) {
  std::int64_t j = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (; j + lanes <= cols; j += lanes) {
    const auto a = hn::LoadU(d, x + j), b = hn::LoadU(d, x + x_row + j);
    if (rows == 2) {
      hn::StoreInterleaved2(a, b, d, y + 2 * j);
      continue;
    }
    const auto c = hn::LoadU(d, x + 2 * x_row + j);
    if (rows == 3)
      hn::StoreInterleaved3(a, b, c, d, y + 3 * j);
    else
      hn::StoreInterleaved4(a, b, c, hn::LoadU(d, x + 3 * x_row + j), d, y + 4 * j);
  }
#else
  (void)x, (void)x_row, (void)y, (void)rows, (void)cols;
#endif
  return j;
}
template <class T>
HWY_INLINE std::int64_t deinterleave(const T* x, T* y, std::int64_t y_row, std::int64_t rows, std::int64_t cols) {
  std::int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (; i + lanes <= rows; i += lanes) {
    hn::Vec<decltype(d)> a, b, c, e;
    if (cols == 2) {
      hn::LoadInterleaved2(d, x + 2 * i, a, b);
    } else if (cols == 3) {
      hn::LoadInterleaved3(d, x + 3 * i, a, b, c);
      hn::StoreU(c, d, y + 2 * y_row + i);
    } else {
      hn::LoadInterleaved4(d, x + 4 * i, a, b, c, e);
      hn::StoreU(c, d, y + 2 * y_row + i);
      hn::StoreU(e, d, y + 3 * y_row + i);
    }
    hn::StoreU(a, d, y + i);
    hn::StoreU(b, d, y + y_row + i);
  }
#else
  (void)x, (void)y, (void)y_row, (void)rows, (void)cols;
#endif
  return i;
}

// The largest squares that fit, from kSide down to 4; false where none does.
template <int kSide, class T>
HWY_INLINE bool squares(const T* x, std::int64_t x_row, T* y, std::int64_t y_row, std::int64_t rows,
                        std::int64_t cols) {
  if constexpr (kSide < 4) {
    return false;
  } else {
    if (rows < kSide || cols < kSide) return squares<kSide / 2>(x, x_row, y, y_row, rows, cols);
    // Pairs of them fill vectors of 32 bytes.
    constexpr bool kPairs = HWY_TARGET <= HWY_AVX2 && kSide * sizeof(T) == 16 && sizeof(T) < 4;
    if constexpr (kPairs) {
      if (rows >= 2 * kSide) {
        for_tiles(rows, cols, 2 * kSide, kSide, [=](std::int64_t i, std::int64_t j) HWY_ATTR {
          transpose_square<kSide, 2>(x + i * x_row + j, x_row, y + j * y_row + i, y_row);
        });
        return true;
      }
    }
    for_tiles(rows, cols, kSide, kSide, [=](std::int64_t i, std::int64_t j) HWY_ATTR {
      transpose_square<kSide, 1>(x + i * x_row + j, x_row, y + j * y_row + i, y_row);
    });
    return true;
  }
}

// Whether tiles fill lines of y, and so are stored past the caches as they are.
template <class T>
HWY_INLINE bool tiles_are_lines(const T* y, std::int64_t y_row) {
  return sizeof(T) == 4 && TANDEM_TILE_AVX512 && reinterpret_cast<std::uintptr_t>(y) % 64 == 0 && y_row % 16 == 0;
}

template <class T>
void transpose_through_buffer(const T* x, std::int64_t x_row, T* y, std::int64_t y_row, std::int64_t rows,
                              std::int64_t cols);

// y(j, i) = x(i, j) for i < rows, j < cols; unit stride along the rows of both. With `stream` y is stored past the
// caches.
template <class T>
HWY_INLINE void transpose_block_of(const T* x, std::int64_t x_row, T* y, std::int64_t y_row, std::int64_t rows,
                                   std::int64_t cols, bool stream) {
  if (stream && !tiles_are_lines(y, y_row)) return transpose_through_buffer(x, x_row, y, y_row, rows, cols);
  if constexpr (sizeof(T) == 4) {
    if (rows >= kTile && cols >= kTile)
      return for_tiles(rows, cols, kTile, kTile, [=](std::int64_t i, std::int64_t j) HWY_ATTR {
        transpose_tile(x + i * x_row + j, x_row, y + j * y_row + i, y_row, stream && i % kTile == 0);
      });
  }
  constexpr std::int64_t kFew = 4;
  constexpr auto kLeast = static_cast<std::int64_t>(hn::MaxLanes(hn::ScalableTag<T>()));  // a vector
  std::int64_t first_row = 0, first_column = 0;
  if (rows >= 2 && rows <= kFew && y_row == rows && cols >= kLeast)
    first_column = interleave(x, x_row, y, rows, cols);
  else if (cols >= 2 && cols <= kFew && x_row == cols && rows >= kLeast)
    first_row = deinterleave(x, y, y_row, rows, cols);
  else if (squares<16 / static_cast<int>(sizeof(T))>(x, x_row, y, y_row, rows, cols))
    return;
  if (rows < cols) {
    for (std::int64_t i = first_row; i < rows; ++i)
      for (std::int64_t j = first_column; j < cols; ++j) y[j * y_row + i] = x[i * x_row + j];
  } else {
    for (std::int64_t j = first_column; j < cols; ++j)
      for (std::int64_t i = first_row; i < rows; ++i) y[j * y_row + i] = x[i * x_row + j];
  }
}

// As above, past the caches, with rows of y that may begin anywhere: columns of x lie side by side in a buffer, and
// whole lines of y are stored from there. What is left of the first and the last line takes the usual way.
template <class T>
void transpose_through_buffer(const T* x, std::int64_t x_row, T* y, std::int64_t y_row, std::int64_t rows,
                              std::int64_t cols) {
  constexpr std::int64_t kLine = 64 / sizeof(T), kRows = kTallStripBytes / sizeof(T), kColumns = kWideBytes / sizeof(T);
  HWY_ALIGN T buffer[kColumns * kRows];
  const hn::CappedTag<T, static_cast<std::size_t>(kLine)> d;
  const auto copy = [](const T* from, T* to, std::int64_t count) {
    std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
  };
  for (std::int64_t i = 0; i < rows; i += kRows)
    for (std::int64_t j = 0; j < cols; j += kColumns) {
      const std::int64_t down = std::min(kRows, rows - i), across = std::min(kColumns, cols - j);
      const std::int64_t pitch = (down + kLine - 1) / kLine * kLine;
      transpose_block_of(x + i * x_row + j, x_row, buffer, pitch, down, across, false);
      for (std::int64_t c = 0; c < across; ++c) {
        const T* from = buffer + c * pitch;
        T* to = y + (j + c) * y_row + i;
        const auto past_line = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(to) % 64 / sizeof(T));
        std::int64_t done = std::min(down, (kLine - past_line) % kLine);
        copy(from, to, done);
        for (; done + kLine <= down; done += kLine)
          for (std::int64_t part = done; part < done + kLine; part += static_cast<std::int64_t>(hn::Lanes(d)))
            hn::Stream(hn::LoadU(d, from + part), d, to + part);
        copy(from + done, to + done, down - done);
      }
    }
}

void transpose_block(const std::uint32_t* x, std::int64_t x_row, std::uint32_t* y, std::int64_t y_row,
                     std::int64_t rows, std::int64_t cols, bool stream) {
  transpose_block_of(x, x_row, y, y_row, rows, cols, stream);
}
void transpose_block2(const std::uint16_t* x, std::int64_t x_row, std::uint16_t* y, std::int64_t y_row,
                      std::int64_t rows, std::int64_t cols, bool stream) {
  transpose_block_of(x, x_row, y, y_row, rows, cols, stream);
}
void transpose_block1(const std::uint8_t* x, std::int64_t x_row, std::uint8_t* y, std::int64_t y_row, std::int64_t rows,
                      std::int64_t cols, bool stream) {
  transpose_block_of(x, x_row, y, y_row, rows, cols, stream);
}

void transpose_done(bool stream) {
  if (stream) hwy::FlushStream();
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/transpose.h"
#include "cpu/loops/shares.h"
#include "cpu/loops/walk.h"

namespace tandem::cpu::transpose_f32_simd {
namespace {

HWY_EXPORT(transpose_block);
HWY_EXPORT(transpose_block2);
HWY_EXPORT(transpose_block1);
HWY_EXPORT(transpose_done);

constexpr std::int64_t kBlock = 64;         // a block of x and one of y: 32 KiB of 4-byte elements
constexpr std::int64_t kPerThread = 16384;  // elements that take about a microsecond

double cost(const TransposeProblem& p, const Machine& machine) {
  const double elements = Transpose::bytes(p) / (2.0 * static_cast<double>(size_of(p.dtype)));
  const int threads = threads_worth(static_cast<std::int64_t>(elements), kPerThread, machine.cpu.threads);
  const bool tiles = p.x == p.y && p.x != Layout::strided;
  return cpu_seconds(machine, (tiles ? 4 : 30) * elements, Transpose::bytes(p), 1, threads);
}

// One matrix of a batch; y(j, i) = x(i, j).
struct Matrix {
  std::int64_t rows, cols, x_row, x_col, y_row, y_col;
};

// The same work with the names of rows and columns exchanged (x and y as their own transposes), where that gives x unit
// stride along its rows. The strides of dimensions of one element say nothing.
Matrix along_rows(Matrix m) {
  if (m.rows != 1 && (m.cols == 1 || (m.x_col != 1 && m.x_row == 1)))
    m = {m.cols, m.rows, m.x_col, m.x_row, m.y_col, m.y_row};
  if (m.rows == 1) m.x_row = m.cols, m.y_col = 1;
  return m;
}

// [0, size) in pieces of `piece`; a rest that is smaller than a tile belongs to the last of them.
struct Cut {
  std::int64_t size, piece, count;
  Cut(std::int64_t all, std::int64_t each) : size(all), piece(each) {
    constexpr std::int64_t kLargestTile = 16;
    count = std::max<std::int64_t>(1, size / piece + (size % piece >= kLargestTile ? 1 : 0));
  }
  Share at(std::int64_t i) const { return {i * piece, i + 1 == count ? size : (i + 1) * piece}; }
};

// Blocks of a matrix. Those of narrow ones are so much longer.
std::int64_t side(std::int64_t other) { return std::max(kBlock, kBlock * kBlock / std::max<std::int64_t>(other, 1)); }

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

template <class T>
using Block = void (*)(const T*, std::int64_t, T*, std::int64_t, std::int64_t, std::int64_t, bool);

template <class T>
void run_of(const TransposeArgs& args, const Queue& queue, Block<T> block) {
  const Matrix m = along_rows({args.rows, args.cols, args.x_row, args.x_col, args.y_row, args.y_col});
  const auto* from = static_cast<const T*>(args.x);
  auto* to = static_cast<T*>(args.y);
  const bool copy = m.x_col == 1 && m.y_row == 1, tiles = !copy && m.x_col == 1 && m.y_col == 1;
  const std::int64_t elements = args.batch.elements * m.rows * m.cols, bytes = 2 * elements * args.element_bytes;
  const bool aligned = reinterpret_cast<std::uintptr_t>(to) % sizeof(T) == 0;
  const auto is_whole = [](std::int64_t stride) { return stride * static_cast<std::int64_t>(sizeof(T)) % 64 == 0; };
  const bool whole_lines = reinterpret_cast<std::uintptr_t>(to) % 64 == 0 && is_whole(m.y_row) &&
                           std::all_of(args.batch.strides[1], args.batch.strides[1] + args.batch.rank, is_whole);
  constexpr std::int64_t kLeastColumns = 16, kTall = kTallStripBytes / sizeof(T);
  const bool stream = tiles && aligned && m.cols >= kLeastColumns && (whole_lines || m.rows >= kTall) &&
                      bypass_caches(*queue.machine, bytes);
  // In strips x is read along its rows; else y is written along its own, so that its lines are completed soon.
  const bool along_x = stream && whole_lines;
  const std::int64_t strip = along_x ? kStripBytes / sizeof(T) : stream ? kTall : side(m.cols);
  const Cut down(m.rows, strip), across(m.cols, stream && !along_x ? kWideBytes / sizeof(T) : side(m.rows));
  const std::int64_t blocks = down.count * across.count;
  const std::int64_t per_thread = std::max<std::int64_t>(1, kPerThread * blocks / (m.rows * m.cols));
  for_shares(queue, args.batch.elements * blocks, 1, per_thread, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      const std::int64_t which = b / blocks, index = b % blocks;
      const Share r = down.at(along_x ? index / across.count : index % down.count);
      const Share c = across.at(along_x ? index % across.count : index / down.count);
      std::int64_t at[2];
      args.batch.offsets(which, args.batch.rank, at);
      const T* x = from + at[0] + r.begin * m.x_row + c.begin * m.x_col;
      T* y = to + at[1] + c.begin * m.y_row + r.begin * m.y_col;
      const std::int64_t rows = r.end - r.begin, cols = c.end - c.begin;
      if (tiles)
        block(x, m.x_row, y, m.y_row, rows, cols, stream);
      else
        move(x, y, Matrix{rows, cols, m.x_row, m.x_col, m.y_row, m.y_col});
    }
    if (stream) TANDEM_SIMD_CALL(queue.machine->cpu.isa, transpose_done)(stream);
  });
}

Code run(const TransposeArgs& args, const Queue& queue, Workspace) {
  if (args.batch.elements == 0 || args.rows == 0 || args.cols == 0) return Code::ok;
  const IsaLevel isa = queue.machine->cpu.isa;
  switch (args.element_bytes) {
    case 1:
      run_of<std::uint8_t>(args, queue, TANDEM_SIMD_CALL(isa, transpose_block1));
      break;
    case 2:
      run_of<std::uint16_t>(args, queue, TANDEM_SIMD_CALL(isa, transpose_block2));
      break;
    default:
      run_of<std::uint32_t>(args, queue, TANDEM_SIMD_CALL(isa, transpose_block));
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
