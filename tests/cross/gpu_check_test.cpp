// bench/gpu_check.sh without a GPU: with programs and tools that only write down how they are called, the script must
// pass, fail, cut off and leave out what it says; and what it calls with must be known to the real programs.
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"

#ifdef TANDEM_COMPARE_PROGRAM

namespace tandem::test::gpu_check_test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const char* const kScript = TANDEM_TEST_DATA_DIR "/../../bench/gpu_check.sh";
const char* const kPrograms[] = {"tandem_kernel_tests", "tandem_cross_tests",   "tandem_cuda_tests",
                                 "tandem-peer-cublas",  "tandem-peer-cublaslt", "tandem-compare",
                                 "tandem-report",       "tandem-profile",       "tandem-explain"};
const std::vector<std::string> kSteps = {"kernel_tests", "cross_tests", "cuda_tests", "cublas",   "cublaslt", "compare",
                                         "report",       "profile",     "break_even", "memcheck", "racecheck"};

class GpuCheckCli : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v bash >/dev/null") != 0) GTEST_SKIP() << "there is no bash";
    fs::create_directories(folder_.path() / "build/bin");
    fs::create_directory(folder_.path() / "tools");
    for (const char* program : kPrograms) fake(program);
    for (const char* tool : {"compute-sanitizer", "ncu"}) fake(tool, "", "tools/");
    fake("nvidia-smi",
         "case $1 in\n"
         "  --query-gpu=name) echo 'Made \"up\"' ;;\n"
         "  --query-gpu=compute_cap) echo 9.0 ;;\n"
         "  --query-gpu=driver_version) echo 580.1 ;;\n"
         "esac\n",
         "tools/");
    // Where the slowest product is looked for; only the second row is one that tiles and fills the device.
    compare_result_ = folder_.file("rows.json");
    const auto row = [](const char* problem, const char* kernel, double flops, double part) {
      return json{
          {"op", "matmul"}, {"problem", problem}, {"kernel", kernel}, {"flops", flops}, {"ceiling_fraction", part}};
    };
    nlohmann::ordered_json rows{{"rows", nlohmann::ordered_json::array()}};
    for (const json& r : {row("f32:1024x1024x1024", "cuda.matmul.f32.naive", 2e9, 0.01),
                          row("bf16:512x512x512", "cuda.matmul.bf16.mma", 2.7e8, 0.2),
                          row("f32:1024x1024x1024", "cuda.matmul.f32.regtiled", 2e9, 0.5),
                          row("f32:64x64x64", "cuda.matmul.f32.regtiled", 5e5, 0.001)}) {
      nlohmann::ordered_json ordered;
      for (const char* key : {"op", "problem", "kernel", "flops", "ceiling_fraction"}) ordered[key] = r.at(key);
      rows["rows"].push_back(ordered);
    }
    write_bytes(compare_result_, rows.dump(1));
    fake("tandem-compare",
         "while [ $# -gt 0 ]; do [ \"$1\" = --json ] && cp " + compare_result_ + " \"$2\"; shift; done\n");
  }

  /// An executable that appends its name and arguments to a file, one a line, and then does as it is told. A line is
  /// one write: parts of a program of tests run at the same time.
  void fake(const std::string& program, const std::string& then = "", const std::string& place = "build/bin/") {
    const fs::path path = folder_.path() / (place + program);
    write_bytes(path.string(), "#!/usr/bin/env bash\nline=$(printf '%s' " + program +
                                   "; printf '\\t%s' \"$@\")\nprintf '%s\\n' \"$line\" >>" + folder_.file("calls") +
                                   "\n" + then);
    fs::permissions(path, fs::perms::owner_all);
  }

  Ran check(const std::string& options = "") {
    fs::remove(folder_.path() / "calls");
    const std::string path = "PATH=" + folder_.file("tools") + ":$PATH TANDEM_TUNING=off";
    return run_program(
        "bash",
        std::string(kScript) + " --prebuilt " + folder_.file("build") + " " + options + " " + folder_.file("out"),
        path);
  }

  json summary() const { return json::parse(read_bytes(folder_.file("out/gpu_check.json"))); }

  /// Result of each step, by name.
  static std::map<std::string, std::string> results(const json& summary) {
    std::map<std::string, std::string> all;
    for (const json& step : summary.at("steps")) all[step.at("step")] = step.at("result");
    return all;
  }

  /// Each call as words, the program first.
  std::vector<std::vector<std::string>> calls() const {
    std::vector<std::vector<std::string>> all;
    for (const std::string& line : lines_of(read_bytes(folder_.file("calls")))) {
      std::istringstream stream(line);
      std::vector<std::string>& words = all.emplace_back();
      for (std::string word; std::getline(stream, word, '\t');) words.push_back(word);
    }
    return all;
  }

  TemporaryFolder folder_;
  std::string compare_result_;
};

TEST_F(GpuCheckCli, PassesWhenEveryStepDoes) {
  const Ran ran = check();
  EXPECT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  EXPECT_NE(ran.out.find("gpu_check: PASSED"), std::string::npos) << ran.out;
  const json found = summary();
  EXPECT_EQ(found.at("schema"), "tandem-gpu-check/1");
  EXPECT_EQ(found.at("device"), "Made \"up\"");
  EXPECT_EQ(found.at("compute_capability"), "9.0");
  EXPECT_EQ(found.at("driver"), "580.1");
  EXPECT_TRUE(found.at("passed").get<bool>());
  const std::map<std::string, std::string> steps = results(found);
  EXPECT_EQ(steps.size(), kSteps.size() + 1);
  for (const std::string& step : kSteps) {
    EXPECT_EQ(steps.at(step), "ok") << step;
    EXPECT_TRUE(fs::exists(folder_.file("out/" + step + ".log"))) << step;
  }
  // Nsight Compute sees the tiled product that reaches least, and nothing small.
  EXPECT_EQ(steps.at("ncu"), "ok");
  bool seen = false;
  for (const std::vector<std::string>& call : calls()) {
    if (call[0] != "ncu") continue;
    seen = true;
    const auto at = std::find(call.begin(), call.end(), "matmul");
    ASSERT_GE(call.end() - at, 4);
    EXPECT_EQ(at[1], "bf16:512x512x512");
    EXPECT_EQ(at[3], "cuda.matmul.bf16.mma");
  }
  EXPECT_TRUE(seen);
}

TEST_F(GpuCheckCli, NamesTheStepThatFailsAndGoesOn) {
  fake("tandem-report", "echo 'no such thing' >&2; exit 3\n");
  const Ran ran = check();
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.out.find("no such thing"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("gpu_check: FAILED"), std::string::npos) << ran.out;
  const json found = summary();
  EXPECT_FALSE(found.at("passed").get<bool>());
  for (const auto& [step, result] : results(found)) EXPECT_EQ(result, step == "report" ? "failed (3)" : "ok") << step;
  EXPECT_EQ(results(found).size(), kSteps.size() + 1);
}

TEST_F(GpuCheckCli, AProgramThatIsNotThereFails) {
  fs::remove(folder_.path() / "build/bin/tandem-profile");
  EXPECT_EQ(check().exit_code, 1);
  EXPECT_EQ(results(summary()).at("profile"), "failed (127)");
}

TEST_F(GpuCheckCli, RunsTheStepsThatAreAskedFor) {
  Ran ran = check("--steps 'c*_tests|memcheck'");
  EXPECT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  std::set<std::string> steps;
  for (const auto& [step, result] : results(summary())) steps.insert(step);
  EXPECT_EQ(steps, (std::set<std::string>{"cross_tests", "cuda_tests", "memcheck"}));
  ran = check("--steps nonsense");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.err, "gpu_check: no step is named 'nonsense'\n");
  EXPECT_FALSE(summary().at("passed").get<bool>());
}

// Programs of tests run in parts, each with its own cases: one that fails is enough, and it is heard.
TEST_F(GpuCheckCli, OnePartOfTheTestsThatFailsIsEnough) {
  fake("tandem_kernel_tests",
       "echo \"part $GTEST_SHARD_INDEX of $GTEST_TOTAL_SHARDS\"\n"
       "[ \"$GTEST_SHARD_INDEX\" != 0 ] || { echo 'a result is wrong'; exit 7; }\n");
  const Ran ran = check("--steps kernel_tests");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(results(summary()).at("kernel_tests"), "failed (7)");
  EXPECT_NE(ran.out.find("a result is wrong"), std::string::npos) << ran.out;
  const std::string log = read_bytes(folder_.file("out/kernel_tests.log"));
  const std::size_t parts = std::min<std::size_t>(std::thread::hardware_concurrency(), 12);
  EXPECT_EQ(lines_of(log).size(), parts + 1) << log;
  EXPECT_FALSE(fs::exists(folder_.file("out/kernel_tests.shards")));
}

// One that ends when it is told to, and one that hears no signal but the last.
TEST_F(GpuCheckCli, CutsOffWhatHangs) {
  fake("tandem_kernel_tests", "exec sleep 300\n");
  fake("tandem-profile", "trap '' TERM\nexec sleep 300\n");
  const Ran ran = check("--step-limit 1");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.err, "");
  for (const auto& [step, result] : results(summary()))
    EXPECT_EQ(result.rfind("cut off after", 0) == 0, step == "kernel_tests" || step == "profile")
        << step << ": " << result;
}

TEST_F(GpuCheckCli, ToolsThatAreMissingOrForbidden) {
  fake("ncu", "echo '==ERROR== ERR_NVGPUCTRPERM - The user does not have permission'; exit 1\n", "tools/");
  const Ran ran = check();
  EXPECT_EQ(ran.exit_code, 0) << ran.out;  // counters are a privilege
  EXPECT_NE(results(summary()).at("ncu").find("no permission"), std::string::npos);
  EXPECT_EQ(results(summary()).size(), kSteps.size() + 1);
  fake("ncu", "echo 'something else'; exit 1\n", "tools/");
  EXPECT_EQ(check().exit_code, 1);
  EXPECT_EQ(results(summary()).at("ncu"), "failed (1)");
  write_bytes(compare_result_, "{}");
  EXPECT_EQ(check().exit_code, 0);
  EXPECT_EQ(results(summary()).at("ncu"), "left out: no tiled product was measured");
}

TEST_F(GpuCheckCli, WithoutAGpuItSaysWhy) {
  fake("nvidia-smi", "echo \"NVIDIA-SMI has failed because it couldn't communicate with the driver\"; exit 9\n",
       "tools/");
  Ran ran = check();
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_EQ(
      ran.err,
      "gpu_check: no GPU: nvidia-smi says: NVIDIA-SMI has failed because it couldn't communicate with the driver\n");
  EXPECT_FALSE(fs::exists(folder_.file("out/gpu_check.json")));
  if (std::system("command -v nvidia-smi >/dev/null") == 0) return;
  fs::remove(folder_.path() / "tools/nvidia-smi");
  ran = check();
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_EQ(ran.err, "gpu_check: no GPU: nvidia-smi is not installed\n");
}

TEST_F(GpuCheckCli, BadOptionsAreOneSentence) {
  for (const char* options : {"--wish", "--step-limit", "--step-limit x", "--step-limit 0", "--steps", "--steps ''"}) {
    const Ran ran = check(options);
    EXPECT_EQ(ran.exit_code, 1) << options;
    ASSERT_EQ(lines_of(ran.err).size(), 1u) << options << "\n" << ran.err;
    EXPECT_EQ(ran.err.rfind("gpu_check: ", 0), 0u) << ran.err;
  }
  const Ran help = run_program("bash", std::string(kScript) + " --help");
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_NE(help.out.find("--step-limit"), std::string::npos);
}

// The fakes take anything; the real programs must know each option, filter and kernel that the script names.
TEST_F(GpuCheckCli, TheRealProgramsKnowWhatTheyAreGiven) {
  ASSERT_EQ(check().exit_code, 0);
  const fs::path real = fs::path(TANDEM_COMPARE_PROGRAM).parent_path();
  const std::string kernels = run_program(TANDEM_COMPARE_PROGRAM, "--list").out;
  std::set<std::string> seen;
  for (std::vector<std::string> call : calls()) {
    // What a tool is told to run counts as a call of that.
    for (const char* tool : {"compute-sanitizer", "ncu"})
      if (call[0] == tool) {
        const auto program = std::find_if(call.begin(), call.end(),
                                          [&](const std::string& w) { return w.rfind(folder_.file("build"), 0) == 0; });
        ASSERT_NE(program, call.end()) << tool;
        call = {program, call.end()};
        call[0] = fs::path(call[0]).filename();
      }
    if (call[0] == "nvidia-smi") continue;
    const std::string program = (real / call[0]).string();
    const bool of_cuda = call[0] == "tandem_cuda_tests" || call[0].rfind("tandem-peer", 0) == 0;
    if (of_cuda && !fs::exists(program)) continue;  // not built here
    ASSERT_TRUE(fs::exists(program)) << program;
    seen.insert(call[0]);
    const bool tests = call[0].find("_tests") != call[0].npos;
    std::string filter;
    const std::string help = tests ? "" : run_program(program, "--help").out;
    for (std::size_t i = 1; i < call.size(); ++i) {
      const std::string option = call[i].substr(0, call[i].find('='));
      if (tests) {
        EXPECT_TRUE(option == "--gtest_brief" || option == "--gtest_filter") << call[i];
        if (option == "--gtest_filter") filter = call[i];
      } else if (option.rfind('-', 0) == 0) {
        EXPECT_TRUE(help.find(option + " ") != help.npos || help.find(option + ",") != help.npos)
            << call[0] << " " << option;
      } else if (option.rfind("cuda.", 0) == 0 && option != "cuda.*") {
        EXPECT_NE(kernels.find(option), std::string::npos) << option;
      }
    }
    if (!tests) continue;
    const Ran listed = run_program(program, "--gtest_list_tests '" + filter + "'");
    EXPECT_EQ(listed.exit_code, 0) << call[0];
    EXPECT_GT(lines_of(listed.out).size(), 5u) << call[0] << " " << filter;
  }
  for (const char* program : kPrograms) EXPECT_TRUE(seen.contains(program) || !fs::exists(real / program)) << program;
}

}  // namespace
}  // namespace tandem::test::gpu_check_test

#endif
