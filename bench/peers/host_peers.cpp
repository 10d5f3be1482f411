#include "bench/peers/host_peers.h"

#include "bench/peers/peer_kernel.h"

namespace tandem::peers {

profile::MoreRows host_peers() {
  profile::MoreRows more;
  add_blas(more);
  add_onednn(more);
  add_xnnpack(more);
  return more;
}

}  // namespace tandem::peers

#if defined(__SANITIZE_THREAD__)
// How threads of other libraries wait for each other is not seen by the sanitizer, which they are not compiled for.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:libblis\nrace:libopenblas\nrace:libdnnl\nrace:libmkl\nrace:libXNNPACK\nrace:libpthreadpool\n";
}
#endif
