// One GoogleTest case for every row of the kernel tables and every family: "Matmul/Kernel.IntegerValuedBitwise/
// cpu_matmul_f32_simd". Registered by walking the tables, so that a new kernel is tested without an edit.
#pragma once

#include <algorithm>
#include <cctype>
#include <map>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "common/dispatch/select.h"
#include "tests/support/kernel_run.h"
#include "tests/support/left_out.h"

namespace tandem::test {

template <class Op>
using KernelTestBody = void (*)(const Entry<Op>&);

template <class Op>
class KernelTest : public ::testing::Test {
 public:
  KernelTest(const Entry<Op>& entry, KernelTestBody<Op> body) : entry_(entry), body_(body) {}
  void TestBody() override { body_(entry_); }

 private:
  const Entry<Op>& entry_;
  KernelTestBody<Op> body_;
};

/// "matmul" -> "Matmul".
inline std::string title(std::string text) {
  text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

/// "cpu.matmul.f32.simd" -> "cpu_matmul_f32_simd": dots would separate the parts of a filter.
inline std::string identifier(std::string kernel) {
  std::replace(kernel.begin(), kernel.end(), '.', '_');
  return kernel;
}

/// Registers `body` for every row of the operation's table.
template <class Op>
void add_kernel_tests(const std::string& test, KernelTestBody<Op> body, const char* file, int line) {
  for (const Entry<Op>& entry : table<Op>())
    ::testing::RegisterTest((title(Op::kName) + "/Kernel").c_str(), (test + "/" + identifier(entry.name)).c_str(),
                            nullptr, nullptr, file, line,
                            [&entry, body]() -> KernelTest<Op>* { return new KernelTest<Op>(entry, body); });
}

/// Why this machine cannot run the row at all; empty: it can.
template <class Op>
std::string not_here(const Entry<Op>& entry) {
  if (!entry.kernel) return kNotBuilt;
  if (entry.backend == Backend::cuda) {
    if (!no_gpu_reason().empty()) return no_gpu_reason();
    return detail::refuse_by_machine(detail::facts(entry), gpu_machine());
  }
  return detail::refuse_by_machine(detail::facts(entry), machine_of({cpu_level(), 1, false}));
}

/// The same outcome from several runs: bits, for the kernels that promise them.
class SameBits {
 public:
  /// Empty, or where this result differs from the first one.
  std::string compare(const Outcome& outcome) {
    if (first_.empty()) first_ = outcome.result;
    const auto [a, b] = std::mismatch(first_.begin(), first_.end(), outcome.result.begin(), outcome.result.end());
    if (a == first_.end()) return {};
    return "byte " + std::to_string(a - first_.begin()) + " of the result differs from another run";
  }

 private:
  std::vector<std::byte> first_;
};

/// Counts what was run, and reports failures until there are too many to read.
class Tally {
 public:
  void add(const std::string& refusal) {
    if (refusal.empty())
      ++ran_;
    else if (refusal_.empty())
      refusal_ = refusal;
  }
  /// False when the test should stop.
  bool report(const std::string& where, const std::string& failure) {
    if (failure.empty()) return true;
    ADD_FAILURE() << where << ": " << failure;
    return ++failures_ < 5;
  }
  std::int64_t ran() const { return ran_; }
  const std::string& refusal() const { return refusal_; }

 private:
  std::int64_t ran_ = 0;
  int failures_ = 0;
  std::string refusal_;
};

/// Runs a CPU kernel under every setting: right everywhere, and the same bits for every number of threads of a level
/// (and cache size), a second run included. False: stop.
template <class Op>
bool check_on_host(const Entry<Op>& entry, const Case<Op>& c, std::uint64_t seed,
                   const std::vector<HostSetting>& settings, Tally& tally) {
  Prepared<Op> prepared(c, seed);
  std::map<std::pair<IsaLevel, bool>, SameBits> same;  // of each level: ordinary caches, small caches
  for (const HostSetting& setting : settings) {
    const std::string where = prepared.description() + " on " + describe(setting);
    set_running_case(entry.name + ": " + where);
    const int runs = setting.threads > 1 && entry.kernel->traits.deterministic ? 2 : 1;
    for (int run = 0; run < runs; ++run) {
      const Outcome outcome = run_on_host(*entry.kernel, prepared, setting);
      tally.add(outcome.refusal);
      if (!outcome.refusal.empty()) break;
      if (!tally.report(where, outcome.failure)) return false;
      if (entry.kernel->traits.deterministic &&
          !tally.report(where, same[{setting.isa, setting.small_caches}].compare(outcome)))
        return false;
    }
  }
  set_running_case("");
  return true;
}

template <class Op>
bool check_on_gpu(const Entry<Op>& entry, const Case<Op>& c, std::uint64_t seed, Tally& tally) {
  Prepared<Op> prepared(c, seed);
  SameBits same;
  const std::string where = prepared.description();
  set_running_case(entry.name + ": " + where);
  const int runs = seed % 4 == 0 && entry.kernel->traits.deterministic ? 2 : 1;
  try {
    for (int run = 0; run < runs; ++run) {
      const Outcome outcome = run_on_gpu(*entry.kernel, prepared);
      tally.add(outcome.refusal);
      if (!outcome.refusal.empty()) break;
      if (!tally.report(where, outcome.failure)) return false;
      if (entry.kernel->traits.deterministic && !tally.report(where, same.compare(outcome))) return false;
    }
  } catch (const Error& error) {  // of the device: nothing can run after it
    tally.report(where, error.what());
    return false;
  }
  set_running_case("");
  return true;
}

}  // namespace tandem::test
