// tandem-report: results as one HTML file.
#include <CLI/CLI.hpp>

#include <tandem/version.h>

#include "bench/report/page.h"
#include "bench/support/output.h"
#include "bench/support/program.h"
#include "bench/support/run_options.h"

namespace tandem::report {
namespace {

constexpr const char* kDescription =
    "Makes one HTML file of results that tandem-compare or tandem-model wrote with --json: verdicts, pictures and a "
    "table\n"
    "that can be sorted. The file needs no network. Exit code: 0, or 2 when something cannot be read or written.";

constexpr const char* kExamples =
    "\nExamples:\n"
    "  tandem-compare --json results.json\n"
    "  tandem-report results.json -o report.html\n"
    "  tandem-report laptop.json server.json model.json -o report.html";

int run(int argc, const char* const* argv) {
  std::vector<std::string> files;
  std::string output;
  CLI::App app(kDescription, "tandem-report");
  app.footer(kExamples);
  app.set_version_flag("--version", std::string("tandem-report ") + version());
  app.add_option("results", files, "results as JSON")->type_name("FILE")->required();
  app.add_option("-o,--output", output, "the page; - is standard output")->type_name("FILE|-")->required();
  if (!bench::parse_command_line(app, argc, argv)) return 0;
  std::vector<bench::NamedFile> inputs;
  for (const std::string& file : files) inputs.push_back({"this program", file});
  bench::check_outputs({{"--output", output}}, inputs);
  std::vector<Source> sources;
  for (const std::string& file : files) sources.push_back(read_source(file));
  bench::write_files({{output, [&] { return to_html(sources); }}});
  return 0;
}

}  // namespace
}  // namespace tandem::report

int main(int argc, char** argv) {
  return tandem::bench::run_program("tandem-report", [&] { return tandem::report::run(argc, argv); });
}
