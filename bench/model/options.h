// The command line of tandem-model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <tandem/device.h>

#include "bench/support/run_options.h"

namespace tandem::models {

using bench::UsageError;

struct Options : bench::RunOptions {
  std::string file, data, labels;  ///< labels may be empty
  std::string variants = "*";      ///< glob
  std::optional<Backend> backend;  ///< empty: every one that is present
  std::vector<double> sparsity = {0.5, 0.8, 0.9};
  double percentile = 100;          ///< of the calibration; 100: the largest magnitude
  std::int64_t calibrate_rows = 0;  ///< 0: a quarter of the data
};

/// Empty when the program is done (help, version: already printed). Throws UsageError.
std::optional<Options> parse_command_line(int argc, const char* const* argv);

/// What reproduces one row.
std::string command_for(const Options& options, const std::string& variant, std::string_view backend);

}  // namespace tandem::models
