#include "common/profile/judge.h"

#include <memory>

#include "common/ops/all.h"
#include "common/verify/check.h"

namespace tandem::profile {

template <class Op>
Judge judge_of(const Case<Op>& problem, std::uint64_t seed) {
  const auto checker = std::make_shared<verify::Checker<Op>>(problem.attributes, problem.operands.pristine(), seed);
  return {[checker](std::span<const View> results) -> Judgement {
            const verify::Check check = (*checker)(results);
            return {check.worst_ratio, check.max_abs_error, check.compared, check.saturated, check.complaint};
          },
          checker->method()};
}

#define TANDEM_OP(Op) template Judge judge_of<Op>(const Case<Op>&, std::uint64_t);
#include "common/ops/ops.def"
#undef TANDEM_OP

}  // namespace tandem::profile
