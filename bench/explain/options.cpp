#include "bench/explain/options.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <tandem/version.h>

namespace tandem::explain_program {
namespace {

constexpr const char* kDescription =
    "Says which kernel a call would run and why, where a GPU begins to be worth it, and, when asked, what the\n"
    "alternatives take when they are run. The words are an operation, its problem, and optionally where operands are\n"
    "(b:cuda:0; others are on the host) and how many calls use the inputs that stay (reuse=100).\n"
    "Exit code: 0, 1 when a kernel that was run is wrong, 2 when the command cannot be meant or carried out, 130 when "
    "interrupted.";

constexpr const char* kExamples =
    "\nExamples:\n"
    "  tandem-explain matmul f32:512x512x512\n"
    "  tandem-explain matmul f32:512x512x512 b:cuda:0 reuse=100\n"
    "  tandem-explain 'matmul f32:64x64x64*8,bias' --analyze --top 5\n"
    "  tandem-explain relu f32:1000000 --break-even --measure\n"
    "  tandem-explain matmul f32:512x512x512 --json there.json      and elsewhere, to ask for that machine:\n"
    "  tandem-explain softmax f32:128x1024 --machine there.json\n"
    "tandem-compare --list shows the operations and the grammar of their problems.";

std::vector<Device> parse_devices(const std::vector<std::string>& names) {
  std::vector<Device> devices;
  for (const std::string& name : names) devices.push_back(parse_device(name));
  return devices;
}

void check(const Options& options, const CLI::App& app) {
  if (options.question.empty())
    throw UsageError("an operation and its problem are missing; write for instance: matmul f32:512x512x512");
  if (app.count("--top") > 0 && !options.analyze) throw UsageError("--top is given without --analyze");
  if (options.top < 1 || options.top > 1000) throw UsageError(fmt::format("--top {}: write 1 to 1000", options.top));
  if (options.measure && !options.break_even) throw UsageError("--measure is given without --break-even");
  const bool runs = options.analyze || options.measure;
  for (const char* option : {"--min-time", "--seed"})
    if (app.count(option) > 0 && !runs)
      throw UsageError(fmt::format("{} is given without --analyze or --measure: nothing is run", option));
  if (options.max_mib != 0 && !options.break_even) throw UsageError("--max-mib is given without --break-even");
  if (options.max_mib < 0 || options.max_mib > (1 << 20))
    throw UsageError(fmt::format("--max-mib {}: write 1 to 1048576", options.max_mib));
  if (!options.machine.empty() && (options.analyze || options.measure))
    throw UsageError(
        "--machine describes another machine, on which nothing can be run; leave out --analyze, --measure");
}

}  // namespace

std::optional<Options> parse_command_line(int argc, const char* const* argv) {
  Options options;
  std::vector<std::string> words, devices;
  double reuse = 1;
  CLI::App app(kDescription, "tandem-explain");
  app.footer(kExamples);
  app.set_version_flag("--version", std::string("tandem-explain ") + version());
  app.add_option("problem", words, "operation, problem, places of operands, reuse");
  app.add_option("--devices", devices, "places of the operands in their order, such as cpu,cuda:0,cpu")
      ->type_name("LIST")
      ->delimiter(',')
      ->expected(1, 16);
  CLI::Option* reuse_given =
      app.add_option("--reuse", reuse, "calls that use the inputs that stay, as reuse=N")->type_name("N");
  app.add_flag("--analyze", options.analyze, "run the best candidates, check and time them");
  app.add_option("--top", options.top, "candidates to run, default 3")->type_name("N");
  app.add_flag("--break-even", options.break_even, "the smallest sizes at which the GPU is worth it");
  app.add_flag("--measure", options.measure, "find them by running both sides, not by prediction");
  app.add_option("--max-mib", options.max_mib, "MiB of the operands of the largest size looked at")->type_name("N");
  app.add_option("--machine", options.machine, "choose for the machine in a JSON of this program")->type_name("FILE");
  bench::RunOptions run;  // only some of them mean something here
  app.add_option("--threads", run.threads, "host threads (0: as many as this process may use)")->type_name("N");
  app.add_option("--min-time", run.min_time, "seconds to spend on each kernel, default 0.1")->type_name("S");
  app.add_option("--seed", run.seed, "of the data and of the order of measuring, default 1")->type_name("N");
  app.add_option("--json", options.json, "write everything as JSON")->type_name("FILE|-");
  if (!bench::parse_command_line(app, run, argc, argv)) return std::nullopt;
  options.threads = run.threads;
  options.min_time = run.min_time;
  options.seed = run.seed;
  options.devices = parse_devices(devices);
  options.question = fmt::format("{}", fmt::join(words, " "));
  check(options, app);
  if (reuse_given->count() > 0) options.question += fmt::format(" reuse={}", reuse);
  return options;
}

}  // namespace tandem::explain_program
