#include "bench/model/options.h"

#include <CLI/CLI.hpp>
#include <charconv>

#include <fmt/format.h>
#include <tandem/error.h>
#include <tandem/version.h>

namespace tandem::models {
namespace {

constexpr const char* kDescription =
    "Runs a model in several compressed variants, checks each one, and prints accuracy, error, speed and bytes.\n"
    "Exit code: 0, 1 when a result is wrong, 2 when the command cannot be meant or carried out, 130 when interrupted.";

constexpr const char* kExamples =
    "\nVariants: f32, bf16, int8-static, int8-dynamic, pruned-50% (one for each sparsity), 2:4, int8+2:4.\n"
    "\nExamples:\n"
    "  tandem-model digits.safetensors --data digits_images.npy --labels digits_labels.npy\n"
    "  tandem-model digits.safetensors --data digits_images.npy --variants 'int8*' --calibrate percentile=99.9\n"
    "  tandem-model digits.safetensors --data digits_images.npy --sparsity 0.7,0.95 --json - --quiet";

/// The whole text as a number, or nothing.
std::optional<double> number_of(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::vector<double> read_sparsity(const std::vector<std::string>& words) {
  std::vector<double> out;
  for (const std::string& word : words) {
    const std::optional<double> value = number_of(word);
    if (!value || !(*value > 0 && *value < 1))
      throw UsageError(fmt::format("--sparsity '{}': write numbers between 0 and 1, such as 0.5,0.8,0.9", word));
    out.push_back(*value);
  }
  return out;
}

double read_calibration(const std::string& text) {
  if (text == "minmax") return 100;
  constexpr std::string_view kPercentile = "percentile=";
  const std::optional<double> value =
      text.starts_with(kPercentile) ? number_of(text.substr(kPercentile.size())) : std::nullopt;
  if (!value || !(*value > 50 && *value <= 100))
    throw UsageError(fmt::format("--calibrate '{}': write minmax, or percentile=P with 50 < P <= 100", text));
  return *value;
}

}  // namespace

std::optional<Options> parse_command_line(int argc, const char* const* argv) {
  Options options;
  std::vector<std::string> sparsity;
  std::string backend, calibration = "minmax";
  CLI::App app(kDescription, "tandem-model");
  app.footer(kExamples);
  app.set_version_flag("--version", std::string("tandem-model ") + version());
  app.add_option("model", options.file, "safetensors file with a description (docs/model-format.md)")
      ->type_name("FILE")
      ->required();
  app.add_option("--data", options.data, "inputs: f32 [rows, inputs]")->type_name("X.npy")->required();
  app.add_option("--labels", options.labels, "right answers: s32 [rows]")->type_name("y.npy");
  app.add_option("--variants", options.variants, "only variants whose name matches, such as 'int8*'")
      ->type_name("GLOB");
  app.add_option("--backend", backend, "cpu or cuda alone; default: each one that is there")->type_name("NAME");
  app.add_option("--sparsity", sparsity, "of the pruned variants, default 0.5,0.8,0.9")
      ->type_name("LIST")
      ->delimiter(',');
  app.add_option("--calibrate", calibration, "scales of int8-static: minmax (default) or percentile=P")
      ->type_name("HOW");
  app.add_option("--calibrate-rows", options.calibrate_rows,
                 "the first N rows of the data give those scales (0: a quarter of them)")
      ->type_name("N");
  bench::add_run_options(app, options, "variant and batch");
  if (!bench::parse_command_line(app, options, argc, argv)) return std::nullopt;
  if (!sparsity.empty()) options.sparsity = read_sparsity(sparsity);
  options.percentile = read_calibration(calibration);
  if (options.calibrate_rows < 0) throw UsageError("--calibrate-rows: write a number of rows, 0 or more");
  if (!backend.empty()) {
    if (backend != "cpu" && backend != "cuda")
      throw UsageError(fmt::format("--backend '{}': write cpu or cuda", backend));
    options.backend = parse_backend(backend);
  }
  return options;
}

std::string command_for(const Options& options, const std::string& variant, std::string_view backend) {
  using bench::shell_word;
  std::string command = fmt::format("{}tandem-model {} --data {}", bench::environment_words(), shell_word(options.file),
                                    shell_word(options.data));
  if (!options.labels.empty()) command += " --labels " + shell_word(options.labels);
  command += fmt::format(" --variants {} --backend {}", shell_word(variant), backend);
  command += fmt::format(" --sparsity {}", fmt::join(options.sparsity, ","));
  if (options.percentile != 100) command += fmt::format(" --calibrate percentile={}", options.percentile);
  if (options.calibrate_rows > 0) command += fmt::format(" --calibrate-rows {}", options.calibrate_rows);
  return command + bench::words_for(options);
}

}  // namespace tandem::models
