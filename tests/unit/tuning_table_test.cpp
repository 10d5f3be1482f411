// The prediction ladder: sizes from texts, interpolation, fits, and the table over made-up kernels.
#include "common/tuning/table.h"

#include <cmath>

#include <gtest/gtest.h>

#include "common/core/context_impl.h"
#include "common/tuning/fit.h"
#include "common/tuning/interpolation.h"
#include "common/tuning/point.h"
#include "tests/support/machines.h"
#include "tests/support/toy_op.h"

namespace tandem::test::tuning_table_test {
namespace {

using tuning::Interpolation;
using tuning::Measurement;
using tuning::Point;
using tuning::sizes_of;
using tuning::Table;

TEST(TuningSizes, FamiliesAreTextsWithoutTheirSizes) {
  EXPECT_EQ(sizes_of("f32:512x256x64").family, "f32:#x#x#");
  EXPECT_EQ(sizes_of("f32:512x256x64*8,tb").family, "f32:#x#x#*#,tb");
  EXPECT_EQ(sizes_of("f32:1000000,b=1000").family, "f32:#,b=#");
  EXPECT_EQ(sizes_of("s8:64,3 scales by runs,zp").family, "s8:#,# scales by runs,zp");
  EXPECT_EQ(sizes_of("csr:8x8x8@0.05,tb").family, "csr:#x#x#@#,tb");
  EXPECT_EQ(sizes_of("u8s8:8x4x2,out=f32,2:4,act=gelu_erf").family, "u8s8:#x#x#,out=f32,2:4,act=gelu_erf");
  EXPECT_EQ(sizes_of("f32:8x8x8,beta=1").family, "f32:#x#x#,beta=1");
  EXPECT_EQ(sizes_of("").family, "");
  const tuning::Sizes sizes = sizes_of("csr:8x4x2@0.25");
  EXPECT_EQ(sizes.place.log2, (std::vector<double>{3, 2, 1, -2}));
  EXPECT_TRUE(sizes.usable);
  EXPECT_FALSE(sizes_of("f32:8x0x2").usable);
  EXPECT_DOUBLE_EQ(tuning::distance({{3, 2}, {}}, {{0, 6}, {}}), 5);
}

TEST(TuningSizes, OptionsWithoutSizesAreStepsAside) {
  const tuning::Sizes plain = sizes_of("csr:8x8x8@0.05"), turned = sizes_of("csr:16x8x8@0.05,tc,bias");
  EXPECT_EQ(plain.kin, "csr:#x#x#@#");
  EXPECT_EQ(turned.kin, plain.kin);
  EXPECT_EQ(turned.place.options, (std::vector<std::string>{"bias", "tc"}));
  EXPECT_DOUBLE_EQ(tuning::distance(plain.place, turned.place), std::sqrt(1 + 2 * tuning::kOption * tuning::kOption));
  EXPECT_DOUBLE_EQ(tuning::distance(turned.place, sizes_of("csr:16x8x8@0.05,bias,tc").place), 0);
  // An option with a size is a coordinate, so that it makes other kin.
  EXPECT_EQ(sizes_of("f32:100,b=10").kin, "f32:#,b=#");
  EXPECT_EQ(sizes_of("s8:64,3 scales by runs,zp").kin, "s8:#,# scales by runs");
}

TEST(TuningInterpolation, PassesThroughWhatIsSmoothAndIsWiderAwayFromIt) {
  std::vector<Interpolation::Sample> samples;
  for (int i = 0; i <= 10; ++i) samples.push_back({{{2.0 * i}, {}}, std::sin(0.2 * i)});
  const Interpolation model(samples);
  for (int i = 0; i <= 10; ++i) {
    EXPECT_NEAR(model.at({{2.0 * i}, {}}).value, std::sin(0.2 * i), 0.02) << i;
    if (i == 10) break;
    EXPECT_NEAR(model.at({{2.0 * i + 1}, {}}).value, std::sin(0.2 * i + 0.1), 0.03) << i;
  }
  EXPECT_GT(model.at({{11}, {}}).deviation, model.at({{10}, {}}).deviation);
  EXPECT_GT(model.at({{24}, {}}).deviation, model.at({{11}, {}}).deviation);
  EXPECT_TRUE(model.reaches({{23}, {}}));
  EXPECT_FALSE(model.reaches({{23.1}, {}}));
}

TEST(TuningInterpolation, TellsNoiseFromShape) {
  std::vector<Interpolation::Sample> quiet, noisy;
  for (int i = 0; i < 40; ++i) {
    quiet.push_back({{{0.5 * i}, {}}, 0.3});
    noisy.push_back({{{0.5 * i}, {}}, 0.3 + (i * 7919 % 3 - 1) * 0.2});
  }
  const Interpolation::Answer calm = Interpolation(quiet).at({{5.2}, {}}), rough = Interpolation(noisy).at({{5.2}, {}});
  EXPECT_NEAR(calm.value, 0.3, 1e-9);
  EXPECT_LT(calm.deviation, 0.002);
  EXPECT_NEAR(rough.value, 0.3, 0.15);
  EXPECT_GT(rough.deviation, 0.1);
  EXPECT_LT(rough.deviation, 0.3);
}

TEST(TuningInterpolation, OneErrorInSeveralStandsInTheWidth) {
  // Every deviation is what leaving one out would miss: about two in three are within it.
  std::vector<Interpolation::Sample> samples;
  unsigned state = 1;
  for (int i = 0; i < 60; ++i) {
    state = state * 1664525u + 1013904223u;
    samples.push_back({{{0.3 * i, 5 - 0.1 * i}, {}}, (state >> 8) / double(1 << 24) - 0.5});
  }
  int within = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    std::vector<Interpolation::Sample> others = samples;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    const Interpolation::Answer answer = Interpolation(others).at(samples[i].at);
    within += std::abs(answer.value - samples[i].value) <= answer.deviation ? 1 : 0;
  }
  EXPECT_GT(within, 25);
  EXPECT_LT(within, 55);
}

TEST(TuningInterpolation, AMeasurementThatScatteredSaysLittle) {
  std::vector<Interpolation::Sample> samples;
  for (int i = 0; i < 12; ++i) samples.push_back({{{1.0 * i}, {}}, 0.5 + 0.01 * (i % 2)});
  samples[6].value = 3;
  EXPECT_GT(Interpolation(samples).at({{6.1}, {}}).value, 0.65) << "taken at its word, it pulls";
  samples[6].spread = 9;
  EXPECT_NEAR(Interpolation(samples).at({{6.1}, {}}).value, 0.5, 0.1);
}

TEST(TuningInterpolation, UsesNoMoreThanItCanInvertSoon) {
  std::vector<Interpolation::Sample> samples;
  for (int i = 0; i < 1000; ++i) samples.push_back({{{0.01 * i}, {}}, 0.001 * i});
  EXPECT_NEAR(Interpolation(samples).at({{5.003}, {}}).value, 0.5, 0.01);
}

TEST(TuningFit, FindsTheCoefficientsOfWhatFollowsTheModel) {
  std::vector<tuning::Work> work;
  for (const double flops : {1e3, 1e5, 1e7, 1e9})
    for (const double bytes : {1e2, 1e4, 1e6, 1e8})
      work.push_back({flops, bytes, 3e-6 + std::max(flops / 50e9, bytes / 10e9)});
  const tuning::Fit fit = tuning::fit(work);
  EXPECT_NEAR(fit.fixed, 3e-6, 1e-9);
  EXPECT_NEAR(1 / fit.per_flop, 50e9, 1e7);
  EXPECT_NEAR(1 / fit.per_byte, 10e9, 1e7);
  EXPECT_LT(fit.residual, 1e-3);
  EXPECT_NEAR(fit.at(2e9, 1), 3e-6 + 0.04, 1e-5);
}

TEST(TuningFit, NoCoefficientIsNegativeAndTheResidualIsTold) {
  std::vector<tuning::Work> work;
  for (int i = 1; i <= 8; ++i) work.push_back({1e6 * i, 0, 1e-6 * i * (i % 2 ? 1.5 : 0.75)});
  const tuning::Fit fit = tuning::fit(work);
  EXPECT_GE(fit.fixed, 0);
  EXPECT_GE(fit.per_flop, 0);
  EXPECT_GE(fit.per_byte, 0);
  EXPECT_GT(fit.residual, 0.2);
  EXPECT_LT(fit.residual, 0.5);
}

TEST(TuningFit, AMultipleIsAMeanWithItsDeviation) {
  const tuning::Multiple multiple = tuning::multiple_of(std::vector<double>{0.1, 0.2, 0.3});
  EXPECT_DOUBLE_EQ(multiple.log, 0.2);
  EXPECT_NEAR(multiple.residual, 0.1, 1e-12);
  EXPECT_TRUE(std::isinf(tuning::multiple_of(std::vector<double>{0.1}).residual));
}

Situation<Toy> of(std::int64_t elements, bool odd = false) {
  Situation<Toy> s;
  s.problem = {ToyProblem{elements, odd}, ToyProblem{elements, odd}};
  return s;
}

Measurement measured(const std::string& kernel, std::int64_t elements, double seconds, int threads = 4) {
  return {kernel, "toy", "f32:" + std::to_string(elements), threads, seconds, 0.03};
}

Table table_of(const std::vector<Measurement>& all, bool stale = false) {
  std::vector<Point> points;
  for (const Measurement& m : all)
    points.push_back(tuning::point_of<Toy>(m, *find_kernel<Toy>(m.kernel), gpu_machine_with(1e9)).value());
  return Table(std::move(points), stale);
}

constexpr const char* kFast = "cpu.toy.f32.fast";

Prediction predicted(const Table& table, std::int64_t elements, const std::string& kernel = kFast, bool odd = false,
                     int threads = 4) {
  Machine machine = gpu_machine_with(1e9);
  machine.cpu.threads = threads;
  return predict(*find_kernel<Toy>(kernel), of(elements, odd), machine, &table);
}

TEST(TuningTable, AMeasuredEntryIsTheFirstRung) {
  const Table table = table_of({measured(kFast, 1000, 5e-6), measured(kFast, 1000, 7e-6)});  // the later one counts
  EXPECT_EQ(table.size(), 1u);
  const Prediction p = predicted(table, 1000);
  EXPECT_EQ(p.rung, Rung::measured);
  EXPECT_DOUBLE_EQ(p.kernel, 7e-6);
  EXPECT_DOUBLE_EQ(p.launch, 0);  // fork and join were measured with it
  EXPECT_DOUBLE_EQ(p.total(), 7e-6);
  EXPECT_DOUBLE_EQ(p.error, 0.03);
}

TEST(TuningTable, OtherThreadsKernelsAndFewEntriesArePriors) {
  const Table table = table_of({measured(kFast, 1000, 5e-6), measured(kFast, 2000, 9e-6)});
  for (const Prediction& p :
       {predicted(table, 1000, kFast, false, 2), predicted(table, 1000, "cpu.toy.f32.slow"), predicted(table, 1500)}) {
    EXPECT_EQ(p.rung, Rung::prior);
    EXPECT_TRUE(std::isnan(p.error));
  }
  EXPECT_DOUBLE_EQ(predicted(table, 1500).total(), 1.5e-6);  // as without a table
}

TEST(TuningInterpolation, OptionsLearnFromEachOther) {
  // Measured without an option over all sizes, and at one size with it.
  std::vector<Interpolation::Sample> samples;
  for (int i = 0; i <= 10; ++i) samples.push_back({{{2.0 * i}, {}}, std::sin(0.2 * i)});
  samples.push_back({{{2.0}, {"tb"}}, std::sin(0.2) + 0.1});
  const Interpolation model(samples);
  EXPECT_NEAR(model.at({{12.0}, {"tb"}}).value, std::sin(1.2), 0.2);
  EXPECT_GT(model.at({{12.0}, {"tb"}}).deviation, model.at({{12.0}, {}}).deviation);
  EXPECT_NEAR(model.at({{12.0}, {}}).value, std::sin(1.2), 0.03);
}

TEST(TuningTable, InterpolatesBetweenNeighboursOfTheSameKin) {
  std::vector<Measurement> all;  // half a nanosecond an element, where the prior says one and a fork
  for (std::int64_t n = 1 << 10; n <= 1 << 20; n *= 4)
    all.push_back(measured(kFast, n, 0.5e-9 * static_cast<double>(n)));
  const Table table = table_of(all);
  const Prediction p = predicted(table, 1 << 15);
  EXPECT_EQ(p.rung, Rung::interpolated);
  EXPECT_NEAR(p.total(), 0.5e-9 * (1 << 15), 0.05 * 0.5e-9 * (1 << 15));
  EXPECT_GT(p.error, 0);
  EXPECT_LT(p.error, 0.3);
  EXPECT_EQ(predicted(table, 1 << 14).rung, Rung::measured);
  // A factor of eight beyond the last measurement, and no further.
  EXPECT_EQ(predicted(table, 1 << 23).rung, Rung::interpolated);
  EXPECT_EQ(predicted(table, (1 << 23) + 4096).rung, Rung::fitted);
  EXPECT_GT(predicted(table, 1 << 23).error, p.error);
  // An odd problem differs by an option: the others say something of it, but less. (No text describes one, so nothing
  // was measured; fast kernels refuse it, which predict() does not ask.)
  const Prediction odd = predicted(table, 1 << 15, kFast, true);
  EXPECT_EQ(odd.rung, Rung::interpolated);
  EXPECT_NEAR(odd.total(), p.total(), 0.1 * p.total());
  EXPECT_GT(odd.error, p.error);
}

TEST(TuningTable, FunctionsOfAKernelLearnFromEachOther) {
  // exp takes three times its prior; of tanh nothing was measured.
  std::vector<Point> points;
  const auto prior_of = [](std::int64_t n) { return 1e-9 * static_cast<double>(n); };
  for (std::int64_t n = 1 << 6; n <= 1 << 20; n *= 4)
    points.push_back({{kFast, "exp", "f32:" + std::to_string(n), 4, 3 * prior_of(n), 0.01},
                      "f32:" + std::to_string(n),
                      2.0 * static_cast<double>(n),
                      8.0 * static_cast<double>(n),
                      prior_of(n)});
  const Table table(points);
  const auto estimate = [&](const char* op, std::int64_t n) {
    const double size = static_cast<double>(n);
    return table.estimate({kFast, op, "f32:" + std::to_string(n), 4, 2 * size, 8 * size, prior_of(n)},
                          [](std::string_view) { return true; });
  };
  for (const std::int64_t n : {1 << 12, 1 << 13}) {
    const auto exp = estimate("exp", n), tanh = estimate("tanh", n);
    ASSERT_TRUE(exp && tanh);
    EXPECT_EQ(exp->rung, n == 1 << 12 ? Rung::measured : Rung::interpolated);
    EXPECT_EQ(tanh->rung, Rung::interpolated);
    EXPECT_NEAR(tanh->seconds, 3 * prior_of(n), 0.1 * prior_of(n));
    EXPECT_GT(tanh->error, n == 1 << 12 ? 0 : exp->error);
  }
  EXPECT_FALSE(estimate("tanh", 1 << 28)) << "out of reach, and nothing to fit";
  EXPECT_TRUE(estimate("exp", 1 << 28));
}

TEST(TuningTable, FitsWhatIsFarFromAnyMeasurement) {
  std::vector<Measurement> all;
  for (std::int64_t n = 1 << 10; n <= 1 << 16; n *= 4)
    all.push_back(measured(kFast, n, 2e-6 + 0.7e-9 * static_cast<double>(n)));
  const Table table = table_of(all);
  const Prediction p = predicted(table, 1 << 28);
  EXPECT_EQ(p.rung, Rung::fitted);
  EXPECT_NEAR(p.total(), 0.7e-9 * (1 << 28), 0.02 * 0.7e-9 * (1 << 28));
  EXPECT_LT(p.error, 0.05);
}

TEST(TuningTable, AKernelThatFollowsItsPriorIsFittedByIt) {
  std::vector<Measurement> all;  // three times the prior
  for (std::int64_t n = 1 << 6; n <= 1 << 14; n *= 4)
    all.push_back(measured(kFast, n, 3 * 1e-9 * static_cast<double>(n)));
  const Prediction p = predicted(table_of(all), 1 << 24);
  EXPECT_EQ(p.rung, Rung::fitted);
  EXPECT_NEAR(p.total(), 3 * 1e-9 * (1 << 24), 1e-6);
  EXPECT_LT(p.error, 1e-6);
}

TEST(TuningTable, AStaleTableSaysPriorWithAWiderError) {
  std::vector<Measurement> all;
  for (std::int64_t n = 1 << 10; n <= 1 << 20; n *= 4)
    all.push_back(measured(kFast, n, 0.5e-9 * static_cast<double>(n)));
  const Table fresh = table_of(all), stale = table_of(all, true);
  for (const std::int64_t n : {1 << 10, 1 << 15, 1 << 28}) {
    const Prediction now = predicted(fresh, n), then = predicted(stale, n);
    EXPECT_EQ(then.rung, Rung::prior);
    EXPECT_DOUBLE_EQ(then.total(), now.total());
    EXPECT_DOUBLE_EQ(then.error, now.error + Table::kStaleError);
  }
}

TEST(TuningTable, KernelsOfAGpuKeepTheirLaunchAndCopies) {
  const Table table = table_of({measured("cuda.toy.f32.fast", 1000, 20e-6, 0)});
  Situation<Toy> s = of(1000);
  s.copies[1] = {8000, 4000, 2, 1};
  const Machine machine = gpu_machine_with(1e9);
  const Prediction p = predict(*find_kernel<Toy>("cuda.toy.f32.fast"), s, machine, &table);
  const Prediction prior = predict(*find_kernel<Toy>("cuda.toy.f32.fast"), s, machine);
  EXPECT_EQ(p.rung, Rung::measured);
  EXPECT_DOUBLE_EQ(p.kernel, 20e-6);
  EXPECT_DOUBLE_EQ(p.launch, prior.launch);
  EXPECT_DOUBLE_EQ(p.copy_in, prior.copy_in);
}

TEST(TuningTable, ChangesWhatIsChosen) {
  const Machine machine = plain_machine();
  EXPECT_EQ(select<Toy>(of(1000), {}, machine).entry->name, kFast);
  const Table table = table_of({measured(kFast, 1000, 50e-6), measured("cpu.toy.f32.slow", 1000, 4e-6)});
  Decision trace;
  EXPECT_EQ(select<Toy>(of(1000), {}, machine, &trace, &table).entry->name, "cpu.toy.f32.slow");
  EXPECT_EQ(trace.rung, Rung::measured);
  EXPECT_DOUBLE_EQ(trace.error, 0.03);
  EXPECT_EQ(select<Toy>(of(5000), {}, machine, nullptr, &table).entry->name, kFast);  // not measured
}

TEST(TuningTable, OfTheRealKernelsTakesTextsThatDescribeTheSame) {
  const Machine machine = plain_machine();
  const std::vector<Measurement> all = {
      {"cpu.binary.f32.simd", "add", "f32:100x1000,row", 4, 3e-6, 0.01},
      {"cpu.unary.f32.simd", "relu", "f32:10x100", 4, 1e-6, 0.01},
      {"cpu.unary.f32.simd", "exp", "f32:10x100", 4, 2e-6, 0.01},
      {"cpu.unary.f32.from_the_future", "exp", "f32:10x100", 4, 2e-6, 0.01},  // unknown: left out
      {"cpu.unary.f32.simd", "exp", "f64:10", 4, 2e-6, 0.01},
      {"cpu.unary.f32.simd", "matmul", "f32:8x8x8", 4, 2e-6, 0.01},
  };
  const Table table = tuning::make_table(all, machine);
  EXPECT_EQ(table.size(), 3u);
  ContextOptions options;
  options.machine = machine;
  Context ctx(options);
  ctx.impl().tuning = std::make_shared<const Table>(tuning::make_table(all, machine));
  const auto rung_of = [&](const std::string& problem, const std::string& kernel) {
    for (const Candidate& c : explain(ctx, problem).candidates)
      if (c.kernel == kernel) return std::string(name(c.rung)) + " " + std::to_string(std::lround(c.seconds * 1e6));
    return std::string("absent");
  };
  EXPECT_EQ(rung_of("add f32:100x1000,row", "cpu.binary.f32.simd"), "measured 3");
  EXPECT_EQ(rung_of("relu f32:1000", "cpu.unary.f32.simd"), "measured 1");
  EXPECT_EQ(rung_of("exp f32:1000", "cpu.unary.f32.simd"), "measured 2");
  EXPECT_EQ(rung_of("tanh f32:1000", "cpu.unary.f32.simd").substr(0, 5), "prior");
  // The same numbers of elements, but the 100 are repeated along the other side: printed alike, and not the same.
  EXPECT_EQ(rung_of("add f32:1000x100,row", "cpu.binary.f32.simd").substr(0, 5), "prior");
}

}  // namespace
}  // namespace tandem::test::tuning_table_test
