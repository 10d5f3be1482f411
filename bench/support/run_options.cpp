#include "bench/support/run_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include <fmt/format.h>

namespace tandem::bench {
namespace {

void check(const RunOptions& options) {
  if (!(options.min_time > 0 && options.min_time <= 60))
    throw UsageError(fmt::format("--min-time {}: write seconds, above 0 and up to 60", options.min_time));
  if (options.threads < 0 || options.threads > 1024)
    throw UsageError(fmt::format("--threads {}: write 1 to 1024, or 0 for automatic", options.threads));
  if (options.seed > (std::uint64_t{1} << 53)) throw UsageError("--seed: write a whole number up to 2^53");
  const std::vector<std::string> files = result_files(options);
  if (std::count(files.begin(), files.end(), "-") > 1)
    throw UsageError("only one of the result files can go to standard output");
}

}  // namespace

std::vector<std::string> result_files(const RunOptions& options) {
  std::vector<std::string> files;
  for (const std::string& path : {options.json, options.csv, options.markdown, options.google_json})
    if (!path.empty()) files.push_back(path);
  return files;
}

void add_run_options(CLI::App& app, RunOptions& options, const std::string& measured) {
  app.add_option("--threads", options.threads, "host threads (0: as many as this process may use)")->type_name("N");
  app.add_option("--min-time", options.min_time, "seconds to spend on each " + measured + ", default 0.1")
      ->type_name("S");
  app.add_option("--seed", options.seed, "of the data and of the order of measuring, default 1")->type_name("N");
  app.add_option("--json", options.json, "write results as JSON")->type_name("FILE|-");
  app.add_option("--csv", options.csv, "write results as CSV")->type_name("FILE|-");
  app.add_option("--markdown", options.markdown, "write results as Markdown")->type_name("FILE|-");
  app.add_flag("--quiet", options.quiet, "no table and no progress");
}

bool parse_command_line(CLI::App& app, const RunOptions& options, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {  // help, version
    app.exit(e, std::cout, std::cerr);
    return false;
  } catch (const CLI::ParseError& e) {
    throw UsageError(fmt::format("{} (--help shows the options)", e.what()));
  }
  check(options);
  return true;
}

void refuse_others(const CLI::App& app, const std::string& mode, const std::vector<std::string>& meant) {
  for (const CLI::Option* option : app.get_options()) {
    const auto is = [&](const std::string& known) { return option->check_name(known); };
    if (option->count() > 0 && std::none_of(meant.begin(), meant.end(), is))
      throw UsageError(fmt::format("{} means nothing together with {}", option->get_name(), mode));
  }
}

std::string shell_word(const std::string& text) {
  constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,=-+@%";
  if (text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

std::string words_for(const RunOptions& options) {
  const std::string threads = options.threads > 0 ? fmt::format(" --threads {}", options.threads) : "";
  return threads + fmt::format(" --seed {} --min-time {}", options.seed, options.min_time);
}

}  // namespace tandem::bench
