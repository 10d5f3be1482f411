// tandem-compare beyond one table: axes, sweeps, cold caches, self-test, baselines, and what exit codes watch for.
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"

#ifdef TANDEM_COMPARE_PROGRAM

namespace tandem::test::compare_watch_cli_test {
namespace {

using nlohmann::json;

const std::string kQuick = " --min-time 0.002 ";

Ran run(const std::string& arguments) { return run_program(TANDEM_COMPARE_PROGRAM, arguments); }

json rows_of(const Ran& ran) {
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  return ran.exit_code == 0 ? json::parse(ran.out).at("rows") : json::array();
}

TEST(CompareWatch, BadCommandsAreOneSentence) {
  const struct {
    const char *arguments, *mentions;
  } kBad[] = {
      {"'matmul f32:{m}x4x4'", "no axis for {m}"},
      {"relu f32:10 -a m=1,2", "no problem has {m}"},
      {"'relu f32:{m}' -a m", "NAME=VALUES"},
      {"'relu f32:{m}' -a m=", "NAME=VALUES"},
      {"'relu f32:{m}' -a m=1,,2", "empty"},
      {"'relu f32:{m}' -a m=5:1", "holds nothing"},
      {"'relu f32:{m}' -a m=1:x", "'x'"},
      {"'relu f32:{m}' -a m=1:9:0", "holds nothing"},
      {"'relu f32:{m}' -a 'm=[pow2]1:50'", "2^50"},
      {"'relu f32:{m}' -a m=1:20000", "10000"},
      {"relu f32:10 --sweep-threads 0", "--sweep-threads"},
      {"relu f32:10 --sweep-threads 1,x", "'x'"},
      {"relu f32:10 --sweep-threads 1 --threads 2", "exclude"},
      {"'matmul f32:4x4x4*2' --sweep-batch 1,2", "batch already"},
      {"relu f32:10 --sweep-batch 2", "f32:10*2"},
      {"relu f32:10 --threshold 0", "--threshold"},
      {"relu f32:10 --fail-on regression", "--baseline"},
      {"relu f32:10 --fail-on weather", "weather"},
      {"relu f32:10 --baseline /nowhere/old.json", "/nowhere/old.json"},
      {"compare one.json", "two files"},
      {"compare /nowhere/a.json /nowhere/b.json", "/nowhere/a.json"},
      // What runs nothing takes no options of a run.
      {"compare a.json b.json --json x.json", "--json means nothing together with compare"},
      {"compare a.json b.json --markdown -", "--markdown means nothing together with compare"},
      {"compare a.json b.json --baseline c.json", "--baseline means nothing together with compare"},
      {"compare a.json b.json --threads 1", "--threads means nothing together with compare"},
      {"relu f32:10 --explain --json x.json", "--json means nothing together with --explain"},
      {"relu f32:10 --explain --csv x.csv", "--csv means nothing together with --explain"},
      {"relu f32:10 --explain --sweep-threads 1", "--sweep-threads means nothing together with --explain"},
      {"relu f32:10 --list", "problem means nothing together with --list"},
      {"--list --google-json -", "--google-json means nothing together with --list"},
  };
  for (const auto& bad : kBad) expect_usage_error(run(bad.arguments), "tandem-compare", bad.mentions);
}

TEST(CompareWatch, AxesAndBatchesMakeProblems) {
  std::set<std::string> problems;
  for (const json& row :
       rows_of(run("'matmul f32:{m}x{n}x{m}' -a 'm=[pow2]2:3' -a n=5,7:9:2 --sweep-batch 1,3 --kernels auto --json -" +
                   kQuick))) {
    problems.insert(row.at("problem").get<std::string>());
    EXPECT_EQ(row.at("reproduce").get<std::string>().find('{'), std::string::npos) << row.at("reproduce");
  }
  std::set<std::string> expected;
  for (const char* m : {"4", "8"})
    for (const char* n : {"5", "7", "9"})
      for (const char* batch : {"1", "3"}) expected.insert(std::string("f32:") + m + "x" + n + "x" + m + "*" + batch);
  EXPECT_EQ(problems, expected);
}

TEST(CompareWatch, ThreadsAreSweptAndTheCommandSaysHowMany) {
  const Ran ran = run("relu f32:1000 --sweep-threads 1,2 --kernels auto --json -" + kQuick);
  const json rows = rows_of(ran);
  ASSERT_EQ(rows.size(), 2u);
  for (int threads : {1, 2}) {
    const json& row = rows[static_cast<std::size_t>(threads - 1)];
    EXPECT_EQ(row.at("threads"), threads);
    EXPECT_NE(row.at("reproduce").get<std::string>().find("--threads " + std::to_string(threads)), std::string::npos);
  }
  const Ran table = run("relu f32:1000 --sweep-threads 1,2 --kernels auto" + kQuick);
  EXPECT_NE(table.out.find("scaling with threads:"), std::string::npos) << table.out;
}

TEST(CompareWatch, ColdCallsHaveFiguresOfTheirOwn) {
  const Ran ran = run("relu f32:100000 --kernels auto --cold --json -" + kQuick);
  const json rows = rows_of(ran);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_GT(rows[0].at("cold_median_s").get<double>(), 0);
  EXPECT_EQ(rows[0].at("cold_calls_per_sample"), 1);
  EXPECT_GE(rows[0].at("cold_samples").get<int>(), 3);
  EXPECT_NE(rows[0].at("reproduce").get<std::string>().find("--cold"), std::string::npos);
  const json hot = rows_of(run("relu f32:100000 --kernels auto --json -" + kQuick));
  EXPECT_FALSE(hot.at(0).contains("cold_median_s"));
}

TEST(CompareWatch, TheSelfTestIsTwoRowsOfOneKernel) {
  // How equal they come out is for the evidence: here the machine may be busy. A threshold of 99 % is not.
  const Ran ran = run("relu f32:1000 --selftest --threads 1 --threshold 99 --min-time 0.05 --json -");
  const json rows = rows_of(ran);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].at("kernel"), rows[0].at("kernel").get<std::string>() + " again");
  EXPECT_EQ(rows[1].at("ran"), rows[0].at("kernel"));
  EXPECT_EQ(rows[1].at("verdict_vs_reference"), "same");
  EXPECT_NE(rows[1].at("reproduce").get<std::string>().find("--selftest"), std::string::npos);
  // So narrow a threshold is hardly ever met; whether it is, the exit code and the sentence agree.
  const Ran strict = run("relu f32:1000 --selftest --threads 1 --threshold 0.00001 --min-time 0.002 --quiet");
  EXPECT_EQ(strict.exit_code == 1, strict.err.find("self-test: ") != std::string::npos) << strict.err;
  EXPECT_LE(strict.exit_code, 1);
}

class Baselines : public ::testing::Test {
 protected:
  void SetUp() override {
    const Ran ran = run("relu f32:1000 add f32:1000 --min-time 0.01 --kernels 'cpu.*' --quiet --json " + old_);
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
  }
  /// The old results, changed, as a file.
  std::string changed(void (*change)(json&)) {
    json results = json::parse(read_bytes(old_));
    change(results);
    const std::string path = folder_.file("new.json");
    FILE* file = std::fopen(path.c_str(), "w");
    const std::string text = results.dump();
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
    return path;
  }
  static void scale(json& row, double factor) {
    for (json& sample : row.at("sample_s")) sample = sample.get<double>() * factor;
  }
  const TemporaryFolder folder_;
  const std::string old_ = folder_.file("old.json");
};

TEST_F(Baselines, TwoFilesAreComparedWithoutRunning) {
  Ran ran = run("compare " + old_ + " " + old_ + " --threshold 99 --fail-on regression");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.out.find("0 slower, 0 faster"), std::string::npos) << ran.out;

  const std::string slower = changed([](json& results) { scale(results["rows"][0], 3); });
  ran = run("compare " + old_ + " " + slower + " --fail-on regression");
  EXPECT_EQ(ran.exit_code, 1) << ran.out << ran.err;
  EXPECT_NE(ran.out.find("1 slower, 0 faster"), std::string::npos) << ran.out;
  EXPECT_EQ(run("compare " + old_ + " " + slower).exit_code, 0) << "nobody asked to fail";
  ran = run("compare " + slower + " " + old_ + " --fail-on regression");
  EXPECT_EQ(ran.exit_code, 0) << ran.out;
  EXPECT_NE(ran.out.find("0 slower, 1 faster"), std::string::npos) << ran.out;

  const std::string wrong = changed([](json& results) { results["rows"][0]["status"] = "wrong"; });
  EXPECT_EQ(run("compare " + old_ + " " + wrong + " --fail-on regression").exit_code, 1);
}

TEST_F(Baselines, WhatCannotBeComparedIsExitCodeTwo) {
  const struct {
    void (*change)(json&);
    const char* mentions;
  } kOther[] = {
      {[](json& r) { r["machine"]["cpu"] = "An abacus"; }, "An abacus now"},
      {[](json& r) { r["machine"]["isa"] = "sse4"; }, "another instruction set"},
      {[](json& r) { r["schema"] = "tandem-compare/2"; }, "tandem-compare/2"},
      {[](json& r) {
         for (json& row : r["rows"]) row["problem"] = "f32:7";
       },
       "no measured row in common"},
  };
  for (const auto& other : kOther)
    expect_usage_error(run("compare " + old_ + " " + changed(other.change)), "tandem-compare", other.mentions);
}

TEST_F(Baselines, ARunIsHeldAgainstAFile) {
  const std::string run_again = "relu f32:1000 --min-time 0.01 --kernels 'cpu.*' --threshold 90 --baseline ";
  const std::string faster_once = changed([](json& results) {
    for (json& row : results["rows"]) scale(row, 1e-3);
  });
  const Ran ran = run(run_again + faster_once + " --fail-on=regression");
  EXPECT_EQ(ran.exit_code, 1) << ran.out << ran.err;
  EXPECT_NE(ran.out.find("not measured now"), std::string::npos) << "add is gone\n" << ran.out;
  const std::string slower_once = changed([](json& results) {
    for (json& row : results["rows"]) scale(row, 1e3);
  });
  EXPECT_EQ(run(run_again + slower_once + " --fail-on=regression").exit_code, 0);
}

TEST(CompareWatch, AReferenceKernelCanBeAnError) {
  // Nothing but the reference is left when it is forced.
  const std::string arguments = "relu f32:1000 --quiet --fail-on reference" + kQuick;
  const Ran fallen = run_program("TANDEM_KERNEL=cpu.unary.f32.eigen " TANDEM_COMPARE_PROGRAM, arguments);
  EXPECT_EQ(fallen.exit_code, 1) << fallen.err;
  EXPECT_NE(fallen.err.find("falls to the reference kernel cpu.unary.f32.eigen"), std::string::npos) << fallen.err;
  EXPECT_EQ(
      run_program("TANDEM_KERNEL=cpu.unary.f32.eigen " TANDEM_COMPARE_PROGRAM, arguments + " --kernels auto").exit_code,
      1);
  EXPECT_EQ(run(arguments).exit_code, 0);
  for (const char* blind : {" --kernels 'cpu.*'", " --selftest"})
    expect_usage_error(run(arguments + blind), "tandem-compare", "the row auto");
}

}  // namespace
}  // namespace tandem::test::compare_watch_cli_test

#endif
