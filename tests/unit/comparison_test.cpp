// Figures of a comparison that follow from others.
#include <cmath>

#include <gtest/gtest.h>

#include "common/profile/comparison.h"
#include "common/profile/stats.h"

namespace tandem::profile::comparison_test {
namespace {

Timing taking(double seconds) {
  Timing timing;
  timing.samples = {seconds, seconds, seconds};
  timing.summary = summarize(timing.samples);
  return timing;
}

Row row(const char* backend, double time, double end_to_end = kAbsent) {
  Row r;
  r.backend = backend;
  r.kernel = std::string(backend) + ".unary.f32.vector";
  r.status = Status::ok;
  r.time = taking(time);
  if (!std::isnan(end_to_end)) r.end_to_end = taking(end_to_end);
  return r;
}

// A kernel on data that is on the GPU already is no rival of a call from the host.
TEST(HostToHost, CountsTheCopiesOfCudaKernels) {
  EXPECT_EQ(host_to_host(row("cpu", 3e-6)), 3e-6);
  EXPECT_EQ(host_to_host(row("cuda", 1e-6, 9e-6)), 9e-6);
  EXPECT_TRUE(std::isnan(host_to_host(row("cuda", 1e-6))));
  Row automatic = row("cuda", 7e-6);  // a call as it is, wherever it ran
  automatic.kernel = kAuto;
  EXPECT_EQ(host_to_host(automatic), 7e-6);
  Row wrong = row("cpu", 3e-6);
  wrong.status = Status::wrong;
  EXPECT_TRUE(std::isnan(host_to_host(wrong)));
}

}  // namespace
}  // namespace tandem::profile::comparison_test
