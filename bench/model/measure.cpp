#include "bench/model/measure.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <tandem/error.h>

#include "common/profile/timer.h"
#include "common/verify/check.h"

namespace tandem::models {
namespace {

using profile::Status;

/// Multiplications spent on judging one variant.
constexpr double kBudget = 0x1p28;

std::int64_t answer_of(const auto* outputs, std::int64_t count) {
  return std::max_element(outputs, outputs + count) - outputs;
}

/// The uncompressed model in double precision, for all rows.
std::vector<double> exact_outputs(const Task& task) {
  const verify::NetworkOracle model(task.model);
  std::vector<double> outputs;
  for (std::int64_t i = 0; i < task.data.shape()[0]; ++i)
    for (const verify::Expected& e : model.row(task.data.data<float>() + i * model.inputs()))
      outputs.push_back(e.value);
  return outputs;
}

/// A variant on its way to a row.
struct Candidate {
  Context* ctx;
  const Variant* variant;
  Device device;
  Row row;
  std::optional<Network> network;
  std::vector<Quantization> inputs;
};

Quantization copy_of(const Quantization& q) {
  return {q.dtype, q.axis, Tensor::from(q.scales.shape(), std::span(q.scales.data<float>(), 1)), {}, q.narrow};
}

/// Prepares the network and fills in what is known without running it.
void prepare(Candidate& candidate, const Task& task) {
  Context& ctx = *candidate.ctx;
  const Variant& variant = *candidate.variant;
  const Model model = verify::thinned(task.model, variant.thinning);
  std::int64_t zeros = 0;
  for (const Layer& layer : model.layers)
    zeros += std::count(layer.weight.data<float>(), layer.weight.data<float>() + layer.weight.elements(), 0.0f);
  NetworkOptions how{variant.form, {}, candidate.device};
  if (variant.calibrated) {
    try {
      how.inputs = calibrate(ctx, model, task.data.view().slice(0, 0, task.calibrate_rows), task.percentile);
    } catch (const Error& error) {  // values that are not finite have no scale: no fault of a kernel
      if (error.code() != Code::invalid_argument) throw;
      throw Error(Code::unsupported, error.what());
    }
  }
  for (const Quantization& q : how.inputs) candidate.inputs.push_back(copy_of(q));
  candidate.network.emplace(ctx, model, how);
  Row& row = candidate.row;
  row.zeros = static_cast<double>(zeros) / static_cast<double>(model.weights());
  row.disk_bytes = bytes_on_disk(ctx, model, variant.form);
  row.memory_bytes = candidate.network->bytes();
}

/// Rows that are held against the oracle: all, or as many as the budget allows, the first and the last among them.
std::vector<std::int64_t> rows_to_judge(std::int64_t rows, double work, std::uint64_t seed) {
  const auto affordable = std::max<std::int64_t>(2, static_cast<std::int64_t>(kBudget / work));
  std::vector<std::int64_t> chosen = {0, rows - 1};
  if (affordable >= rows) {
    chosen.clear();
    for (std::int64_t i = 0; i < rows; ++i) chosen.push_back(i);
  }
  verify::Random random(seed);
  while (static_cast<std::int64_t>(chosen.size()) < std::min(affordable, rows))
    chosen.push_back(random.integer(0, rows - 1));
  return chosen;
}

/// Holds the outputs of the full batch, and that of the first row alone, against the oracle of the variant.
verify::Check judge(const Candidate& candidate, const Task& task, const Tensor& full, const Tensor& one,
                    std::uint64_t seed) {
  const Variant& variant = *candidate.variant;
  const verify::NetworkOracle oracle(task.model, variant.thinning, variant.form, candidate.inputs);
  verify::Check check;
  const std::int64_t outputs = oracle.outputs();
  const auto compare_row = [&](const std::vector<verify::Expected>& expected, const float* actual, std::int64_t i) {
    for (std::int64_t j = 0; j < outputs; ++j) {
      const verify::Expected& output = expected[static_cast<std::size_t>(j)];
      if (std::isinf(output.bound)) continue;  // nothing is promised of it: no comparison either
      verify::compare(check, output, static_cast<double>(actual[j]),
                      [&] { return fmt::format("output {} of row {}", j, i); });
    }
  };
  for (const std::int64_t i : rows_to_judge(full.shape()[0], oracle.work(), seed)) {
    const std::vector<verify::Expected> expected = oracle.row(task.data.data<float>() + i * oracle.inputs());
    compare_row(expected, full.data<float>() + i * outputs, i);
    if (i == 0) compare_row(expected, one.data<float>(), i);
  }
  return check;
}

/// Errors and answers of all rows against the uncompressed model.
void compare_with_exact(Row& row, const Task& task, const std::vector<double>& exact, const Tensor& full) {
  const float* outputs = full.data<float>();
  double largest = 0, sum = 0, squares = 0, norm = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double error = std::abs(static_cast<double>(outputs[i]) - exact[i]);
    largest = std::max(largest, error);
    sum += error;
    squares += error * error;
    norm += exact[i] * exact[i];
  }
  row.max_error = largest;
  row.mean_error = sum / static_cast<double>(exact.size());
  row.relative_error = squares == 0 ? 0 : std::sqrt(squares / norm);
  if (!task.labels) return;
  const std::int64_t classes = task.model.outputs();
  for (std::int64_t i = 0; i < full.shape()[0]; ++i) {
    const std::int64_t answer = answer_of(outputs + i * classes, classes);
    row.correct += answer == task.labels->data<std::int32_t>()[i] ? 1 : 0;
    row.agreeing += answer == answer_of(exact.data() + i * classes, classes) ? 1 : 0;
  }
}

/// Runs the full batch, looking at what each layer takes and which kernel serves it.
Tensor run_observed(Candidate& candidate, const Task& task) {
  Context& ctx = *candidate.ctx;
  Row& row = candidate.row;
  const auto count = [&](const ConstView& input, std::size_t layer) {
    if (layer >= candidate.inputs.size()) return;
    row.saturated += count_saturated(ctx, input, candidate.inputs[layer]).saturated;
    row.quantized += input.elements();
  };
  Tensor y = candidate.network->run(ctx, task.data, [&](std::size_t layer, const ConstView& output) {
    row.kernels.push_back(ctx.last().kernel);
    count(output, layer + 1);
  });
  count(task.data, 0);
  return y;
}

void fail(Row& row, const Error& error) {
  const bool absent =
      error.code() == Code::out_of_memory || error.code() == Code::unavailable || error.code() == Code::unsupported;
  row.status = absent ? Status::skipped : Status::wrong;
  row.reason = error.what();
}

/// Decides a row's status. What is measured of a wrong one is not kept.
void check(Candidate& candidate, const Task& task, const std::vector<double>& exact, std::uint64_t seed) {
  Row& row = candidate.row;
  try {
    prepare(candidate, task);
    const Tensor full = run_observed(candidate, task);
    const Tensor one = candidate.network->run(*candidate.ctx, task.data.view().slice(0, 0, 1));
    const verify::Check found = judge(candidate, task, full, one, seed);
    if (found.compared == 0) throw Error(Code::unsupported, "the oracle bounds none of its outputs");
    row.bound_ratio = found.worst_ratio;
    row.compared = found.compared;
    row.status = found.ok() ? Status::ok : Status::wrong;
    row.reason = found.complaint;
    if (found.ok()) compare_with_exact(row, task, exact, full);
  } catch (const Error& error) {
    if (error.code() == Code::io_error) throw;  // no place for the file whose size is told: not the variant's fault
    fail(row, error);
  }
}

/// A failure while timing makes the row wrong; its candidate then ends at once by claiming a long time.
profile::Timed timed(Candidate& candidate, const ConstView& x) {
  return {fmt::format("{} on {}, batch {}", candidate.row.variant, candidate.row.backend, x.size(0)),
          [&candidate, x](int calls) {
            constexpr double kEndAtOnce = 1e9;
            if (candidate.row.status == Status::wrong) return kEndAtOnce * calls;
            try {
              return profile::time_calls(calls, [&] { candidate.network->run(*candidate.ctx, x); });
            } catch (const Error& error) {
              candidate.row.status = Status::wrong;
              candidate.row.reason = error.what();
              return kEndAtOnce * calls;
            }
          }};
}

void time_all(std::vector<Candidate>& candidates, const Task& task, const profile::MeasureOptions& how) {
  std::vector<profile::Timed> ways;
  std::vector<std::pair<Candidate*, Speed*>> slots;
  for (Candidate& candidate : candidates) {
    if (candidate.row.status != Status::ok) continue;
    for (const bool whole : {false, true}) {
      ways.push_back(timed(candidate, task.data.view().slice(0, 0, whole ? task.data.shape()[0] : 1)));
      slots.emplace_back(&candidate, whole ? &candidate.row.full : &candidate.row.one);
    }
  }
  std::vector<profile::Samples> samples = profile::measure(ways, how);
  for (std::size_t i = 0; i < samples.size(); ++i) slots[i].second->time = profile::timing_of(std::move(samples[i]));
  for (Candidate& candidate : candidates) {
    Row& row = candidate.row;
    if (row.status == Status::wrong) row.one = row.full = {};
    if (row.status != Status::ok || (row.one.time.measured() && row.full.time.measured())) continue;
    row.status = Status::skipped;
    row.reason = "interrupted";
  }
}

}  // namespace

std::vector<Row> measure_variants(std::vector<Context>& contexts, const Task& task, const Options& options,
                                  const std::vector<Variant>& variants, const std::atomic<bool>& cancel,
                                  const std::function<void(const profile::Progress&)>& observe) {
  const std::vector<double> exact = exact_outputs(task);
  std::vector<Candidate> candidates;
  for (Context& ctx : contexts)
    for (const Variant& variant : variants) {
      const Device device{ctx.policy().backend.value_or(Backend::cpu), 0};
      Candidate& candidate = candidates.emplace_back(Candidate{&ctx, &variant, device, {}, {}, {}});
      Row& row = candidate.row;
      row.variant = variant.name;
      row.backend = name(device.backend);
      row.threads = ctx.threads();
      row.calibrated = variant.calibrated;
      row.reproduce = command_for(options, variant.name, row.backend);
      if (cancel) {
        row.reason = "interrupted";
        continue;
      }
      observe({row.variant, kAbsent, 0});
      check(candidate, task, exact, options.seed);
    }
  profile::MeasureOptions how;
  how.min_seconds = options.min_time;
  how.max_seconds = 3 * options.min_time;
  how.seed = options.seed;
  how.cancel = &cancel;
  how.observe = observe;
  time_all(candidates, task, how);
  std::vector<Row> rows;
  for (Candidate& candidate : candidates) rows.push_back(std::move(candidate.row));
  return rows;
}

}  // namespace tandem::models
