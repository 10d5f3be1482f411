#include "bench/support/run_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "bench/support/output.h"
#include "common/core/environment.h"

namespace tandem::bench {
namespace {

void check(const RunOptions& options) {
  if (!(options.min_time > 0 && options.min_time <= 60))
    throw UsageError(fmt::format("--min-time {}: write seconds, above 0 and up to 60", options.min_time));
  check_threads(options.threads);
  if (options.seed > (std::uint64_t{1} << 53)) throw UsageError("--seed: write a whole number up to 2^53");
}

void refuse_empty(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options())
    for (const std::string& value : option->results())
      if (value.empty()) throw UsageError(fmt::format("{}: its value is empty", option->get_name()));
}

}  // namespace

std::vector<NamedFile> result_files(const RunOptions& options) {
  std::vector<NamedFile> files;
  for (const NamedFile& file :
       {NamedFile{"--json", options.json}, NamedFile{"--csv", options.csv}, NamedFile{"--markdown", options.markdown},
        NamedFile{"--google-json", options.google_json}})
    if (!file.path.empty()) files.push_back(file);
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

bool parse_command_line(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {  // help, version
    std::ostringstream text;
    app.exit(e, text, text);
    print(text.str());
    return false;
  } catch (const CLI::ParseError& e) {
    throw UsageError(fmt::format("{} (--help shows the options)", e.what()));
  }
  refuse_empty(app);
  return true;
}

bool parse_command_line(CLI::App& app, const RunOptions& options, int argc, const char* const* argv) {
  if (!parse_command_line(app, argc, argv)) return false;
  check(options);
  return true;
}

void check_threads(int threads) {
  if (threads < 0 || threads > 1024)
    throw UsageError(fmt::format("--threads {}: write 1 to 1024, or 0 for automatic", threads));
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
  const int threads = options.threads > 0 ? options.threads : environment().threads.value_or(0);
  return (threads > 0 ? fmt::format(" --threads {}", threads) : "") +
         fmt::format(" --seed {} --min-time {}", options.seed, options.min_time);
}

std::string environment_words() {
  const std::optional<IsaLevel>& cap = environment().isa_max;
  return cap ? fmt::format("TANDEM_ISA_MAX={} ", name(*cap)) : "";
}

}  // namespace tandem::bench
