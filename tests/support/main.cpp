// The main function of the test programs. Adds to GoogleTest's report: which kernels were left out and why, and the
// case that ran when a program dies of a memory fault.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/left_out.h"

// Requests for more memory than there is must fail as they do without a sanitizer. Called by the sanitizer's runtime.
#if defined(__SANITIZE_ADDRESS__)
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
#elif defined(__SANITIZE_THREAD__)
extern "C" const char* __tsan_default_options() { return "allocator_may_return_null=1"; }
#endif

namespace tandem::test {
namespace {

/// Prints the kernels that were left out, once each, at the end of the program.
class LeftOutReport : public ::testing::EmptyTestEventListener {
  void OnTestProgramEnd(const ::testing::UnitTest&) override {
    const std::map<std::string, std::set<std::string>>& left_out = kernels_left_out();
    std::size_t count = 0;
    for (const auto& [reason, kernels] : left_out) count += kernels.size();
    if (count == 0) return;
    std::printf("%zu kernels skipped:\n", count);
    for (const auto& [reason, kernels] : left_out)
      for (const std::string& kernel : kernels) std::printf("  %-40s %s\n", kernel.c_str(), reason.c_str());
  }
};

// Only what a signal handler may do. The handler is gone by then, so the fault happens again and ends the program.
void report_fault(int) {
  const char* running = running_case();
  if (*running != '\0') {
    for (const char* text : {"memory fault in ", running, "\n"}) {
      const auto written = ::write(STDERR_FILENO, text, std::strlen(text));
      static_cast<void>(written);
    }
  }
}

[[maybe_unused]] void watch_faults() {
  struct sigaction action = {};
  action.sa_handler = report_fault;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGSEGV, &action, nullptr);
  ::sigaction(SIGBUS, &action, nullptr);
  ::sigaction(SIGILL, &action, nullptr);
}

}  // namespace
}  // namespace tandem::test

int main(int argc, char** argv) {
  ::setenv("TANDEM_TUNING", "off", 0);  // what was measured on this machine before must not decide tests
  ::testing::InitGoogleTest(&argc, argv);
#ifndef __SANITIZE_ADDRESS__
  tandem::test::watch_faults();
#endif
  ::testing::UnitTest::GetInstance()->listeners().Append(new tandem::test::LeftOutReport);
  return RUN_ALL_TESTS();
}
