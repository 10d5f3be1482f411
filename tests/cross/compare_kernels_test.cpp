// The comparison with kernels that are right, wrong, lazy, failing or unwilling: none is timed before it is judged.
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/profile/compare.h"
#include "common/profile/report.h"
#include "tests/support/verify.h"

namespace tandem::profile::compare_kernels_test {
namespace {

template <float kSlip>
Code relu_with_slip(const UnaryArgs& args, const Queue&, Workspace) {
  const auto* x = static_cast<const float*>(args.x);
  auto* y = static_cast<float*>(args.y);
  for (std::int64_t i = 0; i < args.loops.elements; ++i) y[i] = x[i] > 0 ? x[i] : 0.0f;
  y[args.loops.elements / 2] += kSlip;
  return Code::ok;
}
Code writes_nothing(const UnaryArgs&, const Queue&, Workspace) { return Code::ok; }
Code fails(const UnaryArgs&, const Queue&, Workspace) { return Code::internal; }
Code runs_out(const UnaryArgs&, const Queue&, Workspace) { return Code::out_of_memory; }

int calls_until_failure = 3;
Code fails_later(const UnaryArgs& args, const Queue& queue, Workspace workspace) {
  return --calls_until_failure < 0 ? Code::device_error : relu_with_slip<0.0f>(args, queue, workspace);
}

double some_cost(const UnaryProblem&, const Machine&) { return 1e-6; }
Refusal unwilling(const UnaryProblem&, const Machine&) { return "needs a multiple of three"; }

using RunFn = Code (*)(const UnaryArgs&, const Queue&, Workspace);
Kernel<Unary> kernel(RunFn run, bool reference = false) {
  Kernel<Unary> k{};
  k.traits.reference = reference;
  k.supports = supports_all<Unary>;
  k.cost = some_cost;
  k.workspace = no_workspace<Unary>;
  k.run = run;
  return k;
}

class CompareKernels : public ::testing::Test {
 protected:
  template <class Op>
  std::vector<Row> compare(const std::string& op, const std::string& text, const std::vector<Entry<Op>>& entries,
                           CompareOptions options = {}) {
    options.min_seconds = 1e-3;
    const Request<Op> request = Op::parse(op, text).value();
    const Case<Op> problem = make_case(op, text, request, {}, options.seed);
    const auto checker = std::make_shared<test::Checker<Op>>(problem.attributes, problem.operands.pristine(), 1);
    const Judge judge{
        [checker](std::span<const View> results) -> Judgement {
          const test::Check check = (*checker)(results);
          return {check.worst_ratio, check.max_abs_error, check.compared, check.saturated, check.complaint};
        },
        checker->method()};
    Roof roof;
    roof.flops_one = roof.flops_all = 1e11;
    for (MemoryLevel& level : roof.levels) level = {"L2", 1 << 30, 1e11, 1e11};
    return compare_kernels<Op>(ctx_, problem, entries, judge, roof, options);
  }
  std::vector<Row> compare(const std::vector<Entry<Unary>>& entries, const CompareOptions& options = {}) {
    return compare<Unary>("relu", "f32:1000", entries, options);
  }
  static const Row& row(const std::vector<Row>& rows, const std::string& name) {
    for (const Row& r : rows)
      if (r.kernel == name) return r;
    ADD_FAILURE() << "no row " << name;
    return rows.front();
  }

  Context ctx_;
};

TEST_F(CompareKernels, JudgesBeforeItTimes) {
  const Kernel<Unary> right = kernel(relu_with_slip<0.0f>), reference = kernel(relu_with_slip<0.0f>, true),
                      wrong = kernel(relu_with_slip<1e-3f>), lazy = kernel(writes_nothing), broken = kernel(fails);
  const std::vector<Entry<Unary>> entries = {
      {"cpu.relu.made.right", Backend::cpu, &right},   {"cpu.relu.made.reference", Backend::cpu, &reference},
      {"cpu.relu.made.wrong", Backend::cpu, &wrong},   {"cpu.relu.made.lazy", Backend::cpu, &lazy},
      {"cpu.relu.made.broken", Backend::cpu, &broken}, {"cuda.relu.made.absent", Backend::cuda, nullptr}};
  const std::vector<Row> rows = compare(entries);
  ASSERT_EQ(rows.size(), entries.size() + 1);  // and kAuto
  EXPECT_EQ(rows.back().kernel, kAuto);

  const Row& good = row(rows, "cpu.relu.made.right");
  EXPECT_EQ(good.status, Status::ok) << good.reason;
  EXPECT_EQ(good.bound_ratio, 0);
  EXPECT_EQ(good.compared, 1000);
  EXPECT_EQ(good.method, "every element");
  EXPECT_GT(good.time.summary.median, 0);
  EXPECT_LE(good.time.summary.p25, good.time.summary.median);
  EXPECT_LE(good.time.summary.median, good.time.summary.p75);
  EXPECT_DOUBLE_EQ(good.rate, 8000 / good.time.summary.median / 1e9);
  EXPECT_EQ(good.rate_unit, "GB/s");
  EXPECT_DOUBLE_EQ(good.ceiling_fraction, 8000 / 1e11 / good.time.summary.median);
  EXPECT_DOUBLE_EQ(good.speedup_vs_reference,
                   row(rows, "cpu.relu.made.reference").time.summary.median / good.time.summary.median);
  EXPECT_EQ(row(rows, "cpu.relu.made.reference").speedup_vs_reference, 1);

  for (const char* name : {"cpu.relu.made.wrong", "cpu.relu.made.lazy", "cpu.relu.made.broken"}) {
    const Row& bad = row(rows, name);
    EXPECT_EQ(bad.status, Status::wrong) << name;
    EXPECT_FALSE(bad.time.measured()) << name;
    EXPECT_TRUE(std::isnan(bad.rate)) << name;
    EXPECT_FALSE(bad.reason.empty()) << name;
  }
  EXPECT_EQ(row(rows, "cpu.relu.made.wrong").reason.substr(0, 13), "element (500)");
  EXPECT_NE(row(rows, "cpu.relu.made.broken").reason.find("cpu.relu.made.broken failed"), std::string::npos);
  EXPECT_EQ(row(rows, "cuda.relu.made.absent").status, Status::skipped);
  EXPECT_EQ(row(rows, "cuda.relu.made.absent").reason, kNotBuilt);
}

TEST_F(CompareKernels, ReportsShowAWrongKernelWithoutFigures) {
  const Kernel<Unary> wrong = kernel(relu_with_slip<1.0f>);
  Comparison comparison;
  comparison.rows = compare({{"cpu.relu.made.wrong", Backend::cpu, &wrong}});
  EXPECT_TRUE(comparison.any_wrong());
  const std::string table = table_block(comparison.rows, {});
  EXPECT_NE(table.find("WRONG  element (500) is"), std::string::npos) << table;
  EXPECT_NE(to_markdown(comparison).find("**WRONG**"), std::string::npos);
  const auto json = nlohmann::json::parse(to_json(comparison));
  const auto& first = json.at("rows").at(0);
  EXPECT_EQ(first.at("status"), "wrong");
  for (const char* figure : {"median_s", "p25_s", "p75_s", "rate", "ceiling_fraction", "speedup_vs_reference"})
    EXPECT_TRUE(first.at(figure).is_null()) << figure;
  EXPECT_EQ(first.at("samples"), 0);
}

TEST_F(CompareKernels, RefusalsAndMissingMemoryAreSkips) {
  Kernel<Unary> picky = kernel(relu_with_slip<0.0f>);
  picky.supports = unwilling;
  Kernel<Unary> demanding = kernel(relu_with_slip<0.0f>);
  demanding.traits.math = MathMode::tf32;
  const Kernel<Unary> hungry = kernel(runs_out);
  const std::vector<Row> rows = compare({{"cpu.relu.made.picky", Backend::cpu, &picky},
                                         {"cpu.relu.made.hungry", Backend::cpu, &hungry},
                                         {"cpu.relu.made.tf32", Backend::cpu, &demanding}});
  EXPECT_EQ(rows[0].status, Status::skipped);
  EXPECT_EQ(rows[0].reason, "needs a multiple of three");
  EXPECT_EQ(rows[1].status, Status::skipped);
  EXPECT_NE(rows[1].reason.find("out of memory"), std::string::npos) << rows[1].reason;
  EXPECT_EQ(rows[2].status, Status::skipped);
  EXPECT_FALSE(rows[2].reason.empty());
}

TEST_F(CompareKernels, AFailureWhileTimingMakesTheRowWrong) {
  calls_until_failure = 3;
  const Kernel<Unary> tired = kernel(fails_later), right = kernel(relu_with_slip<0.0f>);
  const std::vector<Row> rows =
      compare({{"cpu.relu.made.tired", Backend::cpu, &tired}, {"cpu.relu.made.right", Backend::cpu, &right}});
  EXPECT_EQ(rows[0].status, Status::wrong);
  EXPECT_FALSE(rows[0].time.measured());
  EXPECT_EQ(rows[1].status, Status::ok);
  EXPECT_TRUE(rows[1].time.measured());
}

TEST_F(CompareKernels, InterruptedBeforeTheFirstKernelSkipsAll) {
  const Kernel<Unary> right = kernel(relu_with_slip<0.0f>);
  const std::atomic<bool> cancel{true};
  CompareOptions options;
  options.cancel = &cancel;
  const std::vector<Row> rows = compare({{"cpu.relu.made.right", Backend::cpu, &right}}, options);
  EXPECT_EQ(rows[0].status, Status::skipped);
  EXPECT_EQ(rows[0].reason, "interrupted");
}

TEST_F(CompareKernels, OnlyWantedKernelsHaveRows) {
  const Kernel<Unary> right = kernel(relu_with_slip<0.0f>);
  CompareOptions options;
  options.wanted = [](std::string_view name) { return name == "cpu.relu.made.b"; };
  const std::vector<Row> rows =
      compare({{"cpu.relu.made.a", Backend::cpu, &right}, {"cpu.relu.made.b", Backend::cpu, &right}}, options);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].kernel, "cpu.relu.made.b");
}

// Of an operation with several results every one is judged, and what a kernel left unwritten is found.
Code right_quantization(const DynamicQuantizeArgs& args, const Queue& queue, Workspace workspace) {
  static const Entry<DynamicQuantize>* reference = find_kernel<DynamicQuantize>("cpu.dynamic_quantize.f32.reference");
  return reference->kernel->run(args, queue, workspace);
}
Code wrong_scale(const DynamicQuantizeArgs& args, const Queue& queue, Workspace workspace) {
  const Code code = right_quantization(args, queue, workspace);
  args.scales[3 * args.scale_channel] *= 1.5f;
  return code;
}
Code no_zero_points(const DynamicQuantizeArgs& args, const Queue& queue, Workspace workspace) {
  std::int32_t elsewhere[8];
  DynamicQuantizeArgs other = args;
  other.zero_points = elsewhere;
  other.zero_channel = 1;
  return right_quantization(other, queue, workspace);
}

TEST_F(CompareKernels, JudgesEveryResult) {
  const auto made = [](Code (*run)(const DynamicQuantizeArgs&, const Queue&, Workspace)) {
    Kernel<DynamicQuantize> k = *find_kernel<DynamicQuantize>("cpu.dynamic_quantize.f32.reference")->kernel;
    k.run = run;
    return k;
  };
  const Kernel<DynamicQuantize> right = made(right_quantization), scale = made(wrong_scale),
                                lazy = made(no_zero_points);
  const std::vector<Row> rows = compare<DynamicQuantize>("dynamic_quantize", "s8:8x100,per_token",
                                                         {{"cpu.made.x.right", Backend::cpu, &right},
                                                          {"cpu.made.x.scale", Backend::cpu, &scale},
                                                          {"cpu.made.x.lazy", Backend::cpu, &lazy}});
  EXPECT_EQ(rows[0].status, Status::ok) << rows[0].reason;
  EXPECT_EQ(rows[0].compared, 8 + 8 + 800);
  EXPECT_EQ(rows[0].work.written_bytes, 8 * 4 + 8 * 4 + 800);
  EXPECT_EQ(rows[1].status, Status::wrong);
  EXPECT_EQ(rows[1].reason.substr(0, 21), "result 1, element (3)") << rows[1].reason;
  EXPECT_EQ(rows[2].status, Status::wrong);
  EXPECT_EQ(rows[2].reason.substr(0, 21), "result 2, element (0)") << rows[2].reason;
}

TEST_F(CompareKernels, SaturatedIntegersAreCounted) {
  const Entry<Quantize> entry = *find_kernel<Quantize>("cpu.quantize.f32.reference");
  // Values up to 1 with a scale of at most 1/16: most leave [-128, 127] only where the scale is below 1/127.
  const std::vector<Row> rows = compare<Quantize>("quantize", "s8:64x100,per_token", {entry});
  const Request<Quantize> request = Quantize::parse("quantize", "s8:64x100,per_token").value();
  const Case<Quantize> problem = make_case("quantize", "s8:64x100,per_token", request, {}, 1);
  std::int64_t saturated = 0;
  for (std::int64_t i = 0; i < 6400; ++i) {
    const float value = problem.operands.views()[0].as<float>()[i],
                scale = problem.operands.views()[1].as<float>()[i / 100];
    const float q = std::nearbyint(value / scale);
    if (q < -128 || q > 127) ++saturated;
  }
  EXPECT_GT(saturated, 0);
  EXPECT_EQ(rows[0].saturated, saturated);
  EXPECT_NE(table_block(rows, {}).find("saturated"), std::string::npos);
  EXPECT_EQ(compare({{"cpu.relu.made.a", Backend::cpu, nullptr}})[0].can_saturate, false);
}

TEST_F(CompareKernels, SparsityIsHeldAgainstTheDenseProduct) {
  const std::vector<Row> rows =
      compare<Spmm>("spmm", "csr:64x32x100@0.25", {table<Spmm>().begin(), table<Spmm>().end()});
  const Row& dense = row(rows, "cpu.spmm.csr.dense");
  const Row& simd = row(rows, "cpu.spmm.csr.simd");
  EXPECT_TRUE(dense.dense);
  EXPECT_FALSE(simd.dense);
  EXPECT_DOUBLE_EQ(simd.theoretical_speedup, 4);
  EXPECT_EQ(dense.speedup_vs_dense, 1);
  EXPECT_DOUBLE_EQ(simd.speedup_vs_dense, dense.time.summary.median / simd.time.summary.median);
  EXPECT_NE(table_block(rows, {}).find("of 4.00x"), std::string::npos);
}

TEST(Roofline, TheStricterCeilingCounts) {
  Roof roof;
  roof.flops_all = 100;
  roof.levels = {MemoryLevel{"L1", 10, 50, 60}, MemoryLevel{"L2", 100, 20, 30}, MemoryLevel{"L3", 1000, 8, 9},
                 MemoryLevel{"DRAM", INT64_MAX, 1, 2}};
  EXPECT_EQ(roof.level_of(10).name, "L1");
  EXPECT_EQ(roof.level_of(11).name, "L2");
  EXPECT_EQ(roof.level_of(1e9).name, "DRAM");
  const Bound arithmetic = host_bound({1000, 100, 20, true}, roof);  // 10 s of FMA against 100 / 30
  EXPECT_EQ(arithmetic.by, "FMA");
  EXPECT_DOUBLE_EQ(arithmetic.seconds, 10);
  const Bound reading = host_bound({100, 100, 20, true}, roof);
  EXPECT_EQ(reading.by, "read L2");
  EXPECT_DOUBLE_EQ(reading.seconds, 100.0 / 30);
  const Bound copying = host_bound({1e6, 100, 50, false}, roof);  // told in bytes/s: flops do not count
  EXPECT_EQ(copying.by, "copy L2");
  EXPECT_DOUBLE_EQ(copying.seconds, 5);
  // 2500 bytes: of the 1000 of L3 half is still there, the rest comes from memory.
  const Bound mixed = host_bound({0, 2500, 1250, false}, roof);
  EXPECT_EQ(mixed.by, "copy L3 and DRAM");
  EXPECT_DOUBLE_EQ(mixed.seconds, 500.0 / 8 + 2000.0 / 1);
  EXPECT_EQ(host_bound({0, 4000, 2000, false}, roof).by, "copy DRAM");
  EXPECT_EQ(device_bound({1, 1, 1, true}, Ceilings{}).by, "");
}

TEST(Roofline, SmallNumbersHaveCeilingsOfTheirOwn) {
  Roof roof;
  roof.flops_all = 100;
  roof.bf16_all = 200;
  roof.s8_all = 400;
  roof.levels.fill(MemoryLevel{"L1", INT64_MAX, 1e6, 1e6});
  Work work{4000, 100, 20, true};
  work.arithmetic = DType::s8;
  EXPECT_EQ(host_bound(work, roof).by, "s8 dot");
  EXPECT_DOUBLE_EQ(host_bound(work, roof).seconds, 10);
  work.arithmetic = DType::bf16;
  EXPECT_EQ(host_bound(work, roof).by, "bf16 dot");
  EXPECT_DOUBLE_EQ(host_bound(work, roof).seconds, 20);
  Ceilings ceilings;
  ceilings.gpu_flops = ceilings.gpu_bytes = 100;
  EXPECT_EQ(device_bound(work, ceilings).by, "device memory") << "tensor cores were not measured";
  ceilings.gpu_bf16_flops = 200;
  EXPECT_EQ(device_bound(work, ceilings).by, "bf16 tensor cores");
  EXPECT_DOUBLE_EQ(device_bound(work, ceilings).seconds, 20);
  MatmulProblem product;
  product.dtype = DType::bf16;
  EXPECT_EQ(Matmul::arithmetic(product), DType::bf16);
  EXPECT_EQ(QuantizedMatmul::arithmetic({}), DType::s8);
}

}  // namespace
}  // namespace tandem::profile::compare_kernels_test
