#include "common/core/environment.h"

#include <charconv>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>
#include <tandem/error.h>

namespace tandem {
namespace {

constexpr const char* kTuningForms = "write off, frozen, frozen:PATH or the path of a tuning file";

/// Puts the variable's name and value before the parser's own sentence.
template <class Parse>
auto parse_variable(const char* variable, std::string_view value, Parse parse) {
  try {
    return parse(value);
  } catch (const Error& error) {
    throw Error(Code::invalid_argument, fmt::format("{}={}: {}", variable, value, error.what()));
  }
}

int parse_threads(std::string_view value) {
  int threads = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), threads);
  if (error != std::errc() || end != value.data() + value.size() || threads < 1 || threads > 1024)
    throw Error(Code::invalid_argument, "write a number of threads from 1 to 1024");
  return threads;
}

bool parse_log(std::string_view value) {
  if (value != "0" && value != "1") throw Error(Code::invalid_argument, "write 0 or 1");
  return value == "1";
}

/// Only the form is checked here; the first context checks that such kernels exist.
std::vector<std::string> parse_kernels(std::string_view value) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= value.size();) {
    const std::size_t end = std::min(value.find(',', begin), value.size());
    if (end == begin) throw Error(Code::invalid_argument, "write kernel names separated by commas");
    names.emplace_back(value.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

std::string parse_path(std::string_view value) {
  if (value.empty()) throw Error(Code::invalid_argument, "write the path of a file");
  return std::string(value);
}

std::string parse_tuning(std::string_view value) {
  if (value.empty()) throw Error(Code::invalid_argument, kTuningForms);
  (void)parse_tuning_source(value);
  return std::string(value);
}

}  // namespace

TuningSource parse_tuning_source(std::string_view text, const char* who) {
  constexpr std::string_view kFrozen = "frozen", kFrozenAt = "frozen:";
  TuningSource source;
  if (text == "off") {
    source.off = true;
  } else if (text == kFrozen) {
    source.frozen = true;
  } else if (text.starts_with(kFrozenAt)) {
    source.frozen = true;
    source.path = text.substr(kFrozenAt.size());
    if (source.path.empty()) throw Error(Code::invalid_argument, std::string(who) + kTuningForms);
  } else {
    source.path = text;
  }
  return source;
}

Environment parse_environment(const std::function<const char*(const char*)>& get) {
  Environment env;
  if (const char* v = get("TANDEM_BACKEND")) env.backend = parse_variable("TANDEM_BACKEND", v, parse_backend);
  if (const char* v = get("TANDEM_KERNEL")) env.kernels = parse_variable("TANDEM_KERNEL", v, parse_kernels);
  if (const char* v = get("TANDEM_ISA_MAX")) env.isa_max = parse_variable("TANDEM_ISA_MAX", v, parse_isa_level);
  if (const char* v = get("TANDEM_THREADS")) env.threads = parse_variable("TANDEM_THREADS", v, parse_threads);
  if (const char* v = get("TANDEM_LOG")) env.log = parse_variable("TANDEM_LOG", v, parse_log);
  if (const char* v = get("TANDEM_TUNING")) env.tuning = parse_variable("TANDEM_TUNING", v, parse_tuning);
  if (const char* v = get("TANDEM_RECORD")) env.record = parse_variable("TANDEM_RECORD", v, parse_path);
  return env;
}

const Environment& environment() {
  static const Environment env = parse_environment([](const char* name) { return std::getenv(name); });
  return env;
}

}  // namespace tandem
