#include "common/dispatch/recorder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include <fmt/format.h>
#include <tandem/error.h>

namespace tandem {

ProblemRecorder::ProblemRecorder(const std::string& path) : path_(path) {
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666);
  if (descriptor_ < 0)
    throw Error(Code::io_error,
                fmt::format("{}: cannot record problems there: {}", path, std::generic_category().message(errno)));
}

ProblemRecorder::~ProblemRecorder() { ::close(descriptor_); }

void ProblemRecorder::note(const std::string& op, const std::string& problem, bool complete) noexcept {
  try {
    const std::string line =
        fmt::format("{}{} {}{}\n", complete ? "" : "# ", op, problem, complete ? "" : "  (not all that this was)");
    if (!seen_.insert(line).second) return;
    (void)!::write(descriptor_, line.data(), line.size());  // one call: lines of others come before or after it
  } catch (const std::exception&) {                         // no memory for a line
  }
}

}  // namespace tandem
