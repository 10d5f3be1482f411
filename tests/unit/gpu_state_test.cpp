// What NVML tells, asked through a library that stands in for it, and what is said when there is none.
#include <cmath>
#include <string>

#include <gtest/gtest.h>
#include <tandem/report.h>

#include "common/profile/gpu_state.h"
#include "tests/support/env_guard.h"
#include "tests/support/machines.h"
#include "tests/support/made_up_results.h"

namespace tandem::profile::gpu_state_test {
namespace {

GpuInfo gpu_at(const std::string& bus_id) {
  GpuInfo gpu = test::gpu_machine_with(1e9).gpus[0];
  gpu.bus_id = bus_id;
  return gpu;
}

TEST(GpuState, IsWhatNvmlTells) {
  const nvml::Library library(TANDEM_FAKE_NVML);
  ASSERT_EQ(library.reason(), "");
  const GpuState s = read_gpu_state(gpu_at("0000:17:00.0"), library);
  EXPECT_EQ(s.reason, "");
  EXPECT_EQ(s.sm_mhz, 1755);
  EXPECT_EQ(s.sm_max_mhz, 1980);
  EXPECT_EQ(s.memory_mhz, 2619);
  EXPECT_EQ(s.memory_max_mhz, 2619);
  EXPECT_EQ(s.temperature_celsius, 34);
  EXPECT_DOUBLE_EQ(s.power_watts, 71.5);
  EXPECT_EQ(s.other_processes, 99) << "without this one";
  EXPECT_EQ(s.slowed, "power cap, temperature (software)");
  EXPECT_EQ(s.persistence, "on");
  EXPECT_EQ(to_text(s),
            "SM 1755 of 1980 MHz, memory 2619 of 2619 MHz, 34 C, 72 W, slowed: power cap, temperature (software), "
            "persistence on, other processes 99");
  std::string why;
  const nvml::Device device = library.find("0000:17:00.0", why);
  EXPECT_EQ(library.number("nvmlDeviceGetEnforcedPowerLimit", device), 700000u);
  EXPECT_EQ(library.number("nvmlDeviceGetMaxPcieLinkWidth", device), std::nullopt) << "no such function there";
}

TEST(GpuState, SaysWhyNothingIsKnown) {
  const nvml::Library absent("libtandem-no-such-library.so.1");
  const GpuState s = read_gpu_state(gpu_at("0000:17:00.0"), absent);
  EXPECT_EQ(s.reason.rfind("n/a: ", 0), 0u) << s.reason;
  EXPECT_NE(s.reason.find("libtandem-no-such-library.so.1"), std::string::npos) << s.reason;
  EXPECT_EQ(s.slowed, s.reason);
  EXPECT_EQ(to_text(s), s.reason);
  EXPECT_TRUE(std::isnan(s.sm_mhz) && std::isnan(s.other_processes));

  const nvml::Library library(TANDEM_FAKE_NVML);
  EXPECT_EQ(read_gpu_state(gpu_at("0000:99:00.0"), library).reason, "n/a: NVML about 0000:99:00.0: Not Found");
  const test::EnvGuard fails("TANDEM_FAKE_NVML_FAIL", "1");
  EXPECT_EQ(nvml::Library(TANDEM_FAKE_NVML).reason(), "n/a: nvmlInit_v2: Driver Not Loaded");
}

TEST(GpuState, ThrottleReasonsHaveNames) {
  EXPECT_EQ(throttle_words(0), "no");
  EXPECT_EQ(throttle_words(1), "no") << "idle";
  EXPECT_EQ(throttle_words(0x8 | 0x40), "hardware slowdown, temperature (hardware)");
  EXPECT_EQ(throttle_words(0x1000), "bits 0x1000");
}

TEST(GpuState, IsPartOfEveryReport) {
  Comparison run = test::made_up_comparison();
  run.machine = test::gpu_machine_with(1e9);
  run.machine.gpus[0].power_limit_watts = 700;
  const nvml::Library library(TANDEM_FAKE_NVML);
  run.gpus_before.push_back(read_gpu_state(gpu_at("0000:17:00.0"), library));
  run.gpus_after.push_back(read_gpu_state(gpu_at("0000:99:00.0"), library));
  EXPECT_NE(run_header(run, {}).find("GPU 0: SM 1755 of 1980 MHz"), std::string::npos) << run_header(run, {});
  EXPECT_NE(table_footer(run, {}).find("GPU 0 then: n/a: NVML about"), std::string::npos) << table_footer(run, {});
  const std::string json = to_json(run);
  for (const char* part : {"\"gpus_before\"", "\"sm_mhz\": 1755.0", "\"gpus_after\"", "\"sm_mhz\": null",
                           "\"power_limit_watts\": 700.0", "\"pcie_width\": null"})
    EXPECT_NE(json.find(part), std::string::npos) << part;
  EXPECT_EQ(to_json(from_json(json, "")), json);
}

}  // namespace
}  // namespace tandem::profile::gpu_state_test
