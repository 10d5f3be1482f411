#include "bench/report/ladders.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "common/profile/report.h"

namespace tandem::report {
namespace {

using profile::Row;

struct Entry {
  SplitProblem problem;
  std::span<const Row> rows;
};

/// The text of a family with `names` in the places of its sizes.
std::string with_names(const std::string& family, const std::vector<std::string>& names) {
  std::string out;
  std::size_t next = 0;
  for (const char c : family) out += c == '#' && next < names.size() ? names[next++] : std::string(1, c);
  return out;
}

std::string plain(double size) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, size).ptr;
  return {text, end};
}

bool is_cube(const SplitProblem& p) {
  return p.sizes.size() > 1 &&
         std::adjacent_find(p.sizes.begin(), p.sizes.end(), std::not_equal_to<>()) == p.sizes.end();
}

/// Adds a ladder of these rungs, if it is one.
void add(std::vector<Ladder>& ladders, const std::string& title, bool density, std::vector<Rung> rungs) {
  std::stable_sort(rungs.begin(), rungs.end(), [](const Rung& a, const Rung& b) { return a.size < b.size; });
  rungs.erase(std::unique(rungs.begin(), rungs.end(), [](const Rung& a, const Rung& b) { return a.size == b.size; }),
              rungs.end());
  if (rungs.size() > 1) ladders.push_back({title, density, std::move(rungs)});
}

/// Ladders within problems of one operation and family.
void add_family(std::vector<Ladder>& ladders, const std::string& op, const std::vector<Entry>& entries) {
  const SplitProblem& first = entries.front().problem;
  std::vector<Rung> cubes;
  for (const Entry& entry : entries)
    if (is_cube(entry.problem)) cubes.push_back({entry.problem.sizes[0], entry.rows});
  add(ladders, op + " " + with_names(first.family, std::vector<std::string>(first.sizes.size(), "n")), false,
      std::move(cubes));
  for (std::size_t axis = 0; axis < first.sizes.size(); ++axis) {
    std::map<std::string, std::vector<Rung>> alike;  // by the text with the axis left open
    for (const Entry& entry : entries) {
      std::vector<std::string> names;
      for (const double size : entry.problem.sizes) names.push_back(plain(size));
      names[axis] = first.before[axis] == '@' ? "d" : "n";
      alike[with_names(first.family, names)].push_back({entry.problem.sizes[axis], entry.rows});
    }
    for (auto& [text, rungs] : alike) add(ladders, op + " " + text, first.before[axis] == '@', std::move(rungs));
  }
}

}  // namespace

SplitProblem split_problem(std::string_view text) {
  SplitProblem out;
  constexpr std::string_view kBefore = ":x*@";
  const std::size_t comma = std::min(text.find(','), text.size());
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i++];
    out.family += c;
    if (i >= comma || kBefore.find(c) == kBefore.npos) continue;
    double size = 0;
    const auto [end, error] = std::from_chars(text.data() + i, text.data() + comma, size, std::chars_format::fixed);
    if (error != std::errc() || !(size > 0)) continue;
    out.sizes.push_back(size);
    out.before.push_back(c);
    out.family += '#';
    i = static_cast<std::size_t>(end - text.data());
  }
  return out;
}

std::vector<Ladder> ladders_of(std::span<const Row> rows) {
  std::vector<std::pair<std::string, std::vector<Entry>>> families;
  for (const std::span<const Row> group : profile::by_problem(rows)) {
    const Row& row = group.front();
    SplitProblem problem = split_problem(row.problem);
    const std::string key = row.op + " " + std::to_string(problem.sizes.size()) + problem.family;
    auto found = std::find_if(families.begin(), families.end(), [&](const auto& f) { return f.first == key; });
    if (found == families.end()) found = families.insert(families.end(), {key, {}});
    found->second.push_back({std::move(problem), group});
  }
  std::vector<Ladder> ladders;
  for (const auto& [key, entries] : families) add_family(ladders, entries.front().rows.front().op, entries);
  return ladders;
}

std::vector<Crossing> crossings_of(std::span<const XY> points, double level) {
  std::vector<Crossing> out;
  const XY* before = nullptr;
  for (const XY& point : points) {
    if (!(point.x > 0 && point.y > 0)) continue;
    if (before && (before->y < level) != (point.y < level)) {
      const double part = std::log(level / before->y) / std::log(point.y / before->y);
      out.push_back({before->x * std::pow(point.x / before->x, part), before->x, point.x, point.y > before->y});
    }
    before = &point;
  }
  return out;
}

}  // namespace tandem::report
