// Kernels and devices that this machine cannot run: skipped, counted, and never silently.
#pragma once

#include <map>
#include <set>
#include <string>

#include <tandem/device.h>

namespace tandem::test {

/// Remembers that `kernel` was left out, for the report at the end of the program.
void leave_out(const std::string& kernel, const std::string& reason);
/// Reason -> kernels.
const std::map<std::string, std::set<std::string>>& kernels_left_out();

/// TANDEM_REQUIRE_CUDA=1: whatever needs a GPU must not be left out for want of one. What the GPU that is there lacks
/// for a kernel is only reported.
bool cuda_is_required();

/// Why nothing can run on a GPU here, in the driver's words where there is one; empty: a GPU (or an emulator) is there.
const std::string& no_gpu_reason();

/// What is run at the moment, for the message of a memory fault; cut to what fits.
void set_running_case(const std::string& text) noexcept;
const char* running_case() noexcept;

}  // namespace tandem::test

/// Skips the rest of a test for a stated reason. Without a GPU where one is required that is a failure.
#define TANDEM_SKIP(backend, reason)                                                  \
  do {                                                                                \
    if ((backend) == ::tandem::Backend::cuda && ::tandem::test::cuda_is_required() && \
        !::tandem::test::no_gpu_reason().empty())                                     \
      GTEST_FAIL() << "TANDEM_REQUIRE_CUDA=1, but: " << (reason);                     \
    else                                                                              \
      GTEST_SKIP() << (reason);                                                       \
  } while (false)

/// Skips the rest of a test where there is no GPU.
#define TANDEM_NEED_GPU()                                                    \
  do {                                                                       \
    if (!::tandem::test::no_gpu_reason().empty())                            \
      TANDEM_SKIP(::tandem::Backend::cuda, ::tandem::test::no_gpu_reason()); \
  } while (false)
