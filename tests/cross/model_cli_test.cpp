// The program tandem-model as its users meet it: exit codes, sentences, files, and figures that follow from its oracle.
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <tandem/network.h>
#include <tandem/npy.h>
#include <nlohmann/json.hpp>

#include "common/verify/oracle_network.h"
#include "tests/support/models.h"
#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/verify.h"

#ifdef TANDEM_MODEL_PROGRAM

namespace tandem::test::model_cli_test {
namespace {

using nlohmann::json;

const std::string kData = TANDEM_BENCH_DATA_DIR;
const std::string kFiles = kData + "/digits.safetensors --data " + kData + "/digits_images.npy ";
const std::string kDigits = kFiles + "--labels " + kData + "/digits_labels.npy ";
const std::string kQuick = " --min-time 0.001 ";

Ran run(const std::string& arguments) { return run_program(TANDEM_MODEL_PROGRAM, arguments); }

/// The rows of a run, by variant.
std::map<std::string, json> rows_of(const json& result) {
  std::map<std::string, json> rows;
  for (const json& row : result.at("variants")) rows[row.at("variant")] = row;
  return rows;
}

TEST(ModelCli, BadCommandsAreOneSentenceAndExitCodeTwo) {
  const TemporaryFolder folder;
  Tensor narrow = Tensor::zeros({4, 63}), labels = Tensor::zeros({1797}, DType::s32), nan = Tensor::full({1, 64}, NAN);
  labels.data<std::int32_t>()[5] = 10;
  save_npy(folder.file("narrow.npy"), narrow.view());
  save_npy(folder.file("labels.npy"), labels.view());
  save_npy(folder.file("nan.npy"), nan.view());
  save_safetensors(folder.file("plain"), {{"w", narrow}}, {});
  const std::string model = kData + "/digits.safetensors ";
  const struct {
    std::string arguments, mentions;
  } kBad[] = {
      {"", "model"},
      {model, "--data"},
      {"/nowhere/m --data x.npy", "/nowhere/m"},
      {model + "--data /nowhere/x.npy", "/nowhere/x.npy"},
      {kData + "/w1.npy --data " + kData + "/digits_images.npy", "w1.npy"},
      {folder.file("plain") + " --data " + kData + "/digits_images.npy", "'tandem.model'"},
      {model + "--data " + folder.file("narrow.npy"), "4x63"},
      {model + "--data " + folder.file("nan.npy"), "NaN"},
      {model + "--data " + kData + "/digits_labels.npy", "s32"},
      {kFiles + "--labels " + kData + "/digits_images.npy", "label"},
      {kFiles + "--labels " + folder.file("labels.npy"), "label 10 of row 5"},
      {kFiles + "--variants 'fp8*'", "'fp8*'"},
      {kFiles + "--backend tpu", "'tpu'"},
      {kFiles + "--sparsity 0.5,1", "'1'"},
      {kFiles + "--sparsity half", "'half'"},
      {kFiles + "--calibrate best", "'best'"},
      {kFiles + "--calibrate percentile=50", "percentile"},
      {kFiles + "--calibrate-rows 1798", "1797 rows"},
      {kFiles + "--calibrate-rows -1", "--calibrate-rows"},
      {kFiles + "--threads -2", "--threads"},
      {kFiles + "--min-time 0", "--min-time"},
      {kFiles + "--json - --csv -", "standard output"},
      {kFiles + "--json /nowhere/at/all.json", "/nowhere/at/all.json"},
      {kFiles + "--unknown", "--unknown"},
  };
  for (const auto& bad : kBad) expect_usage_error(run(bad.arguments), "tandem-model", bad.mentions);
}

TEST(ModelCli, NamesFromFilesDoNotReachTheTerminalAsControls) {
  const TemporaryFolder folder;
  const std::string layers = R"("layers": [{"weight": "\u001b[31mw"}])";
  const Tensor w = Tensor::full({64, 10}, 0.01f);
  save_safetensors(folder.file("missing"), {{"w", w}}, {{"tandem.model", R"({"version": 1, )" + layers + "}"}});
  save_safetensors(folder.file("named"), {{"\x1b[31mw", w}},
                   {{"tandem.model", R"({"version": 1, "name": "\u001b[2Jnet", )" + layers + "}"}});
  const std::string data = " --data " + kData + "/digits_images.npy --variants f32" + kQuick;
  const Ran missing = run(folder.file("missing") + data), named = run(folder.file("named") + data);
  expect_usage_error(missing, "tandem-model", "there is no tensor");
  EXPECT_EQ(named.exit_code, 0) << named.err;
  for (const std::string& text : {missing.err, named.out, named.err})
    EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
  EXPECT_NE(named.out.find("net"), std::string::npos) << named.out;
}

TEST(ModelCli, HelpAndVersionAreAnswers) {
  for (const char* option : {"--help", "--version"}) {
    const Ran ran = run(option);
    EXPECT_EQ(ran.exit_code, 0) << option;
    EXPECT_NE(ran.out.find("tandem-model"), std::string::npos) << option;
    EXPECT_EQ(ran.err, "") << option;
  }
}

void check_row(const json& row) {
  EXPECT_GT(row.at("disk_bytes").get<int>(), 0);
  EXPECT_GT(row.at("memory_bytes").get<int>(), 0);
  EXPECT_LE(row.at("bound_ratio").get<double>(), 1);
  EXPECT_EQ(row.at("compared"), 1798 * 10) << "every row of the batch, and the first one alone";
  EXPECT_EQ(row.at("kernels").size(), 3u);
  for (const char* batch : {"batch_1", "full_batch"}) {
    const json& speed = row.at(batch);
    for (const char* key : {"median_s", "p25_s", "p75_s", "min_s", "rows_per_second"})
      EXPECT_GT(speed.at(key).get<double>(), 0) << key << row.dump(1);
    EXPECT_GE(speed.at("samples").get<int>(), 1);
  }
  EXPECT_EQ(row.at("reproduce").get<std::string>().rfind("tandem-model ", 0), 0u);
}

TEST(ModelCli, EveryVariantOfTheDigitsIsThereAndRight) {
  const Ran ran = run(kDigits + "--backend cpu --seed 7 --json -" + kQuick);
  ASSERT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  const json result = json::parse(ran.out);
  EXPECT_EQ(result.at("schema"), "tandem-model/1");
  EXPECT_EQ(result.at("model"), "digits: 64, 128 relu, 64 relu, 10");
  EXPECT_EQ(result.at("rows"), 1797);
  EXPECT_EQ(result.at("seed"), 7);
  EXPECT_EQ(result.at("calibration"), "largest magnitude of rows 0 to 449");
  std::map<std::string, json> rows = rows_of(result);
  std::set<std::string> names;
  for (const auto& [name, row] : rows) {
    names.insert(name);
    EXPECT_EQ(row.at("backend"), "cpu");
    if (row.at("status") == "ok")
      check_row(row);
    else
      EXPECT_NE(row.at("reason"), "") << name;
  }
  EXPECT_EQ(names, (std::set<std::string>{"f32", "bf16", "int8-static", "int8-dynamic", "pruned-50%", "pruned-80%",
                                          "pruned-90%", "2:4", "int8+2:4"}));
  for (const char* name : {"f32", "bf16", "int8-static", "int8-dynamic", "pruned-50%"})
    EXPECT_EQ(rows[name].at("status"), "ok") << rows[name].dump(1);
  // bench/data/README.md says why every correct f32 implementation reaches this exactly.
  EXPECT_EQ(rows["f32"].at("accuracy"), 1782.0 / 1797);
  EXPECT_EQ(rows["f32"].at("agreement"), 1.0);
  EXPECT_EQ(rows["int8-static"].at("bound_ratio"), 0.0);
  EXPECT_EQ(rows["pruned-90%"].at("zeros"), 15322.0 / 17024);
  EXPECT_LT(rows["int8-static"].at("disk_bytes").get<int>(), 0.3 * rows["f32"].at("disk_bytes").get<int>());
  EXPECT_GT(rows["int8-static"].at("quantized").get<int>(), 1797 * (64 + 128));
  EXPECT_TRUE(rows["int8-dynamic"].at("saturated").is_null());
}

std::int64_t largest(const std::vector<Expected>& row) {
  std::size_t best = 0;
  for (std::size_t j = 1; j < row.size(); ++j) best = row[j].value > row[best].value ? j : best;
  return static_cast<std::int64_t>(best);
}

// The network of integers has no rounding that its oracle does not do as well: accuracy and errors must be the same.
TEST(ModelCli, FiguresOfInt8AreThoseOfItsOracle) {
  const Ran ran = run(kDigits + "--variants int8-dynamic --backend cpu --json -" + kQuick);
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const json row = json::parse(ran.out).at("variants").at(0);
  const Model model = load_model(kData + "/digits.safetensors");
  const Tensor x = load_npy(kData + "/digits_images.npy"), labels = load_npy(kData + "/digits_labels.npy");
  const NetworkOracle exact(model), integers(model, {}, WeightForm::s8, {});
  int correct = 0, agreeing = 0;
  double max_error = 0, sum = 0;
  for (std::int64_t i = 0; i < 1797; ++i) {
    const std::vector<Expected> real = exact.row(x.data<float>() + i * 64),
                                ours = integers.row(x.data<float>() + i * 64);
    correct += largest(ours) == labels.data<std::int32_t>()[i] ? 1 : 0;
    agreeing += largest(ours) == largest(real) ? 1 : 0;
    for (std::size_t j = 0; j < real.size(); ++j) {
      EXPECT_EQ(ours[j].bound, 0);
      max_error = std::max(max_error, std::abs(ours[j].value - real[j].value));
      sum += std::abs(ours[j].value - real[j].value);
    }
  }
  EXPECT_EQ(row.at("accuracy"), correct / 1797.0);
  EXPECT_EQ(row.at("agreement"), agreeing / 1797.0);
  EXPECT_NEAR(row.at("max_error").get<double>(), max_error, 1e-12);
  EXPECT_NEAR(row.at("mean_error").get<double>(), sum / 17970, 1e-12);
  std::printf("int8-dynamic: %d of 1797 right, %d as in double precision\n", correct, agreeing);
}

TEST(ModelCli, AModelWithoutLabelsHasErrorsAlone) {
  const TemporaryFolder folder;
  Model model = random_model({20, 30, 10}, Activation::gelu_erf, 1);
  model.softmax = true;
  save_model(folder.file("m"), model);
  save_npy(folder.file("x.npy"), random_tensor({33, 20}, 2).view());
  const std::string files = folder.file("m") + " --data " + folder.file("x.npy");
  const Ran ran =
      run(files + " --sparsity 0.25 --calibrate percentile=99 --calibrate-rows 5 --backend cpu --json -" + kQuick);
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const json result = json::parse(ran.out);
  EXPECT_EQ(result.at("calibration"), "percentile 99 of the magnitudes of rows 0 to 4");
  std::map<std::string, json> rows = rows_of(result);
  EXPECT_EQ(rows.size(), 7u);
  EXPECT_EQ(rows.count("pruned-25%"), 1u);
  for (const char* name : {"f32", "bf16", "int8-static", "int8-dynamic", "pruned-25%"}) {
    EXPECT_EQ(rows[name].at("status"), "ok") << rows[name].dump(1);
    EXPECT_TRUE(rows[name].at("accuracy").is_null());
    EXPECT_GT(rows[name].at("max_error").get<double>(), 0);
  }
  EXPECT_GT(rows["int8-static"].at("saturated").get<int>(), 0);
  const Ran table = run(files + " --variants f32" + kQuick);
  EXPECT_EQ(table.exit_code, 0) << table.err;
  EXPECT_EQ(table.out.find("accuracy"), std::string::npos) << table.out;
}

TEST(ModelCli, OneVariantAndItsCommandWorks) {
  const Ran first = run(kDigits + "--variants pruned-80% --backend cpu --sparsity 0.8 --json -" + kQuick);
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const json row = json::parse(first.out).at("variants").at(0);
  const std::string command = row.at("reproduce");
  const Ran again = run(command.substr(std::string("tandem-model ").size()) + " --json -");
  ASSERT_EQ(again.exit_code, 0) << command << again.err;
  const json same = json::parse(again.out).at("variants");
  ASSERT_EQ(same.size(), 1u) << command;
  for (const char* key : {"variant", "accuracy", "max_error", "mean_error", "disk_bytes", "reproduce"})
    EXPECT_EQ(same[0].at(key), row.at(key)) << key;
}

TEST(ModelCli, EveryFormatGoesToAFileWholeAndTheTableStays) {
  const TemporaryFolder folder;
  const Ran ran = run(kDigits + "--backend cpu --json " + folder.file("a.json") + " --csv " + folder.file("a.csv") +
                      " --markdown " + folder.file("a.md") + kQuick);
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.out.find("int8-static"), std::string::npos);
  EXPECT_NE(ran.out.find("0 wrong"), std::string::npos);
  EXPECT_EQ(ran.out.find('\x1b'), std::string::npos) << "colours without a terminal";
  EXPECT_EQ(ran.err, "") << "progress without a terminal";
  EXPECT_EQ(folder.entries(), 3u) << "a temporary file was left";
  const json result = json::parse(read_bytes(folder.file("a.json")));
  const std::vector<std::string> csv = lines_of(read_bytes(folder.file("a.csv")));
  EXPECT_EQ(csv.size(), result.at("variants").size() + 1);
  for (const std::string& line : csv) EXPECT_EQ(csv_fields(line), csv_fields(csv[0])) << line;
  EXPECT_NE(read_bytes(folder.file("a.md")).find("| int8-dynamic |"), std::string::npos);
}

TEST(ModelCli, QuietPrintsNothing) {
  const Ran ran = run(kDigits + "--variants f32 --quiet" + kQuick);
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.out + ran.err, "");
}

}  // namespace
}  // namespace tandem::test::model_cli_test

#endif
