// tandem-roofline: the measured ceilings of this machine, and where kernels stand under them.
#include <fnmatch.h>
#include <unistd.h>

#include <atomic>

#include <fmt/format.h>
#include <tandem/profile.h>

#include "bench/roofline/options.h"
#include "bench/support/output.h"
#include "bench/support/program.h"
#include "bench/support/progress.h"
#include "common/profile/roofline.h"
#include "common/profile/run_facts.h"
#include "common/profile/run_problem.h"

namespace tandem::roofline {
namespace {

profile::Comparison measure(Context& ctx, const Options& options, const std::atomic<bool>& interrupted) {
  bench::ProgressLine line(!options.quiet && isatty(STDERR_FILENO) != 0, options.problems.size());
  profile::CompareOptions how;
  how.min_seconds = options.min_time;
  how.seed = options.seed;
  how.cancel = &interrupted;
  how.observe = [&](const profile::Progress& progress) { line.show(progress); };
  how.wanted = [&](std::string_view kernel) {
    if (options.kernels.empty()) return kernel != profile::kAuto;  // it stands where the kernel does that it chose
    return fnmatch(options.kernels.c_str(), std::string(kernel).c_str(), 0) == 0;
  };
  Machine machine = ctx.machine();
  machine.ceilings = measure_ceilings(ctx);
  profile::Comparison comparison{profile::begin_run(machine, how.seed, how.min_seconds), {}, {}};
  for (std::size_t i = 0; i < options.problems.size() && !interrupted; ++i) {
    const profile::Problem& problem = options.problems[i];
    line.begin(i, problem.op + " " + problem.text);
    for (profile::Row& row : profile::run_problem(ctx, problem, comparison.roof, how)) {
      row.reproduce = fmt::format("{}tandem-roofline {} {} --kernels {}{}", bench::environment_words(), row.op,
                                  bench::shell_word(row.problem), row.kernel, bench::words_for(options));
      comparison.rows.push_back(std::move(row));
    }
  }
  line.clear();
  comparison.interrupted = interrupted;
  profile::finish_run(comparison);
  return comparison;
}

int run(int argc, const char* const* argv) {
  const std::optional<Options> options = parse_command_line(argc, argv);
  if (!options) return 0;
  std::vector<bench::NamedFile> outputs = result_files(*options);
  outputs.push_back({"--svg", options->svg});
  bench::check_outputs(outputs);
  ContextOptions how;
  how.threads = options->threads;
  Context ctx(how);
  const profile::Comparison comparison = measure(ctx, *options, bench::catch_interrupts());
  const std::vector<profile::Roofline> all = profile::rooflines(comparison, comparison.rows);
  if (!options->quiet && !bench::stdout_is_taken(*options) && options->svg != "-") {
    const profile::Style style = bench::style_of_terminal();
    std::string text = run_header(comparison, style);
    for (const profile::Roofline& roofline : all) text += roofline_text(roofline, style) + "\n";
    text += profile::copies_text(comparison.machine.ceilings);
    text += profile::rows_without_point(comparison.rows);
    if (comparison.interrupted) text += "interrupted: what was not measured before is missing\n";
    bench::print(text);
  }
  bench::write_files({{options->json, [&] { return profile::rooflines_json(comparison, all); }},
                      {options->csv, [&] { return to_csv(comparison); }},
                      {options->markdown, [&] { return to_markdown(comparison); }},
                      {options->svg, [&] { return profile::roofline_svg(all); }}});
  return comparison.any_wrong() ? bench::kWrong : comparison.interrupted ? bench::kInterrupted : 0;
}

}  // namespace
}  // namespace tandem::roofline

int main(int argc, char** argv) {
  return tandem::bench::run_program("tandem-roofline", [&] { return tandem::roofline::run(argc, argv); });
}
