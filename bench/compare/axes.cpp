#include "bench/compare/axes.h"

#include <charconv>
#include <cstdint>

#include <fmt/format.h>

namespace tandem::compare {
namespace {

constexpr std::size_t kMostValues = 10000;

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == at)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

std::int64_t whole_number(const std::string& text, const std::string& where) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || value < 0 || value > (std::int64_t{1} << 40))
    throw UsageError(fmt::format("{}: '{}' is no whole number from 0 to 2^40", where, text));
  return value;
}

/// FIRST:LAST[:STEP], both ends included.
void add_range(const std::string& range, bool powers, const std::string& where, std::vector<std::string>& values) {
  const std::vector<std::string> parts = split(range, ':');
  if (parts.size() < 2 || parts.size() > 3)
    throw UsageError(fmt::format("{}: write a range as FIRST:LAST or FIRST:LAST:STEP", where));
  const std::int64_t first = whole_number(parts[0], where), last = whole_number(parts[1], where);
  const std::int64_t step = parts.size() == 3 ? whole_number(parts[2], where) : 1;
  if (last < first || step == 0) throw UsageError(fmt::format("{}: the range '{}' holds nothing", where, range));
  if (powers && last > 40) throw UsageError(fmt::format("{}: 2^{} is above 2^40", where, last));
  for (std::int64_t i = first; i <= last && values.size() <= kMostValues; i += step)
    values.push_back(std::to_string(powers ? std::int64_t{1} << i : i));
}

}  // namespace

Axis parse_axis(const std::string& text) {
  const std::string where = fmt::format("-a {}", text);
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == text.size())
    throw UsageError(fmt::format("{}: write an axis as NAME=VALUES, such as m=64,128 or m=[pow2]6:13", where));
  Axis axis{text.substr(0, equals), {}};
  if (axis.name.find_first_of("{}") != std::string::npos)
    throw UsageError(fmt::format("{}: an axis's name has no braces", where));
  for (std::string part : split(text.substr(equals + 1), ',')) {
    const bool powers = part.starts_with("[pow2]");
    if (powers) part.erase(0, 6);
    if (part.empty()) throw UsageError(fmt::format("{}: a value is empty", where));
    if (powers || part.find(':') != std::string::npos)
      add_range(part.find(':') == std::string::npos ? part + ":" + part : part, powers, where, axis.values);
    else
      axis.values.push_back(part);
  }
  if (axis.values.size() > kMostValues)
    throw UsageError(fmt::format("{}: an axis has at most {} values", where, kMostValues));
  return axis;
}

bool names_axis(const std::string& text, const std::string& name) {
  return text.find("{" + name + "}") != std::string::npos;
}

std::vector<std::string> expand(const std::string& text, const std::vector<Axis>& axes) {
  std::vector<std::string> texts = {text};
  for (const Axis& axis : axes) {
    if (!names_axis(text, axis.name)) continue;
    std::vector<std::string> more;
    for (const std::string& one : texts)
      for (const std::string& value : axis.values) {
        std::string filled = one;
        const std::string mark = "{" + axis.name + "}";
        for (std::size_t at = 0; (at = filled.find(mark, at)) != std::string::npos; at += value.size())
          filled.replace(at, mark.size(), value);
        more.push_back(std::move(filled));
        if (more.size() > kMostValues)
          throw UsageError(fmt::format("'{}' stands for more than {} problems", text, kMostValues));
      }
    texts = std::move(more);
  }
  if (const std::size_t open = texts.front().find('{'); open != std::string::npos)
    throw UsageError(fmt::format("'{}': there is no axis for {} (-a NAME=VALUES)", text,
                                 texts.front().substr(open, texts.front().find('}', open) - open + 1)));
  return texts;
}

std::vector<int> parse_counts(const std::string& option, const std::string& text, int most) {
  std::vector<int> counts;
  if (text == "all") {
    for (int i = 1; i <= most; ++i) counts.push_back(i);
    return counts;
  }
  for (const std::string& part : split(text, ',')) {
    const std::int64_t count = whole_number(part, option);
    if (count < 1 || count > (1 << 20))
      throw UsageError(fmt::format("{}: {} is not between 1 and 2^20", option, count));
    counts.push_back(static_cast<int>(count));
  }
  return counts;
}

std::string with_batch(const std::string& problem, int batch) {
  const std::size_t comma = problem.find(',');
  const std::string sizes = problem.substr(0, comma);
  if (sizes.find('*') != std::string::npos)
    throw UsageError(fmt::format("'{}' has a batch already, so --sweep-batch cannot set one", problem));
  return fmt::format("{}*{}{}", sizes, batch, comma == std::string::npos ? "" : problem.substr(comma));
}

}  // namespace tandem::compare
