// Files read with a known size and written whole or not at all.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace tandem::io {

/// A regular file opened for reading. Every failure is an Error(io_error) that starts with the path as given.
class InputFile {
 public:
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  std::uint64_t size() const noexcept { return size_; }
  mode_t mode() const noexcept { return mode_; }
  uid_t owner() const noexcept { return owner_; }
  /// Reads exactly `bytes` bytes from `offset`; throws when the file ends before.
  void read(std::uint64_t offset, void* out, std::size_t bytes) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  mode_t mode_ = 0;
  uid_t owner_ = 0;
};

/// A file that appears under its name only when it is complete. Data goes to a temporary file in the same folder;
/// commit() flushes it to the disk and renames it. Without commit() the destructor removes it, and what was at `path`
/// stays. A symbolic link is followed; what exists must be a regular file and keeps its permissions.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t bytes);
  void commit();

 private:
  void create_temporary(mode_t mode);
  void discard() noexcept;

  std::string path_;         // as given, for messages
  std::string destination_;  // with links resolved
  std::string folder_;       // of the destination
  std::string temporary_;    // empty once renamed or removed
  int descriptor_ = -1;
};

}  // namespace tandem::io
