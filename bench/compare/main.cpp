// tandem-compare: every kernel of the library on the same problems, checked, then timed side by side.
#include <fnmatch.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>

#include <fmt/format.h>
#include <tandem/error.h>

#include "bench/compare/jobs.h"
#include "bench/compare/options.h"
#include "bench/compare/output.h"
#include "bench/compare/progress.h"
#include "bench/compare/run.h"
#include "common/profile/report.h"

namespace tandem::compare {
namespace {

constexpr int kWrong = 1, kUsage = 2, kInterrupted = 130;

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");

// The first Ctrl-C ends the measuring and prints what there is; the second ends the program.
void on_interrupt(int signal) {
  interrupted = true;
  std::signal(signal, SIG_DFL);
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

std::string problem_name(const Job& job) { return job.op + " " + job.problem; }

void explain_jobs(Context& ctx, const std::vector<Job>& jobs) {
  for (const Job& job : jobs) print(to_string(explain(ctx, problem_name(job))) + "\n");
}

profile::Comparison measure_jobs(Context& ctx, const Options& options, const std::vector<Job>& jobs, bool table) {
  ProgressLine line(!options.quiet && isatty(STDERR_FILENO) != 0, jobs.size());
  profile::CompareOptions how;
  how.min_seconds = options.min_time;
  how.seed = options.seed;
  how.cancel = &interrupted;
  how.observe = [&](const profile::Progress& progress) { line.show(progress); };
  if (options.kernels_given)
    how.wanted = [&](std::string_view kernel) {
      return fnmatch(options.kernels.c_str(), std::string(kernel).c_str(), 0) == 0;
    };

  const double started = profile::now();
  const profile::NoiseCounters before = profile::read_noise_counters();
  const profile::Style style = style_of_terminal();
  profile::Comparison comparison = profile::begin_comparison(ctx.machine(), how);
  if (table) print(table_header(comparison, style));
  for (std::size_t i = 0; i < jobs.size() && !interrupted; ++i) {
    line.begin(i, problem_name(jobs[i]));
    std::vector<profile::Row> rows = run_job(ctx, jobs[i], comparison.roof, how);
    for (profile::Row& row : rows) row.reproduce = command_for(options, jobs[i].reproduce, row.kernel);
    line.clear();
    if (table) print(table_block(rows, style));
    std::move(rows.begin(), rows.end(), std::back_inserter(comparison.rows));
  }
  comparison.interrupted = interrupted;
  profile::finish_comparison(comparison, before, started);
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
  for (const Job& job : jobs) check_job(job);
  if (options->explain) {
    explain_jobs(ctx, jobs);
    return 0;
  }
  check_files(*options);
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  const bool table = !options->quiet && !stdout_is_taken(*options);
  profile::Comparison comparison = measure_jobs(ctx, *options, jobs, table);
  comparison.statements = std::move(statements);
  if (table)
    print(table_footer(comparison, style_of_terminal()));
  else
    report_wrong_rows(comparison);
  write_files(*options, comparison);
  return comparison.any_wrong() ? kWrong : comparison.interrupted ? kInterrupted : 0;
}

}  // namespace
}  // namespace tandem::compare

int main(int argc, char** argv) {
  try {
    return tandem::compare::run(argc, argv);
  } catch (const std::exception& error) {  // UsageError, Error, or a library's own
    std::fprintf(stderr, "tandem-compare: %s\n", error.what());
    return tandem::compare::kUsage;
  }
}
