#include "bench/support/output.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <tandem/error.h>

#include "common/io/file.h"

namespace tandem::bench {

profile::Style style_of_terminal() {
  const char* no_color = std::getenv("NO_COLOR");
  const bool colour = isatty(STDOUT_FILENO) != 0 && !(no_color && *no_color);
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"})
    if (const char* value = std::getenv(variable); value && *value)
      return {colour, std::strstr(value, "UTF-8") || std::strstr(value, "utf8")};
  return {colour, false};
}

bool stdout_is_taken(const RunOptions& options) {
  const std::vector<std::string> files = result_files(options);
  return std::find(files.begin(), files.end(), "-") != files.end();
}

void check_files(const RunOptions& options) {
  for (const std::string& path : result_files(options)) check_file(path);
}

void check_file(const std::string& path) {
  if (!path.empty() && path != "-") io::AtomicFile probe(path);  // removed again: it is not committed
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void write_file(const std::string& path, const std::function<std::string()>& render) {
  if (path.empty()) return;
  const std::string text = render();
  if (path == "-") {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
      throw Error(Code::io_error, "standard output could not be written");
    return;
  }
  io::AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

}  // namespace tandem::bench
