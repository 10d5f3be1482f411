// Running a program of this project as its users do.
#pragma once

#include <sys/wait.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"

namespace tandem::test {

struct Ran {
  int exit_code = -1;
  std::string out, err;
};

/// Runs a program in a shell, without the variables that would change what it does; `before` goes before the command.
inline Ran run_program(const std::string& program, const std::string& arguments, const std::string& before = "") {
  const TemporaryFolder folder;
  const std::string err = folder.file("err");
  const std::string command = before + " env -u TANDEM_BACKEND -u TANDEM_KERNEL -u TANDEM_THREADS -u TANDEM_LOG " +
                              program + " " + arguments + " 2>" + err + " </dev/null";
  Ran ran;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (!pipe) return ran;
  std::array<char, 4096> buffer;
  for (std::size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) ran.out.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  ran.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  ran.err = read_bytes(err);
  return ran;
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// A command that cannot be meant: exit code 2, one sentence on standard error that `mentions` something.
inline void expect_usage_error(const Ran& ran, const std::string& program, const std::string& mentions) {
  EXPECT_EQ(ran.exit_code, 2) << mentions << "\n" << ran.out << ran.err;
  EXPECT_EQ(ran.out, "") << mentions;
  ASSERT_EQ(lines_of(ran.err).size(), 1u) << mentions << "\n" << ran.err;
  EXPECT_EQ(ran.err.rfind(program + ": ", 0), 0u) << ran.err;
  EXPECT_NE(ran.err.find(mentions), std::string::npos) << ran.err;
}

/// Fields of a line of CSV: commas outside quotes, plus one.
inline std::size_t csv_fields(const std::string& line) {
  bool quoted = false;
  std::size_t count = 1;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    count += c == ',' && !quoted ? 1 : 0;
  }
  return count;
}

}  // namespace tandem::test
