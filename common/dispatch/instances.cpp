// The templates of the dispatch for every operation, which the headers declare and no other file compiles again.
#include "common/dispatch/execute.h"

namespace tandem {

#define TANDEM_OP(Op)                                                                                                  \
  template std::span<const Entry<Op>> table<Op>();                                                                     \
  template Selection<Op> select<Op>(const Situation<Op>&, const Policy&, const Machine&, Decision*, const Estimates*); \
  template Situation<Op> make_situation<Op>(Context::Impl&, const Op::Attributes&, std::span<const View>,              \
                                            const CallOptions&);                                                       \
  template void execute<Op>(Context&, const Op::Attributes&, std::span<const View>, const CallOptions&);
#include "common/ops/ops.def"
#undef TANDEM_OP

}  // namespace tandem
