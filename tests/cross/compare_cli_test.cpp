// The program tandem-compare as its users meet it: exit codes, sentences, files.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <tandem/npy.h>
#include <tandem/tensor.h>
#include <nlohmann/json.hpp>

#include "common/dispatch/registry.h"
#include "common/ops/all.h"
#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"

#ifdef TANDEM_COMPARE_PROGRAM

namespace tandem::test::compare_cli_test {
namespace {

using nlohmann::json;

Ran run(const std::string& arguments, const std::string& before = "") {
  return run_program(TANDEM_COMPARE_PROGRAM, arguments, before);
}

const std::string kQuick = " --min-time 0.002 ";

TEST(CompareCli, BadCommandsAreOneSentenceAndExitCodeTwo) {
  const struct {
    const char *arguments, *mentions;
  } kBad[] = {
      {"nonsense f32:10", "'nonsense'"},
      {"f32:10x10x10", "no operation"},
      {"matmul", "no problem"},
      {"matmul f32:10x10", "three sizes"},
      {"'matmul f32:10x10x10,act=nope'", "'nope'"},
      {"matmul f32:10xx10", "sizes"},
      {"matmul f64:1x1x1", "f64"},
      {"relu f32:0", "no element"},
      {"relu bf16:10", "bf16"},
      {"relu f32:-3", "sizes"},
      {"relu f32:10 softmax f32:4x4,axis=9", "axis 9"},
      {"relu f32:4000000000000", "memory"},
      {"relu f32:10 --threads -2", "--threads"},
      {"relu f32:10 --threads x", "--threads"},
      {"relu f32:10 --min-time 0", "--min-time"},
      {"relu f32:10 --seed -1", "--seed"},
      {"relu f32:10 --kernels 'none.*'", "'none.*'"},
      {"relu f32:10 --unknown", "--unknown"},
      {"relu f32:10 --json - --csv -", "standard output"},
      {"relu f32:10 --json - --google-json -", "standard output"},
      {"relu f32:10 --google-json /nowhere/at/all.json", "/nowhere/at/all.json"},
      {"relu f32:10 --json /nowhere/at/all.json", "/nowhere/at/all.json"},
      {"relu --a /nowhere/x.npy", "/nowhere/x.npy"},
      {"relu f32:10 --b x.npy", "--b"},
      {"digits --data /nowhere", "/nowhere"},
      {"relu f32:10 --data /tmp", "--data is the folder of the job digits"},
      {"relu f32:{m} -a m=1 -a m=2", "the axis m is given twice"},
      {"relu f32:10 --selftest --peers", "--peers"},
  };
  for (const auto& bad : kBad) expect_usage_error(run(bad.arguments), "tandem-compare", bad.mentions);
}

TEST(CompareCli, HelpAndVersionAreAnswers) {
  for (const char* option : {"--help", "--version"}) {
    const Ran ran = run(option);
    EXPECT_EQ(ran.exit_code, 0) << option;
    EXPECT_NE(ran.out.find("tandem-compare"), std::string::npos) << option;
    EXPECT_EQ(ran.err, "") << option;
  }
}

TEST(CompareCli, ListNamesEveryOperationAndKernel) {
  const Ran ran = run("--list");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  for_each_op([&]<class Op>() {
    for (const std::string& name : Op::op_names()) EXPECT_NE(ran.out.find(name), std::string::npos) << name;
    EXPECT_NE(ran.out.find(Op::kForm), std::string::npos) << Op::kForm;
    for (const Entry<Op>& entry : table<Op>()) EXPECT_NE(ran.out.find(entry.name), std::string::npos) << entry.name;
  });
}

TEST(CompareCli, ExplainTimesNothing) {
  const Ran ran = run("matmul f32:64x64x64 --explain");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.out.find("chosen"), std::string::npos) << ran.out;
  EXPECT_EQ(ran.out.find("samples"), std::string::npos);
}

/// Every kernel of the operation that the row belongs to, and "auto".
template <class Op>
std::set<std::string> expected_kernels() {
  std::set<std::string> names = {"auto"};
  for (const Entry<Op>& entry : table<Op>()) names.insert(entry.name);
  return names;
}

void check_row(const json& row) {
  const std::string status = row.at("status");
  EXPECT_TRUE(status == "ok" || status == "skipped") << row.dump(1);
  for (const char* key : {"op", "problem", "kernel", "backend", "reason", "rate_unit", "operands", "reproduce"})
    EXPECT_TRUE(row.at(key).is_string()) << key;
  EXPECT_GE(row.at("threads").get<int>(), 1);
  if (status == "skipped") {
    EXPECT_NE(row.at("reason"), "");
    EXPECT_TRUE(row.at("median_s").is_null());
    return;
  }
  for (const char* key : {"median_s", "p25_s", "p75_s", "min_s", "rate", "ceiling_fraction", "predicted_s"})
    EXPECT_GT(row.at(key).get<double>(), 0) << key << row.dump(1);
  EXPECT_LE(row.at("p25_s").get<double>(), row.at("median_s").get<double>());
  EXPECT_LE(row.at("median_s").get<double>(), row.at("p75_s").get<double>());
  EXPECT_LE(row.at("bound_ratio").get<double>(), 1);
  EXPECT_GE(row.at("samples").get<int>(), 1);
  EXPECT_EQ(row.at("samples").get<std::size_t>(), row.at("sample_s").size());
  EXPECT_EQ(row.at("reproduce").get<std::string>().rfind("tandem-compare ", 0), 0u);
}

TEST(CompareCli, JsonHasTheSchemaAndARowForEveryKernel) {
  const Ran ran = run("matmul f32:33x17x29 'relu f32:1000'" + kQuick + "--threads 2 --seed 7 --json -");
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const json result = json::parse(ran.out);  // and nothing but JSON on standard output
  EXPECT_EQ(result.at("schema"), "tandem-compare/1");
  EXPECT_EQ(result.at("seed"), 7);
  EXPECT_EQ(result.at("machine").at("threads"), 2);
  EXPECT_GT(result.at("machine").at("ceilings").at("fma_flops_s").get<double>(), 0);
  EXPECT_FALSE(result.at("interrupted").get<bool>());
  std::map<std::string, std::set<std::string>> kernels;
  for (const json& row : result.at("rows")) {
    check_row(row);
    kernels[row.at("op")].insert(row.at("kernel").get<std::string>());
    EXPECT_EQ(row.at("rate_unit"), row.at("op") == "matmul" ? "GFLOP/s" : "GB/s");
  }
  EXPECT_EQ(kernels["matmul"], expected_kernels<Matmul>());
  EXPECT_EQ(kernels["relu"], expected_kernels<Unary>());
}

TEST(CompareCli, TitlesTellWhatOperandsHold) {
  const Ran ran = run("'spmm csr:16x16x16@0.2' --kernels 'cpu.*'" + kQuick);
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.out.find("row_offsets random places, columns random places, values uniform"), std::string::npos)
      << ran.out;
}

TEST(CompareCli, ReproducesUnderTheSameCap) {
  const Ran ran = run("relu f32:10 --kernels auto --json -" + kQuick, "TANDEM_ISA_MAX=scalar");
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const std::string command = json::parse(ran.out).at("rows").at(0).at("reproduce");
  EXPECT_EQ(command.rfind("TANDEM_ISA_MAX=scalar tandem-compare relu f32:10 ", 0), 0u) << command;
}

TEST(CompareCli, OneDispatchedKernelAProblemAndItsCommandWorks) {
  const Ran first = run("softmax f32:16x10 'matmul f32:4x5x6*3'" + kQuick + "--json -");
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const json rows = json::parse(first.out).at("rows");
  int chosen = 0;
  for (const json& row : rows) {
    chosen += row.at("chosen_by_dispatch").get<bool>() ? 1 : 0;
    if (!row.at("chosen_by_dispatch").get<bool>()) continue;
    const std::string command = row.at("reproduce");
    const Ran again = run(command.substr(std::string("tandem-compare ").size()) + " --json -");
    ASSERT_EQ(again.exit_code, 0) << command << again.err;
    const json same = json::parse(again.out).at("rows");
    ASSERT_EQ(same.size(), 1u) << command;
    EXPECT_EQ(same[0].at("kernel"), row.at("kernel"));
    EXPECT_EQ(same[0].at("problem"), row.at("problem"));
    EXPECT_EQ(same[0].at("max_abs_error"), row.at("max_abs_error"));  // the same seed, the same data
  }
  EXPECT_EQ(chosen, 2);
}

TEST(CompareCli, EveryFormatGoesToAFileWholeAndTheTableStays) {
  const TemporaryFolder folder;
  const Ran ran =
      run("relu f32:100 'add f32:10x10,row'" + kQuick + "--json " + folder.file("a.json") + " --csv " +
          folder.file("a.csv") + " --markdown " + folder.file("a.md") + " --google-json " + folder.file("g.json"));
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.out.find("relu f32:100"), std::string::npos);
  EXPECT_EQ(ran.out.find('\x1b'), std::string::npos) << "colours without a terminal";
  EXPECT_EQ(ran.err, "") << "progress without a terminal";
  EXPECT_EQ(folder.entries(), 4u) << "a temporary file was left";
  const json result = json::parse(read_bytes(folder.file("a.json")));
  EXPECT_FALSE(json::parse(read_bytes(folder.file("g.json"))).at("benchmarks").empty());
  const std::vector<std::string> csv = lines_of(read_bytes(folder.file("a.csv")));
  EXPECT_EQ(csv.size(), result.at("rows").size() + 1);
  for (const std::string& line : csv) EXPECT_EQ(csv_fields(line), csv_fields(csv[0])) << line;
  const std::string markdown = read_bytes(folder.file("a.md"));
  EXPECT_NE(markdown.find("## relu f32:100\n"), std::string::npos);
  EXPECT_NE(markdown.find("## add f32:10x10,row\n"), std::string::npos);
}

TEST(CompareCli, QuietPrintsNothing) {
  const Ran ran = run("relu f32:100 --quiet" + kQuick);
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.out + ran.err, "");
}

TEST(CompareCli, KernelsGlobSelectsRows) {
  const Ran ran = run("relu f32:100 --kernels 'cpu.*'" + kQuick + "--json -");
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const json rows = json::parse(ran.out).at("rows");
  EXPECT_FALSE(rows.empty());
  for (const json& row : rows) EXPECT_EQ(row.at("kernel").get<std::string>().rfind("cpu.", 0), 0u) << row.at("kernel");
}

TEST(CompareCli, OperandsComeFromFiles) {
  const TemporaryFolder folder;
  Tensor a = Tensor::full({3, 4}, 2.0f), b = Tensor::full({4, 5}, 0.5f), five = Tensor::full({5}, 1.0f);
  save_npy(folder.file("a.npy"), a.view());
  save_npy(folder.file("b.npy"), b.view());
  save_npy(folder.file("five.npy"), five.view());
  const std::string files = " --a " + folder.file("a.npy") + " --b " + folder.file("b.npy");
  const Ran ran = run("matmul" + files + kQuick + "--json -");
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const json row = json::parse(ran.out).at("rows").at(0);
  EXPECT_EQ(row.at("problem"), "f32:3x5x4");
  EXPECT_NE(row.at("operands").get<std::string>().find(folder.file("b.npy")), std::string::npos);

  const Ran mismatch = run("matmul f32:3x5x9" + files);
  EXPECT_EQ(mismatch.exit_code, 2);
  EXPECT_NE(mismatch.err.find("a.npy holds 3x4"), std::string::npos) << mismatch.err;
  const Ran inner = run("matmul --a " + folder.file("b.npy") + " --b " + folder.file("a.npy"));
  EXPECT_EQ(inner.exit_code, 2);
  EXPECT_NE(inner.err.find("inner dimensions"), std::string::npos) << inner.err;
  const Ran too_many = run("relu --a " + folder.file("a.npy") + " --b " + folder.file("b.npy"));
  EXPECT_EQ(too_many.exit_code, 2);
  EXPECT_NE(too_many.err.find("b.npy"), std::string::npos) << too_many.err;
  const Ran one = run("relu --a " + folder.file("five.npy") + kQuick + "--json -");
  ASSERT_EQ(one.exit_code, 0) << one.err;
  EXPECT_EQ(json::parse(one.out).at("rows").at(0).at("problem"), "f32:5");
}

// bench/data/README.md has these figures, and why every correct f32 implementation reaches them exactly.
TEST(CompareCli, TheDigitsNetworkIsAsAccurateAsItsReadmeSays) {
  const Ran ran = run("digits --kernels auto --min-time 0.001 --json -");
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const json result = json::parse(ran.out);
  const json figures = result.at("statements").at(0).at("figures");
  EXPECT_EQ(figures.at("images"), 1797);
  EXPECT_EQ(figures.at("correct"), 1782);
  EXPECT_EQ(figures.at("correct_in_double"), 1782);
  EXPECT_EQ(figures.at("answers_as_in_double"), 1797);
  EXPECT_EQ(result.at("rows").size(), 7u);
  for (const json& row : result.at("rows")) EXPECT_EQ(row.at("status"), "ok") << row.dump(1);
}

TEST(CompareCli, AnInterruptKeepsWhatWasMeasured) {
  const TemporaryFolder folder;
  // Sixty seconds on one problem would be far more than the test waits for. --foreground: the signal arrives once, not
  // once more through the process group.
  const Ran ran = run("relu f32:1000 matmul f32:64x64x64 --min-time 60 --json " + folder.file("a.json"),
                      "timeout --foreground --preserve-status -s INT 3");
  EXPECT_EQ(ran.exit_code, 130) << ran.err;
  EXPECT_NE(ran.out.find("interrupted"), std::string::npos) << ran.out;
  const json result = json::parse(read_bytes(folder.file("a.json")));
  EXPECT_TRUE(result.at("interrupted").get<bool>());
}

}  // namespace
}  // namespace tandem::test::compare_cli_test

#endif
