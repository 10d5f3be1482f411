// What the README shows is what is built: its example is examples/quickstart.cpp, which the tests compile and run.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace {

std::string contents(const std::string& file) {
  std::ifstream in(std::string(TANDEM_TEST_DATA_DIR) + "/../../" + file);
  EXPECT_TRUE(in.is_open()) << file;
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(Readme, ExampleIsTheQuickstartProgram) {
  const std::string program = contents("examples/quickstart.cpp");
  ASSERT_GT(program.size(), 200u);
  EXPECT_NE(contents("README.md").find("```cpp\n" + program + "```\n"), std::string::npos)
      << "README.md does not hold examples/quickstart.cpp";
}

}  // namespace
