#include "common/tuning/source.h"

#include <sys/stat.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <tandem/error.h>

#include "common/profile/ceilings_fields.h"
#include "common/tuning/point.h"

namespace tandem::tuning {
namespace {

constexpr const char* kPriors = "measured ceilings";
constexpr const char* kAssumed = "assumed ceilings, nothing is measured";

/// One of the files that are looked for.
struct Found {
  std::string path, words;
  File file;
  Match match;
};

std::string absolute(const char* variable, const char* below) {
  const char* value = std::getenv(variable);
  return value && value[0] == '/' ? value + std::string(below) : std::string();
}

bool exists(const std::string& path) {
  struct stat info {};
  return !path.empty() && ::stat(path.c_str(), &info) == 0;
}

std::string words_for(const Found& found) {
  const std::string head = fmt::format("tuning file {} of {} ago", found.path, age(seconds_since(found.file.date)));
  if (found.match.hard) return fmt::format("{} ignored: {}", head, found.match.differences);
  if (found.match.soft) return fmt::format("{} counts as a guess: {}", head, found.match.differences);
  return fmt::format("{}, fingerprint matches", head);
}

Found examine(const std::string& path, const Machine& machine) {
  Found found{path, {}, read_file(path), {}};
  found.match = match(found.file.fingerprint, fingerprint_of(machine));
  found.words = words_for(found);
  return found;
}

void add(std::string& sentences, const std::string& sentence) {
  sentences += (sentences.empty() ? "" : "; ") + sentence;
}

/// The files together, the later before the earlier. Stale ones count only where no other does. Measurements are held
/// against priors from the ceilings that the context will have.
Loaded combine(std::vector<Found>& files, const TuningSource& spec, Machine machine, Ceilings (*measure)()) {
  Loaded loaded;
  bool fresh = false;
  for (const Found& found : files) fresh = fresh || found.match.exact();
  std::vector<Measurement> measured;
  for (Found& found : files) {
    add(loaded.model, found.words);
    if (found.match.hard || (fresh && found.match.soft)) continue;
    if (measure && found.match.exact() && found.file.ceilings) loaded.ceilings = found.file.ceilings;
    std::move(found.file.measured.begin(), found.file.measured.end(), std::back_inserter(measured));
  }
  if (measured.empty()) return loaded;
  if (measure) machine.ceilings = loaded.ceilings ? *loaded.ceilings : spec.frozen ? Ceilings{} : measure();
  loaded.table = std::make_shared<const Table>(make_table(measured, machine, !fresh));
  return loaded;
}

Loaded load_now(const TuningSource& spec, const Machine& machine, Ceilings (*measured)()) {
  std::vector<Found> files;
  std::string complaints;
  if (!spec.path.empty()) {
    files.push_back(examine(spec.path, machine));
    if (files.back().match.hard)
      throw Error(Code::io_error, fmt::format("{}: measured elsewhere: {}", spec.path, files.back().match.differences));
  } else {
    for (const std::string& path : {std::string(kSystemFile), user_file()}) {
      if (!exists(path)) continue;
      try {
        files.push_back(examine(path, machine));
      } catch (const Error& error) {
        add(complaints, fmt::format("tuning file ignored: {}", error.what()));
      }
    }
  }
  Loaded loaded = combine(files, spec, machine, measured);
  if (!complaints.empty()) add(loaded.model, complaints);
  if (!loaded.ceilings) add(loaded.model, spec.frozen ? kAssumed : kPriors);
  if (spec.frozen) loaded.model = "frozen: " + loaded.model;
  return loaded;
}

/// Changes when the file does.
std::string state_of(const std::string& path) {
  struct stat info {};
  if (path.empty() || ::stat(path.c_str(), &info) != 0) return path + " -";
  return fmt::format("{} {} {} {} {} {}", path, info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec,
                     info.st_mode);
}

}  // namespace

std::string user_file() {
  const std::string cache = absolute("XDG_CACHE_HOME", "/tandem/tuning-v1.json");
  return cache.empty() ? absolute("HOME", "/.cache/tandem/tuning-v1.json") : cache;
}

Loaded load(const TuningSource& spec, const Machine& machine, Ceilings (*measured)()) {
  if (spec.off) return {nullptr, std::nullopt, kPriors};
  static std::mutex mutex;
  static std::map<std::string, Loaded> known;
  constexpr std::size_t kMostKnown = 16;
  std::string key = fmt::format("{} {}\n", spec.frozen, measured != nullptr);
  const Fingerprint here = fingerprint_of(machine);
  each_field(here, [&](const char*, const auto& value, Field) { key += fmt::format("{}\n", value); });
  if (!measured) {
    const auto add_number = [&](const char*, double value) { key += fmt::format("{} ", value); };
    profile::each_ceiling(machine.ceilings, add_number, [&](const char* name, const CopyCurve& curve) {
      for (const double seconds : curve.seconds) add_number(name, seconds);
    });
  }
  for (const std::string& path :
       spec.path.empty() ? std::vector<std::string>{kSystemFile, user_file()} : std::vector<std::string>{spec.path})
    key += state_of(path) + "\n";
  const std::lock_guard lock(mutex);
  const auto at = known.find(key);
  if (at != known.end()) return at->second;
  if (known.size() >= kMostKnown) known.clear();
  return known[key] = load_now(spec, machine, measured);
}

std::string age(double seconds) {
  if (!(seconds >= 0)) return "unknown age";
  const auto told = [](double count, const char* unit) {
    const auto whole = static_cast<long long>(count);
    return fmt::format("{} {}{}", whole, unit, whole == 1 ? "" : "s");
  };
  if (seconds < 60) return "less than a minute";
  if (seconds < 3600) return told(seconds / 60, "minute");
  if (seconds < 48 * 3600) return told(seconds / 3600, "hour");
  return told(seconds / 86400, "day");
}

}  // namespace tandem::tuning
