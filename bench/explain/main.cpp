// tandem-explain: what would run and why, from where on it would be another choice, and what the alternatives take.
#include <unistd.h>

#include <cstdio>

#include <tandem/context.h>
#include <tandem/error.h>
#include <tandem/explain.h>

#include "bench/explain/options.h"
#include "bench/support/output.h"
#include "bench/support/program.h"
#include "bench/support/progress.h"
#include "common/profile/read_json.h"

namespace tandem::explain_program {
namespace {

ContextOptions context_of(const Options& options) {
  ContextOptions how;
  how.threads = options.threads;
  if (!options.machine.empty())
    how.machine = machine_from_json(profile::load_results(options.machine), options.machine);
  return how;
}

void report_wrong(const Analysis& analysis) {
  for (const Trial& trial : analysis.trials)
    if (trial.row.status == profile::Status::wrong)
      std::fprintf(stderr, "tandem-explain: WRONG: %s: %s\n", trial.row.kernel.c_str(), trial.row.reason.c_str());
}

int run(int argc, const char* const* argv) {
  const std::optional<Options> options = parse_command_line(argc, argv);
  if (!options) return 0;
  bench::check_outputs({{"--json", options->json}}, {{"--machine", options->machine}});
  Context ctx(context_of(*options));
  const bool text = options->json != "-";
  Explanation all;
  all.question = options->question;
  all.machine = ctx.machine();
  all.decision = explain(ctx, options->question, options->devices);
  if (!options->devices.empty())  // said by name, as every function takes it
    for (const Place& operand : all.decision.operands)
      all.question += " " + operand.name + ":" + to_string(operand.device);
  const std::atomic<bool>& interrupted = bench::catch_interrupts();
  bench::ProgressLine line(isatty(STDERR_FILENO) != 0, 1);
  profile::CompareOptions how;
  how.min_seconds = options->min_time;
  how.seed = options->seed;
  how.cancel = &interrupted;
  how.observe = [&](const profile::Progress& progress) { line.show(progress); };
  const auto show = [&](const std::string& part) {
    line.clear();
    if (text) bench::print(part);
  };

  BreakEven break_even;
  Analysis analysis;
  if (options->analyze) {
    line.begin(0, all.question);
    analysis = explain_analyze(ctx, all.question, {options->top, how});
    all.analysis = &analysis;
    show(to_string(analysis));
  } else {
    show(to_string(all.decision));
  }
  if (options->break_even && !interrupted) {
    line.begin(0, all.question);
    break_even = tandem::break_even(ctx, all.question, {options->measure, options->max_mib << 20, how});
    all.break_even = &break_even;
    show("\n" + to_string(break_even));
  }
  if (!text) report_wrong(analysis);
  bench::write_files({{options->json, [&] { return to_json(all); }}});
  return analysis.any_wrong() ? bench::kWrong : interrupted ? bench::kInterrupted : 0;
}

}  // namespace
}  // namespace tandem::explain_program

int main(int argc, char** argv) {
  return tandem::bench::run_program("tandem-explain", [&] { return tandem::explain_program::run(argc, argv); });
}
