// Between measured problems: a Gaussian process over the logarithms of the sizes, and over the options, each of which
// is a step aside. The function, where a kernel has several, is an option too.
//
// It interpolates log(measured / prior), so that the prior carries how the time grows and the process what it missed.
// The covariance is Matern 3/2, the mean a constant. How far a measurement speaks, and how noisy measurements are, is
// chosen by leave-one-out: the pair under which each measurement is most likely given all the others (Sundararajan and
// Keerthi, Predictive approaches for choosing hyperparameters in Gaussian processes, 2001). The same makes the width of
// an answer that of the errors which leaving one out really has.
#pragma once

#include <cstddef>
#include <vector>

#include "common/tuning/sizes.h"

namespace tandem::tuning {

class Interpolation {
 public:
  struct Sample {
    Place at;
    double value = 0;   // log(measured / prior)
    double spread = 0;  // of the measurement, half a width as a fraction: one that scattered says less
  };
  struct Answer {
    double value = 0;
    double deviation = 0;  // one standard deviation, that of a measurement's noise included
  };

  static constexpr std::size_t kFewest = 3;  // samples below which nothing is interpolated
  static constexpr std::size_t kMost = 192;  // samples used; of more, evenly chosen ones in their order
  static constexpr std::size_t kTried = 64;  // the same where length and noise are chosen, which inverts many times
  /// How far in its sizes from the nearest sample an answer is given, times the root of the number of sizes: a factor
  /// of eight in each.
  static constexpr double kReach = 3.0;

  /// kFewest samples or more, all of the same kin.
  explicit Interpolation(const std::vector<Sample>& samples);

  /// Whether a sample is near enough.
  bool reaches(const Place& at) const;
  Answer at(const Place& at) const;

 private:
  struct Trial;
  static Trial attempt(const std::vector<Sample>& samples, double length, double noise);

  std::vector<Sample> samples_;
  double length_ = 1, noise_ = 0;  // noise: variance over that of the process
  double mean_ = 0, variance_ = 0;
  std::vector<double> weights_, inverse_;
};

}  // namespace tandem::tuning
