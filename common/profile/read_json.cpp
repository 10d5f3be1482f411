#include "common/profile/read_json.h"

#include <set>
#include <vector>

#include <fmt/format.h>
#include <tandem/error.h>

#include "common/io/file.h"
#include "common/io/untrusted.h"
#include "common/profile/result_fields.h"
#include "common/profile/stats.h"

namespace tandem::profile {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxValues = 4'000'000;
constexpr std::size_t kMaxKeys = 256;  // of one object, which finds a key by looking at them all
constexpr int kMaxDepth = 16;
constexpr double kMostSeconds = 1e9;  // no call takes longer

[[noreturn]] void refuse(const std::string& source, const std::string& sentence) {
  throw Error(Code::io_error, source + ": " + sentence);
}

/// Asked about each piece while the tree grows: refuses what would make it too large or ambiguous.
class Limits {
 public:
  explicit Limits(const std::string& source) : source_(source) {}

  bool allow(int depth, Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    if (depth > kMaxDepth) refuse(source_, fmt::format("nested more than {} levels deep", kMaxDepth));
    if (event == Event::object_start) keys_.emplace_back();
    if (event == Event::object_end) keys_.pop_back();
    if (event == Event::key) add_key(parsed.get_ref<const std::string&>());
    if (event != Event::object_end && event != Event::array_end && ++values_ > kMaxValues)
      refuse(source_, fmt::format("more than {} values", kMaxValues));
    return true;
  }

 private:
  void add_key(const std::string& key) {
    std::set<std::string>& keys = keys_.back();
    if (!keys.insert(key).second) refuse(source_, fmt::format("'{}' stands twice in an object", io::printable(key)));
    if (keys.size() > kMaxKeys) refuse(source_, fmt::format("an object with more than {} fields", kMaxKeys));
  }

  const std::string& source_;
  std::vector<std::set<std::string>> keys_;  // of the objects that are open
  std::size_t values_ = 0;
};

std::string_view kind_of(const Json& json) {
  if (json.is_null()) return "null";
  if (json.is_object()) return "an object";
  if (json.is_array()) return "a list";
  if (json.is_string()) return "a string";
  return json.is_boolean() ? "true or false" : "a number";
}

/// Lists that are read side by side have the same number of entries.
void check_run(const RunFacts& run, const std::string& source) {
  for (const std::size_t states : {run.gpus_before.size(), run.gpus_after.size()})
    if (states != 0 && states != run.machine.gpus.size())
      refuse(source, fmt::format("{} states of {} GPUs", states, run.machine.gpus.size()));
}

/// What is not in the file, because it follows from what is.
void complete(Timing& timing) {
  const Summary whole = summarize(timing.samples);
  timing.summary.samples = whole.samples;
  timing.summary.max = whole.max;
  timing.summary.mean = whole.mean;
  timing.summary.mad = whole.mad;
}

void complete(Row& row) {
  complete(row.time);
  complete(row.end_to_end);
  complete(row.cold);
  row.work.rate_is_flops = row.rate_unit == "GFLOP/s" || row.rate_unit == "Gop/s";
  if (row.ceiling.value > 0) row.ceiling.seconds = row.ceiling_fraction * row.time.summary.median;
}

}  // namespace

JsonReader::JsonReader(const Json& object, std::string source, std::string place)
    : object_(object), source_(std::move(source)), place_(std::move(place)) {
  if (!object.is_object())
    profile::refuse(
        source_, fmt::format("{} is {}, expected an object", place_.empty() ? "the whole" : place_, kind_of(object)));
}

std::string JsonReader::place_of(const std::string& key) const { return place_.empty() ? key : place_ + "." + key; }

void JsonReader::refuse(const std::string& key, const std::string& sentence) const {
  profile::refuse(source_, place_of(key) + " " + sentence);
}

void JsonReader::refuse_word(const std::string& key, const std::string& text) const {
  refuse(key, fmt::format("is '{}', which is unknown", io::printable(text)));
}

const Json& JsonReader::at(const std::string& key) const {
  const auto found = object_.find(key);
  if (found == object_.end()) refuse(key, "is missing");
  return *found;
}

const std::string& JsonReader::text_at(const std::string& key, const Json& json) const {
  if (!json.is_string()) refuse(key, fmt::format("is {}, expected a string", kind_of(json)));
  return json.get_ref<const std::string&>();
}

const Json& JsonReader::list_at(const std::string& key, const Json& json) const {
  if (!json.is_array()) refuse(key, fmt::format("is {}, expected a list", kind_of(json)));
  return json;
}

std::uint64_t JsonReader::whole_number(const std::string& key, const Json& json, std::uint64_t largest) const {
  if (!json.is_number()) refuse(key, fmt::format("is {}, expected a whole number", kind_of(json)));
  if (!json.is_number_unsigned() || json.get<std::uint64_t>() > largest)
    refuse(key, fmt::format("is {}, expected a whole number from 0 to {}", json.dump(), largest));
  return json.get<std::uint64_t>();
}

void JsonReader::take(const std::string& key, const Json& json, bool& out) const {
  if (!json.is_boolean()) refuse(key, fmt::format("is {}, expected true or false", kind_of(json)));
  out = json.get<bool>();
}

void JsonReader::take(const std::string& key, const Json& json, double& out) const {
  if (!json.is_number() && !json.is_null()) refuse(key, fmt::format("is {}, expected a number or null", kind_of(json)));
  out = json.is_null() ? kAbsent : json.get<double>();
}

void JsonReader::take(const std::string& key, const Json& json, Seconds<double>& out) const {
  take(key, json, out.value);
  if (out.value < 0 || out.value > kMostSeconds)
    refuse(key, fmt::format("is {}, expected seconds from 0 to {:g}", json.dump(), kMostSeconds));
}

void JsonReader::take(const std::string& key, const Json& json, std::vector<double>& out) const {
  out.clear();
  for (const Json& entry : list_at(key, json)) {
    if (!entry.is_number()) refuse(key, fmt::format("has {} in it, expected numbers", kind_of(entry)));
    out.push_back(entry.get<double>());
    if (!(out.back() >= 0 && out.back() <= kMostSeconds))
      refuse(key, fmt::format("has {} in it, expected seconds from 0 to {:g}", entry.dump(), kMostSeconds));
  }
}

void JsonReader::take(const std::string& key, const Json& json, std::vector<std::string>& out) const {
  out.clear();
  for (const Json& entry : list_at(key, json)) out.push_back(text_at(key, entry));
}

void JsonReader::pairs(const std::string& key, std::vector<std::pair<std::string, double>>& values) {
  const JsonReader inner(at(key), source_, place_of(key));
  values.clear();
  for (const auto& [name, value] : inner.object_.items()) {
    values.emplace_back(name, kAbsent);
    inner.take(name, value, values.back().second);
  }
}

double JsonReader::times_giga(double quotient) {
  const double product = quotient * 1e9;
  for (const double near : {product, std::nextafter(product, 0.0), std::nextafter(product, 2 * product)})
    if (near / 1e9 == quotient) return near;
  return product;
}

Json parse_results(std::string_view text, const std::string& source) {
  if (text.size() > kMaxBytes)
    refuse(source, fmt::format("{} bytes, more than the {} that results may have", text.size(), kMaxBytes));
  Limits limits(source);
  try {
    return Json::parse(text, [&](int depth, Json::parse_event_t event, const Json& parsed) {
      return limits.allow(depth, event, parsed);
    });
  } catch (const Json::parse_error& error) {
    refuse(source, fmt::format("not JSON near byte {}", error.byte > 0 ? error.byte - 1 : 0));
  } catch (const Json::exception&) {
    refuse(source, "has a number beyond the range of double");
  }
}

std::string schema_of(const Json& results, const std::string& source) {
  if (!results.is_object() || !results.contains("schema") || !results["schema"].is_string())
    refuse(source, "has no \"schema\", so these are no results of this library's programs");
  return results["schema"].get<std::string>();
}

Comparison comparison_of(const Json& results, const std::string& source) {
  const std::string schema = schema_of(results, source);
  if (schema != kComparisonSchema)
    refuse(source, fmt::format("its schema is '{}', expected '{}'", io::printable(schema), kComparisonSchema));
  Comparison comparison;
  JsonReader io(results, source, "");
  describe_comparison(io, comparison);
  check_run(comparison, source);
  for (Row& row : comparison.rows) complete(row);
  return comparison;
}

Comparison from_json(std::string_view json, const std::string& source) {
  return comparison_of(parse_results(json, source), source);
}

std::string load_results(const std::string& path) {
  const io::InputFile file(path);
  if (file.size() > kMaxBytes)
    refuse(path, fmt::format("{} bytes, more than the {} that results may have", file.size(), kMaxBytes));
  std::string text(static_cast<std::size_t>(file.size()), '\0');
  file.read(0, text.data(), text.size());
  return text;
}

}  // namespace tandem::profile
