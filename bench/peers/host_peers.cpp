#include "bench/peers/host_peers.h"

#include "bench/peers/peer_kernel.h"

namespace tandem::peers {

std::vector<Entry<Matmul>> host_products() {
  std::vector<Entry<Matmul>> all = blas_products();
  for (Entry<Matmul>& entry : onednn_products()) all.push_back(std::move(entry));
  return all;
}

}  // namespace tandem::peers

#if defined(__SANITIZE_THREAD__)
// How threads of other libraries wait for each other is not seen by the sanitizer, which they are not compiled for.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:libblis\nrace:libopenblas\nrace:libdnnl\nrace:libmkl\n";
}
#endif
