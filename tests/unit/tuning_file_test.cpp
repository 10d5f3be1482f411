// The tuning file: fingerprints, strict reading, who may own it, merging under a lock; and contexts that use one.
#include "common/tuning/file.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <set>

#include <gtest/gtest.h>
#include <tandem/tandem.h>

#include "common/core/context_impl.h"
#include "common/dispatch/recorder.h"
#include "common/profile/run_problem.h"
#include "common/tuning/point.h"
#include "common/tuning/record.h"
#include "common/tuning/source.h"
#include "common/tuning/suite.h"
#include "tests/support/env_guard.h"
#include "tests/support/machines.h"
#include "tests/support/temporary_folder.h"

namespace tandem::test::tuning_file_test {
namespace {

using tuning::File;
using tuning::Fingerprint;
using tuning::Measurement;

template <class Call>
std::string sentence_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

File sample(const Machine& machine = plain_machine()) {
  File file;
  file.date = "2026-01-31T12:00:00Z";
  file.fingerprint = tuning::fingerprint_of(machine);
  file.ceilings = machine.ceilings;
  file.measured = {{"cpu.unary.f32.simd", "relu", "f32:1000", 4, 3e-6, 0.02},
                   {"cpu.unknown.f32.kernel", "wish", "f32:7", 0, 2e-3, 0}};
  return file;
}

TEST(TuningFingerprint, DiffersFieldByField) {
  const Fingerprint here = tuning::fingerprint_of(gpu_machine_with(1e9));
  EXPECT_TRUE(tuning::match(here, here).exact());
  EXPECT_EQ(here.kernels.size(), 16u);
  const std::set<std::string> soft = {"library", "kernels", "driver_version", "runtime_version", "power_limit_watts"};
  std::vector<std::string> names;
  tuning::each_field(here, [&](const char* name, const auto&, tuning::Field) { names.emplace_back(name); });
  EXPECT_EQ(names.size(), 16u);
  for (std::size_t changed = 0; changed < names.size(); ++changed) {
    Fingerprint there = here;
    std::size_t at = 0;
    tuning::each_field(there, [&](const char*, auto& value, tuning::Field) {
      if (at++ != changed) return;
      if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>)
        value += " other";
      else
        value += 1;
    });
    const tuning::Match match = tuning::match(there, here);
    const bool is_soft = soft.contains(names[changed]);
    EXPECT_EQ(match.soft, is_soft) << names[changed];
    EXPECT_EQ(match.hard, !is_soft) << names[changed];
    EXPECT_EQ(match.differences.find(names[changed] + " is "), 0u) << match.differences;
    EXPECT_EQ(match.differences.find(';'), std::string::npos) << match.differences;
  }
}

TEST(TuningFile, IsReadAsItWasWritten) {
  const File file = sample(gpu_machine_with(3e9));
  const File again = tuning::parse_file(tuning::print_file(file), "again");
  EXPECT_EQ(again.date, file.date);
  EXPECT_EQ(again.fingerprint, file.fingerprint);
  EXPECT_EQ(again.measured, file.measured);
  ASSERT_TRUE(again.ceilings);
  EXPECT_DOUBLE_EQ(again.ceilings->cpu_flops, file.ceilings->cpu_flops);
  EXPECT_DOUBLE_EQ(again.ceilings->h2d_bytes, 3e9);
  EXPECT_EQ(again.ceilings->h2d_pageable.seconds, file.ceilings->h2d_pageable.seconds);
  File bare = file;
  bare.ceilings.reset();
  EXPECT_FALSE(tuning::parse_file(tuning::print_file(bare), "bare").ceilings);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(TuningFile, OneWithoutTheRateOfTheLastCacheLevelIsRead) {
  const std::string text = tuning::print_file(sample());
  const std::size_t key = text.find("\"cpu_l3_bytes_s_one_thread\""), end = text.find(',', key);
  ASSERT_NE(key, std::string::npos);
  const File older = tuning::parse_file(text.substr(0, key) + text.substr(end + 1), "older");
  ASSERT_TRUE(older.ceilings);
  EXPECT_EQ(older.ceilings->cpu_l3_bytes, 0);
  EXPECT_EQ(older.ceilings->cpu_dram_bytes, sample().ceilings->cpu_dram_bytes);
}

TEST(TuningFile, RefusesWhatItCannotMean) {
  const std::string good = tuning::print_file(sample());
  const struct {
    const char *from, *to, *mentions;
  } kBad[] = {
      {"tandem-tuning/1", "tandem-tuning/2", "schema"},
      {"\"schema\"", "\"chema\"", "schema"},
      {"3e-06", "-3e-06", "took -3e-06 s"},
      {"3e-06", "0", "took 0 s"},
      {"3e-06", "1e305", "took 1e+305 s"},
      {"3e-06", "1e-300", "took 1e-300 s"},
      {"0.02", "1e300", "spread"},
      {"3e-06", "null", "took nan s"},
      {"3e-06", "\"fast\"", "is a string"},
      {"3e-06", "1e999", "range of double"},
      {"3e-06", "NaN", "not JSON"},
      {"0.02", "-0.02", "spread"},
      {"\"threads\": 4", "\"threads\": -4", "threads"},
      {"\"threads\": 4", "\"threads\": 4.5", "threads"},
      {"f32:1000\"", "f32:1 000\"", "no kernel, operation or problem"},
      {"\"relu\"", "\"\"", "no kernel, operation or problem"},
      {"\"cpu_l2_bytes_s_one_thread\": 100000000000.0", "\"cpu_l2_bytes_s_one_thread\": null",
       "cpu_l2_bytes_s_one_thread"},
      {"\"cpu_l2_bytes_s_one_thread\": 100000000000.0", "\"cpu_l2_bytes_s_one_thread\": -1",
       "t.json: ceilings.cpu_l2_bytes_s_one_thread is no speed"},
      {"\"h2d_pinned\": [", "\"h2d_pinned\": [0.5,", "t.json: ceilings.h2d_pinned has another number of sizes"},
      {"\"h2d_pinned\": [", "\"h2d_pinned\": [-1, 1, 1, 1, 1, 1, 1, 1, 1], \"x\": [",
       "t.json: ceilings.h2d_pinned has -1"},
      {"\"measured\": [", "\"measured\": {}, \"x\": [", "measured"},
      {"\"fingerprint\": {", "\"fingerprint\": 7, \"x\": {", "fingerprint"},
      {"\"isa\"", "\"isa2\"", "isa is missing"},
      {"{", "{\"date\": \"\",", "twice"},
  };
  for (const auto& bad : kBad) {
    const std::string what = sentence_of([&] { tuning::parse_file(replaced(good, bad.from, bad.to), "t.json"); });
    EXPECT_NE(what.find(bad.mentions), std::string::npos) << bad.to << ": " << what;
    EXPECT_EQ(what.rfind("t.json: ", 0), 0u) << what;
    EXPECT_EQ(what.find('\n'), std::string::npos) << what;
  }
  EXPECT_NE(sentence_of([&] { tuning::parse_file(std::string(17 << 20, ' '), "t.json"); }).find("bytes"),
            std::string::npos);
}

TEST(TuningFile, OthersMayNotWriteIt) {
  const TemporaryFolder folder;
  const std::string path = folder.file("t.json");
  write_bytes(path, tuning::print_file(sample()));
  EXPECT_EQ(tuning::read_file(path).measured.size(), 2u);
  ASSERT_EQ(::chmod(path.c_str(), 0646), 0);
  EXPECT_NE(sentence_of([&] { tuning::read_file(path); }).find("everybody may write"), std::string::npos);
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  if (::geteuid() == 0) {  // only root can give a file away
    ASSERT_EQ(::chown(path.c_str(), 12345, 12345), 0);
    EXPECT_NE(sentence_of([&] { tuning::read_file(path); }).find("belongs to user 12345"), std::string::npos);
  }
  EXPECT_NE(sentence_of([&] { tuning::read_file(folder.path()); }).find("not a regular file"), std::string::npos);
}

TEST(TuningFile, MergingKeepsOtherProblemsAndReplacesOtherMachines) {
  const TemporaryFolder folder;
  const std::string path = folder.file("new/folders/t.json");
  File first = sample(), second = sample();
  tuning::merge_into_file(path, first);
  second.measured = {{"cpu.unary.f32.simd", "relu", "f32:1000", 4, 5e-6, 0.01},
                     {"cpu.unary.f32.simd", "relu", "f32:1000", 2, 6e-6, 0.01}};
  second.ceilings.reset();
  const File merged = tuning::merge_into_file(path, second);
  EXPECT_EQ(merged.measured.size(), 3u);
  EXPECT_TRUE(merged.ceilings);
  for (const Measurement& m : tuning::read_file(path).measured)
    if (m.op == "relu" && m.threads == 4) {
      EXPECT_DOUBLE_EQ(m.seconds, 5e-6);
    }
  EXPECT_LT(tuning::seconds_since(merged.date), 60);
  Machine other = plain_machine();
  other.cpu.name = "another CPU";
  EXPECT_EQ(tuning::merge_into_file(path, sample(other)).measured.size(), 2u);
  EXPECT_EQ(tuning::read_file(path).fingerprint.cpu, "another CPU");
  // What cannot be read is not overwritten.
  write_bytes(path, "precious");
  EXPECT_NE(sentence_of([&] { tuning::merge_into_file(path, first); }).find("not JSON"), std::string::npos);
  EXPECT_EQ(read_bytes(path), "precious");
}

TEST(TuningFile, ManyProcessesLoseNothing) {
  const TemporaryFolder folder;
  const std::string path = folder.file("t.json");
  constexpr int kProcesses = 4, kTimes = 10;
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      int failed = 0;
      for (int i = 0; i < kTimes; ++i) {
        File file = sample();
        file.measured = {{"cpu.unary.f32.simd", "relu", "f32:" + std::to_string(1000 * (p + 1) + i), 4, 1e-6, 0}};
        try {
          tuning::merge_into_file(path, file);
        } catch (const std::exception&) {
          failed = 1;
        }
      }
      ::_exit(failed);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(tuning::read_file(path).measured.size(), static_cast<std::size_t>(kProcesses * kTimes));
  EXPECT_EQ(folder.entries(), 2u);  // the file and its lock: no temporary file is left
}

TEST(TuningSource, ReadsWhatTheVariableSays) {
  EXPECT_TRUE(parse_tuning_source("off").off);
  EXPECT_TRUE(parse_tuning_source("frozen").frozen);
  EXPECT_TRUE(parse_tuning_source("frozen").path.empty());
  EXPECT_EQ(parse_tuning_source("frozen:/a/b").path, "/a/b");
  EXPECT_EQ(parse_tuning_source("/a/b").path, "/a/b");
  EXPECT_FALSE(parse_tuning_source("").frozen || parse_tuning_source("").off);
  EXPECT_NE(sentence_of([] { parse_tuning_source("frozen:"); }).find("frozen:PATH"), std::string::npos);
  EXPECT_EQ(tuning::age(5), "less than a minute");
  EXPECT_EQ(tuning::age(60), "1 minute");
  EXPECT_EQ(tuning::age(3 * 86400), "3 days");
  EXPECT_EQ(tuning::age(NAN), "unknown age");
  const EnvGuard cache("XDG_CACHE_HOME", "/c"), home("HOME", "/h");
  EXPECT_EQ(tuning::user_file(), "/c/tandem/tuning-v1.json");
  const EnvGuard none("XDG_CACHE_HOME", std::nullopt);
  EXPECT_EQ(tuning::user_file(), "/h/.cache/tandem/tuning-v1.json");
}

Machine detected() { return detected_machine(); }

/// A file of this machine that says one kernel is the fastest on matmul f32:64x64x64.
void write_file_for_here(const std::string& path, const std::string& kernel, Fingerprint fingerprint) {
  File file = sample(detected());
  file.fingerprint = std::move(fingerprint);
  const int threads = detected().cpu.threads;
  file.measured.clear();
  for (const Entry<Matmul>& entry : table<Matmul>())
    if (entry.backend == Backend::cpu)
      file.measured.push_back(
          {entry.name, "matmul", "f32:64x64x64", threads, entry.name == kernel ? 1e-9 : 1e-3, 0.02});
  write_bytes(path, tuning::print_file(file));
}

std::string some_kernel(Context& ctx) {  // that would not be chosen
  const Decision decision = explain(ctx, "matmul f32:64x64x64");
  for (const Candidate& c : decision.candidates)
    if (c.accepted && c.kernel != decision.kernel && !c.verdict.starts_with("reference")) return c.kernel;
  return {};
}

TEST(TuningContext, ChoosesByTheFilesThatFit) {
  const TemporaryFolder folder;
  ContextOptions options;
  options.use_gpu = false;
  Context ctx(options);
  use_tuning(ctx, "off");
  EXPECT_EQ(tuning_model(ctx), "measured ceilings");
  const std::string kernel = some_kernel(ctx);
  ASSERT_FALSE(kernel.empty());
  const std::string path = folder.file("tandem/tuning-v1.json");
  std::filesystem::create_directory(folder.path() / "tandem");
  const EnvGuard cache("XDG_CACHE_HOME", folder.path().string());
  const Fingerprint here = tuning::fingerprint_of(detected());

  write_file_for_here(path, kernel, here);
  use_tuning(ctx, "");
  Decision decision = explain(ctx, "matmul f32:64x64x64");
  EXPECT_EQ(decision.kernel, kernel);
  EXPECT_EQ(decision.rung, Rung::measured);
  EXPECT_NE(decision.model.find("fingerprint matches"), std::string::npos) << decision.model;

  Fingerprint stale = here;
  stale.kernels = "0123456789abcdef";
  write_file_for_here(path, kernel, stale);
  use_tuning(ctx, "");
  decision = explain(ctx, "matmul f32:64x64x64");
  EXPECT_EQ(decision.kernel, kernel);
  EXPECT_EQ(decision.rung, Rung::prior);
  EXPECT_NEAR(decision.error, 0.27, 1e-9);
  EXPECT_NE(decision.model.find("counts as a guess: kernels is '0123456789abcdef' there"), std::string::npos)
      << decision.model;

  Fingerprint foreign = here;
  foreign.cpu = "another CPU";
  write_file_for_here(path, kernel, foreign);
  use_tuning(ctx, "");
  decision = explain(ctx, "matmul f32:64x64x64");
  EXPECT_NE(decision.kernel, kernel);
  EXPECT_NE(decision.model.find("ignored: cpu is 'another CPU' there"), std::string::npos) << decision.model;
  EXPECT_NE(sentence_of([&] { use_tuning(ctx, path); }).find("measured elsewhere"), std::string::npos);

  write_bytes(path, "{");
  use_tuning(ctx, "");  // a bad file that nobody named breaks nothing
  EXPECT_NE(tuning_model(ctx).find("not JSON"), std::string::npos) << tuning_model(ctx);
  EXPECT_NE(sentence_of([&] { use_tuning(ctx, path); }).find("not JSON"), std::string::npos);
  EXPECT_NE(tuning_model(ctx).find("not JSON"), std::string::npos) << "an Error leaves the context as it was";
  EXPECT_NE(sentence_of([&] { use_tuning(ctx, folder.file("absent")); }).find("absent"), std::string::npos);
}

// Times that grow with the size are interpolated as such only where the priors of the points and of the question are
// made of the same ceilings: here those that this process measured, since the file has none.
TEST(TuningContext, InterpolatesAgainstTheCeilingsThatTheContextHas) {
  const TemporaryFolder folder;
  const std::string path = folder.file("t.json");
  File file = sample(detected());
  file.ceilings.reset();
  file.measured.clear();
  for (const int size : {1000, 2000, 4000, 8000})
    file.measured.push_back({"cpu.unary.f32.simd", "relu", "f32:" + std::to_string(size), 1, 1e-6 * size, 0.02});
  write_bytes(path, tuning::print_file(file));
  ContextOptions options;
  options.threads = 1;
  Context ctx(options);
  use_tuning(ctx, path);
  for (const Candidate& c : explain(ctx, "relu f32:3000").candidates) {
    if (c.kernel != "cpu.unary.f32.simd") continue;
    EXPECT_EQ(c.rung, Rung::interpolated);
    EXPECT_NEAR(c.seconds, 3e-3, 0.6e-3);
  }
}

TEST(TuningContext, FrozenMeasuresNothing) {
  const TemporaryFolder folder;
  const EnvGuard cache("XDG_CACHE_HOME", folder.path().string());
  Context ctx;
  use_tuning(ctx, "frozen");
  EXPECT_EQ(ctx.machine().ceilings.cpu_flops, 0);
  EXPECT_NE(tuning_model(ctx).find("frozen: assumed ceilings"), std::string::npos) << tuning_model(ctx);
  EXPECT_EQ(matmul(ctx, Tensor::full({8, 8}, 1.0f), Tensor::full({8, 8}, 1.0f)).data<float>()[0], 8.0f);
  const std::string path = folder.file("t.json");
  File file = sample(detected());
  file.ceilings->cpu_flops = 123e9;
  write_bytes(path, tuning::print_file(file));
  use_tuning(ctx, "frozen:" + path);
  EXPECT_DOUBLE_EQ(ctx.machine().ceilings.cpu_flops, 123e9);
}

TEST(TuningContext, ACapOnTheInstructionSetsLeavesTheTimesAside) {
  const TemporaryFolder folder;
  const std::string path = folder.file("t.json");
  if (detected().cpu.isa == IsaLevel::scalar) GTEST_SKIP() << "there is no lower level";
  write_file_for_here(path, "cpu.unary.f32.simd", tuning::fingerprint_of(detected()));
  ContextOptions options;
  options.isa_max = IsaLevel::scalar;
  Context ctx(options);
  use_tuning(ctx, path);
  EXPECT_EQ(ctx.impl().tuning, nullptr);
  EXPECT_NE(tuning_model(ctx).find("not of scalar"), std::string::npos) << tuning_model(ctx);
}

TEST(TuningRecorder, WritesEachProblemOnceAndOnlyUnmeasuredOnes) {
  const TemporaryFolder folder;
  const std::string path = folder.file("met.txt");
  ContextOptions options;
  options.use_gpu = false;
  Context ctx(options);
  record_problems(ctx, path);
  const Tensor x = Tensor::full({10, 100}, 1.0f), row = Tensor::full({100}, 1.0f);
  for (int i = 0; i < 3; ++i) relu(ctx, x);
  add(ctx, x, row);
  EXPECT_EQ(read_bytes(path), "relu f32:1000\n# add f32:1000,b=100  (not all that this was)\n");
  const auto problems = tuning::read_problems(path);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].op + " " + problems[0].text, "relu f32:1000");
  File file = sample(detected());
  file.measured[0].threads = ctx.threads();
  write_bytes(folder.file("t.json"), tuning::print_file(file));
  use_tuning(ctx, folder.file("t.json"));
  relu(ctx, x);
  relu(ctx, row);
  EXPECT_EQ(tuning::read_problems(path).size(), 2u);  // f32:100; f32:1000 is measured now
  EXPECT_NE(sentence_of([&] { record_problems(ctx, folder.file("no/such/folder")); }).find("record"),
            std::string::npos);
  write_bytes(path, "relu f32:10 extra\n");
  EXPECT_NE(sentence_of([&] { tuning::read_problems(path); }).find("is not an operation"), std::string::npos);
}

TEST(TuningRecord, TakesTheRightRowsOfAComparison) {
  profile::Row row;
  row.op = "relu";
  row.problem = "f32:1000";
  row.kernel = row.ran = "cpu.unary.f32.simd";
  row.backend = "cpu";
  row.status = profile::Status::ok;
  row.threads = 3;
  row.time.samples = {1e-6, 2e-6, 3e-6};
  row.time.summary.median = 2e-6;
  row.time.summary.p25 = 1.5e-6;
  row.time.summary.p75 = 2.5e-6;
  profile::Row automatic = row, wrong = row, gpu = row, given = row;
  automatic.kernel = profile::kAuto;
  wrong.status = profile::Status::wrong;
  gpu.backend = "cuda";
  given.operands = "a images.npy";
  profile::Comparison comparison;
  comparison.rows = {row, automatic, wrong, gpu, given};
  std::vector<Measurement> measured;
  tuning::record(measured, comparison);
  ASSERT_EQ(measured.size(), 2u);
  EXPECT_NEAR(measured[0].spread, 0.25, 1e-9);
  measured[0].spread = 0.25;
  EXPECT_EQ(measured[0], (Measurement{"cpu.unary.f32.simd", "relu", "f32:1000", 3, 2e-6, 0.25}));
  EXPECT_EQ(measured[1].threads, 0);
}

TEST(TuningSuite, HasProblemsOfEveryOperationThatItTakes) {
  std::set<std::string> ops, tuned;
  for_each_op([&]<class Op>() {
    for (const std::string& op : Op::op_names()) ops.insert(op);
  });
  std::mt19937_64 engine(7);
  int filled = 0;
  for (const tuning::Template& t : tuning::all_templates()) {
    tuned.insert(t.op);
    for (std::size_t i = 0; i < 10; ++i)
      for (const std::vector<double>& at : {tuning::even(i, 1), tuning::random(engine)}) {
        for (const double number : at) EXPECT_TRUE(number >= 0 && number < 1);
        if (const auto text = tuning::fill(t, at, i % 2 == 0)) {
          ++filled;
          EXPECT_NO_THROW(profile::check_problem({t.op, *text, {}, {}})) << t.op << " " << *text;
        }
      }
  }
  EXPECT_EQ(ops, tuned);
  EXPECT_GT(filled, 100);
  EXPECT_NE(tuning::even(3, 1), tuning::even(3, 2));
}

}  // namespace
}  // namespace tandem::test::tuning_file_test
