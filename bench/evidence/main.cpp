// tandem-evidence: does the measuring tell equal kernels from slower ones? Kernels that do a known amount of extra work
// are compared again and again by the code of tandem-compare, and the verdicts are counted.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>

#include <fmt/format.h>
#include <tandem/error.h>
#include <tandem/version.h>

#include "bench/support/output.h"
#include "bench/support/program.h"
#include "common/profile/format.h"
#include "common/profile/judge.h"
#include "common/profile/stats.h"
#include "common/profile/timer.h"

namespace tandem::evidence {
namespace {

using namespace profile;

const Entry<Softmax>* planted_on = nullptr;  // the kernel that the planted ones call; a Kernel holds plain functions

/// The kernel, and then once more over one in `kPart` of its rows: 1/kPart more work for the same result.
template <std::int64_t kPart>
Code with_more_work(const SoftmaxArgs& args, const Queue& queue, Workspace workspace) {
  const Code code = planted_on->kernel->run(args, queue, workspace);
  if (code != Code::ok) return code;
  SoftmaxArgs part = args;
  part.rows.shape[0] /= kPart;
  part.rows.elements /= kPart;
  return planted_on->kernel->run(part, queue, workspace);
}

constexpr const char* kProblem = "f32:400x100";  // in L2, that other work disturbs least; rows divide by 20 and 100
constexpr std::array<const char*, 3> kNames = {"itself again", "with 5 % more work", "with 1 % more work"};

/// How often each verdict was given.
struct Counts {
  int faster = 0, slower = 0, same = 0, inconclusive = 0;
  std::vector<double> ratios;
  void add(const Effect& effect) {
    (effect.verdict == Verdict::faster   ? faster
     : effect.verdict == Verdict::slower ? slower
     : effect.verdict == Verdict::same   ? same
                                         : inconclusive) += 1;
    ratios.push_back(1 / effect.ratio);
  }
};

std::array<Counts, 3> count_verdicts(Context& ctx, int runs, double seconds, const std::atomic<bool>& interrupted) {
  const Request<Softmax> request = Softmax::parse("softmax", kProblem).value();
  const Case<Softmax> problem = make_case<Softmax>("softmax", kProblem, request, {}, 1);
  const auto situation = make_situation<Softmax>(ctx.impl(), problem.attributes, problem.operands.views());
  planted_on = select<Softmax>(situation, ctx.impl().policy, ctx.impl().machine).entry;
  Kernel<Softmax> base = *planted_on->kernel, more5 = base, more1 = base;
  base.traits.reference = true;
  more5.traits.reference = more1.traits.reference = false;
  more5.run = with_more_work<20>;
  more1.run = with_more_work<100>;
  Kernel<Softmax> again = *planted_on->kernel;
  again.traits.reference = false;
  const std::vector<Entry<Softmax>> entries = {{planted_on->name, Backend::cpu, &base},
                                               {kNames[0], Backend::cpu, &again},
                                               {kNames[1], Backend::cpu, &more5},
                                               {kNames[2], Backend::cpu, &more1}};
  const Judge judge = judge_of(problem, 1);
  std::array<Counts, 3> counts;
  CompareOptions options;
  options.min_seconds = seconds;
  options.wanted = [](std::string_view name) { return name != kAuto; };
  for (int run = 0; run < runs && !interrupted; ++run) {
    options.seed = static_cast<std::uint64_t>(run) + 1;
    const std::vector<Row> rows = compare_kernels<Softmax>(ctx, problem, entries, judge, Roof{}, options);
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (rows[i + 1].status != Status::ok) throw Error(Code::internal, rows[i + 1].reason);
      counts[i].add(rows[i + 1].vs_reference);
    }
  }
  return counts;
}

/// A line of counts; whether the target was reached.
bool report(const char* name, Counts& counts, const std::string& target, bool reached) {
  std::sort(counts.ratios.begin(), counts.ratios.end());
  const auto at = [&](double q) { return quantile(counts.ratios, q); };
  bench::print(
      fmt::format("  {:<19} faster {:3}  slower {:3}  same {:3}  inconclusive {:3}   time {:.4f} ({:.4f} .. "
                  "{:.4f} in 90 %)   {}: {}\n",
                  name, counts.faster, counts.slower, counts.same, counts.inconclusive, at(0.5), at(0.05), at(0.95),
                  target, reached ? "reached" : "NOT REACHED"));
  return reached;
}

int run(int argc, const char* const* argv) {
  int runs = 100, threads = 1;
  double seconds = 0.3;
  CLI::App app(
      "Counts the verdicts on kernels whose difference is known: the same kernel, and kernels that do 5 % and 1 % "
      "more work.\nExit code: 0, 1 when a target is not reached, 2 when the command cannot be meant or carried out, "
      "130 when interrupted.",
      "tandem-evidence");
  app.footer("\nExamples:\n  tandem-evidence\n  tandem-evidence --runs 20 --min-time 0.1 --threads 2");
  app.set_version_flag("--version", std::string("tandem-evidence ") + version());
  app.add_option("--runs", runs, "comparisons, default 100")->check(CLI::Range(1, 10000));
  app.add_option("--min-time", seconds, "seconds for each kernel in a comparison, default 0.3")
      ->check(CLI::Range(1e-4, 60.0));
  app.add_option("--threads", threads, "host threads, default 1")->check(CLI::Range(1, 1024));
  if (!bench::parse_command_line(app, argc, argv)) return 0;
  const std::atomic<bool>& interrupted = bench::catch_interrupts();
  ContextOptions how;
  how.threads = threads;
  Context ctx(how);
  const TimerFacts& timer = timer_facts();
  bench::print(
      fmt::format("own overhead: clock tick {}, reading the clock {} twice a sample of at least {}, the loop {} a "
                  "call\n",
                  duration(timer.tick_seconds), duration(timer.read_seconds), duration(shortest_sample()),
                  duration(timer.call_seconds)));
  const double begin = now();
  std::array<Counts, 3> counts = count_verdicts(ctx, runs, seconds, interrupted);
  const int done = static_cast<int>(counts[0].ratios.size());
  if (done == 0) return bench::kInterrupted;
  bench::print(fmt::format("softmax {} with {}, {} thread{}, {} comparisons of {} s a kernel, in {:.0f} s:\n", kProblem,
                           planted_on->name, threads, threads == 1 ? "" : "s", done, seconds, now() - begin));
  const auto percent_of = [&](int n) { return 100.0 * n / done; };
  bool all = report(kNames[0], counts[0], "same in 97 %", percent_of(counts[0].same) >= 97);
  all = report(kNames[1], counts[1], "slower in 95 %", percent_of(counts[1].slower) >= 95) && all;
  all = report(kNames[2], counts[2], "never faster", counts[2].faster == 0) && all;
  return interrupted ? bench::kInterrupted : all ? 0 : bench::kWrong;
}

}  // namespace
}  // namespace tandem::evidence

int main(int argc, char** argv) {
  return tandem::bench::run_program("tandem-evidence", [&] { return tandem::evidence::run(argc, argv); });
}
