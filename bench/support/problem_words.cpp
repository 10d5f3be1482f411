#include "bench/support/problem_words.h"

#include <fmt/format.h>

#include "bench/support/run_options.h"

namespace tandem::bench {

std::vector<Asked> asked_of(const std::vector<std::string>& words,
                            const std::function<bool(const std::string& word, bool paired)>& alone) {
  std::vector<Asked> all;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (const std::size_t space = word.find(' '); space != std::string::npos) {
      const std::size_t problem = word.find_first_not_of(' ', space);
      all.push_back({word.substr(0, space), problem == std::string::npos ? "" : word.substr(problem)});
      continue;
    }
    const bool problem_follows = i + 1 < words.size() && words[i + 1].find(':') != std::string::npos &&
                                 words[i + 1].find(' ') == std::string::npos;
    if (alone && alone(word, problem_follows)) continue;
    if (word.find(':') != std::string::npos)
      throw UsageError(
          fmt::format("'{}' has no operation before it; write for instance: matmul f32:512x512x512", word));
    if (!problem_follows)
      throw UsageError(fmt::format(
          "'{}' has no problem after it, such as f32:1000000 (tandem-compare --list shows the grammar)", word));
    all.push_back({word, words[++i]});
  }
  return all;
}

}  // namespace tandem::bench
