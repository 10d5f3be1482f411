#include "bench/support/problem_words.h"

#include <fnmatch.h>

#include <fmt/format.h>
#include <tandem/profile.h>

#include "bench/support/run_options.h"
#include "common/dispatch/registry.h"
#include "common/ops/all.h"

namespace tandem::bench {

bool any_kernel_matches(const std::string& glob) {
  bool any = fnmatch(glob.c_str(), profile::kAuto, 0) == 0;
  for_each_op([&]<class Op>() {
    for (const Entry<Op>& entry : table<Op>()) any = any || fnmatch(glob.c_str(), entry.name.c_str(), 0) == 0;
  });
  return any;
}

void require_kernel(const std::string& glob) {
  if (!any_kernel_matches(glob))
    throw UsageError(fmt::format("no kernel's name matches '{}' (tandem-compare --list shows the names)", glob));
}

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
