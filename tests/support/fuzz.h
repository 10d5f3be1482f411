// What the tests of parsers of untrusted bytes have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <tandem/error.h>

namespace tandem::test {

/// What became of untrusted bytes.
struct Parsed {
  bool accepted = false;
  std::string broken_promise;  // empty: none
};

/// Calls parse(result), which notes what was accepted and what does not hold. An Error must be of io_error, one
/// sentence of at most `longest` characters, and none may come after the bytes were accepted.
template <class Parse>
Parsed parse_hostile(std::size_t longest, Parse parse) {
  Parsed result;
  try {
    parse(result);
  } catch (const Error& error) {
    if (result.accepted) result.broken_promise = std::string("refuses what it wrote itself: ") + error.what();
    const std::string_view message = error.what();
    if (error.code() != Code::io_error) result.broken_promise = "an Error of another code";
    if (message.find('\n') != message.npos || message.size() > longest)
      result.broken_promise = "not one short sentence";
  }
  return result;
}

}  // namespace tandem::test

/// With TANDEM_LIBFUZZER defined: `check`, from bytes to a Parsed, as an entry point of libFuzzer.
#define TANDEM_FUZZER_ENTRY(check)                                                    \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
    const auto result = check({reinterpret_cast<const char*>(data), size});           \
    if (!result.broken_promise.empty()) {                                             \
      std::fprintf(stderr, "%s\n", result.broken_promise.c_str());                    \
      std::abort();                                                                   \
    }                                                                                 \
    return 0;                                                                         \
  }
