// Rows of other libraries in tandem-compare: judged as all rows are, or absent with the reason.
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/program_run.h"

#ifdef TANDEM_COMPARE_PROGRAM

namespace tandem::test::peers_cli_test {
namespace {

using nlohmann::json;

std::vector<json> every_row_of(const std::string& arguments) {
  // The leak checker of AddressSanitizer crashes on the memory of other libraries' threads.
  const Ran ran = run_program(TANDEM_COMPARE_PROGRAM, arguments + " --min-time 0.002 --threads 2 --json -",
                              "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  if (ran.exit_code != 0) return {};
  return json::parse(ran.out).at("rows").get<std::vector<json>>();
}

std::map<std::string, json> rows_of(const std::string& arguments) {
  std::map<std::string, json> rows;
  for (const json& row : every_row_of(arguments))
    rows[row.at("problem").get<std::string>() + " " + row.at("kernel").get<std::string>()] = row;
  return rows;
}

constexpr const char* kPeers[] = {"peer.openblas.sgemm", "peer.blis.sgemm", "peer.mkl.sgemm", "peer.onednn.matmul"};

// Sides that differ, transposed operands and batches: each layout that a peer is given its own way.
TEST(PeersCli, EveryPeerIsRightOrSaysWhyItIsNotThere) {
  const std::string problems[] = {"f32:33x47x29", "f32:33x47x29,ta", "f32:33x47x29,tb", "f32:33x47x29,ta,tb",
                                  "f32:1x64x32",  "f32:64x1x32",     "f32:16x24x8*3"};
  std::string arguments;
  for (const std::string& problem : problems) arguments += "'matmul " + problem + "' ";
  std::map<std::string, json> rows = rows_of(arguments + "--peers --kernels 'peer.*[ml]'");  // those of f32
  ASSERT_EQ(rows.size(), std::size(problems) * std::size(kPeers));
  for (const std::string& problem : problems)
    for (const char* peer : kPeers) {
      const json& row = rows[problem + " " + peer];
      EXPECT_EQ(row.at("backend"), "cpu");
      if (row.at("status") == "skipped") {
        EXPECT_EQ(row.at("reason").get<std::string>().rfind("not installed: no lib", 0), 0u) << row.at("reason");
        EXPECT_TRUE(row.at("median_s").is_null());
        continue;
      }
      EXPECT_EQ(row.at("status"), "ok") << problem << " " << peer << ": " << row.at("reason");
      EXPECT_GT(row.at("median_s").get<double>(), 0);
      EXPECT_LE(row.at("bound_ratio").get<double>(), 1);
      EXPECT_TRUE(row.at("predicted_s").is_null());
      EXPECT_NE(row.at("reproduce").get<std::string>().find("--peers"), std::string::npos);
      EXPECT_FALSE(row.at("chosen_by_dispatch").get<bool>());
    }
}

TEST(PeersCli, OneDnnMultipliesBf16AndBytesToo) {
  const std::string problems[] = {"matmul bf16:33x47x29",
                                  "matmul bf16:64x64x64,tb",
                                  "matmul bf16:16x24x8*3",
                                  "quantized_matmul s8:33x47x29,out=s32",
                                  "quantized_matmul u8s8:64x48x80,out=s32",
                                  "quantized_matmul s8:64x64x64,tb,out=s32"};
  std::string arguments;
  for (const std::string& problem : problems)
    arguments += problem.substr(0, problem.find(' ')) + " '" + problem.substr(problem.find(' ') + 1) + "' ";
  std::map<std::string, json> rows = rows_of(arguments + "--peers --kernels 'peer.onednn.matmul_*'");
  for (const std::string& problem : problems) {
    const json& row = rows[problem.substr(problem.find(' ') + 1) +
                           (problem[0] == 'm' ? " peer.onednn.matmul_bf16" : " peer.onednn.matmul_s8")];
    if (row.at("status") == "skipped") {
      EXPECT_EQ(row.at("reason").get<std::string>().rfind("not installed: no lib", 0), 0u) << row.at("reason");
      continue;
    }
    EXPECT_EQ(row.at("status"), "ok") << problem << ": " << row.at("reason");
    EXPECT_LE(row.at("bound_ratio").get<double>(), 1);
  }
}

TEST(PeersCli, XnnpackDoesElementwiseOperations) {
  const std::string problems[] = {"relu f32:1000",       "relu f32:100x77",      "sigmoid f32:30001",
                                  "softmax f32:13x101",  "softmax f32:50",       "dequantize s8:30001",
                                  "dequantize u8:700x3", "dequantize s8:999,zp", "dequantize u8:4,zp",
                                  "tanh f32:64",         "log_softmax f32:8x8",  "dequantize s8:16x16,per_channel"};
  std::string arguments;
  for (const std::string& problem : problems)
    arguments += problem.substr(0, problem.find(' ')) + " '" + problem.substr(problem.find(' ') + 1) + "' ";
  const std::vector<json> rows = every_row_of(arguments + "--peers --kernels 'peer.xnnpack.*'");
  ASSERT_EQ(rows.size(), std::size(problems));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const json& row = rows[i];
    EXPECT_EQ(row.at("op").get<std::string>() + " " + row.at("problem").get<std::string>(), problems[i]);
    const bool has_counterpart = i < 9;
    if (row.at("status") == "skipped") {
      const auto reason = row.at("reason").get<std::string>();
      EXPECT_TRUE(reason.starts_with("not installed: no lib") || (!has_counterpart && reason.starts_with("has ")))
          << problems[i] << ": " << reason;
      continue;
    }
    EXPECT_TRUE(has_counterpart) << problems[i];
    EXPECT_EQ(row.at("status"), "ok") << problems[i] << ": " << row.at("reason");
    EXPECT_LE(row.at("bound_ratio").get<double>(), 1);
  }
}

TEST(PeersCli, WhatHasNoCounterpartSaysSo) {
  std::map<std::string, json> rows =
      rows_of("'matmul f32:8x8x8,bias' 'matmul bf16:8x8x8,bias' 'relu f32:10' --peers --kernels '*'");
  for (const char* peer : kPeers) {
    for (const char* problem : {"f32:8x8x8,bias ", "bf16:8x8x8,bias "}) {
      const json& row = rows[std::string(problem) + peer];
      EXPECT_EQ(row.at("status"), "skipped");
      EXPECT_NE(row.at("reason"), "");
    }
    EXPECT_FALSE(rows.contains(std::string("f32:10 ") + peer));
  }
  EXPECT_TRUE(rows.contains("f32:10 auto"));
}

TEST(PeersCli, WithoutTheOptionThereAreNone) {
  for (const auto& [name, row] : rows_of("matmul f32:8x8x8")) EXPECT_EQ(name.find("peer."), std::string::npos) << name;
  expect_usage_error(run_program(TANDEM_COMPARE_PROGRAM, "matmul f32:8x8x8 --kernels 'peer.*'"), "tandem-compare",
                     "'peer.*'");
}

}  // namespace
}  // namespace tandem::test::peers_cli_test

#endif
