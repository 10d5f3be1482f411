// Problems of every operation, made from the grammar that it states (Op::kForm): what is tuned, and what a choice is
// tried on. A new operation whose form is of a known kind gets its problems without a line here.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::tuning {

/// A problem with its sizes open: "f32:", {3 sizes}, ",tb".
struct Template {
  std::string op;
  std::string before, after;
  int sizes = 1;
  bool batch = false, density = false;
};

/// The templates of a form for one operation: each type, one and two sizes where the form leaves that open, and each
/// option alone.
std::vector<Template> templates_of(const std::string& op, std::string_view form);

/// Those of all operations, one for each family of printed problems, so that relu on 10x10 and on 100 counts once.
std::vector<Template> all_templates();

/// A number in [0, 1) for each open number of a template -> text; sizes spread evenly in their logarithms, half of them
/// multiples of 16. Nothing when the operation takes no such problem.
std::optional<std::string> fill(const Template& problem, const std::vector<double>& at, bool round);

/// The open numbers of the i-th problem of an even, endless sequence (additive recurrence on the plastic numbers).
std::vector<double> even(std::size_t index, std::uint64_t seed);
std::vector<double> random(std::mt19937_64& engine);

/// "op problem" lines of a file or "-", comments and empty lines left out. Throws Error(io_error).
struct Problem {
  std::string op, text;
  friend bool operator==(const Problem&, const Problem&) = default;
};
std::vector<Problem> read_problems(const std::string& path);

}  // namespace tandem::tuning
