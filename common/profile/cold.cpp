#include "common/profile/cold.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <tandem/error.h>

#include "common/core/context_impl.h"
#include "common/profile/evict.h"
#include "common/profile/timer.h"
#include "common/profile/timing.h"

namespace tandem::profile {
namespace {

constexpr int kFewestSamples = 7;
constexpr std::size_t kMostSamples = 1000;

double host_sample(const std::function<void()>& evict, const std::function<void()>& call) {
  evict();
  const double begin = now();
  call();
  return now() - begin;
}

/// Copies within the device, so that its L2 holds something else; the copy also keeps the stream busy until the kernel
/// behind it is enqueued, so that no launching is timed.
class DeviceSampler {
 public:
  explicit DeviceSampler(Context& ctx)
      : stream_(ctx.impl().stream("cold caches")),
        marks_(stream_),
        half_(static_cast<std::size_t>(2 * ctx.machine().gpus.front().l2_bytes)),
        memory_(stream_->allocate(2 * half_, "cold caches")) {}
  ~DeviceSampler() { stream_->release(memory_); }
  DeviceSampler(const DeviceSampler&) = delete;
  DeviceSampler& operator=(const DeviceSampler&) = delete;

  double operator()(const std::function<void()>& call) {
    stream_->copy(static_cast<char*>(memory_) + half_, memory_, half_, "cold caches");
    marks_.add();
    call();
    marks_.add();
    const std::vector<double> moments = marks_.resolve();
    return moments.size() == 2 ? moments[1] - moments[0] : kAbsent;
  }

 private:
  std::shared_ptr<gpu::Stream> stream_;
  gpu::Marks marks_;
  std::size_t half_;
  void* memory_;
};

template <class Sample>
Samples take_samples(const ProfileOptions& options, Sample sample) {
  Samples samples;
  samples.calls = 1;
  samples.stop = Stop::enough;
  const double begin = now();
  while (samples.seconds.size() < kMostSamples &&
         (now() - begin < options.min_seconds || samples.seconds.size() < kFewestSamples)) {
    if (options.cancel && options.cancel->load(std::memory_order_relaxed)) {
      samples.stop = samples.seconds.empty() ? Stop::not_started : Stop::interrupted;
      break;
    }
    if (now() - begin > 3 * options.min_seconds && samples.seconds.size() >= 3) {
      samples.stop = Stop::max_time;
      break;
    }
    const double seconds = sample();
    if (!std::isfinite(seconds)) break;
    samples.seconds.push_back(seconds);
    if (options.observe) options.observe({"cold caches", seconds, 0.8});
  }
  return samples;
}

}  // namespace

void time_cold(Context& ctx, Backend backend, const std::function<void()>& call, const ProfileOptions& options,
               Profile& out) {
  try {
    Samples samples;
    if (backend == Backend::cpu) {
      const std::function<void()> evict = evict_host(ctx);
      samples = take_samples(options, [&] { return host_sample(evict, call); });
    } else if (ctx.machine().gpus.front().l2_bytes <= 0) {
      out.cold_reason = "the device does not tell the size of its L2";
      return;
    } else {
      DeviceSampler sampler(ctx);
      samples = take_samples(options, [&] { return sampler(call); });
    }
    out.cold = timing_of(std::move(samples));
  } catch (const Error& error) {  // no memory to flush with
    out.cold_reason = error.what();
    return;
  }
  const double least = 10 * timer_facts().tick_seconds;
  if (!out.cold.measured()) {
    out.cold_reason = "interrupted";
  } else if (out.cold.summary.median < least) {
    out.cold_reason = fmt::format("a single call takes less than ten steps of the clock ({:.0f} ns)", least * 1e9);
    out.cold = {};
  }
}

}  // namespace tandem::profile
