// The order in which blocks take the tiles of a product. Host and device share it, so tests can enumerate it.
#pragma once

#ifdef __CUDACC__
#define TANDEM_HOST_DEVICE __host__ __device__
#else
#define TANDEM_HOST_DEVICE
#endif

namespace tandem::cuda {

struct TileAt {
  unsigned row, col;
};

/// Tile number `index` of rows x cols tiles: bands of `band` tile rows, walked column by column. Blocks that run at the
/// same time then form a patch of band rows instead of a long line, and share what they read through L2.
TANDEM_HOST_DEVICE constexpr TileAt tile_at(unsigned index, unsigned rows, unsigned cols, unsigned band) {
  const unsigned in_band = band * cols;
  const unsigned first_row = index / in_band * band;
  const unsigned height = rows - first_row < band ? rows - first_row : band;
  const unsigned within = index % in_band;
  return {first_row + within % height, within / height};
}

}  // namespace tandem::cuda
