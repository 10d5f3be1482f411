#include "bench/compare/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <iostream>
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
  if (!(options.min_time > 0 && options.min_time <= 60))
    throw UsageError(fmt::format("--min-time {}: write seconds, above 0 and up to 60", options.min_time));
  if (options.threads < 0 || options.threads > 1024)
    throw UsageError(fmt::format("--threads {}: write 1 to 1024, or 0 for automatic", options.threads));
  if (!options.b.empty() && options.a.empty()) throw UsageError("--b is given without --a");
  if (!options.a.empty() && (options.problems.size() != 1 || !options.jobs.empty()))
    throw UsageError("--a and --b need exactly one operation, for instance: matmul --a a.npy --b b.npy");
  if (options.seed > (std::uint64_t{1} << 53)) throw UsageError("--seed: write a whole number up to 2^53");
  const auto to_stdout = [](const std::string& path) { return path == "-" ? 1 : 0; };
  if (to_stdout(options.json) + to_stdout(options.csv) + to_stdout(options.markdown) > 1)
    throw UsageError("only one of --json, --csv and --markdown can go to standard output");
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
  app.add_option("--threads", options.threads, "host threads (0: as many as this process may use)")->type_name("N");
  app.add_option("--min-time", options.min_time, "seconds to spend on each kernel, default 0.1")->type_name("S");
  app.add_option("--seed", options.seed, "of the data and of the order of measuring, default 1")->type_name("N");
  app.add_option("--data", options.data, "folder of the digits data")->type_name("DIR");
  app.add_option("--json", options.json, "write results as JSON")->type_name("FILE|-");
  app.add_option("--csv", options.csv, "write results as CSV")->type_name("FILE|-");
  app.add_option("--markdown", options.markdown, "write results as Markdown")->type_name("FILE|-");
  app.add_flag("--list", options.list, "list operations, problem grammar and kernels, and stop");
  app.add_flag("--explain", options.explain,
               "say what dispatch would choose for each problem and why; nothing is timed");
  app.add_flag("--quiet", options.quiet, "no table and no progress");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {  // help, version
    app.exit(e, std::cout, std::cerr);
    return std::nullopt;
  } catch (const CLI::ParseError& e) {
    throw UsageError(fmt::format("{} (--help shows the options)", e.what()));
  }
  options.kernels_given = kernels->count() > 0;
  read_words(words, options);
  check(options);
  return options;
}

std::string command_for(const Options& options, const std::string& what, const std::string& kernel) {
  const auto shell = [](const std::string& text) {
    constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,=-+@%";
    if (text.find_first_not_of(kPlain) == std::string::npos) return text;
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
    return out + "'";
  };
  // One quoted word is a problem too; only '*' for batches means something to a shell.
  std::string command = "tandem-compare " + (what.find('*') == std::string::npos ? what : shell(what));
  if (!options.a.empty()) command += " --a " + shell(options.a);
  if (!options.b.empty()) command += " --b " + shell(options.b);
  if (!options.data.empty()) command += " --data " + shell(options.data);
  command += " --kernels " + shell(kernel);
  if (options.threads > 0) command += fmt::format(" --threads {}", options.threads);
  return command + fmt::format(" --seed {} --min-time {}", options.seed, options.min_time);
}

}  // namespace tandem::compare
