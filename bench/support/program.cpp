#include "bench/support/program.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>

#include "bench/support/output.h"

namespace tandem::bench {
namespace {

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");

volatile std::sig_atomic_t on_terminal = 0;

void on_interrupt(int signal) {
  constexpr char kWord[] = "\r\x1b[Kinterrupted: ends after the call that runs; once more ends it at once\n";
  interrupted = true;
  const int error = errno;  // of what is interrupted
  if (on_terminal) (void)!::write(STDERR_FILENO, kWord, sizeof kWord - 1);
  std::signal(signal, SIG_DFL);
  errno = error;
}

}  // namespace

const std::atomic<bool>& catch_interrupts() {
  on_terminal = ::isatty(STDERR_FILENO);
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  if (std::signal(SIGHUP, on_interrupt) == SIG_IGN) std::signal(SIGHUP, SIG_IGN);  // under nohup it stays so
  return interrupted;
}

int run_program(const char* name, const std::function<int()>& run) {
  try {
    const int code = run();
    finish_output();
    return code;
  } catch (const std::exception& error) {  // UsageError, Error, or a library's own
    std::fprintf(stderr, "%s: %s\n", name, error.what());
    return kFailed;
  }
}

}  // namespace tandem::bench
