#include "bench/support/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>
#include <tandem/error.h>

#include "common/io/file.h"

namespace tandem::bench {
namespace {

namespace fs = std::filesystem;

int print_error = 0;      // of the first print() that failed
bool files_wait = false;  // check_outputs() saw a file: the run goes on whatever becomes of standard output

bool is_file(const std::string& path) { return !path.empty() && path != "-"; }

/// Whether two paths name one file, which need not be there yet.
bool same_file(const std::string& a, const std::string& b) {
  if (!is_file(a) || !is_file(b)) return false;
  std::error_code error;
  if (fs::equivalent(a, b, error) && !error) return true;
  const auto resolved = [&](const std::string& path) {
    const fs::path whole = fs::absolute(path, error);
    const fs::path canonical = fs::weakly_canonical(whole, error);
    return error ? whole.lexically_normal() : canonical;
  };
  return resolved(a) == resolved(b);
}

/// 0, or the error of writing a text to standard output.
int put(const std::string& text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return 0;
  return errno != 0 ? errno : EIO;
}

std::string words_of(int error) {
  return "standard output could not be written: " + std::generic_category().message(error);
}

/// Characters of a line of the terminal; 0 where standard output is none.
int width_of_terminal() {
  winsize size{};
  return isatty(STDOUT_FILENO) != 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace

profile::Style style_of_terminal() {
  const char* no_color = std::getenv("NO_COLOR");
  const bool colour = isatty(STDOUT_FILENO) != 0 && !(no_color && *no_color);
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"})
    if (const char* value = std::getenv(variable); value && *value)
      return {colour, std::strstr(value, "UTF-8") || std::strstr(value, "utf8"), width_of_terminal()};
  return {colour, false, width_of_terminal()};
}

bool stdout_is_taken(const RunOptions& options) {
  const std::vector<NamedFile> files = result_files(options);
  return std::any_of(files.begin(), files.end(), [](const NamedFile& file) { return file.path == "-"; });
}

void check_outputs(const std::vector<NamedFile>& outputs, const std::vector<NamedFile>& inputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (outputs[i].path == "-" && outputs[k].path == "-")
        throw UsageError(fmt::format("only one of the result files can go to standard output, not both {} and {}",
                                     outputs[k].option, outputs[i].option));
      if (same_file(outputs[i].path, outputs[k].path))
        throw UsageError(fmt::format("{} and {} would be written to the same file {}", outputs[k].option,
                                     outputs[i].option, outputs[i].path));
    }
    for (const NamedFile& input : inputs)
      if (same_file(outputs[i].path, input.path))
        throw UsageError(
            fmt::format("{} {} would overwrite what {} reads", outputs[i].option, outputs[i].path, input.option));
  }
  for (const NamedFile& file : outputs) {
    if (!is_file(file.path)) continue;
    io::AtomicFile probe(file.path);  // removed again: it is not committed
    files_wait = true;
    std::signal(SIGPIPE, SIG_IGN);
  }
}

void print(const std::string& text) {
  if (print_error == 0) print_error = put(text);
  if (!files_wait) finish_output();
}

void write_files(const std::vector<Output>& outputs) {
  std::string complaints;
  const auto complain = [&](const std::string& what) { complaints += (complaints.empty() ? "" : "; ") + what; };
  for (const Output& output : outputs) {
    if (output.path.empty()) continue;
    try {
      const std::string text = output.render();
      if (output.path == "-") {
        if (print_error == 0) print_error = put(text);  // finish_output() tells
        continue;
      }
      io::AtomicFile file(output.path);
      file.write(text.data(), text.size());
      file.commit();
    } catch (const std::exception& error) {
      complain(error.what());
    }
  }
  if (!complaints.empty()) throw Error(Code::io_error, complaints);
  finish_output();
}

void finish_output() {
  errno = 0;
  if (print_error == 0 && (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)) print_error = errno ? errno : EIO;
  if (print_error != 0 && !(print_error == EPIPE && files_wait)) throw Error(Code::io_error, words_of(print_error));
}

}  // namespace tandem::bench
