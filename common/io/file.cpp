#include "common/io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <tandem/error.h>

namespace tandem::io {
namespace {

[[noreturn]] void fail(const std::string& path, const char* action, int error) {
  throw Error(Code::io_error, fmt::format("{}: cannot {}: {}", path, action, std::generic_category().message(error)));
}

// What `path` stands for: itself, or the end of its chain of links. `mode` receives the permissions of an existing
// file.
std::string resolve_destination(const std::string& path, mode_t* mode, bool* exists) {
  struct stat info {};
  *exists = ::stat(path.c_str(), &info) == 0;
  if (!*exists) {
    if (errno != ENOENT) fail(path, "write", errno);
    if (::lstat(path.c_str(), &info) == 0) {
      throw Error(Code::io_error, fmt::format("{}: cannot write: a symbolic link to nothing", path));
    }
    return path;
  }
  if (!S_ISREG(info.st_mode)) {
    throw Error(Code::io_error, fmt::format("{}: cannot write: not a regular file", path));
  }
  *mode = info.st_mode & 0777;
  std::error_code error;
  const std::filesystem::path resolved = std::filesystem::canonical(path, error);
  if (error) fail(path, "write", error.value());
  return resolved.string();
}

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

}  // namespace

InputFile::InputFile(const std::string& path) : path_(path) {
  // O_NONBLOCK: opening a pipe that nobody writes to must not hang; it has no effect on regular files.
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) fail(path, "open", errno);
  struct stat info {};
  const int error = ::fstat(descriptor_, &info) != 0 ? errno : 0;
  if (error != 0 || !S_ISREG(info.st_mode)) {
    ::close(descriptor_);
    if (error != 0) fail(path, "read", error);
    throw Error(Code::io_error, fmt::format("{}: cannot read: not a regular file", path));
  }
  size_ = static_cast<std::uint64_t>(info.st_size);
  mode_ = info.st_mode;
  owner_ = info.st_uid;
}

InputFile::~InputFile() { ::close(descriptor_); }

void InputFile::read(std::uint64_t offset, void* out, std::size_t bytes) const {
  char* to = static_cast<char*>(out);
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t got = ::pread(descriptor_, to + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path_, "read", errno);
    if (got == 0) {
      throw Error(Code::io_error, fmt::format("{}: cannot read: the file ends at byte {}, {} were expected", path_,
                                              offset + done, offset + bytes));
    }
    done += static_cast<std::size_t>(got);
  }
}

AtomicFile::AtomicFile(const std::string& path) : path_(path) {
  mode_t mode = 0666;
  bool exists = false;
  destination_ = resolve_destination(path, &mode, &exists);
  folder_ = folder_of(destination_);
  create_temporary(mode);
  if (exists && ::fchmod(descriptor_, mode) != 0) {  // open() applied the umask
    const int error = errno;
    discard();
    fail(path_, "write", error);
  }
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::create_temporary(mode_t mode) {
  static std::atomic<unsigned> counter{0};
  constexpr int kAttempts = 100;  // names that a killed process of the same id left behind
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::string temporary = fmt::format("{}/.tandem-{}-{}.tmp", folder_, ::getpid(), counter++);
    descriptor_ = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (descriptor_ >= 0) {
      temporary_ = std::move(temporary);
      return;
    }
    if (errno != EEXIST) break;
  }
  fail(path_, "write", errno);
}

void AtomicFile::write(const void* data, std::size_t bytes) {
  const char* from = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t put = ::write(descriptor_, from, bytes);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail(path_, "write", errno);
    from += put;
    bytes -= static_cast<std::size_t>(put);
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail(path_, "write", errno);
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) fail(path_, "write", errno);
  if (::rename(temporary_.c_str(), destination_.c_str()) != 0) fail(path_, "write", errno);
  temporary_.clear();
  // The file is in place: nothing below may fail. The name reaches the disk with the folder, which some file systems
  // cannot flush; the file is whole either way.
  const int folder = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
}

void AtomicFile::discard() noexcept {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  temporary_.clear();
}

}  // namespace tandem::io
