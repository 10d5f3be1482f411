// What tandem-model is given: files and a machine.
#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <tandem/error.h>
#include <tandem/npy.h>

#include "bench/model/measure.h"
#include "common/core/stage.h"

namespace tandem::models {
namespace {

Tensor load_data(const std::string& path, const Model& model) {
  Tensor data = load_npy(path);
  if (data.dtype() != DType::f32 || data.shape().rank() != 2 || data.shape()[1] != model.inputs() ||
      data.shape()[0] == 0)
    throw UsageError(fmt::format("{} holds {} of {}, the model takes rows of {} f32 numbers", path,
                                 to_string(data.shape()), name(data.dtype()), model.inputs()));
  const float* values = data.data<float>();
  if (!std::all_of(values, values + data.elements(), [](float x) { return std::isfinite(x); }))
    throw UsageError(fmt::format("{} holds a NaN or an infinity", path));
  if (data.view().is_contiguous()) return data;
  Tensor rows = Tensor::empty(data.shape());  // row by row, as a program that serves requests has them
  copy_strided(rows.view(), data);
  return rows;
}

Tensor load_labels(const std::string& path, std::int64_t rows, std::int64_t outputs) {
  Tensor labels = load_npy(path);
  if (labels.dtype() != DType::s32 || labels.shape() != Shape{rows})
    throw UsageError(fmt::format("{} holds {} of {}, one s32 label is needed for each of the {} rows", path,
                                 to_string(labels.shape()), name(labels.dtype()), rows));
  const std::int32_t* values = labels.data<std::int32_t>();
  for (std::int64_t i = 0; i < rows; ++i)
    if (values[i] < 0 || values[i] >= outputs)
      throw UsageError(
          fmt::format("{}: label {} of row {} is not below the {} outputs of the model", path, values[i], i, outputs));
  return labels;
}

}  // namespace

Task load_task(const Options& options) {
  Task task{load_model(options.file), {}, {}, options.calibrate_rows, options.percentile};
  task.data = load_data(options.data, task.model);
  const std::int64_t rows = task.data.shape()[0];
  if (!options.labels.empty()) task.labels = load_labels(options.labels, rows, task.model.outputs());
  if (task.calibrate_rows > rows)
    throw UsageError(fmt::format("--calibrate-rows {}: {} has {} rows", task.calibrate_rows, options.data, rows));
  if (task.calibrate_rows == 0) task.calibrate_rows = (rows + 3) / 4;
  return task;
}

std::vector<Context> contexts_for(const Options& options) {
  ContextOptions how;
  how.threads = options.threads;
  std::vector<Context> contexts;
  for (const Backend backend : {Backend::cpu, Backend::cuda}) {
    if (options.backend && *options.backend != backend) continue;
    const bool asked_for = options.backend.has_value();
    if (backend == Backend::cuda && !asked_for && contexts.front().machine().gpus.empty()) continue;
    how.policy.backend = backend;
    contexts.emplace_back(how);
  }
  return contexts;
}

}  // namespace tandem::models
