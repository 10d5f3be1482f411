// Operations with their problems as the words of a command line.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace tandem::bench {

/// One problem as it was asked for: "matmul" and "f32:512x512x512".
struct Asked {
  std::string op;
  std::string problem;
};

/// Whether any kernel, or "auto", matches a glob.
bool any_kernel_matches(const std::string& glob);

/// Throws UsageError where none does.
void require_kernel(const std::string& glob);

/// Pairs of an operation and its problem; or both in one quoted word. What `alone` takes is no pair: it is asked for
/// each word, and whether a problem may follow it. Throws UsageError.
std::vector<Asked> asked_of(const std::vector<std::string>& words,
                            const std::function<bool(const std::string& word, bool paired)>& alone = {});

}  // namespace tandem::bench
