// From a job to rows: parse, make operands, judge, time.
#pragma once

#include <string>
#include <vector>

#include <tandem/context.h>

#include "bench/compare/jobs.h"
#include "common/profile/comparison.h"

namespace tandem::compare {

/// Throws UsageError for an operation that does not exist, and Error for a problem that cannot be parsed or made.
std::vector<profile::Row> run_job(Context& ctx, const Job& job, const profile::Roof& roof,
                                  const profile::CompareOptions& options);

/// Parses a job without running it, so that a mistake in the last problem is found before the first is measured.
void check_job(const Job& job);

/// Names, grammar and kernels of every operation.
std::string list_everything(Context& ctx);

/// Whether any kernel, or "auto", matches a glob.
bool any_kernel_matches(const std::string& glob);

}  // namespace tandem::compare
