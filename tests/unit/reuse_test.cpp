// CallOptions::expected_reuse: which operands stay, what that saves, and that it decides.
#include <limits>

#include <gtest/gtest.h>
#include <tandem/tandem.h>

#include "common/dispatch/execute.h"
#include "tests/support/calls.h"
#include "tests/support/machines.h"

namespace tandem::test::reuse_test {
namespace {

Context made_up(double link_bytes) {
  ContextOptions options;
  options.machine = gpu_machine_with(link_bytes);
  return Context(options);
}

CallOptions reused(float calls) {
  CallOptions call;
  call.expected_reuse = calls;
  return call;
}

// Views without memory that anybody reads.
char memory[64];
View at(int place, const Shape& shape, DType dtype = DType::f32, Device device = Device::cpu()) {
  return View(memory + place, dtype, shape, device);
}

TEST(ExpectedReuse, SharesEveryInputButTheFirst) {
  Context ctx = made_up(10e9);
  const View operands[] = {at(0, {10, 300}), at(1, {300, 200}), at(2, {200}), at(3, {10, 200})};
  const MatmulAttributes with_bias{1, 0, Activation::none, true};
  const auto situation = [&](float calls) {
    return make_situation<Matmul>(ctx.impl(), with_bias, operands, reused(calls));
  };
  const Copies once = situation(1).copies[1], shared = situation(8).copies[1];
  EXPECT_EQ(once.kept_count, 0);
  EXPECT_EQ(shared.in_bytes, once.in_bytes);
  EXPECT_EQ(shared.kept_bytes, (300 * 200 + 200) * 4);
  EXPECT_EQ(shared.kept_count, 2);
  EXPECT_EQ(shared.reuse, 8);
  EXPECT_EQ(situation(8).copies[0], Copies{});  // nothing is missing on the host
  EXPECT_NE(situation(1), situation(8));
  EXPECT_NE(situation(7), situation(8));
}

TEST(ExpectedReuse, ASparseMatrixStaysAndItsFactorDoesNot) {
  Context ctx = made_up(10e9);
  const View operands[] = {at(0, {101}, DType::s32), at(1, {900}, DType::s32), at(2, {900}), at(3, {80, 20}),
                           at(4, {100, 20})};
  const Copies copies = make_situation<Spmm>(ctx.impl(), {}, operands, reused(2)).copies[1];
  EXPECT_EQ(copies.in_count, 4);
  EXPECT_EQ(copies.kept_count, 3);
  EXPECT_EQ(copies.kept_bytes, (101 + 900 + 900) * 4);
}

TEST(ExpectedReuse, WhatIsThereAlreadyIsNotShared) {
  Context ctx = made_up(10e9);
  const View operands[] = {at(0, {10, 300}), at(1, {300, 200}, DType::f32, Device::cuda()), at(2, {10, 200})};
  const Situation<Matmul> s = make_situation<Matmul>(ctx.impl(), {}, operands, reused(5));
  EXPECT_EQ(s.copies[1].kept_count, 0);
  EXPECT_EQ(s.copies[0].kept_count, 1);  // the CPU would have to fetch it
}

TEST(ExpectedReuse, Decides) {
  // 64 MB of weights over 10 GB/s take far longer than the product of 64 rows with them; their share of 1000 calls
  // does not.
  Context ctx = made_up(10e9);
  const View operands[] = {at(0, {64, 4096}), at(1, {4096, 4096}), at(2, {64, 4096})};
  const auto side = [&](float calls) {
    const auto s = make_situation<Matmul>(ctx.impl(), {}, operands, reused(calls));
    return select<Matmul>(s, ctx.policy(), ctx.machine()).entry->backend;
  };
  EXPECT_EQ(side(1), Backend::cpu);
  bool built = false;
  for (const KernelInfo& k : kernels(ctx)) built = built || (k.backend == Backend::cuda && k.built);
  EXPECT_EQ(side(1000), built ? Backend::cuda : Backend::cpu);
}

TEST(ExpectedReuse, IsANumberOfCalls) {
  Context ctx;
  const Tensor x = Tensor::full({4, 4}, 1.0f);
  for (const float bad :
       {0.0f, 0.5f, -1.0f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    MatmulOptions options;
    options.call = reused(bad);
    const Error error = error_of([&] { matmul(ctx, x, x, options); });
    EXPECT_EQ(error.code(), Code::invalid_argument) << bad;
    EXPECT_TRUE(has(error.what(), "matmul: expected_reuse is")) << error.what();
  }
  MatmulOptions options;
  options.call = reused(1e6f);
  EXPECT_EQ(matmul(ctx, x, x, options).data<float>()[0], 4.0f);  // without a GPU it changes nothing
}

}  // namespace
}  // namespace tandem::test::reuse_test
