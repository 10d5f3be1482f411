// What the comparisons with cuBLAS share: runners timed in shuffled rounds of one process, and checked calls.
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace tandem::peers {

struct Size {
  std::int64_t m, n, k;
};

struct Runner {
  std::string name;
  std::function<void()> enqueue;  // one product on the device, not waited for
  std::vector<double> samples;    // seconds a product
  int repeats = 1;                // products a sample
};

inline void check(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw std::runtime_error(fmt::format("{}: {}", what, cublasGetStatusString(status)));
}

inline void check(cudaError_t status, const char* what) {
  if (status != cudaSuccess) throw std::runtime_error(fmt::format("{}: {}", what, cudaGetErrorString(status)));
}

inline double seconds_of(const Runner& runner) {
  check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < runner.repeats; ++i) runner.enqueue();
  check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / runner.repeats;
}

// As many products a sample as take `sample_seconds`, so that the wait at its end does not count.
inline void calibrate(Runner& runner, double sample_seconds) {
  seconds_of(runner);
  const double once = seconds_of(runner);
  runner.repeats = std::clamp(static_cast<int>(sample_seconds / std::max(once, 1e-7)), 1, 10000);
}

inline double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double at = q * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, values.size() - 1);
  return values[low] + (values[high] - values[low]) * (at - static_cast<double>(low));
}

inline void time_interleaved(std::vector<Runner>& runners, int rounds, std::mt19937& generator) {
  for (Runner& runner : runners) calibrate(runner, 0.01);
  std::vector<std::size_t> order(runners.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (int round = 0; round < rounds; ++round) {
    std::shuffle(order.begin(), order.end(), generator);
    for (const std::size_t i : order) runners[i].samples.push_back(seconds_of(runners[i]));
  }
}

}  // namespace tandem::peers
