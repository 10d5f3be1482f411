#include "bench/compare/options.h"

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
    "Exit code: 0, 1 when a result is wrong, 2 for a command that cannot be meant, 130 when interrupted.";

constexpr const char* kExamples =
    "\nExamples:\n"
    "  tandem-compare                                       the default job: digits and ladder\n"
    "  tandem-compare digits                                a small network on 1797 real images\n"
    "  tandem-compare matmul f32:1024x1024x1024 relu f32:1000000\n"
    "  tandem-compare 'softmax f32:1797x10' --json - --quiet\n"
    "  tandem-compare matmul --a images.npy --b weights.npy\n"
    "  tandem-compare --list                                operations, problem grammar, kernels\n"
    "  tandem-compare matmul f32:512x512x512 --explain      what dispatch would choose, and why";

/// Words on the command line -> problems and named jobs.
void read_words(const std::vector<std::string>& words, Options& options) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (const std::size_t space = word.find(' '); space != std::string::npos) {
      options.problems.push_back({word.substr(0, space), word.substr(word.find_first_not_of(' ', space))});
    } else if (std::find(kJobs.begin(), kJobs.end(), word) != kJobs.end()) {
      options.jobs.push_back(word);
    } else if (word.find(':') != std::string::npos) {
      throw UsageError(
          fmt::format("'{}' has no operation before it; write for instance: matmul f32:512x512x512", word));
    } else if (i + 1 < words.size() && words[i + 1].find(':') != std::string::npos &&
               words[i + 1].find(' ') == std::string::npos) {
      options.problems.push_back({word, words[++i]});
    } else if (!options.a.empty()) {
      options.problems.push_back({word, ""});
    } else {
      throw UsageError(
          fmt::format("'{}' has no problem after it, such as f32:1000000 (--list shows the grammar)", word));
    }
  }
}

void check(const Options& options) {
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
  app.add_flag("--list", options.list, "list operations, problem grammar and kernels, and stop");
  app.add_flag("--explain", options.explain,
               "say what dispatch would choose for each problem and why; nothing is timed");
  bench::add_run_options(app, options, "kernel");
  app.add_option("--google-json", options.google_json, "write results as Google Benchmark's JSON")->type_name("FILE|-");
  if (!bench::parse_command_line(app, options, argc, argv)) return std::nullopt;
  options.kernels_given = kernels->count() > 0;
  read_words(words, options);
  check(options);
  return options;
}

std::string command_for(const Options& options, const std::string& what, const std::string& kernel) {
  using bench::shell_word;
  // One quoted word is a problem too; only '*' for batches means something to a shell.
  std::string command = "tandem-compare " + (what.find('*') == std::string::npos ? what : shell_word(what));
  if (!options.a.empty()) command += " --a " + shell_word(options.a);
  if (!options.b.empty()) command += " --b " + shell_word(options.b);
  if (!options.data.empty()) command += " --data " + shell_word(options.data);
  command += " --kernels " + shell_word(kernel);
  return command + bench::words_for(options);
}

}  // namespace tandem::compare
