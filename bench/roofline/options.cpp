#include "bench/roofline/options.h"

#include <CLI/CLI.hpp>

#include <tandem/version.h>

#include "bench/support/output.h"
#include "bench/support/problem_words.h"

namespace tandem::roofline {
namespace {

constexpr const char* kDescription =
    "Measures what this machine can do at most (each cache level, memory, each arithmetic, the link to the GPU) and "
    "shows\n"
    "where kernels stand under it: work per byte against work per second.\n"
    "Exit code: 0, 1 when a result is wrong, 2 when the command cannot be meant or carried out, 130 when interrupted.";

constexpr const char* kExamples =
    "\nExamples:\n"
    "  tandem-roofline                                    products of three types, relu, softmax and sum\n"
    "  tandem-roofline matmul f32:512x512x512 relu f32:1000000\n"
    "  tandem-roofline 'softmax f32:1797x10' --svg roofline.svg\n"
    "  tandem-roofline --kernels 'cpu.*' --json - --quiet";

const std::vector<std::string> kDefault = {"matmul",           "f32:512x512x512", "matmul", "bf16:512x512x512",
                                           "quantized_matmul", "s8:512x512x512",  "relu",   "f32:1000000",
                                           "softmax",          "f32:1024x1024",   "sum",    "f32:4000000"};

}  // namespace

std::optional<Options> parse_command_line(int argc, const char* const* argv) {
  Options options;
  std::vector<std::string> words;
  CLI::App app(kDescription, "tandem-roofline");
  app.footer(kExamples);
  app.set_version_flag("--version", std::string("tandem-roofline ") + version());
  app.add_option("problem", words, "operation and problem, any number of pairs");
  app.add_option("--kernels", options.kernels, "only kernels whose name matches, such as 'cpu.*'")->type_name("GLOB");
  app.add_option("--svg", options.svg, "write the picture as SVG")->type_name("FILE|-");
  bench::add_run_options(app, options, "kernel");
  if (!bench::parse_command_line(app, options, argc, argv)) return std::nullopt;
  if (!options.kernels.empty()) bench::require_kernel(options.kernels);
  for (const bench::Asked& asked : bench::asked_of(words.empty() ? kDefault : words)) {
    options.problems.push_back({asked.op, asked.problem, {}, {}});
    profile::check_problem(options.problems.back());
  }
  return options;
}

}  // namespace tandem::roofline
