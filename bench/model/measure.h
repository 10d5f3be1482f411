// From a model and data to rows: prepare each variant, judge it, then time those that are right side by side.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <vector>

#include <tandem/context.h>
#include <tandem/network.h>

#include "bench/model/options.h"
#include "bench/model/result.h"
#include "bench/model/variants.h"
#include "common/profile/measure.h"

namespace tandem::models {

/// What the program was given.
struct Task {
  Model model;
  Tensor data;                      ///< f32 [rows, inputs]
  std::optional<Tensor> labels;     ///< s32 [rows], each 0 <= label < outputs
  std::int64_t calibrate_rows = 0;  ///< the first rows
  double percentile = 100;
};

/// Reads and checks the files. Throws UsageError, and Error for files that cannot be read.
Task load_task(const Options& options);

/// A context for each backend that the options ask for and this machine has. Throws Error(unavailable) for one that it
/// lacks.
std::vector<Context> contexts_for(const Options& options);

/// One row for each variant and context. Nothing is thrown for a variant that fails: its row says so.
std::vector<Row> measure_variants(std::vector<Context>& contexts, const Task& task, const Options& options,
                                  const std::vector<Variant>& variants, const std::atomic<bool>& cancel,
                                  const std::function<void(const profile::Progress&)>& observe);

}  // namespace tandem::models
