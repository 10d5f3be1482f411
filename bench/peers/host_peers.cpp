#include "bench/peers/host_peers.h"

#include <utility>

#include "bench/peers/peer_kernel.h"

namespace tandem::peers {

profile::MoreRows host_products() {
  profile::MoreRows more{blas_products(), onednn_quantized_products()};
  for (Entry<Matmul>& entry : onednn_products()) more.products.push_back(std::move(entry));
  return more;
}

}  // namespace tandem::peers

#if defined(__SANITIZE_THREAD__)
// How threads of other libraries wait for each other is not seen by the sanitizer, which they are not compiled for.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:libblis\nrace:libopenblas\nrace:libdnnl\nrace:libmkl\n";
}
#endif
