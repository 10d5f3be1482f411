// The command line of tandem-compare.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <tandem/profile.h>

#include "bench/support/problem_words.h"
#include "bench/support/run_options.h"

namespace tandem::compare {

using bench::UsageError;

using bench::Asked;
struct Options : bench::RunOptions {
  std::vector<Asked> problems;    ///< empty: the default job; a problem is empty where files give the operands
  std::vector<std::string> jobs;  ///< "digits", "ladder": parts of the default job asked for by name
  std::string a, b;               ///< files
  std::string kernels = "*";      ///< glob
  bool kernels_given = false;
  bool list = false, explain = false;
  bool peers = false;  ///< rows of other libraries too
  bool selftest = false, cold = false;
  double threshold_percent = 2;
  std::vector<std::string> axes;           ///< "m=[pow2]6:13"
  std::string sweep_threads, sweep_batch;  ///< "1,2,4" or "all"; empty: none
  std::string baseline;                    ///< results of an earlier run
  std::vector<std::string> files;          ///< two results to compare; nothing is run
  bool fail_on_regression = false, fail_on_reference = false;
  std::string data;  ///< folder of the digits, empty: where the program finds it
};

/// Empty when the program is done (help, version: already printed). Throws UsageError.
std::optional<Options> parse_command_line(int argc, const char* const* argv);

/// What reproduces one row: the options that decide a measurement, and nothing that says where results go.
std::string command_for(const Options& options, const std::string& what, const profile::Row& row);

}  // namespace tandem::compare
