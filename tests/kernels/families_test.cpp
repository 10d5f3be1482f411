// Every kernel of every operation on every family of cases. A CPU kernel runs at each instruction set level of this
// CPU and with several thread counts; results must be right, within exactly sized and guarded memory, from a poisoned
// workspace, and the same to the bit for every thread count.
#include "tests/support/kernel_tests.h"

namespace tandem::test::families_test {
namespace {

template <class Op, Family family>
void run_family(const Entry<Op>& entry) {
  if (const std::string reason = not_here(entry); !reason.empty()) {
    leave_out(entry.name, reason);
    TANDEM_SKIP(entry.backend, reason);
  }
  Tally tally;
  std::uint64_t seed = 0;
  for (const Case<Op>& c : cases<Op>(family, entry.backend)) {
    const bool many = family == Family::shapes || family == Family::strides || family == Family::batches;
    const IsaLevel least = entry.kernel->needs.isa;
    const auto settings = many ? few_host_settings : family == Family::threads ? thread_settings : host_settings;
    const bool go_on = entry.backend == Backend::cuda ? check_on_gpu(entry, c, ++seed, tally)
                                                      : check_on_host(entry, c, ++seed, settings(least), tally);
    if (!go_on) return;
  }
  if (tally.ran() == 0) GTEST_SKIP() << "refuses every case: " << tally.refusal();
}

template <class Op, Family family>
void add_family(const char* name) {
  if (!cases<Op>(family, Backend::cuda).empty()) add_kernel_tests<Op>(name, run_family<Op, family>, __FILE__, __LINE__);
}

const bool kAdded = [] {
  for_each_op([]<class Op>() {
    if constexpr (requires { sizeof(Oracle<Op>); }) {  // EveryOperationIsThere says so
      add_family<Op, Family::integers>("IntegerValuedBitwise");
      add_family<Op, Family::reals>("RandomWithinBound");
      add_family<Op, Family::specials>("SpecialValues");
      add_family<Op, Family::shapes>("ShapeSweep");
      add_family<Op, Family::strides>("Strides");
      add_family<Op, Family::batches>("Batches");
      add_family<Op, Family::alignment>("Alignments");
      add_family<Op, Family::threads>("ThreadInvariance");
    }
  });
  return true;
}();

// A table that is never walked would pass every test.
TEST(KernelFamilies, EveryOperationIsThere) {
  EXPECT_TRUE(kAdded);
  for_each_op([]<class Op>() {
    std::size_t families = 0;
    for (int family = 0; family <= static_cast<int>(Family::threads); ++family)
      if (!cases<Op>(static_cast<Family>(family), Backend::cpu).empty()) ++families;
    EXPECT_GE(families, 5u) << Op::kName;
    EXPECT_FALSE(table<Op>().empty()) << Op::kName;
  });
}

}  // namespace
}  // namespace tandem::test::families_test
