// What tandem-compare measures: problems with where their operands come from.
#pragma once

#include <string>
#include <vector>

#include <tandem/context.h>
#include <tandem/profile.h>

#include "bench/compare/options.h"

namespace tandem::compare {

struct Job : profile::Problem {
  std::string reproduce;  ///< the words after tandem-compare that measure it again
};

/// The problems asked for, or the default job. Throws UsageError, and Error for files that cannot be read.
/// The digits network is run through the library here, which adds its accuracy to `statements`.
std::vector<Job> make_jobs(Context& ctx, const Options& options, std::vector<profile::Statement>& statements);

/// The layers of the network in `folder` on the images there: fused products, and the same as separate operations.
std::vector<Job> digits_jobs(Context& ctx, const std::string& folder, std::vector<profile::Statement>& statements);

/// The folder of the digits: `wanted` when given, else the source tree this program was built from, else the data
/// installed beside the program. Throws UsageError when it is nowhere.
std::string data_folder(const std::string& wanted);

}  // namespace tandem::compare
