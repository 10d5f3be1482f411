#include "bench/compare/options.h"

#include <fnmatch.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>
#include <tandem/version.h>

namespace tandem::compare {
namespace {

constexpr std::array<std::string_view, 2> kJobs = {"digits", "ladder"};

constexpr const char* kDescription =
    "Compares every kernel on the same problems: checks each result, then times the right ones side by side.\n"
    "Exit code: 0; 1 when a result is wrong, or what --selftest or --fail-on watches for has happened; 2 when the\n"
    "command cannot be meant or carried out, as with results that cannot be compared; 130 when interrupted.";

constexpr const char* kExamples =
    "\nExamples:\n"
    "  tandem-compare                                       the default job: digits and ladder\n"
    "  tandem-compare digits                                a small network on 1797 real images\n"
    "  tandem-compare matmul f32:1024x1024x1024 relu f32:1000000\n"
    "  tandem-compare 'softmax f32:1797x10' --json - --quiet\n"
    "  tandem-compare matmul --a images.npy --b weights.npy\n"
    "  tandem-compare 'matmul f32:{m}x{m}x{k}' -a m=[pow2]6:9 -a k=64,100\n"
    "  tandem-compare softmax f32:1000x100 --sweep-threads all --cold\n"
    "  tandem-compare matmul f32:256x256x256 --selftest     one kernel twice must come out the same\n"
    "  tandem-compare digits --baseline old.json --fail-on regression\n"
    "  tandem-compare compare old.json new.json --fail-on regression\n"
    "  tandem-compare --list                                operations, problem grammar, kernels\n"
    "  tandem-compare matmul f32:512x512x512 --explain      what dispatch would choose, and why";

/// Words on the command line -> problems and named jobs.
void read_words(const std::vector<std::string>& words, Options& options) {
  if (!words.empty() && words[0] == "compare") {
    if (words.size() != 3) throw UsageError("compare takes two files: tandem-compare compare old.json new.json");
    options.files = {words[1], words[2]};
    return;
  }
  std::vector<Asked> of_files;  // operations whose problem follows from their files
  options.problems = bench::asked_of(words, [&](const std::string& word, bool paired) {
    if (std::find(kJobs.begin(), kJobs.end(), word) != kJobs.end()) {
      options.jobs.push_back(word);
      return true;
    }
    if (paired || options.a.empty() || word.find(':') != std::string::npos) return false;
    of_files.push_back({word, ""});
    return true;
  });
  options.problems.insert(options.problems.end(), of_files.begin(), of_files.end());
}

/// What runs nothing writes no results, and takes no options of a run.
void check_modes(const CLI::App& app, const Options& options) {
  if (!options.files.empty())
    bench::refuse_others(app, "compare", {"problem", "--threshold", "--seed", "--fail-on", "--quiet"});
  else if (options.list)
    bench::refuse_others(app, "--list", {"--list"});
  else if (options.explain)
    bench::refuse_others(app, "--explain",
                         {"--explain", "problem", "--a", "--b", "--data", "--threads", "--axis", "--sweep-batch"});
}

void check(const Options& options) {
  if (!(options.threshold_percent > 0 && options.threshold_percent < 100))
    throw UsageError(fmt::format("--threshold {}: write per cent, above 0 and below 100", options.threshold_percent));
  if (!options.sweep_threads.empty() && options.threads > 0)
    throw UsageError("--threads and --sweep-threads exclude each other");
  if (options.fail_on_regression && options.files.empty() && options.baseline.empty())
    throw UsageError("--fail-on regression needs --baseline FILE");
  if (options.fail_on_reference &&
      (options.selftest || !options.files.empty() || fnmatch(options.kernels.c_str(), profile::kAuto, 0) != 0))
    throw UsageError("--fail-on reference looks at what dispatch chooses: it needs the row auto of a run");
  if (options.selftest && !options.baseline.empty()) throw UsageError("--selftest and --baseline exclude each other");
  if (options.selftest && options.peers)
    throw UsageError("--selftest times one kernel of this library twice: --peers means nothing there");
  const bool digits = std::find(options.jobs.begin(), options.jobs.end(), "digits") != options.jobs.end();
  if (!options.data.empty() && !digits && !(options.problems.empty() && options.jobs.empty()))
    throw UsageError("--data is the folder of the job digits, which is not asked for");
  if (!options.b.empty() && options.a.empty()) throw UsageError("--b is given without --a");
  if (!options.a.empty() && (options.problems.size() != 1 || !options.jobs.empty()))
    throw UsageError("--a and --b need exactly one operation, for instance: matmul --a a.npy --b b.npy");
}

}  // namespace

std::optional<Options> parse_command_line(int argc, const char* const* argv) {
  Options options;
  std::vector<std::string> words;
  CLI::App app(kDescription, "tandem-compare");
  app.footer(kExamples);
  app.set_version_flag("--version", std::string("tandem-compare ") + version());
  app.add_option("problem", words, "operation and problem, any number of pairs; or digits, ladder");
  app.add_option("--a", options.a, "first operand from a .npy file")->type_name("FILE");
  app.add_option("--b", options.b, "second operand from a .npy file")->type_name("FILE");
  CLI::Option* kernels = app.add_option("--kernels", options.kernels,
                                        "only kernels whose name matches, such as 'cpu.*' ('auto': dispatch)");
  kernels->type_name("GLOB");
  app.add_option("--data", options.data, "folder of the digits data")->type_name("DIR");
  app.add_flag("--peers", options.peers,
               "products of OpenBLAS, BLIS, MKL, oneDNN and XNNPACK too, where they are installed");
  app.add_flag("--list", options.list, "list operations, problem grammar and kernels, and stop");
  app.add_flag("--explain", options.explain,
               "say what dispatch would choose for each problem and why; nothing is timed");
  app.add_option("-a,--axis", options.axes, "values for {NAME} in problems: m=1,2,3  m=1:9:2  m=[pow2]6:13")
      ->type_name("NAME=VALUES")
      ->expected(1)
      ->take_all();
  app.add_option("--sweep-threads", options.sweep_threads, "each problem with so many host threads")
      ->type_name("1,2,4|all");
  app.add_option("--sweep-batch", options.sweep_batch, "each problem with such batches")->type_name("1,4,16");
  app.add_flag("--cold", options.cold, "time calls on cold caches too");
  app.add_flag("--selftest", options.selftest,
               "time one kernel of each problem twice: exit code 1 unless they are the same");
  app.add_option("--threshold", options.threshold_percent, "per cent of difference that do not matter, default 2")
      ->type_name("PERCENT");
  app.add_option("--baseline", options.baseline, "hold the results against those of an earlier --json")
      ->type_name("FILE");
  std::vector<std::string> fail_on;
  app.add_option("--fail-on", fail_on,
                 "exit code 1 for: regression (something slower than the baseline), reference (dispatch falls to a "
                 "reference kernel)")
      ->type_name("regression|reference")
      ->delimiter(',')
      ->check(CLI::IsMember({"regression", "reference"}));
  bench::add_run_options(app, options, "kernel");
  app.add_option("--google-json", options.google_json, "write results as Google Benchmark's JSON")->type_name("FILE|-");
  if (!bench::parse_command_line(app, options, argc, argv)) return std::nullopt;
  const auto fails_on = [&](const char* what) {
    return std::find(fail_on.begin(), fail_on.end(), what) != fail_on.end();
  };
  options.fail_on_regression = fails_on("regression");
  options.fail_on_reference = fails_on("reference");
  options.kernels_given = kernels->count() > 0;
  read_words(words, options);
  check_modes(app, options);
  check(options);
  return options;
}

std::string command_for(const Options& options, const std::string& what, const profile::Row& row) {
  using bench::shell_word;
  // One quoted word is a problem too; only '*' for batches means something to a shell.
  std::string command =
      bench::environment_words() + "tandem-compare " + (what.find('*') == std::string::npos ? what : shell_word(what));
  if (!options.a.empty()) command += " --a " + shell_word(options.a);
  if (!options.b.empty()) command += " --b " + shell_word(options.b);
  if (!options.data.empty()) command += " --data " + shell_word(options.data);
  if (options.peers) command += " --peers";
  command += " --kernels " + shell_word(options.selftest ? row.ran : row.kernel);
  if (options.selftest) command += " --selftest";
  if (options.cold) command += " --cold";
  if (options.threshold_percent != 2) command += fmt::format(" --threshold {}", options.threshold_percent);
  bench::RunOptions as_run = options;
  if (!options.sweep_threads.empty()) as_run.threads = row.threads;
  return command + bench::words_for(as_run);
}

}  // namespace tandem::compare
