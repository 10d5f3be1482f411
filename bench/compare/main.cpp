// tandem-compare: every kernel of the library on the same problems, checked, then timed side by side.
#include <fnmatch.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>

#include <fmt/format.h>
#include <tandem/error.h>
#include <tandem/report.h>

#include <tandem/report.h>
#include "bench/compare/jobs.h"
#include "bench/compare/list.h"
#include "bench/compare/options.h"
#include "bench/support/output.h"
#include "bench/support/program.h"
#include "bench/support/progress.h"

#include "common/profile/run_facts.h"
#include "common/profile/run_problem.h"

namespace tandem::compare {
namespace {

using bench::print;

std::string problem_name(const Job& job) { return job.op + " " + job.text; }

void explain_jobs(Context& ctx, const std::vector<Job>& jobs) {
  for (const Job& job : jobs) print(to_string(explain(ctx, problem_name(job))) + "\n");
}

profile::Comparison measure_jobs(Context& ctx, const Options& options, const std::vector<Job>& jobs, bool table,
                                 const std::atomic<bool>& interrupted) {
  bench::ProgressLine line(!options.quiet && isatty(STDERR_FILENO) != 0, jobs.size());
  profile::CompareOptions how;
  how.min_seconds = options.min_time;
  how.seed = options.seed;
  how.cancel = &interrupted;
  how.observe = [&](const profile::Progress& progress) { line.show(progress); };
  if (options.kernels_given)
    how.wanted = [&](std::string_view kernel) {
      return fnmatch(options.kernels.c_str(), std::string(kernel).c_str(), 0) == 0;
    };

  const profile::Style style = bench::style_of_terminal();
  profile::Comparison comparison{profile::begin_run(ctx.machine(), how.seed, how.min_seconds), {}, {}};
  if (table) print(run_header(comparison, style));
  for (std::size_t i = 0; i < jobs.size() && !interrupted; ++i) {
    line.begin(i, problem_name(jobs[i]));
    std::vector<profile::Row> rows = profile::run_problem(ctx, jobs[i], comparison.roof, how);
    for (profile::Row& row : rows) row.reproduce = command_for(options, jobs[i].reproduce, row.kernel);
    line.clear();
    if (table) print(table_block(rows, style));
    std::move(rows.begin(), rows.end(), std::back_inserter(comparison.rows));
  }
  comparison.interrupted = interrupted;
  profile::finish_run(comparison);
  return comparison;
}

/// For those who see no table.
void report_wrong_rows(const profile::Comparison& comparison) {
  for (const profile::Row& row : comparison.rows)
    if (row.status == profile::Status::wrong)
      std::fprintf(stderr, "tandem-compare: WRONG: %s on %s %s: %s\n", row.kernel.c_str(), row.op.c_str(),
                   row.problem.c_str(), row.reason.c_str());
}

int run(int argc, const char* const* argv) {
  const std::optional<Options> options = parse_command_line(argc, argv);
  if (!options) return 0;
  if (options->kernels_given && !any_kernel_matches(options->kernels))
    throw UsageError(fmt::format("no kernel's name matches '{}' (--list shows the names)", options->kernels));
  ContextOptions how;
  how.threads = options->threads;
  Context ctx(how);
  if (options->list) {
    print(list_everything(ctx));
    return 0;
  }
  std::vector<profile::Statement> statements;
  const std::vector<Job> jobs = make_jobs(ctx, *options, statements);
  for (const Job& job : jobs) profile::check_problem(job);
  if (options->explain) {
    explain_jobs(ctx, jobs);
    return 0;
  }
  bench::check_files(*options);
  const bool table = !options->quiet && !bench::stdout_is_taken(*options);
  profile::Comparison comparison = measure_jobs(ctx, *options, jobs, table, bench::catch_interrupts());
  comparison.statements = std::move(statements);
  if (table)
    print(table_footer(comparison, bench::style_of_terminal()));
  else
    report_wrong_rows(comparison);
  bench::write_file(options->json, [&] { return to_json(comparison); });
  bench::write_file(options->google_json, [&] { return to_google_benchmark_json(comparison); });
  bench::write_file(options->csv, [&] { return to_csv(comparison); });
  bench::write_file(options->markdown, [&] { return to_markdown(comparison); });
  return comparison.any_wrong() ? bench::kWrong : comparison.interrupted ? bench::kInterrupted : 0;
}

}  // namespace
}  // namespace tandem::compare

int main(int argc, char** argv) {
  return tandem::bench::run_program("tandem-compare", [&] { return tandem::compare::run(argc, argv); });
}
