// Files are written whole or not at all.
#include "common/io/file.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <tandem/error.h>

#include "tests/support/temporary_folder.h"

namespace tandem::io::file_test {
namespace {

using test::read_bytes;
using test::TemporaryFolder;
using test::write_bytes;

constexpr std::size_t kLimit = 4096;

// The largest file that this process may write, for a scope. Writing beyond it fails with EFBIG, or kills when `kill`.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(bool kill) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit{kLimit, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    handler_ = ::signal(SIGXFSZ, kill ? SIG_DFL : SIG_IGN);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    ::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit old_{};
  void (*handler_)(int);
};

mode_t mode_of(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  return info.st_mode & 0777;
}

TEST(AtomicFile, AppearsOnlyWhenCommitted) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  {
    AtomicFile file(path);
    file.write("new", 3);
    EXPECT_FALSE(std::filesystem::exists(path));
    file.commit();
    EXPECT_EQ(read_bytes(path), "new");
  }
  {
    AtomicFile file(path);
    file.write("newer", 5);
    EXPECT_EQ(read_bytes(path), "new");
  }
  EXPECT_EQ(read_bytes(path), "new") << "not committed";
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(AtomicFile, LeavesTheOldFileWhenAWriteFails) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  write_bytes(path, "old");
  std::string message;
  {
    const FileSizeLimit limit(false);
    try {
      AtomicFile file(path);
      file.write(std::string(kLimit + 1, 'x').data(), kLimit + 1);
      file.commit();
    } catch (const Error& error) {
      message = error.what();
      EXPECT_EQ(error.code(), Code::io_error);
    }
  }
  EXPECT_EQ(message, path + ": cannot write: File too large");
  EXPECT_EQ(read_bytes(path), "old");
  EXPECT_EQ(folder.entries(), 1u) << "the temporary file stayed";
}

TEST(AtomicFile, LeavesTheOldFileWhenTheProcessIsKilledWhileWriting) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  write_bytes(path, "old");
  const std::string large(2 * kLimit, 'x');
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    const FileSizeLimit limit(true);
    AtomicFile file(path);
    file.write(large.data(), large.size());
    file.commit();
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ) << "status " << status;
  EXPECT_EQ(read_bytes(path), "old");
}

TEST(AtomicFile, KeepsPermissionsAndFollowsLinks) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a"), link = folder.file("link"), dangling = folder.file("dangling");
  write_bytes(path, "old");
  ASSERT_EQ(::chmod(path.c_str(), 0666), 0);  // more than the umask gives a new file
  ASSERT_EQ(::symlink("a", link.c_str()), 0);
  ASSERT_EQ(::symlink("nothing", dangling.c_str()), 0);
  const mode_t old = ::umask(027);
  AtomicFile file(link);
  ::umask(old);
  file.write("new", 3);
  file.commit();
  EXPECT_EQ(read_bytes(path), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(mode_of(path), 0666u);
  EXPECT_THROW(AtomicFile{dangling}, Error);
  EXPECT_THROW(AtomicFile{folder.path().string()}, Error);
  EXPECT_THROW(AtomicFile{"/dev/null"}, Error);
}

TEST(AtomicFile, GivesNewFilesTheUsualPermissions) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  const mode_t old = ::umask(027);
  AtomicFile file(path);
  file.commit();
  ::umask(old);
  EXPECT_EQ(mode_of(path), 0640u);
}

TEST(AtomicFile, StepsOverWhatAKilledProcessOfTheSameIdLeft) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  AtomicFile first(path);
  const std::string name = std::filesystem::directory_iterator(folder.path())->path().filename().string();
  const std::string start = ".tandem-" + std::to_string(::getpid()) + "-";
  ASSERT_EQ(name.substr(0, start.size()), start);
  const int number = std::stoi(name.substr(start.size()));
  const std::string leftover = folder.file(start + std::to_string(number + 1) + ".tmp");
  write_bytes(leftover, "leftover");
  AtomicFile second(path);
  second.write("new", 3);
  second.commit();
  EXPECT_EQ(read_bytes(path), "new");
  EXPECT_EQ(read_bytes(leftover), "leftover");
}

TEST(AtomicFile, ServesTwoWritersOfOneName) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  AtomicFile first(path), second(path);
  first.write("first", 5);
  second.write("second", 6);
  second.commit();
  EXPECT_EQ(read_bytes(path), "second");
  first.commit();
  EXPECT_EQ(read_bytes(path), "first");
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(InputFile, ReadsExactlyWhatIsAsked) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a");
  write_bytes(path, "0123456789");
  const InputFile file(path);
  EXPECT_EQ(file.size(), 10u);
  char out[4] = {};
  file.read(6, out, 4);
  EXPECT_EQ(std::string(out, 4), "6789");
  file.read(10, out, 0);
  try {
    file.read(7, out, 4);
    ADD_FAILURE() << "read beyond the end";
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), path + ": cannot read: the file ends at byte 10, 11 were expected");
  }
}

}  // namespace
}  // namespace tandem::io::file_test
