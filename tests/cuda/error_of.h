// What the tests of streams and of lost devices share.
#pragma once

#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <tandem/error.h>

namespace tandem::test {

/// The message of the Error that `work` throws; empty when it throws none.
inline std::string error_of(const std::function<void()>& work, Code wanted) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), wanted) << error.what();
    return error.what();
  }
  return {};
}

}  // namespace tandem::test
