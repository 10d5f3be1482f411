// docs/architecture.md says which folder may include what; the sources are held against its table.
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = fs::path(TANDEM_TEST_DATA_DIR) / ".." / "..";

/// Calls visit(included) for each header that a file names.
template <class Visit>
void each_include(const fs::path& file, Visit visit) {
  static const std::regex kInclude("^\\s*#\\s*include\\s*[<\"]([^>\"]+)[>\"]");
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (std::smatch match; std::regex_search(line, match, kInclude)) visit(match[1].str());
}

/// Calls visit(file) for each source below a folder.
template <class Visit>
void each_source(const std::string& folder, Visit visit) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
    const std::string extension = entry.path().extension();
    if (extension != ".h" && extension != ".cpp" && extension != ".cu" && extension != ".cuh") continue;
    visit(entry.path());
    ++count;
  }
  EXPECT_GT(count, 0u) << folder;
}

/// The words of the column "May include" of each folder below common.
std::map<std::string, std::set<std::string>> allowed() {
  static const std::regex kRow("^\\| `common/([a-z]+)` \\|.*\\|([^|]*)\\|$"), kWord("[a-z]+");
  std::map<std::string, std::set<std::string>> all;
  std::ifstream in(kRoot / "docs" / "architecture.md");
  for (std::string line; std::getline(in, line);) {
    std::smatch row;
    if (!std::regex_match(line, row, kRow)) continue;
    const std::string words = row[2];
    for (std::sregex_iterator word(words.begin(), words.end(), kWord), end; word != end; ++word)
      all[row[1]].insert(word->str());
  }
  return all;
}

TEST(Architecture, FoldersIncludeWhatTheirTableAllows) {
  const std::map<std::string, std::set<std::string>> table = allowed();
  for (const auto& folder : fs::directory_iterator(kRoot / "common")) {
    if (!folder.is_directory() || folder.path().filename() == "include") continue;
    const std::string name = folder.path().filename();
    ASSERT_TRUE(table.contains(name)) << "common/" << name << " has no row";
    std::set<std::string> used;
    each_source("common/" + name, [&](const fs::path& file) {
      each_include(file, [&](const std::string& included) {
        if (included.rfind("common/", 0) != 0) return;
        const std::string other = included.substr(7, included.find('/', 7) - 7);
        if (other == name) return;
        used.insert(other);
        EXPECT_TRUE(table.at(name).contains(other)) << file << " includes " << included;
      });
    });
    // Nor is anything allowed that nobody uses.
    for (const std::string& word : table.at(name))
      EXPECT_TRUE(used.contains(word) || !fs::is_directory(kRoot / "common" / word)) << name << " and " << word;
  }
}

TEST(Architecture, CommonIsFreeOfSimdEigenAndCuda) {
  const std::set<std::string> foreign = {"hwy", "Eigen", "cuda", "cub", "thrust", "cpu", "tests", "bench"};
  each_source("common", [&](const fs::path& file) {
    each_include(file, [&](const std::string& included) {
      EXPECT_FALSE(foreign.contains(included.substr(0, included.find('/')))) << file << " includes " << included;
      EXPECT_NE(included.rfind("cuda", 0), 0u) << file << " includes " << included;
      EXPECT_EQ(included.find("mmintrin"), std::string::npos) << file << " includes " << included;
    });
  });
}

TEST(Architecture, CpuAndCudaDoNotKnowEachOther) {
  for (const auto& [here, there] : {std::pair<std::string, std::string>{"cpu", "cuda/"}, {"cuda", "cpu/"}})
    each_source(here, [&, other = there](const fs::path& file) {
      each_include(file,
                   [&](const std::string& included) { EXPECT_NE(included.rfind(other, 0), 0u) << file << included; });
    });
}

}  // namespace
