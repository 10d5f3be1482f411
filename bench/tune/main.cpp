// tandem-tune: measures the kernels of this machine, so that the selection chooses by measured times.
#include <tandem/tuning.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <tandem/error.h>
#include <tandem/version.h>

#include "bench/support/output.h"
#include "bench/support/problem_words.h"
#include "bench/support/program.h"
#include "bench/support/run_options.h"
#include "bench/tune/regret.h"
#include "bench/tune/session.h"
#include "common/core/context_impl.h"
#include "common/core/device_api.h"
#include "common/io/file.h"
#include "common/profile/read_json.h"
#include "common/profile/timer.h"
#include "common/tuning/record.h"
#include "common/tuning/source.h"

namespace tandem::tune {
namespace {

using bench::print;
using bench::UsageError;

constexpr const char* kDescription =
    "Measures the kernels of this machine into its tuning file, from which the library then chooses. Every result is\n"
    "checked; a kernel that is wrong is never recorded. Ctrl-C keeps what was measured.\n"
    "Exit code: 0, 1 when a result was wrong, 2 when the command cannot be meant or carried out, 130 when interrupted.";

constexpr const char* kExamples =
    "\nExamples:\n"
    "  tandem-tune                                under a minute: all operations, evenly spread sizes\n"
    "  tandem-tune --thorough                     ten minutes of the same\n"
    "  tandem-tune matmul f32:384x1536x384        these problems\n"
    "  TANDEM_RECORD=met.txt my-program; tandem-tune --record met.txt\n"
    "  tandem-tune --import results.json          what tandem-compare measured\n"
    "  tandem-tune --show                         what the file holds, and whether it is of this machine\n"
    "  tandem-tune --regret --suite 200           how good the choices are";

constexpr double kDefaultSeconds = 50, kThoroughSeconds = 600;

struct Options {
  std::vector<std::string> words;
  std::string file, record, import, json;
  double seconds = 0, min_time = 0;
  int threads = 0;
  std::int64_t suite = 200;
  std::uint64_t seed = 1;
  bool thorough = false, dry_run = false, show = false, reset = false, remeasure = false, regret = false, quiet = false;
};

/// Each way to use the program, and the options that mean something there: others would be passed over in silence.
void check_mode(const CLI::App& app, const Options& o) {
  if (o.show)
    bench::refuse_others(app, "--show", {"--show", "--file"});
  else if (o.reset)
    bench::refuse_others(app, "--reset", {"--reset", "--file", "--quiet"});
  else if (!o.import.empty())
    bench::refuse_others(app, "--import", {"--import", "--file", "--quiet"});
  else if (o.remeasure)
    bench::refuse_others(app, "--remeasure-ceilings", {"--remeasure-ceilings", "--file", "--quiet"});
  else if (o.regret)
    bench::refuse_others(app, "--regret",
                         {"--regret", "--file", "--suite", "--seed", "--min-time", "--threads", "--json", "--quiet"});
  else if (!o.record.empty() || !o.words.empty())
    bench::refuse_others(app, o.record.empty() ? "problems that are named" : "--record",
                         {o.record.empty() ? "--problems" : "--record", "--file", "--thorough", "--min-time",
                          "--threads", "--seed", "--dry-run", "--quiet"});
}

bool read_options(Options& o, int argc, const char* const* argv) {
  CLI::App app(kDescription, "tandem-tune");
  app.footer(kExamples);
  app.set_version_flag("--version", std::string("tandem-tune ") + version());
  app.add_option("problems,--problems", o.words, "pairs of an operation and its problem; none: all operations")
      ->type_name("OP PROBLEM");
  app.add_option("--file", o.file, "the tuning file (default: that of the user)")->type_name("FILE");
  app.add_option("--record", o.record, "measure the problems that TANDEM_RECORD wrote there")->type_name("FILE");
  app.add_option("--import", o.import, "take the times from the JSON of tandem-compare, measured here")
      ->type_name("FILE");
  app.add_flag("--thorough", o.thorough, "ten minutes instead of one");
  app.add_option("--seconds", o.seconds, "so long instead; problems that are named take as long as they take")
      ->type_name("S");
  app.add_option("--min-time", o.min_time, "seconds in the samples of each kernel, default 0.004 (thorough: 0.02)")
      ->type_name("S");
  app.add_option("--threads", o.threads, "host threads (0: as many as this process may use)")->type_name("N");
  app.add_option("--seed", o.seed, "of the sizes, the data and the order, default 1")->type_name("N");
  app.add_flag("--remeasure-ceilings", o.remeasure, "measure the ceilings of the machine again, and nothing else");
  app.add_flag("--dry-run", o.dry_run, "list the problems of the first round and measure nothing");
  app.add_flag("--show", o.show, "say what the file holds");
  app.add_flag("--reset", o.reset, "remove the file, if it is a tuning file");
  app.add_flag("--regret", o.regret, "measure how good the choices are");
  app.add_option("--suite", o.suite, "problems of --regret, default 200")->type_name("N");
  app.add_option("--json", o.json, "write what --regret found as JSON")->type_name("FILE|-");
  app.add_flag("--quiet", o.quiet, "no progress, no summary");
  if (!bench::parse_command_line(app, argc, argv)) return false;
  if (app.count("--seconds") == 0) o.seconds = o.thorough ? kThoroughSeconds : kDefaultSeconds;
  if (app.count("--min-time") == 0) o.min_time = o.thorough || o.regret ? 0.02 : 0.004;
  if (!(o.seconds > 0 && o.seconds <= 86400))
    throw UsageError(fmt::format("--seconds {}: write seconds, above 0 and up to 86400", o.seconds));
  if (!(o.min_time > 0 && o.min_time <= 60))
    throw UsageError(fmt::format("--min-time {}: write seconds, above 0 and up to 60", o.min_time));
  bench::check_threads(o.threads);
  if (o.suite < 1 || o.suite > 100000) throw UsageError(fmt::format("--suite {}: write 1 to 100000", o.suite));
  if (!o.regret)
    for (const char* option : {"--suite", "--json"})
      if (app.count(option) > 0) throw UsageError(fmt::format("{} is for --regret", option));
  check_mode(app, o);
  return true;
}

std::string ceilings_text(const tuning::File& file) {
  if (!file.ceilings) return "ceilings: none\n";
  const Ceilings& c = *file.ceilings;
  std::string text = fmt::format(
      "ceilings: {:.3g} GFLOP/s a thread, {:.3g} GB/s in L2, {:.3g} GB/s in the last level, {:.3g} GB/s in memory, "
      "fork and join {:.3g} us\n",
      c.cpu_flops / 1e9, c.cpu_l2_bytes / 1e9, c.cpu_l3_bytes / 1e9, c.cpu_dram_bytes / 1e9, c.cpu_fork_seconds * 1e6);
  if (c.gpu_flops > 0)
    text += fmt::format("          GPU {:.3g} TFLOP/s, {:.3g} GB/s, launch {:.3g} us\n", c.gpu_flops / 1e12,
                        c.gpu_bytes / 1e9, c.launch_seconds * 1e6);
  if (c.h2d_pageable.measured() && c.d2h_pageable.measured()) {
    constexpr std::size_t kLast = CopyCurve::kPoints - 1;
    const auto rate = [](const CopyCurve& curve) {
      return static_cast<double>(CopyCurve::bytes_at(kLast)) / curve.seconds[kLast] / 1e9;
    };
    text += fmt::format("          copies by size, {:.3g} GB/s to the GPU and {:.3g} GB/s back at 256 MiB\n",
                        rate(c.h2d_pageable), rate(c.d2h_pageable));
  }
  return text;
}

void show(const std::string& path) {
  const tuning::File file = tuning::read_file(path);
  const tuning::Match match = tuning::match(file.fingerprint, tuning::fingerprint_of(detected_machine()));
  std::string text =
      fmt::format("{}, of {} ago\nfingerprint {}\n{}", path, tuning::age(tuning::seconds_since(file.date)),
                  match.exact() ? "matches"
                  : match.hard  ? "is of another machine, so the file is not used: " + match.differences
                                : "differs, so the times are guesses: " + match.differences,
                  ceilings_text(file));
  std::map<std::string, std::size_t> counts;
  for (const tuning::Measurement& m : file.measured) ++counts[m.op];
  text += fmt::format("{} measured times\n", file.measured.size());
  for (const auto& [op, count] : counts) text += fmt::format("  {:<20} {}\n", op, count);
  print(text);
}

/// The curves of copies, which the first context of a process leaves unmeasured because they take seconds.
bool lacks_copies(const Ceilings& ceilings) {
  return !detected_machine().gpus.empty() && ceilings.h2d_pageable.seconds.front() == 0;
}

/// What the program adds to the file.
tuning::File news(const std::string& path, bool remeasure) {
  tuning::File file;
  file.fingerprint = tuning::fingerprint_of(detected_machine());
  // The ceilings of a file that stays are kept with it; measured times are told as multiples of what follows from them.
  // Copies are no part of those times, so that their curves can be added.
  if (!remeasure && std::filesystem::exists(path)) {
    const tuning::File old = tuning::read_file(path);
    if (tuning::match(old.fingerprint, file.fingerprint).exact() && old.ceilings) {
      if (!lacks_copies(*old.ceilings)) return file;
      file.ceilings = old.ceilings;
    }
  }
  if (!file.ceilings) file.ceilings = this_machine().ceilings;
  const Machine& machine = detected_machine();
  if (lacks_copies(*file.ceilings))
    gpu::measure_copies(machine.gpus.front().index, machine.cpu.threads, *file.ceilings);
  return file;
}

class Progress {
 public:
  explicit Progress(bool on) : on_(on) {}
  ~Progress() { clear(); }
  void show(std::size_t done, double left, const tuning::Problem& next) {
    if (!on_ || profile::now() - last_ < 0.1) return;
    last_ = profile::now();
    std::fprintf(stderr, "\r\033[K%zu problems, %s left: %s %s", done,
                 std::isnan(left) ? "?" : fmt::format("{:.0f} s", std::max(0.0, left)).c_str(), next.op.c_str(),
                 next.text.c_str());
    shown_ = true;
  }
  void clear() {
    if (shown_) std::fprintf(stderr, "\r\033[K");
    shown_ = false;
  }

 private:
  bool on_, shown_ = false;
  double last_ = 0;
};

int finish(const std::vector<std::string>& wrong, const std::vector<std::string>& skipped, bool interrupted) {
  for (const std::string& line : skipped) std::fprintf(stderr, "tandem-tune: skipped: %s\n", line.c_str());
  for (const std::string& line : wrong) std::fprintf(stderr, "tandem-tune: WRONG: %s\n", line.c_str());
  return !wrong.empty() ? bench::kWrong : interrupted ? bench::kInterrupted : 0;
}

/// Times of a part of the instructions would stand in the file as those of all: dispatch then chooses wrongly.
void refuse_cap(const Context& ctx) {
  const IsaLevel capped = ctx.machine().cpu.isa, all = detected_machine().cpu.isa;
  if (capped != all)
    throw UsageError(
        fmt::format("TANDEM_ISA_MAX={} is below {}, which this processor has and a tuning file is of: leave "
                    "it out",
                    name(capped), name(all)));
}

/// What merging will drop of the file, in words: times of another machine, build or driver.
std::string replaced_by(const tuning::File& file, const std::string& path) {
  if (!std::filesystem::exists(path)) return "";
  const tuning::File old = tuning::read_file(path);
  const tuning::Match match = tuning::match(old.fingerprint, file.fingerprint);
  if (match.exact() || old.measured.empty()) return "";
  return fmt::format("; {} that it held are gone: {}", old.measured.size(), match.differences);
}

int tune(Context& ctx, const Options& o, const std::string& path, const SessionOptions& how, Progress& line) {
  std::vector<tuning::Problem> problems;
  if (!o.record.empty())
    problems = tuning::read_problems(o.record);
  else
    for (const bench::Asked& asked : bench::asked_of(o.words)) problems.push_back({asked.op, asked.problem});
  for (const tuning::Problem& p : problems) profile::check_problem({p.op, p.text, {}, {}});
  const bool listed = !problems.empty() || !o.record.empty();
  const std::vector<tuning::Template> templates = listed ? std::vector<tuning::Template>{} : tuning::all_templates();
  if (o.dry_run) {
    for (const tuning::Problem& p : listed ? problems : first_round(templates, o.seed))
      print(p.op + " " + p.text + "\n");
    return 0;
  }
  if (!o.remeasure) refuse_cap(ctx);
  tuning::prepare_file(path);
  bench::check_outputs({{"--file", path}}, {{"--record", o.record}});
  tuning::File file = news(path, o.remeasure);
  Session session;
  if (!o.remeasure) session = listed ? measure_list(ctx, problems, how) : measure_even(ctx, templates, how);
  line.clear();
  file.measured = std::move(session.measured);
  const std::size_t added = file.measured.size();
  const std::string replaced = replaced_by(file, path);
  const tuning::File now = tuning::merge_into_file(path, file);
  if (!o.quiet)
    print(fmt::format("{} problems, {} times measured; {} holds {}{}\n", session.problems, added, path,
                      now.measured.size(), replaced));
  return finish(session.wrong, session.skipped, how.cancelled());
}

/// Times of CUDA kernels count here only when they are of the GPU that is here.
void require_same_gpu(const profile::Comparison& comparison, const std::string& source) {
  const auto on_gpu = [](const profile::Row& row) { return row.backend == "cuda" && row.timed(); };
  if (std::none_of(comparison.rows.begin(), comparison.rows.end(), on_gpu)) return;
  const std::vector<GpuInfo>&there = comparison.machine.gpus, &here = detected_machine().gpus;
  const auto words = [](const std::vector<GpuInfo>& gpus) {
    return gpus.empty() ? std::string("no GPU") : fmt::format("{} ({})", gpus[0].name, gpus[0].compute_capability);
  };
  if (words(there) != words(here))
    throw UsageError(fmt::format("{}: measured with {}, and here is {}", source, words(there), words(here)));
}

int import(const Options& o, const std::string& path) {
  const profile::Comparison comparison = profile::from_json(profile::load_results(o.import), o.import);
  const CpuInfo &there = comparison.machine.cpu, &here = detected_machine().cpu;
  if (there.name != here.name || there.isa != here.isa || comparison.library != version())
    throw UsageError(fmt::format("{}: measured with library {} on {} ({}), and this is library {} on {} ({})", o.import,
                                 comparison.library, there.name, name(there.isa), version(), here.name,
                                 name(here.isa)));
  require_same_gpu(comparison, o.import);
  bench::check_outputs({{"--file", path}}, {{"--import", o.import}});
  tuning::File file = news(path, false);
  tuning::record(file.measured, comparison);
  const std::size_t added = file.measured.size();
  const std::string replaced = replaced_by(file, path);
  const tuning::File now = tuning::merge_into_file(path, file);
  if (!o.quiet)
    print(fmt::format("{} times taken from {}; {} holds {}{}\n", added, o.import, path, now.measured.size(), replaced));
  return 0;
}

int regret(Context& ctx, const Options& o, const SessionOptions& how, Progress& line) {
  const Regret found = try_choices(ctx, static_cast<std::size_t>(o.suite), how);
  line.clear();
  if (!o.quiet && o.json != "-") print("predictions: " + tuning_model(ctx) + "\n" + text_of(found));
  bench::write_files({{o.json, [&] { return json_of(found, tuning_model(ctx), o.seed); }}});
  return finish(found.wrong, {}, how.cancelled());
}

int run(int argc, const char* const* argv) {
  Options o;
  if (!read_options(o, argc, argv)) return 0;
  const std::string path = o.file.empty() ? tuning::user_file() : o.file;
  if (path.empty()) throw UsageError("neither XDG_CACHE_HOME nor HOME is an absolute path: name the file with --file");
  if (o.show) {
    show(path);
    return 0;
  }
  if (o.reset) {
    const bool removed = tuning::remove_file(path);
    if (!o.quiet) print(path + (removed ? ": removed\n" : ": there is none\n"));
    return 0;
  }
  if (o.regret) bench::check_outputs({{"--json", o.json}}, {{"--file", path}});
  ContextOptions options;
  options.threads = o.threads;
  Context ctx(options);
  if (!o.file.empty() && o.regret) use_tuning(ctx, o.file);
  if (!o.import.empty()) return import(o, path);
  if (!o.regret && std::filesystem::exists(path)) tuning::read_file(path);  // before measuring: what is bad stays
  Progress line(!o.quiet && isatty(STDERR_FILENO) != 0);
  SessionOptions how;
  how.seconds = o.seconds;
  how.min_time = o.min_time;
  how.seed = o.seed;
  how.interrupted = &bench::catch_interrupts();
  how.progress = [&](std::size_t done, double left, const tuning::Problem& next) { line.show(done, left, next); };
  return o.regret ? regret(ctx, o, how, line) : tune(ctx, o, path, how, line);
}

}  // namespace
}  // namespace tandem::tune

int main(int argc, char** argv) {
  return tandem::bench::run_program("tandem-tune", [&] { return tandem::tune::run(argc, argv); });
}
