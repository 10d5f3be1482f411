// Work in a child process.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace tandem::test {

/// What fn returns in a child process, 99 where it throws, or the signal that ended the child, negative. A child that
/// takes longer than `limit_s` is ended.
template <class F>
int in_child(F fn, unsigned limit_s = 60) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(limit_s);
    int status = 99;
    try {
      status = fn();
    } catch (...) {
    }
    ::_exit(status);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace tandem::test
