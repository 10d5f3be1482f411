// The program tandem-report as its users meet it: exit codes, sentences, files. What the page does in a browser is
// tested in tests/browser.
#include <string>

#include <gtest/gtest.h>
#include <tandem/report.h>

#include "tests/support/made_up_results.h"
#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"

#ifdef TANDEM_REPORT_PROGRAM

namespace tandem::test::report_cli_test {
namespace {

Ran run(const std::string& arguments) { return run_program(TANDEM_REPORT_PROGRAM, arguments); }

TEST(ReportCli, BadCommandsAreOneSentenceAndExitCodeTwo) {
  const TemporaryFolder folder;
  const std::string good = folder.file("good.json"), out = " -o " + folder.file("out.html");
  write_bytes(good, to_json(made_up_comparison()));
  write_bytes(folder.file("empty.json"), "");
  write_bytes(folder.file("other.json"), "{\"schema\": \"someone/9\"}");
  write_bytes(folder.file("text.json"), "hello");
  write_bytes(folder.file("half.json"), read_bytes(good).substr(0, 2000));
  const struct {
    std::string arguments, mentions;
  } kBad[] = {
      {"", "results"},
      {good, "--output"},
      {out, "results"},
      {good + " --unknown" + out, "--unknown"},
      {"/nowhere/x.json" + out, "/nowhere/x.json"},
      {folder.path().string() + out, folder.path().string()},
      {folder.file("empty.json") + out, "empty.json: not JSON"},
      {folder.file("text.json") + out, "text.json: not JSON"},
      {folder.file("half.json") + out, "half.json: not JSON"},
      {folder.file("other.json") + out, "its schema is 'someone/9', expected 'tandem-compare/1' or 'tandem-model/1'"},
      {good + " " + folder.file("other.json") + out, "other.json"},
      {good + " -o /nowhere/at/all.html", "/nowhere/at/all.html"},
      {good + " -o " + folder.path().string(), folder.path().string()},
  };
  for (const auto& bad : kBad) expect_usage_error(run(bad.arguments), "tandem-report", bad.mentions);
  EXPECT_EQ(folder.entries(), 5u) << "something was written";
}

TEST(ReportCli, HelpAndVersionAreAnswers) {
  for (const char* option : {"--help", "--version"}) {
    const Ran ran = run(option);
    EXPECT_EQ(ran.exit_code, 0) << option;
    EXPECT_NE(ran.out.find("tandem-report"), std::string::npos) << option;
  }
}

TEST(ReportCli, OnePageOfSeveralFiles) {
  const TemporaryFolder folder;
  const std::string a = folder.file("a.json"), page = folder.file("page.html");
  write_bytes(a, to_json(made_up_comparison()));
  const Ran ran = run(a + " " + a + " -o " + page);
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.out + ran.err, "");
  EXPECT_EQ(folder.entries(), 2u);
  const std::string html = read_bytes(page);
  EXPECT_EQ(html.rfind("<!DOCTYPE html>", 0), 0u);
  EXPECT_NE(html.find("<article id=\"run1\">"), std::string::npos);
  EXPECT_EQ(run(a + " " + a + " -o -").out, html);
}

}  // namespace
}  // namespace tandem::test::report_cli_test

#endif
