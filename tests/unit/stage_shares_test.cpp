// Which part of a call each moment belongs to: made-up spans with known answers.
#include "common/profile/stage_shares.h"

#include <gtest/gtest.h>

#include <numeric>

namespace tandem::profile::stage_shares_test {
namespace {

using trace::Kind;
using trace::Span;
using trace::Stage;

Span span(Stage stage, double begin, double end, Backend backend = Backend::cpu) {
  Span s;
  s.kind = Kind::stage;
  s.stage = stage;
  s.backend = backend;
  s.begin = begin;
  s.end = end;
  return s;
}

Span on_device(Span s, double begin, double end) {
  s.backend = Backend::cuda;
  s.device_begin = begin;
  s.device_end = end;
  return s;
}

Span call(double begin, double end) {
  Span s;
  s.begin = begin;
  s.end = end;
  return s;
}

void expect_sum(const Shares& shares) {
  EXPECT_NEAR(std::accumulate(shares.seconds.begin(), shares.seconds.end(), 0.0), shares.wall, 1e-12);
}

TEST(StageShares, ACallWithoutStagesIsOther) {
  const Shares shares = shares_of(call(3, 5), {});
  EXPECT_EQ(shares.wall, 2);
  EXPECT_EQ(shares[Part::other], 2);
  expect_sum(shares);
}

TEST(StageShares, HostStagesAndTheGapsBetween) {
  Span kernel = span(Stage::kernel, 4, 9);
  kernel.fork_join = 1.5;
  const Span stages[] = {span(Stage::select, 0, 1), span(Stage::workspace, 1, 3), kernel};
  const Shares shares = shares_of(call(0, 10), stages);
  EXPECT_EQ(shares[Part::select], 1);
  EXPECT_EQ(shares[Part::workspace], 2);
  EXPECT_EQ(shares[Part::fork_join], 1.5);
  EXPECT_EQ(shares[Part::kernel], 3.5);
  EXPECT_EQ(shares[Part::other], 2);
  EXPECT_EQ(shares[Part::launch], 0);
  expect_sum(shares);
}

TEST(StageShares, TheInnermostStageCounts) {
  const Span stages[] = {span(Stage::device_to_host, 0, 10), span(Stage::host_to_device, 2, 5)};
  const Shares shares = shares_of(call(0, 10), stages);
  EXPECT_EQ(shares[Part::device_to_host], 7);
  EXPECT_EQ(shares[Part::host_to_device], 3);
  expect_sum(shares);
}

// A whole call from and to the host: the copy still runs while the kernel is launched, the kernel while the host
// already waits for the result, and the host sees the end of the copy later than it was.
TEST(StageShares, TheDeviceGoesBeforeTheHost) {
  Span back = on_device(span(Stage::device_to_host, 6, 20), 14, 17);
  back.noticed = 18;
  const Span stages[] = {span(Stage::select, 0, 1),
                         span(Stage::allocate, 1, 2),
                         on_device(span(Stage::host_to_device, 2, 4), 2, 4.5),
                         on_device(span(Stage::kernel, 4, 6), 4.5, 14),
                         back,
                         span(Stage::allocate, 20, 21)};
  const Shares shares = shares_of(call(0, 21), stages);
  EXPECT_EQ(shares[Part::select], 1);
  EXPECT_EQ(shares[Part::allocate], 2);
  EXPECT_EQ(shares[Part::host_to_device], 2.5);
  EXPECT_EQ(shares[Part::launch], 1.5);
  EXPECT_EQ(shares[Part::kernel], 8);
  EXPECT_EQ(shares[Part::wait], 1);
  EXPECT_EQ(shares[Part::device_to_host], 5);  // 3 on the device, 2 until the staging memory was unloaded
  EXPECT_EQ(shares[Part::other], 0);
  EXPECT_EQ(shares.on_device[static_cast<std::size_t>(Part::kernel)], 9.5);
  EXPECT_EQ(shares.on_device[static_cast<std::size_t>(Part::host_to_device)], 2.5);
  expect_sum(shares);
}

TEST(StageShares, WaitingIsWhatTheDeviceDoesNotNeed) {
  const Span stages[] = {on_device(span(Stage::kernel, 1, 2), 1.5, 8), span(Stage::wait, 2, 10)};
  const Shares shares = shares_of(call(0, 10), stages);
  EXPECT_EQ(shares[Part::launch], 1);
  EXPECT_EQ(shares[Part::kernel], 6);
  EXPECT_EQ(shares[Part::wait], 2);
  EXPECT_EQ(shares[Part::other], 1);
}

TEST(StageShares, ClocksThatDisagreeDoNotReachBeyondTheCall) {
  const Span stages[] = {on_device(span(Stage::kernel, 1, 2), -1, 12)};
  const Shares shares = shares_of(call(0, 10), stages);
  EXPECT_EQ(shares[Part::launch], 1);
  EXPECT_EQ(shares[Part::kernel], 9);
  expect_sum(shares);
}

TEST(StageShares, RegionsTakeNoMoreThanTheirKernel) {
  Span kernel = span(Stage::kernel, 0, 2);
  kernel.fork_join = 5;
  const Shares shares = shares_of(call(0, 2), std::span(&kernel, 1));
  EXPECT_EQ(shares[Part::kernel], 0);
  EXPECT_EQ(shares[Part::fork_join], 2);
}

}  // namespace
}  // namespace tandem::profile::stage_shares_test
