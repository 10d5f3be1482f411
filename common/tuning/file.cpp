#include "common/tuning/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <limits>
#include <map>
#include <system_error>
#include <thread>
#include <tuple>

#include <fmt/format.h>
#include <tandem/error.h>

#include "common/io/file.h"
#include "common/io/untrusted.h"
#include "common/profile/ceilings_fields.h"
#include "common/profile/read_json.h"

namespace tandem::tuning {
namespace {

constexpr std::uint64_t kMaxBytes = 16u << 20;
constexpr std::size_t kMaxText = 256;
constexpr std::size_t kStart = 256;  // bytes in which a tuning file names its schema
constexpr auto kLockPatience = std::chrono::seconds(10);
constexpr const char* kDateForm = "%Y-%m-%dT%H:%M:%SZ";

[[noreturn]] void fail(const std::string& path, const std::string& sentence) {
  throw Error(Code::io_error, path + ": " + sentence);
}

template <class Io, class M>
void describe_measurement(Io& io, M& m) {
  io("kernel", m.kernel);
  io("op", m.op);
  io("problem", m.problem);
  io("threads", m.threads);
  io("seconds", m.seconds);
  io("spread", m.spread);
}

template <class Io, class F>
void describe_file(Io& io, F& file) {
  io("date", file.date);
  io.object("fingerprint", [&](auto& inner) {
    each_field(file.fingerprint, [&](const char* key, auto& value, Field) { inner(key, value); });
  });
  if (io.when("ceilings", file.ceilings.has_value())) {
    if constexpr (!std::is_const_v<F>) file.ceilings.emplace();
    io.object("ceilings", [&](auto& inner) { profile::describe_speeds(inner, *file.ceilings); });
  }
  io.list("measured", file.measured, [](auto& inner, auto& m) { describe_measurement(inner, m); });
}

void check(const Measurement& m, std::size_t index, const std::string& source) {
  const auto refuse = [&](const std::string& what) { fail(source, fmt::format("measured[{}] {}", index, what)); };
  for (const std::string* text : {&m.kernel, &m.op, &m.problem})
    if (text->empty() || text->size() > kMaxText || text->find_first_of(std::string_view(" \n\r\t\0", 5)) != text->npos)
      refuse("names '" + io::printable(*text) + "', which is no kernel, operation or problem");
  if (m.threads > 1024) refuse(fmt::format("is of {} threads", m.threads));
  // Bounds that nothing can have passed, so that ratios to predictions stay finite.
  if (!(m.seconds >= 1e-12 && m.seconds <= 1e9)) refuse(fmt::format("took {} s", m.seconds));
  if (!(m.spread >= 0 && m.spread <= 1e9)) refuse(fmt::format("has a spread of {}", m.spread));
}

using Key = std::tuple<std::string, std::string, std::string, int>;
Key key_of(const Measurement& m) { return {m.kernel, m.op, m.problem, m.threads}; }

void make_folder_of(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) fail(path, "cannot make its folder: " + error.message());
}

/// Holds the lock as long as it lives.
class Lock {
 public:
  explicit Lock(const std::string& path) {
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor_ < 0) fail(path, "cannot open: " + std::generic_category().message(errno));
    const auto until = std::chrono::steady_clock::now() + kLockPatience;
    while (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      if (error == EINTR) continue;
      if (error == EWOULDBLOCK && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        continue;
      }
      ::close(descriptor_);
      fail(path, error == EWOULDBLOCK ? "another program has held this lock for 10 s"
                                      : "cannot lock: " + std::generic_category().message(error));
    }
  }
  ~Lock() { ::close(descriptor_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace

File parse_file(std::string_view text, const std::string& source) {
  if (text.size() > kMaxBytes) fail(source, fmt::format("{} bytes, more than a tuning file may have", text.size()));
  const profile::Json json = profile::parse_results(text, source);
  const std::string schema = profile::schema_of(json, source);
  if (schema != kSchema) fail(source, fmt::format("its schema is '{}', expected '{}'", io::printable(schema), kSchema));
  File file;
  profile::JsonReader io(json, source, "");
  describe_file(io, file);
  for (std::size_t i = 0; i < file.measured.size(); ++i) check(file.measured[i], i, source);
  return file;
}

std::string print_file(const File& file) {
  profile::Json json = profile::Json::object();
  json["schema"] = kSchema;
  profile::JsonWriter io(json);
  describe_file(io, file);
  return profile::text_of(json);
}

File read_file(const std::string& path) {
  const io::InputFile file(path);
  if ((file.mode() & S_IWOTH) != 0) fail(path, "refused: everybody may write this file");
  if (file.owner() != ::geteuid() && file.owner() != 0)
    fail(path, fmt::format("refused: this file belongs to user {}, not to user {} or root", file.owner(), ::geteuid()));
  if (file.size() > kMaxBytes) fail(path, fmt::format("{} bytes, more than a tuning file may have", file.size()));
  std::string text(static_cast<std::size_t>(file.size()), '\0');
  file.read(0, text.data(), text.size());
  return parse_file(text, path);
}

void prepare_file(const std::string& path) {
  make_folder_of(path);
  { const io::AtomicFile probe(path); }  // removed again: it is not committed
  const Lock lock(path + ".lock");
  if (std::filesystem::exists(path)) read_file(path);
}

bool remove_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(std::filesystem::symlink_status(path, error))) return false;
  const io::InputFile file(path);
  std::string start(std::min<std::size_t>(kStart, static_cast<std::size_t>(file.size())), '\0');
  file.read(0, start.data(), start.size());
  if (!start.starts_with('{') || start.find("\"schema\"") == start.npos || start.find("\"tandem-tuning/") == start.npos)
    fail(path, "not removed: this is no tuning file");
  std::filesystem::remove(path, error);
  if (error) fail(path, "cannot remove: " + error.message());
  return true;
}

File merge_into_file(const std::string& path, const File& news) {
  make_folder_of(path);
  const Lock lock(path + ".lock");
  File merged = news;
  merged.date = now_utc();
  if (std::filesystem::exists(path)) {
    const File old = read_file(path);
    if (match(old.fingerprint, news.fingerprint).exact()) {
      std::map<Key, Measurement> all;
      for (const File* file : {&old, &news})
        for (const Measurement& m : file->measured) all[key_of(m)] = m;
      merged.measured.clear();
      for (auto& [key, m] : all) merged.measured.push_back(std::move(m));
      if (!merged.ceilings) merged.ceilings = old.ceilings;
    }
  }
  const std::string text = print_file(merged);
  io::AtomicFile out(path);
  out.write(text.data(), text.size());
  out.commit();
  return merged;
}

std::string now_utc() {
  const std::time_t t = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  ::gmtime_r(&t, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, kDateForm, &parts)};
}

double seconds_since(const std::string& date) {
  std::tm parts{};
  const char* end = ::strptime(date.c_str(), kDateForm, &parts);
  if (!end || *end != '\0') return std::numeric_limits<double>::quiet_NaN();
  return std::difftime(std::time(nullptr), ::timegm(&parts));
}

}  // namespace tandem::tuning
