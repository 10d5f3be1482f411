#include "bench/peers/host_peers.h"

#include "bench/peers/peer_kernel.h"

namespace tandem::peers {

std::vector<Entry<Matmul>> host_products() {
  std::vector<Entry<Matmul>> all = blas_products();
  for (Entry<Matmul>& entry : onednn_products()) all.push_back(std::move(entry));
  return all;
}

}  // namespace tandem::peers
