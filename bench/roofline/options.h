// The command line of tandem-roofline.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <tandem/profile.h>

#include "bench/support/run_options.h"

namespace tandem::roofline {

struct Options : bench::RunOptions {
  std::vector<profile::Problem> problems;  ///< at least one
  std::string kernels;                     ///< glob; empty: all
  std::string svg;                         ///< path, "-" for standard output, empty for none
};

/// Empty when the program is done (help, version: already printed). Throws UsageError.
std::optional<Options> parse_command_line(int argc, const char* const* argv);

}  // namespace tandem::roofline
