// The iteration space of strided work.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "common/ops/operand.h"
#include "tests/support/data.h"

namespace tandem::loops_test {
namespace {

// All pairs of offsets that the loops visit.
std::multiset<std::pair<std::int64_t, std::int64_t>> visited(const Loops<2>& loops) {
  std::multiset<std::pair<std::int64_t, std::int64_t>> out;
  for (std::int64_t i = 0; i < loops.elements; ++i) {
    std::int64_t at[2];
    loops.offsets(i, loops.rank, at);
    out.emplace(at[0], at[1]);
  }
  return out;
}

std::multiset<std::pair<std::int64_t, std::int64_t>> wanted(const Shape& shape, const Strides& a, const Strides& b) {
  std::multiset<std::pair<std::int64_t, std::int64_t>> out;
  for (std::int64_t i = 0; i < element_count(shape); ++i) {
    std::int64_t rest = i, at_a = 0, at_b = 0;
    for (int d = shape.rank() - 1; d >= 0; --d) {
      at_a += rest % shape[d] * a[d];
      at_b += rest % shape[d] * b[d];
      rest /= shape[d];
    }
    out.emplace(at_a, at_b);
  }
  return out;
}

Loops<2> loops_of(const Shape& shape, const Strides& a, const Strides& b) { return make_loops<2>(shape, {&a, &b}); }

TEST(Loops, MergesWhatIsContiguous) {
  const Shape shape{3, 4, 5};
  const Loops<2> loops = loops_of(shape, row_major(shape), row_major(shape));
  EXPECT_EQ(loops.rank, 1);
  EXPECT_EQ(loops.shape[0], 60);
  EXPECT_TRUE(loops.contiguous());
  EXPECT_EQ(loops.elements, 60);
}

TEST(Loops, ColumnMajorIsContiguousToo) {
  const Shape shape{3, 4, 5};
  const Loops<2> loops = loops_of(shape, column_major(shape), column_major(shape));
  EXPECT_EQ(loops.rank, 1);
  EXPECT_TRUE(loops.contiguous());
}

TEST(Loops, KeepsGapsApart) {
  const Loops<2> loops = loops_of(Shape{3, 4}, Strides{7, 1}, Strides{4, 1});
  EXPECT_EQ(loops.rank, 2);
  EXPECT_FALSE(loops.contiguous());
  EXPECT_EQ(loops.strides[0][0], 7);
  EXPECT_EQ(loops.strides[1][1], 1);
}

TEST(Loops, PutsTheResultsSmallestStrideInnermost) {
  const Loops<2> loops = loops_of(Shape{3, 4}, Strides{4, 1}, Strides{1, 3});
  EXPECT_EQ(loops.rank, 2);
  EXPECT_EQ(loops.strides[1][1], 1);
  EXPECT_EQ(loops.strides[0][1], 4);
}

TEST(Loops, DropsDimensionsOfOne) {
  const Loops<2> loops = loops_of(Shape{1, 6, 1}, Strides{999, 1, 77}, Strides{0, 1, 5});
  EXPECT_EQ(loops.rank, 1);
  EXPECT_TRUE(loops.contiguous());
}

TEST(Loops, SingleElementHasRankZero) {
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{1, 1}}) {
    const Loops<2> loops = loops_of(shape, row_major(shape), row_major(shape));
    EXPECT_EQ(loops.rank, 0);
    EXPECT_EQ(loops.elements, 1);
    EXPECT_TRUE(loops.contiguous());
  }
}

TEST(Loops, NothingHasOneForm) {
  const Loops<2> loops = loops_of(Shape{3, 0, 5}, Strides{7, 2, 1}, Strides{0, 0, 0});
  EXPECT_EQ(loops.elements, 0);
  EXPECT_EQ(loops.rank, 1);
  EXPECT_EQ(loops.shape[0], 0);
  EXPECT_TRUE(loops.contiguous());
  const std::int64_t huge = std::int64_t{1} << 40;  // whose product no integer holds
  EXPECT_EQ(loops_of(Shape{huge, huge, 0}, Strides{0, 0, 1}, Strides{0, 0, 1}).elements, 0);
}

TEST(Loops, BroadcastDimensionsKeepTheirZeroStride) {
  const Loops<2> loops = loops_of(Shape{3, 4, 5}, Strides{0, 0, 1}, row_major(Shape{3, 4, 5}));
  EXPECT_EQ(loops.rank, 2);  // the two repeated dimensions merge
  EXPECT_EQ(loops.shape[0], 12);
  EXPECT_EQ(loops.strides[0][0], 0);
}

TEST(Loops, VisitsExactlyTheElements) {
  test::Random random(7);
  for (int round = 0; round < 500; ++round) {
    Shape shape;
    Strides a, b;
    const auto rank = static_cast<int>(random.integer(0, 5));
    for (int d = 0; d < rank; ++d) {
      shape.push_back(random.integer(round % 10 == 0 ? 0 : 1, 4));
      a.push_back(random.integer(0, 9));
      b.push_back(random.integer(0, 9));
    }
    if (round % 2 == 0) b = row_major(shape);
    if (round % 4 == 0) a = column_major(shape);
    EXPECT_EQ(visited(loops_of(shape, a, b)), wanted(shape, a, b)) << to_string(shape);
  }
}

TEST(Loops, OffsetsOfLeadingDimensions) {
  const Loops<2> loops = loops_of(Shape{3, 4}, Strides{10, 2}, Strides{20, 3});
  std::int64_t at[2];
  loops.offsets(2, 1, at);
  EXPECT_EQ(at[0], 20);
  EXPECT_EQ(at[1], 40);
}

TEST(Loops, IndicesBeyond32Bits) {
  const std::int64_t big = std::int64_t{1} << 33;
  const Loops<2> loops = loops_of(Shape{4, big}, Strides{big + 1, 1}, Strides{big, 1});
  EXPECT_EQ(loops.elements, 4 * big);
  EXPECT_EQ(loops.rank, 2);
  std::int64_t at[2];
  loops.offsets(3 * big + 5, 2, at);
  EXPECT_EQ(at[0], 3 * (big + 1) + 5);
  EXPECT_EQ(at[1], 3 * big + 5);
}

}  // namespace
}  // namespace tandem::loops_test
