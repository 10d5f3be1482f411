#include "common/tuning/suite.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <tandem/error.h>

#include "common/dispatch/request.h"
#include "common/io/file.h"
#include "common/ops/all.h"
#include "common/tuning/sizes.h"

namespace tandem::tuning {
namespace {

constexpr std::size_t kNumbers = 5;        // open numbers of a template at most
constexpr double kMostElements = 1 << 23;  // of one operand
constexpr double kMostProducts = 1 << 28;  // of a matrix product
constexpr double kMostBatch = 32;
constexpr double kLeastDensity = 0.005, kMostDensity = 0.5;
constexpr std::uint64_t kMostBytes = 16u << 20;

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  std::istringstream stream{std::string(text)};
  for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
  return parts;
}

/// "[,out=f32|bf16][,axis=N|,zp]" -> ",out=f32", ",out=bf16", ",axis=0", ",axis=1", ",zp". Options that take any name
/// or number are left out, as they change little of the time.
std::vector<std::string> options_of(std::string_view form) {
  std::vector<std::string> options;
  for (std::size_t open = form.find('['); open != form.npos; open = form.find('[', open + 1)) {
    const std::size_t close = form.find(']', open);
    std::string key;
    for (std::string option : split(form.substr(open + 1, close - open - 1), '|')) {
      if (option.starts_with(",")) {
        const std::size_t equals = option.find('=');
        key = equals == std::string::npos ? option : option.substr(0, equals + 1);
      } else if (!key.empty() && key.back() == '=') {
        option = key + option;
      }
      if (option == ",axis=N") {
        options.insert(options.end(), {",axis=0", ",axis=1"});
      } else if (option.starts_with(",") && option.find_first_of("NX") == option.npos) {
        options.push_back(option);
      }
    }
  }
  return options;
}

/// The family of what a text would be printed as; nothing where the operation does not take it, or it has an operand
/// without an element.
std::optional<std::string> family_of(const std::string& op, const std::string& text) {
  std::optional<std::string> family;
  for_each_op([&]<class Op>() {
    if (family) return;
    try {
      const std::optional<Request<Op>> request = Op::parse(op, text);
      if (!request) return;
      for (const OperandSpec& spec : request->operands)
        if (element_count(spec.shape) == 0) return;
      family = sizes_of(Op::print(problem_of<Op>(*request))).family;
    } catch (const Error&) {  // not for every size
    }
  });
  return family;
}

std::int64_t size_at(double exponent, double most, bool round) {
  auto size = static_cast<std::int64_t>(std::llround(std::exp2(exponent * std::log2(most))));
  if (round && size >= 16) size = size / 16 * 16;
  return std::max<std::int64_t>(size, 1);
}

}  // namespace

std::vector<Template> templates_of(const std::string& op, std::string_view form) {
  std::vector<Template> all;
  const std::size_t colon = form.find(':');
  const std::string_view shape = form.substr(colon + 1, form.find_first_of("[", colon) - colon - 1);
  std::vector<std::string> dtypes = split(form.substr(0, colon), '|');
  if (dtypes == std::vector<std::string>{"DTYPE"}) dtypes = {"f32", "bf16", "s8"};
  std::vector<int> ranks;
  if (shape.starts_with("SIZE"))
    ranks = {1, 2};
  else
    ranks = {1 + static_cast<int>(std::count(shape.begin(), shape.end(), 'x'))};
  std::vector<std::string> options{""};
  for (std::string& option : options_of(form)) options.push_back(std::move(option));
  const bool density = shape.find("@DENSITY") != shape.npos, batch = form.find(kBatchForm) != form.npos;
  for (const std::string& dtype : dtypes)
    for (const int rank : ranks)
      for (const std::string& option : options) {
        all.push_back({op, dtype + ":", option, rank, false, density});
        if (batch && option.empty()) all.push_back({op, dtype + ":", option, rank, true, density});
      }
  std::erase_if(all, [](const Template& t) { return !fill(t, std::vector<double>(kNumbers, 0.6), true); });
  return all;
}

std::vector<Template> all_templates() {
  std::vector<Template> all;
  std::set<std::pair<std::string, std::string>> known;
  for_each_op([&]<class Op>() {
    for (const std::string& op : Op::op_names())
      for (Template& t : templates_of(op, Op::kForm)) {
        const auto text = fill(t, {0.6, 0.55, 0.5, 0.45, 0.4}, true);
        if (text && known.emplace(op, family_of(op, *text).value_or("")).second) all.push_back(std::move(t));
      }
  });
  return all;
}

std::optional<std::string> fill(const Template& problem, const std::vector<double>& at, bool round) {
  // The sizes of one operand share what it may hold: the same share of its logarithm each would leave it no long rows.
  const double most = problem.sizes == 1 ? kMostElements : problem.sizes == 2 ? 1 << 14 : 1 << 12;
  std::string text = problem.before;
  double product = 1;
  for (int i = 0; i < problem.sizes; ++i) {
    const std::int64_t size = size_at(at[static_cast<std::size_t>(i)], most, round);
    product *= static_cast<double>(size);
    text += fmt::format("{}{}", i ? "x" : "", size);
  }
  if (problem.batch) {
    const std::int64_t count = size_at(at[3], kMostBatch, false) + 1;
    product *= static_cast<double>(count);
    text += fmt::format("*{}", count);
  }
  if (problem.density) text += fmt::format("@{:.3g}", kLeastDensity * std::pow(kMostDensity / kLeastDensity, at[4]));
  if (product > (problem.sizes == 3 ? kMostProducts : kMostElements)) return std::nullopt;
  text += problem.after;
  if (!family_of(problem.op, text)) return std::nullopt;
  return text;
}

std::vector<double> even(std::size_t index, std::uint64_t seed) {
  constexpr double kPlastic = 1.1347241384015194;  // the root of x^6 = x + 1
  std::vector<double> at;
  std::mt19937_64 engine(seed);
  for (std::size_t d = 1; d <= kNumbers; ++d) {
    const double start = static_cast<double>(engine() >> 11) * 0x1p-53;
    const double value = start + static_cast<double>(index) / std::pow(kPlastic, static_cast<double>(d));
    at.push_back(value - std::floor(value));
  }
  return at;
}

std::vector<double> random(std::mt19937_64& engine) {
  std::vector<double> at;
  for (std::size_t d = 0; d < kNumbers; ++d) at.push_back(static_cast<double>(engine() >> 11) * 0x1p-53);
  return at;
}

std::vector<Problem> read_problems(const std::string& path) {
  const io::InputFile file(path);
  if (file.size() > kMostBytes) throw Error(Code::io_error, path + ": too large for a list of problems");
  std::string text(static_cast<std::size_t>(file.size()), '\0');
  file.read(0, text.data(), text.size());
  std::vector<Problem> problems;
  for (const std::string& line : split(text, '\n')) {
    std::istringstream words(line);
    Problem problem;
    std::string rest;
    if (!(words >> problem.op) || problem.op.starts_with("#")) continue;
    if (!(words >> problem.text) || (words >> rest))
      throw Error(Code::io_error,
                  fmt::format("{}: '{}' is not an operation and its problem", path, line.substr(0, 80)));
    if (std::find(problems.begin(), problems.end(), problem) == problems.end()) problems.push_back(problem);
  }
  return problems;
}

}  // namespace tandem::tuning
