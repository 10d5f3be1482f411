// tandem-layout: what the layout of data costs on this machine.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include <fmt/format.h>
#include <tandem/layout.h>
#include <tandem/version.h>

#include "bench/support/output.h"
#include "bench/support/program.h"
#include "bench/support/progress.h"
#include "bench/support/run_options.h"

namespace tandem::layout {
namespace {

constexpr const char* kDescription =
    "Measures what the layout of data costs here: order, padding, blocks, strides, alignment, NUMA nodes, pinned "
    "memory.\n"
    "Exit code: 0, 2 when the command cannot be meant or carried out, 130 when interrupted.";
constexpr const char* kExamples =
    "\nExamples:\n"
    "  tandem-layout\n"
    "  tandem-layout --size 4096x8192 --min-time 0.3\n"
    "  tandem-layout --json - --quiet";

struct Options : bench::RunOptions {
  std::string size = "2048x4096";
};

/// "2048x4096".
profile::LayoutOptions layout_options(const Options& options) {
  profile::LayoutOptions how;
  char end = 0;
  long long rows = 0, columns = 0;
  if (std::sscanf(options.size.c_str(), "%lldx%lld%c", &rows, &columns, &end) != 2)
    throw bench::UsageError(fmt::format("--size {}: write rows and columns, such as 2048x4096", options.size));
  how.rows = rows;
  how.columns = columns;
  how.min_seconds = options.min_time;
  how.seed = options.seed;
  return how;
}

int run(int argc, const char* const* argv) {
  Options options;
  CLI::App app(kDescription, "tandem-layout");
  app.footer(kExamples);
  app.set_version_flag("--version", std::string("tandem-layout ") + version());
  app.add_option("--size", options.size, "of the matrix of floats, default 2048x4096")->type_name("ROWSxCOLUMNS");
  bench::add_run_options(app, options, "way");
  app.remove_option(app.get_option("--threads"));  // the walks are those of one thread
  if (!bench::parse_command_line(app, options, argc, argv)) return 0;
  profile::LayoutOptions how = layout_options(options);
  bench::check_outputs(result_files(options));
  bench::ProgressLine line(!options.quiet && isatty(STDERR_FILENO) != 0, 1);
  line.begin(0, "layouts");
  const std::atomic<bool>& interrupted = bench::catch_interrupts();
  how.cancel = &interrupted;
  how.observe = [&](const profile::Progress& progress) { line.show(progress); };
  Context ctx;
  const profile::LayoutReport report = analyse_layout(ctx, how);
  line.clear();
  if (!options.quiet && !bench::stdout_is_taken(options))
    bench::print(run_header(report, bench::style_of_terminal()) + layout_table(report));
  bench::write_files({{options.json, [&] { return layout_json(report); }},
                      {options.csv, [&] { return layout_csv(report); }},
                      {options.markdown, [&] { return layout_markdown(report); }}});
  return report.interrupted ? bench::kInterrupted : 0;
}

}  // namespace
}  // namespace tandem::layout

int main(int argc, char** argv) {
  return tandem::bench::run_program("tandem-layout", [&] { return tandem::layout::run(argc, argv); });
}
