// The command line of tandem-compare.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace tandem::compare {

/// A command line that cannot be meant, in one sentence. Exit code 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One problem as it was asked for: "matmul" and "f32:512x512x512", or "matmul" alone when files give the operands.
struct Asked {
  std::string op;
  std::string problem;
};

struct Options {
  std::vector<Asked> problems;    ///< empty: the default job
  std::vector<std::string> jobs;  ///< "digits", "ladder": parts of the default job asked for by name
  std::string a, b;               ///< files
  std::string kernels = "*";      ///< glob
  bool kernels_given = false;
  int threads = 0;
  double min_time = 0.1;
  std::uint64_t seed = 1;
  bool list = false, explain = false, quiet = false;
  std::string json, csv, markdown;  ///< paths, "-" for standard output, empty for none
  std::string data;                 ///< folder of the digits, empty: where the program finds it
};

/// Empty when the program is done (help, version: already printed). Throws UsageError.
std::optional<Options> parse_command_line(int argc, const char* const* argv);

/// What reproduces one row: the options that decide a measurement, and nothing that says where results go.
std::string command_for(const Options& options, const std::string& what, const std::string& kernel);

}  // namespace tandem::compare
