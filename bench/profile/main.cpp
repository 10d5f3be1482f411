// tandem-profile: one kernel on one problem, in depth.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <optional>

#include <fmt/format.h>
#include <tandem/error.h>
#include <tandem/operation_profile.h>
#include <tandem/version.h>

#include "bench/support/output.h"
#include "bench/support/program.h"
#include "bench/support/progress.h"
#include "bench/support/run_options.h"

namespace tandem::bench {
namespace {

constexpr const char* kDescription =
    "Profiles one kernel on one problem: checks its result, then shows where the time of a call goes, how fast the "
    "kernel\n"
    "is with warm and with cold caches, and what bounds it. Every number says where it comes from.\n"
    "Exit code: 0, 1 when the result is wrong, 2 when the command cannot be meant or carried out, 130 when "
    "interrupted.";

constexpr const char* kExamples =
    "\nExamples:\n"
    "  tandem-profile matmul f32:512x512x512                 the kernel that dispatch chooses\n"
    "  tandem-profile 'softmax f32:1797x10' --threads 1\n"
    "  tandem-profile relu f32:1000000 --kernel cpu.unary.f32.simd --cold --json relu.json\n"
    "  tandem-profile matmul f32:512x512x512 --trace call.json   opens in chrome://tracing or ui.perfetto.dev";

struct Options : RunOptions {
  std::string op, text, kernel, trace;
  bool resident = false, cold = false;
};

void read_words(const std::vector<std::string>& words, Options& options) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
  const std::size_t space = all.find(' ');
  if (all.empty() || space == std::string::npos || all.find(' ', space + 1) != std::string::npos)
    throw UsageError(fmt::format("'{}' is not an operation and a problem, such as: matmul f32:512x512x512", all));
  options.op = all.substr(0, space);
  options.text = all.substr(space + 1);
}

std::optional<Options> parse(int argc, const char* const* argv) {
  Options options;
  options.min_time = 0.2;
  std::vector<std::string> words;
  CLI::App app(kDescription, "tandem-profile");
  app.footer(kExamples);
  app.set_version_flag("--version", std::string("tandem-profile ") + version());
  app.add_option("problem", words, "an operation and a problem")->required();
  app.add_option("--kernel", options.kernel, "this kernel instead of the one that dispatch chooses")->type_name("NAME");
  app.add_flag("--resident", options.resident, "calls on operands in device memory");
  app.add_flag("--cold", options.cold, "the kernel with cold caches too");
  app.add_option("--threads", options.threads, "host threads (0: as many as this process may use)")->type_name("N");
  app.add_option("--min-time", options.min_time, "seconds for each kind of time, default 0.2")->type_name("S");
  app.add_option("--seed", options.seed, "of the data, default 1")->type_name("N");
  app.add_option("--json", options.json, "write the profile as JSON")->type_name("FILE|-");
  app.add_option("--trace", options.trace, "write the last traced call for a trace viewer")->type_name("FILE|-");
  app.add_flag("--quiet", options.quiet, "no table and no progress");
  if (!parse_command_line(app, options, argc, argv)) return std::nullopt;
  read_words(words, options);
  return options;
}

int run(int argc, const char* const* argv) {
  const std::optional<Options> options = parse(argc, argv);
  if (!options) return 0;
  const profile::Problem problem{options->op, options->text, "", {}};
  profile::check_problem(problem);
  check_outputs({{"--json", options->json}, {"--trace", options->trace}});
  ContextOptions how;
  how.threads = options->threads;
  Context ctx(how);
  ProgressLine line(!options->quiet && isatty(STDERR_FILENO) != 0, 1);
  profile::ProfileOptions what;
  what.kernel = options->kernel;
  what.resident = options->resident;
  what.cold = options->cold;
  what.min_seconds = options->min_time;
  what.seed = options->seed;
  what.cancel = &catch_interrupts();
  what.observe = [&](const profile::Progress& progress) { line.show(progress); };
  line.begin(0, options->op + " " + options->text);
  const profile::Profile profile = profile_operation(ctx, problem, what);
  line.clear();
  const bool table = !options->quiet && options->json != "-" && options->trace != "-";
  const profile::Style style = style_of_terminal();
  if (table) print(run_header(profile, style) + to_text(profile, style));
  write_files({{options->json, [&] { return to_json(profile); }},
               {options->trace, [&] { return trace::to_chrome_trace(profile.spans); }}});
  if (profile.row.status == profile::Status::wrong) {
    if (!table) std::fprintf(stderr, "tandem-profile: WRONG: %s\n", profile.row.reason.c_str());
    return kWrong;
  }
  if (profile.interrupted) return kInterrupted;
  if (profile.row.status == profile::Status::skipped)
    throw Error(Code::unavailable, fmt::format("{} does not run here: {}", profile.row.kernel, profile.row.reason));
  return 0;
}

}  // namespace
}  // namespace tandem::bench

int main(int argc, char** argv) {
  return tandem::bench::run_program("tandem-profile", [&] { return tandem::bench::run(argc, argv); });
}
