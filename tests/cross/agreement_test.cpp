// CPU kernels against CUDA kernels on the same problems: within the sum of both bounds, and the same bits where whole
// numbers make every kernel exact.
#include <cmath>

#include "tests/support/kernel_tests.h"

namespace tandem::test::agreement_test {
namespace {

template <class Op>
const Entry<Op>* first_on_cpu(const Case<Op>& c) {
  Prepared<Op> prepared(c, 1);
  const Machine machine = machine_of({cpu_level(), 1, false});
  const auto problem = Op::describe(prepared.attributes(), prepared.operands());
  for (const Entry<Op>& entry : table<Op>())
    if (entry.backend == Backend::cpu && not_here(entry).empty() && !refusal_of(*entry.kernel, problem, machine))
      return &entry;
  return nullptr;
}

// The numbers of a result, in row-major order of its shape.
template <class Op>
std::vector<double> numbers(const Prepared<Op>& prepared, const std::vector<std::byte>& memory) {
  const View& shape = prepared.operands().back();
  const ConstView view(memory.data(), shape.dtype(), shape.shape(), shape.strides());
  std::vector<double> out;
  walk<1>(0, view.elements(), view.shape(), {view.strides()},
          [&](std::int64_t, const std::int64_t(&at)[1]) { out.push_back(Oracle<Op>::actual(view, at[0])); });
  return out;
}

template <class Op>
std::string difference(const Case<Op>& c, const std::vector<double>& a, const std::vector<double>& b,
                       const std::vector<Expected>& expected) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;  // equal infinities have no difference
    const double allowed = c.exact ? 0 : 2 * expected[i].bound;
    if (!(std::abs(a[i] - b[i]) <= allowed))
      return "element " + std::to_string(i) + ": " + std::to_string(a[i]) + " and " + std::to_string(b[i]);
  }
  return {};
}

template <class Op>
void agree(const Entry<Op>& entry) {
  if (const std::string reason = not_here(entry); !reason.empty()) {
    leave_out(entry.name, reason);
    TANDEM_SKIP(entry.backend, reason);
  }
  std::uint64_t seed = 0;
  std::int64_t compared = 0;
  for (const Family family : {Family::integers, Family::reals})
    for (const Case<Op>& c : cases<Op>(family, Backend::cuda)) {
      if (++seed % 3 != 0 || c.in_place >= 0) continue;
      const Entry<Op>* cpu = first_on_cpu(c);
      ASSERT_NE(cpu, nullptr) << describe(c.operands, c.fill, false);
      Prepared<Op> prepared(c, seed);
      const Outcome on_cpu = run_on_host(*cpu->kernel, prepared, {cpu_level(), 2, false});
      const Outcome on_gpu = run_on_gpu(*entry.kernel, prepared);
      if (!on_gpu.refusal.empty()) continue;
      EXPECT_EQ(on_cpu.failure + on_gpu.failure, "") << prepared.description();
      prepared.reset_result();
      const Oracle<Op> oracle(prepared.attributes(), prepared.operands());
      std::vector<Expected> expected(static_cast<std::size_t>(oracle.elements()));
      oracle.expect(0, oracle.elements(), expected.data());
      EXPECT_EQ(difference(c, numbers(prepared, on_cpu.result), numbers(prepared, on_gpu.result), expected), "")
          << cpu->name << ", " << prepared.description();
      ++compared;
    }
  if (compared == 0) GTEST_SKIP() << "refuses every case";
}

const int kTests = [] {
  int count = 0;
  for_each_op([&]<class Op>() {
    if constexpr (requires { sizeof(Oracle<Op>); } && result_count<Op>() == 1) {
      for (const Entry<Op>& entry : table<Op>()) {
        if (entry.backend != Backend::cuda) continue;
        ::testing::RegisterTest((title(Op::kName) + "/Agreement").c_str(),
                                ("WithTheCpu/" + identifier(entry.name)).c_str(), nullptr, nullptr, __FILE__, __LINE__,
                                [&entry]() -> KernelTest<Op>* { return new KernelTest<Op>(entry, agree<Op>); });
        ++count;
      }
    }
  });
  return count;
}();

TEST(Agreement, IsRegistered) { EXPECT_GT(kTests, 0); }

}  // namespace
}  // namespace tandem::test::agreement_test
