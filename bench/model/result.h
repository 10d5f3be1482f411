// What tandem-model finds: plain structs. Every number is measured, or derived by the formula at its field, or NaN:
// absent.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/profile/json_io.h"
#include "common/profile/run_facts.h"
#include "common/profile/timing.h"

namespace tandem::models {

using profile::kAbsent;

/// A network with one batch.
struct Speed {
  profile::Timing time;      ///< a whole call from and to host memory
  double speedup = kAbsent;  ///< median of f32 on the same backend / median
  double rows_per_second = kAbsent;
};

/// One variant on one backend.
struct Row {
  std::string variant, backend;
  profile::Status status = profile::Status::skipped;
  std::string reason;
  int threads = 0;
  std::vector<std::string> kernels;  ///< of each layer's product, for the full batch

  double zeros = kAbsent;  ///< weights that are 0 / weights
  std::int64_t disk_bytes = 0, memory_bytes = 0;

  // Of all rows, against the uncompressed model in double precision. An answer is the index of the largest output.
  std::int64_t correct = 0, agreeing = 0;  ///< counted where there are labels
  double max_error = kAbsent, mean_error = kAbsent;
  double relative_error = kAbsent;  ///< norm of all errors / norm of all outputs

  // Against the oracle of this very variant.
  double bound_ratio = kAbsent;  ///< largest |error| / bound; at most 1 when right
  std::int64_t compared = 0;

  bool calibrated = false;
  std::int64_t quantized = 0, saturated = 0;  ///< calibrated: inputs of layers, and those beyond their scale

  Speed one, full;
  std::string reproduce;
};

struct Result : profile::RunFacts {
  std::string file, data, labels, model;  ///< model: its name and layers
  std::int64_t weights = 0, rows = 0, outputs = 0;
  std::string calibration;  ///< "largest magnitude of rows 0 to 448"
  std::vector<Row> variants;

  bool has_labels() const { return !labels.empty(); }
  bool any_wrong() const;
};

/// Fills in what follows from other fields: speed-ups, rows a second.
void derive_figures(Result& result);

std::string table(const Result& result, bool colour);
std::string to_markdown(const Result& result);
std::string to_csv(const Result& result);
/// docs/model-format.md describes it.
inline constexpr const char* kSchema = "tandem-model/1";
std::string to_json(const Result& result);
/// The result in a tree of that schema, as strict as profile::from_json: throws Error(io_error), one sentence.
/// `outputs` is not in the file.
Result result_of(const profile::Json& json, const std::string& source);

}  // namespace tandem::models
