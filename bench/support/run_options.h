// The options that every comparing program has: threads, time, seed, and where results go.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace tandem::bench {

/// A command line that cannot be meant, in one sentence. Exit code 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct RunOptions {
  int threads = 0;
  double min_time = 0.1;
  std::uint64_t seed = 1;
  bool quiet = false;
  std::string json, csv, markdown, google_json;  ///< paths, "-" for standard output, empty for none
};

/// A file of a command line, and the option or word that names it.
struct NamedFile {
  std::string option, path;  ///< path "-" is standard output; empty: not given
};

/// Where the results of a run go, those that are given.
std::vector<NamedFile> result_files(const RunOptions& options);

/// Adds them, without google_json, to a program that spends min_time on each `measured`.
void add_run_options(CLI::App& app, RunOptions& options, const std::string& measured);

/// Parses, and checks the run options. False when the program is done (help, version: already printed). Throws
/// UsageError, also for a value that is empty: it would be passed over in silence.
bool parse_command_line(CLI::App& app, const RunOptions& options, int argc, const char* const* argv);

/// The same for a program without them.
bool parse_command_line(CLI::App& app, int argc, const char* const* argv);

/// --threads as all programs take it, 0 for automatic. Throws UsageError.
void check_threads(int threads);

/// Throws UsageError for the first thing on a parsed command line that is none of `meant` ("--json", or a positional's
/// name): `mode` would pass over it.
void refuse_others(const CLI::App& app, const std::string& mode, const std::vector<std::string>& meant);

/// A word as a shell needs it.
std::string shell_word(const std::string& text);

/// " --threads 2 --seed 1 --min-time 0.1": what decides a measurement; the threads also where TANDEM_THREADS says them.
std::string words_for(const RunOptions& options);

/// "TANDEM_ISA_MAX=avx2 ", or nothing: what must stand before a command that measures the same again.
std::string environment_words();

}  // namespace tandem::bench
