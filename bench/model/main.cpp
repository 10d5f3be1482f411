// tandem-model: a model and its compressed variants, checked, then timed side by side.
#include <unistd.h>

#include <cstdio>

#include <fmt/format.h>

#include "bench/model/measure.h"
#include "bench/support/output.h"
#include "bench/support/program.h"
#include "bench/support/progress.h"
#include "common/io/untrusted.h"
#include "common/profile/format.h"
#include "common/profile/report_parts.h"

namespace tandem::models {
namespace {

using bench::print;

/// "digits: 64, 128 relu, 64 relu, 10, softmax".
std::string description_of(const Model& model) {
  std::string text = model.name.empty() ? "" : io::printable(model.name) + ": ";
  text += std::to_string(model.inputs());
  for (const Layer& layer : model.layers) {
    text += fmt::format(", {}", layer.outputs());
    if (layer.activation != Activation::none) text += fmt::format(" {}", name(layer.activation));
  }
  return text + (model.softmax ? ", softmax" : "");
}

std::string calibration_of(const Task& task) {
  const std::string what = task.percentile == 100 ? "largest magnitude"
                                                  : fmt::format("percentile {:.6g} of the magnitudes", task.percentile);
  return fmt::format("{} of rows 0 to {}", what, task.calibrate_rows - 1);
}

Result begin_result(const Options& options, const Task& task, const Context& ctx) {
  Result result;
  static_cast<profile::RunFacts&>(result) = profile::begin_run(ctx.machine(), options.seed, options.min_time);
  result.file = options.file;
  result.data = options.data;
  result.labels = options.labels;
  result.model = description_of(task.model);
  result.weights = task.model.weights();
  result.rows = task.data.shape()[0];
  result.outputs = task.model.outputs();
  result.calibration = calibration_of(task);
  return result;
}

/// For those who see no table.
void report_wrong_rows(const Result& result) {
  for (const Row& row : result.variants)
    if (row.status == profile::Status::wrong)
      std::fprintf(stderr, "tandem-model: WRONG: %s on %s: %s\n", row.variant.c_str(), row.backend.c_str(),
                   row.reason.c_str());
}

int run(int argc, const char* const* argv) {
  const std::optional<Options> options = parse_command_line(argc, argv);
  if (!options) return 0;
  bench::check_outputs(result_files(*options),
                       {{"the model", options->file}, {"--data", options->data}, {"--labels", options->labels}});
  const std::vector<Variant> variants = choose_variants(*options);
  const Task task = load_task(*options);
  std::vector<Context> contexts = contexts_for(*options);
  const std::atomic<bool>& interrupted = bench::catch_interrupts();
  const bool show = !options->quiet && !bench::stdout_is_taken(*options);
  const profile::Style style = bench::style_of_terminal();

  Result result = begin_result(*options, task, contexts.front());
  if (show) print(profile::run_header(result, style));
  bench::ProgressLine line(!options->quiet && isatty(STDERR_FILENO) != 0, 1);
  line.begin(0, options->file);
  result.variants = measure_variants(contexts, task, *options, variants, interrupted,
                                     [&](const profile::Progress& progress) { line.show(progress); });
  line.clear();
  result.interrupted = interrupted;
  profile::finish_run(result);
  derive_figures(result);
  if (show)
    print(table(result, style.colour));
  else
    report_wrong_rows(result);
  bench::write_files({{options->json, [&] { return to_json(result); }},
                      {options->csv, [&] { return to_csv(result); }},
                      {options->markdown, [&] { return to_markdown(result); }}});
  return result.any_wrong() ? bench::kWrong : result.interrupted ? bench::kInterrupted : 0;
}

}  // namespace
}  // namespace tandem::models

int main(int argc, char** argv) {
  return tandem::bench::run_program("tandem-model", [&] { return tandem::models::run(argc, argv); });
}
