// The environment variables: what is accepted, and the sentence for what is not.
#include "common/core/environment.h"

#include <map>

#include <gtest/gtest.h>
#include <tandem/error.h>

namespace tandem::environment_test {
namespace {

using Variables = std::map<std::string, std::string>;

Environment parsed(const Variables& variables) {
  return parse_environment([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

std::string sentence(const Variables& variables) {
  try {
    parsed(variables);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument);
    return error.what();
  }
  return "accepted";
}

TEST(Environment, IsEmptyWithoutVariables) {
  const Environment env = parsed({});
  EXPECT_FALSE(env.backend || env.isa_max || env.threads || env.log);
  EXPECT_TRUE(env.kernels.empty());
}

TEST(Environment, ReadsEveryVariable) {
  const Environment env = parsed({{"TANDEM_BACKEND", "cuda"},
                                  {"TANDEM_KERNEL", "cpu.matmul.f32.simd,cpu.unary.f32.simd"},
                                  {"TANDEM_ISA_MAX", "avx2"},
                                  {"TANDEM_THREADS", "7"},
                                  {"TANDEM_LOG", "1"},
                                  {"TANDEM_TUNING", "frozen:/t.json"},
                                  {"TANDEM_RECORD", "met.txt"}});
  EXPECT_EQ(env.backend, Backend::cuda);
  EXPECT_EQ(env.kernels, (std::vector<std::string>{"cpu.matmul.f32.simd", "cpu.unary.f32.simd"}));
  EXPECT_EQ(env.isa_max, IsaLevel::avx2);
  EXPECT_EQ(env.threads, 7);
  EXPECT_TRUE(env.log);
  EXPECT_EQ(env.tuning, "frozen:/t.json");
  EXPECT_EQ(env.record, "met.txt");
  EXPECT_FALSE(parsed({{"TANDEM_LOG", "0"}}).log);
  EXPECT_EQ(parsed({{"TANDEM_THREADS", "1"}}).threads, 1);
  EXPECT_EQ(parsed({{"TANDEM_THREADS", "1024"}}).threads, 1024);
  for (const char* level : {"scalar", "sse4", "avx2", "avx512"})
    EXPECT_EQ(name(*parsed({{"TANDEM_ISA_MAX", level}}).isa_max), level);
}

TEST(Environment, RefusesBadValuesInASentence) {
  const std::pair<Variables, std::string> bad[] = {
      {{{"TANDEM_BACKEND", "gpu"}}, "TANDEM_BACKEND=gpu: "},
      {{{"TANDEM_BACKEND", ""}}, "TANDEM_BACKEND=: "},
      {{{"TANDEM_BACKEND", "CPU"}}, "TANDEM_BACKEND=CPU: "},
      {{{"TANDEM_ISA_MAX", "avx"}}, "TANDEM_ISA_MAX=avx: "},
      {{{"TANDEM_ISA_MAX", "avx2 "}}, "TANDEM_ISA_MAX=avx2 : "},
      {{{"TANDEM_THREADS", "0"}}, "TANDEM_THREADS=0: write a number of threads from 1 to 1024"},
      {{{"TANDEM_THREADS", "-2"}}, "TANDEM_THREADS=-2: write a number of threads from 1 to 1024"},
      {{{"TANDEM_THREADS", "1025"}}, "TANDEM_THREADS=1025: "},
      {{{"TANDEM_THREADS", "2x"}}, "TANDEM_THREADS=2x: "},
      {{{"TANDEM_THREADS", " 2"}}, "TANDEM_THREADS= 2: "},
      {{{"TANDEM_THREADS", "99999999999999999999"}}, "TANDEM_THREADS=99999999999999999999: "},
      {{{"TANDEM_THREADS", ""}}, "TANDEM_THREADS=: "},
      {{{"TANDEM_LOG", "yes"}}, "TANDEM_LOG=yes: write 0 or 1"},
      {{{"TANDEM_TUNING", ""}}, "TANDEM_TUNING=: write off, frozen, frozen:PATH"},
      {{{"TANDEM_TUNING", "frozen:"}}, "TANDEM_TUNING=frozen:: write off, frozen, frozen:PATH"},
      {{{"TANDEM_RECORD", ""}}, "TANDEM_RECORD=: write the path of a file"},
      {{{"TANDEM_KERNEL", ""}}, "TANDEM_KERNEL=: write kernel names separated by commas"},
      {{{"TANDEM_KERNEL", "a,,b"}}, "TANDEM_KERNEL=a,,b: write kernel names separated by commas"},
      {{{"TANDEM_KERNEL", "a,"}}, "TANDEM_KERNEL=a,: write kernel names separated by commas"},
  };
  for (const auto& [variables, start] : bad) {
    const std::string text = sentence(variables);
    EXPECT_EQ(text.substr(0, start.size()), start) << text;
    EXPECT_GT(text.size(), start.find(": ") + 2) << text << " gives no reason";
  }
  EXPECT_NE(sentence({{"TANDEM_BACKEND", "gpu"}}).find("cpu, cuda"), std::string::npos);
  EXPECT_NE(sentence({{"TANDEM_ISA_MAX", "avx"}}).find("scalar, sse4, avx2, avx512"), std::string::npos);
}

}  // namespace
}  // namespace tandem::environment_test
