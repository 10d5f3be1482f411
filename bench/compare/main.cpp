// tandem-compare: every kernel of the library on the same problems, checked, then timed side by side.
#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>

#include <fmt/format.h>
#include <tandem/error.h>
#include <tandem/report.h>

#include "bench/compare/axes.h"
#include "bench/compare/jobs.h"
#include "bench/compare/list.h"
#include "bench/compare/options.h"
#include "bench/compare/watch.h"
#include "bench/peers/host_peers.h"
#include "bench/support/output.h"
#include "bench/support/program.h"
#include "bench/support/progress.h"

#include "common/profile/roof.h"
#include "common/profile/run_facts.h"
#include "common/profile/run_problem.h"

namespace tandem::compare {
namespace {

using bench::print;

std::string problem_name(const Job& job) { return job.op + " " + job.text; }

void explain_jobs(Context& ctx, const std::vector<Job>& jobs) {
  for (const Job& job : jobs) print(to_string(explain(ctx, problem_name(job))) + "\n");
}

/// The contexts that a sweep over threads needs, or the one there is.
struct Contexts {
  explicit Contexts(const Options& options) {
    ContextOptions how;
    how.threads = options.threads;
    if (options.sweep_threads.empty()) {
      all.emplace_back(how);
      return;
    }
    const int most = Context(how).threads();
    for (const int threads : parse_counts("--sweep-threads", options.sweep_threads, most)) {
      if (threads > 1024) throw UsageError("--sweep-threads: write 1 to 1024 threads");
      how.threads = threads;
      all.emplace_back(how);
    }
  }
  std::vector<Context> all;
};

/// Measures each problem with each context; `roofs` are the contexts' ceilings.
class Measuring {
 public:
  Measuring(Contexts& contexts, const Options& options, const std::vector<Job>& jobs, bool table,
            const std::atomic<bool>& interrupted)
      : contexts_(contexts),
        options_(options),
        jobs_(jobs),
        table_(table),
        interrupted_(interrupted),
        line_(!options.quiet && isatty(STDERR_FILENO) != 0, jobs.size() * contexts.all.size()) {
    how_.min_seconds = options.min_time;
    how_.threshold = options.threshold_percent / 100;
    how_.cold = options.cold;
    how_.seed = options.seed;
    how_.cancel = &interrupted;
    how_.observe = [this](const profile::Progress& progress) { line_.show(progress); };
    if (options.kernels_given)
      how_.wanted = [&options](std::string_view kernel) {
        return fnmatch(options.kernels.c_str(), std::string(kernel).c_str(), 0) == 0;
      };
  }

  profile::Comparison run() {
    profile::Comparison comparison{
        profile::begin_run(contexts_.all.back().machine(), how_.seed, how_.min_seconds), {}, {}};
    std::vector<profile::Roof> roofs;  // ceilings are those of as many threads as run
    for (std::size_t i = 0; i + 1 < contexts_.all.size(); ++i)
      roofs.push_back(profile::measure_roof(contexts_.all[i].machine().cpu, how_.min_seconds));
    roofs.push_back(comparison.roof);
    if (table_) print(run_header(comparison, style_));
    for (std::size_t i = 0; i < jobs_.size(); ++i)
      for (std::size_t c = 0; c < contexts_.all.size() && !interrupted_; ++c) {
        line_.begin(i * contexts_.all.size() + c, problem_name(jobs_[i]));
        measure(contexts_.all[c], jobs_[i], roofs[c], comparison.rows);
      }
    comparison.interrupted = interrupted_;
    profile::finish_run(comparison);
    return comparison;
  }

 private:
  void measure(Context& ctx, const Job& job, const profile::Roof& roof, std::vector<profile::Row>& all) {
    std::vector<profile::Row> rows = options_.selftest ? profile::run_selftest(ctx, job, roof, how_)
                                                       : profile::run_problem(ctx, job, roof, how_, peers_);
    for (profile::Row& row : rows) row.reproduce = command_for(options_, job.reproduce, row);
    line_.clear();
    if (table_) print(table_block(rows, style_));
    std::move(rows.begin(), rows.end(), std::back_inserter(all));
  }

  Contexts& contexts_;
  const Options& options_;
  const std::vector<Job>& jobs_;
  bool table_;
  const std::atomic<bool>& interrupted_;
  bench::ProgressLine line_;
  profile::CompareOptions how_;
  const profile::Style style_ = bench::style_of_terminal();
  const profile::MoreRows peers_ = options_.peers ? peers::host_peers() : profile::MoreRows{};
};

bool any_peer_matches(const Options& options) {
  if (!options.peers) return false;
  const profile::MoreRows all = peers::host_peers();
  bool any = false;
  for_each_op([&]<class Op>() {
    for (const Entry<Op>& peer : all.of<Op>()) any |= fnmatch(options.kernels.c_str(), peer.name.c_str(), 0) == 0;
  });
  return any;
}

int run(int argc, const char* const* argv) {
  const std::optional<Options> options = parse_command_line(argc, argv);
  if (!options) return 0;
  if (options->kernels_given && !any_peer_matches(*options)) bench::require_kernel(options->kernels);
  if (!options->files.empty()) return compare_files(*options);
  bench::check_outputs(result_files(*options),
                       {{"--a", options->a}, {"--b", options->b}, {"--baseline", options->baseline}});
  std::optional<profile::Comparison> baseline;
  if (!options->baseline.empty()) baseline = load_comparison(options->baseline);
  Contexts contexts(*options);
  Context& ctx = contexts.all.back();
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
  const bool table = !options->quiet && !bench::stdout_is_taken(*options);
  profile::Comparison comparison = Measuring(contexts, *options, jobs, table, bench::catch_interrupts()).run();
  comparison.statements = std::move(statements);
  if (table)
    print(table_footer(comparison, bench::style_of_terminal()) + scaling_block(comparison.rows));
  else
    report_wrong_rows(comparison);
  bench::write_files({{options->json, [&] { return to_json(comparison); }},
                      {options->google_json, [&] { return to_google_benchmark_json(comparison); }},
                      {options->csv, [&] { return to_csv(comparison); }},
                      {options->markdown, [&] { return to_markdown(comparison); }}});
  const int watched = watch(*options, comparison, baseline ? &*baseline : nullptr, table);
  return comparison.any_wrong() ? bench::kWrong : comparison.interrupted ? bench::kInterrupted : watched;
}

}  // namespace
}  // namespace tandem::compare

int main(int argc, char** argv) {
  return tandem::bench::run_program("tandem-compare", [&] { return tandem::compare::run(argc, argv); });
}
