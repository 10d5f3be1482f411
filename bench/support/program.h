// What the comparing programs share around their run: exit codes, and the way out on Ctrl-C.
#pragma once

#include <atomic>
#include <functional>

namespace tandem::bench {

/// kFailed: the command cannot be meant, or cannot be carried out.
inline constexpr int kWrong = 1, kFailed = 2, kInterrupted = 130;

/// From now on the first SIGINT, SIGTERM or SIGHUP sets the flag that is returned; the second ends the program.
const std::atomic<bool>& catch_interrupts();

/// The exit code of `run`; an exception becomes one line on standard error, after the program's name, and kFailed, as
/// does a standard output that could not be written: see finish_output().
int run_program(const char* name, const std::function<int()>& run);

}  // namespace tandem::bench
