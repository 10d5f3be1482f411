#include "common/profile/run_facts.h"

#include <chrono>
#include <ctime>

#include <tandem/version.h>

#include "common/profile/gpu_state.h"
#include "common/profile/noise.h"
#include "common/profile/roof.h"
#include "common/profile/timer.h"

namespace tandem::profile {
namespace {

std::string utc_now() {
  const std::time_t t = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  gmtime_r(&t, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::vector<GpuState> states_of(const std::vector<GpuInfo>& gpus) {
  std::vector<GpuState> states;
  for (const GpuInfo& gpu : gpus) states.push_back(read_gpu_state(gpu));
  return states;
}

}  // namespace

RunFacts begin_run(const Machine& machine, std::uint64_t seed, double min_seconds) {
  RunFacts facts;
  facts.started = now();
  facts.during = read_noise_counters();
  facts.date = utc_now();
  facts.library = version();
  facts.machine = machine;
  facts.noise = read_noise_facts();  // before this program loads the machine
  facts.gpus_before = states_of(machine.gpus);
  facts.timer = timer_facts();
  facts.roof = measure_roof(machine.cpu, min_seconds);
  facts.seed = seed;
  facts.min_seconds = min_seconds;
  return facts;
}

void finish_run(RunFacts& facts) {
  facts.during = read_noise_counters() - facts.during;
  facts.gpus_after = states_of(facts.machine.gpus);
  facts.seconds = now() - facts.started;
}

}  // namespace tandem::profile
