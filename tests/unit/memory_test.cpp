// allocate_host(): alignment, and huge pages where the system gives them to those who ask.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <tandem/error.h>
#include <tandem/tensor.h>

#include "common/core/memory.h"

namespace tandem {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::uintptr_t address(const void* p) { return reinterpret_cast<std::uintptr_t>(p); }

// The flags of the mapping that holds p, as the kernel lists them; empty where it does not.
std::string flags_of(const void* p) {
  std::ifstream maps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    unsigned long long begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%llx-%llx ", &begin, &end) == 2) inside = begin <= address(p) && address(p) < end;
    if (inside && line.starts_with("VmFlags:")) return line + " ";
  }
  return "";
}

TEST(Memory, IsAlignedAsAsked) {
  for (const std::size_t bytes :
       {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{65}, std::size_t{4097}, kHugePage - 1})
    for (const std::size_t alignment : {std::size_t{64}, std::size_t{4096}}) {
      const auto memory = allocate_host(bytes, alignment, "test");
      EXPECT_EQ(address(memory.get()) % alignment, 0u) << bytes;
      std::memset(memory.get(), 1, bytes);
    }
}

TEST(Memory, LargeOnesBeginOnAHugePageAndAskForThem) {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string modes;
  std::getline(file, modes);
  for (const std::size_t bytes : {kHugePage, kHugePage + 1, 3 * kHugePage - 1, 5 * kHugePage}) {
    const auto memory = allocate_host(bytes, 64, "test");
    EXPECT_EQ(address(memory.get()) % kHugePage, 0u) << bytes;
    std::memset(memory.get(), 1, bytes);
    const std::string flags = flags_of(memory.get());
    if (modes.empty() || flags.empty()) continue;
    EXPECT_NE(flags.find(" hg "), std::string::npos) << flags;
  }
  const auto small = allocate_host(2 * kHugePage, 64, "test", Pages::small);
  const std::string flags = flags_of(small.get());
  if (!modes.empty() && !flags.empty()) {
    EXPECT_NE(flags.find(" nh "), std::string::npos) << flags;
  }
  const Tensor tensor = Tensor::empty({1024, 1024}, DType::f32);
  EXPECT_EQ(address(tensor.view().data()) % kHugePage, 0u);
}

TEST(Memory, MoreThanThereCanBeIsRefused) {
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
  for (const std::size_t bytes : {kMost, kMost - 63, kMost - kHugePage, kMost / 2 + 1}) {
    try {
      (void)allocate_host(bytes, 64, "test of memory");
      ADD_FAILURE() << bytes;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::out_of_memory);
      EXPECT_NE(std::string(error.what()).find("test of memory"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace tandem
