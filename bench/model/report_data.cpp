// CSV and JSON.
#include <fmt/format.h>

#include "bench/model/result.h"
#include "bench/model/result_fields.h"
#include "common/profile/read_json.h"
#include "common/profile/report_parts.h"

namespace tandem::models {
namespace {

using namespace profile;

/// Figures of a row that exist only when it ran and was right.
double of_right(const Row& row, double value) { return row.status == Status::ok ? value : kAbsent; }

double share(const Result& result, const Row& row, std::int64_t part) {
  return result.has_labels() ? of_right(row, static_cast<double>(part) / static_cast<double>(result.rows)) : kAbsent;
}

/// Bytes of what could be prepared.
std::string bytes_or_empty(std::int64_t bytes) { return bytes > 0 ? std::to_string(bytes) : ""; }

/// Integers were counted, and the row was right.
bool counted(const Row& row) { return row.calibrated && row.status == Status::ok; }

}  // namespace

std::string to_csv(const Result& result) {
  std::string text =
      "variant,backend,status,reason,threads,zeros,disk_bytes,memory_bytes,accuracy,agreement,max_error,"
      "mean_error,relative_error,bound_ratio,compared,quantized,saturated";
  for (const std::string batch : {"batch_1_", "full_batch_"})
    text += fmt::format(",{},{}speedup,{}rows_per_second", profile::timing_columns(batch), batch, batch);
  text += ",reproduce\n";
  for (const Row& row : result.variants) {
    text +=
        fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}", row.variant, row.backend, name(row.status),
                    csv_text(row.reason), row.threads, csv_number(row.zeros), bytes_or_empty(row.disk_bytes),
                    bytes_or_empty(row.memory_bytes), csv_number(share(result, row, row.correct)),
                    csv_number(share(result, row, row.agreeing)), csv_number(of_right(row, row.max_error)),
                    csv_number(of_right(row, row.mean_error)), csv_number(of_right(row, row.relative_error)),
                    csv_number(row.bound_ratio), row.compared, counted(row) ? std::to_string(row.quantized) : "",
                    counted(row) ? std::to_string(row.saturated) : "");
    for (const Speed* speed : {&row.one, &row.full})
      text += fmt::format(",{},{},{}", timing_cells(speed->time), csv_number(speed->speedup),
                          csv_number(speed->rows_per_second));
    text += fmt::format(",{}\n", csv_text(row.reproduce));
  }
  return text;
}

std::string to_json(const Result& result) {
  Json json;
  json["schema"] = kSchema;
  JsonWriter io(json);
  describe_result(io, result);
  return text_of(json);
}

Result result_of(const Json& json, const std::string& source) {
  Result result;
  JsonReader io(json, source, "");
  describe_result(io, result);
  return result;
}

}  // namespace tandem::models
