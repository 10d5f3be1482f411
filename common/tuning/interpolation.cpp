#include "common/tuning/interpolation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
namespace tandem::tuning {
namespace {

constexpr double kLengths[] = {1, 2, 4, 8, 16};
constexpr double kNoises[] = {0.003, 0.03, 0.3};
constexpr double kLeastVariance = 1e-6;  // of a process that never varied: a tenth of a percent

double matern(double distance, double length) {
  const double t = std::sqrt(3.0) * distance / length;
  return (1 + t) * std::exp(-t);
}

/// Inverts a symmetric positive definite matrix in place by Gauss-Jordan: no pivoting is needed.
void invert(std::vector<double>& m, std::size_t n) {
  for (std::size_t p = 0; p < n; ++p) {
    const double pivot = 1 / m[p * n + p];
    m[p * n + p] = 1;
    for (std::size_t j = 0; j < n; ++j) m[p * n + j] *= pivot;
    for (std::size_t i = 0; i < n; ++i) {
      if (i == p) continue;
      const double factor = m[i * n + p];
      m[i * n + p] = 0;
      for (std::size_t j = 0; j < n; ++j) m[i * n + j] -= factor * m[p * n + j];
    }
  }
}

/// What the spread of each sample adds to its variance, over the variance of all values.
std::vector<double> own_noise(const std::vector<Interpolation::Sample>& samples) {
  const auto count = static_cast<double>(samples.size());
  double mean = 0, variance = 0;
  for (const auto& sample : samples) mean += sample.value / count;
  for (const auto& sample : samples) variance += (sample.value - mean) * (sample.value - mean) / count;
  std::vector<double> noise;
  for (const auto& sample : samples) {
    const double width = std::log1p(sample.spread);
    noise.push_back(width * width / std::max(variance, kLeastVariance));
  }
  return noise;
}

/// `most` of the samples at most.
std::vector<Interpolation::Sample> thinned(const std::vector<Interpolation::Sample>& samples, std::size_t most) {
  const std::size_t count = samples.size();
  if (count <= most) return samples;
  std::vector<Interpolation::Sample> kept;
  for (std::size_t i = 0; i < most; ++i) kept.push_back(samples[i * count / most]);
  return kept;
}

}  // namespace

struct Interpolation::Trial {
  double mean = 0, variance = 0, surprise = 0;
  std::vector<double> inverse, weights;
};

Interpolation::Trial Interpolation::attempt(const std::vector<Sample>& samples, double length, double noise) {
  const std::size_t n = samples.size();
  const std::vector<double> own = own_noise(samples);
  Trial trial;
  std::vector<double>& inverse = trial.inverse;
  inverse.resize(n * n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j)
      inverse[i * n + j] = i == j  ? 1 + noise + own[i]
                           : j < i ? inverse[j * n + i]
                                   : matern(distance(samples[i].at, samples[j].at), length);
  invert(inverse, n);
  double of_ones = 0, of_values = 0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      of_ones += inverse[i * n + j];
      of_values += inverse[i * n + j] * samples[j].value;
    }
  trial.mean = of_values / of_ones;
  trial.weights.assign(n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) trial.weights[i] += inverse[i * n + j] * (samples[j].value - trial.mean);
    // Left out, sample i is missed by weight / inverse(i, i), with a variance of 1 / inverse(i, i).
    trial.variance += trial.weights[i] * trial.weights[i] / inverse[i * n + i] / static_cast<double>(n);
    trial.surprise -= std::log(inverse[i * n + i]);
  }
  trial.variance = std::max(trial.variance, kLeastVariance);
  trial.surprise += static_cast<double>(n) * std::log(trial.variance);
  return trial;
}

Interpolation::Interpolation(const std::vector<Sample>& samples) : samples_(thinned(samples, kMost)) {
  const std::vector<Sample> tried = thinned(samples, kTried);
  double least = std::numeric_limits<double>::infinity();
  for (const double length : kLengths)
    for (const double noise : kNoises) {
      const double surprise = attempt(tried, length, noise).surprise;
      if (!(surprise < least)) continue;
      least = surprise;
      length_ = length;
      noise_ = noise;
    }
  Trial chosen = attempt(samples_, length_, noise_);
  mean_ = chosen.mean;
  variance_ = chosen.variance;
  weights_ = std::move(chosen.weights);
  inverse_ = std::move(chosen.inverse);
}

bool Interpolation::reaches(const Place& at) const {
  const double reach = kReach * std::sqrt(static_cast<double>(at.log2.size()));
  return std::any_of(samples_.begin(), samples_.end(),
                     [&](const Sample& sample) { return size_distance(sample.at, at) <= reach; });
}

Interpolation::Answer Interpolation::at(const Place& at) const {
  const std::size_t n = samples_.size();
  std::vector<double> near(n);
  Answer answer{mean_, 1 + noise_};
  for (std::size_t i = 0; i < n; ++i) {
    near[i] = matern(distance(samples_[i].at, at), length_);
    answer.value += near[i] * weights_[i];
  }
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) answer.deviation -= near[i] * inverse_[i * n + j] * near[j];
  answer.deviation = std::sqrt(variance_ * std::max(answer.deviation, noise_));
  return answer;
}

}  // namespace tandem::tuning
