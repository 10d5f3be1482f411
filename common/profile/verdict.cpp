#include "common/profile/verdict.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "common/profile/rank_tests.h"
#include "common/profile/stats.h"

namespace tandem::profile {
namespace {

constexpr int kResamples = 2000;
constexpr std::size_t kFewest = 6;  // samples below which no 95 % interval of a median exists

double median_of(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

/// The median of samples drawn again, with replacement.
double redrawn_median(std::span<const double> samples, std::mt19937_64& random, std::vector<double>& scratch) {
  scratch.resize(samples.size());
  for (double& value : scratch) value = samples[random() % samples.size()];
  return median_of(scratch);
}

Interval percentiles(std::vector<double>& values, double confidence) {
  std::sort(values.begin(), values.end());
  return {quantile(values, (1 - confidence) / 2), quantile(values, (1 + confidence) / 2)};
}

Interval extremes(std::span<const double> samples) {
  const auto [low, high] = std::minmax_element(samples.begin(), samples.end());
  return {*low, *high};
}

Effect paired(std::span<const double> other, std::span<const double> self, const VerdictOptions& options) {
  std::vector<double> logs(other.size());
  for (std::size_t i = 0; i < logs.size(); ++i) logs[i] = std::log(other[i] / self[i]);
  Effect effect;
  effect.samples = static_cast<int>(other.size());
  effect.p_value = signed_rank(logs).p;
  std::sort(logs.begin(), logs.end());
  effect.ratio = std::exp(quantile(logs, 0.5));
  const Interval interval = median_interval(logs, options.confidence);
  effect.ratio_95 = {std::exp(interval.low), std::exp(interval.high)};
  return effect;
}

Verdict verdict_of(const Effect& effect, const VerdictOptions& options) {
  const double more = 1 + options.threshold, less = 1 / more;
  if (!std::isfinite(effect.ratio)) return Verdict::none;
  const bool different = effect.p_value < options.significance;
  if (effect.ratio_95.low > more && different) return Verdict::faster;
  if (effect.ratio_95.high < less && different) return Verdict::slower;
  const bool within = effect.ratio_95.low >= less && effect.ratio_95.high <= more;
  return within && effect.has_interval() ? Verdict::same : Verdict::inconclusive;
}

/// Every other timed row against `base`, as one set of questions.
void derive_against(std::vector<Row>& rows, const Row* base, Effect Row::*field, const VerdictOptions& options) {
  std::vector<Effect*> effects;
  for (Row& row : rows) {
    row.*field = {};
    if (!base || &row == base || !row.timed()) continue;
    row.*field = effect_of(base->time.samples, row.time.samples, true, options);
    effects.push_back(&(row.*field));
  }
  judge(effects, options);
}

}  // namespace

std::string_view name(Verdict verdict) {
  switch (verdict) {
    case Verdict::none:
      return "none";
    case Verdict::faster:
      return "faster";
    case Verdict::slower:
      return "slower";
    case Verdict::same:
      return "same";
    case Verdict::inconclusive:
      return "inconclusive";
  }
  return "unknown";
}

Interval bootstrap_median(std::span<const double> samples, double confidence, std::uint64_t seed) {
  if (samples.empty()) return {kAbsent, kAbsent};
  if (samples.size() < kFewest) return extremes(samples);
  std::mt19937_64 random(seed);
  std::vector<double> medians(kResamples), scratch;
  for (double& median : medians) median = redrawn_median(samples, random, scratch);
  return percentiles(medians, confidence);
}

Interval bootstrap_ratio(std::span<const double> other, std::span<const double> self, double confidence,
                         std::uint64_t seed) {
  if (other.empty() || self.empty()) return {kAbsent, kAbsent};
  if (other.size() < kFewest || self.size() < kFewest) {
    const Interval above = bootstrap_median(other, confidence, seed), below = bootstrap_median(self, confidence, seed);
    return {above.low / below.high, above.high / below.low};
  }
  std::mt19937_64 random(seed);
  std::vector<double> ratios(kResamples), scratch;
  for (double& ratio : ratios) {
    const double above = redrawn_median(other, random, scratch);
    ratio = above / redrawn_median(self, random, scratch);
  }
  return percentiles(ratios, confidence);
}

Effect effect_of(std::span<const double> other, std::span<const double> self, bool in_rounds,
                 const VerdictOptions& options) {
  if (other.empty() || self.empty()) return {};
  const std::size_t common = std::min(other.size(), self.size());
  if (in_rounds && common >= kPairedRounds) return paired(other.first(common), self.first(common), options);
  std::vector<double> above(other.begin(), other.end()), below(self.begin(), self.end());
  Effect effect;
  effect.samples = static_cast<int>(common);
  effect.ratio = median_of(above) / median_of(below);
  effect.ratio_95 = bootstrap_ratio(other, self, options.confidence, options.seed);
  effect.p_value = mann_whitney(other, self).p;
  return effect;
}

void judge(std::span<Effect* const> effects, const VerdictOptions& options) {
  std::vector<double> p;
  for (const Effect* effect : effects) p.push_back(effect->p_value);
  const std::vector<double> adjusted = holm(p);
  for (std::size_t i = 0; i < effects.size(); ++i) {
    Effect& effect = *effects[i];
    effect.p_value = adjusted[i];
    effect.verdict = verdict_of(effect, options);
    const double half = std::log(effect.ratio_95.high / effect.ratio_95.low) / 2;
    effect.smallest_effect = (1 + options.threshold) * std::exp(half * (1 + 0.84 / 1.96)) - 1;
  }
}

void derive_effects(std::vector<Row>& rows, const VerdictOptions& options) {
  const Row *reference = nullptr, *best = nullptr;
  for (Row& row : rows) {
    row.drift = row.timed() ? drift_of(row.time.samples) : kAbsent;
    if (!row.timed() || row.kernel == kAuto) continue;
    if (row.reference && !reference) reference = &row;
    if (!best || row.time.summary.median < best->time.summary.median) best = &row;
  }
  derive_against(rows, reference, &Row::vs_reference, options);
  derive_against(rows, best, &Row::vs_best, options);
}

}  // namespace tandem::profile
