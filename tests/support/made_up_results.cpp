#include "tests/support/made_up_results.h"

#include <limits>
#include <utility>

#include "common/profile/timing.h"

namespace tandem::test {
namespace {

using namespace profile;

Row row_of(const std::string& kernel, const std::string& backend, Status status) {
  Row row;
  row.op = "matmul";
  row.problem = "f32:64x64x64";
  row.kernel = row.ran = kernel;
  row.backend = backend;
  row.operands = "a uniform [-1, 1), b w1.npy";
  row.status = status;
  row.threads = 8;
  row.rate_unit = "GFLOP/s";
  row.work = {524288, 49152, 16384, true, 0, DType::f32};
  row.reproduce = "tandem-compare matmul f32:64x64x64 --kernels " + kernel;
  return row;
}

Row right(const std::string& kernel, const std::string& backend, double seconds) {
  Row row = row_of(kernel, backend, Status::ok);
  row.time = made_up_timing({seconds, 1.01 * seconds, 0.99 * seconds, 1.3 * seconds});
  row.rate = row.work.flops / row.time.summary.median / 1e9;
  row.ceiling = {2e-6, "FMA", 123456789012.5, true};
  row.ceiling_fraction = row.ceiling.seconds / row.time.summary.median;
  row.bound_ratio = 0.125;
  row.max_abs_error = 1e-7;
  row.compared = 4096;
  row.method = "every element";
  row.predicted_seconds = 1.1 * seconds;
  return row;
}

}  // namespace

Timing made_up_timing(std::vector<double> samples) { return timing_of({std::move(samples), 3, Stop::enough, {}}); }

Comparison made_up_comparison() {
  Comparison c;
  c.date = "2026-01-02T03:04:05Z";
  c.library = "9.9.9";
  c.machine.cpu.name = "A CPU (R) \"quoted\" </script> \xc3\xa9";
  c.machine.cpu.isa = IsaLevel::avx2;
  c.machine.gpus.push_back({});
  c.machine.gpus[0].name = "A GPU";
  c.machine.gpus[0].compute_capability = 90;
  c.machine.ceilings.gpu_flops = 6.7e13;
  c.machine.ceilings.gpu_bytes = 3.3e12;
  c.roof.threads = 8;
  c.roof.flops_one = 1e11;
  c.roof.flops_all = 8e11;
  c.roof.s8_all = 3e12;
  c.roof.bf16_all = 1.5e12;
  c.roof.levels = {{{"L1", 1 << 18, 9e11, 1e12},
                    {"L2", 1 << 22, 5e11, 6e11},
                    {"L3", 1 << 25, 1e11, 2e11},
                    {"DRAM", std::numeric_limits<std::int64_t>::max(), 2e10, 3e10}}};
  c.timer = {1e-9, 2.5e-8, 1.5e-9};
  c.noise = {0.25, 8, 8, "performance", "n/a: no permission", "on", "none", "no", "madvise"};
  c.during = {kAbsent, 12};
  c.seed = std::uint64_t{1} << 53;
  c.min_seconds = 0.1;
  c.seconds = 12.5;

  Row reference = right("cpu.matmul.f32.naive", "cpu", 1e-3);
  reference.reference = true;
  reference.speedup_vs_reference = 1;
  Row simd = right("cpu.matmul.f32.simd", "cpu", 1e-4);
  simd.speedup_vs_reference = 10;
  simd.time.places = {1, 0, 2, 0};
  simd.vs_reference = {Verdict::faster, 10, {9.5, 10.5}, 0.001, 0.07};
  simd.vs_best = {Verdict::slower, 0.1, {0.09, 0.11}, 0.002, 0.2};
  simd.drift = -0.25;
  simd.cold = made_up_timing({2e-4, 3e-4, 4e-4});
  simd.label = "first | second, \"third\"";
  Row cuda = right("cuda.matmul.f32.tiled", "cuda", 1e-5);
  cuda.end_to_end = made_up_timing({3e-5, 4e-5, 5e-5});
  cuda.end_to_end_speedup_vs_reference = 25;
  cuda.predicted_end_to_end_seconds = 4.5e-5;
  Row automatic = right(kAuto, "cpu", 1.02e-4);
  automatic.ran = simd.kernel;
  automatic.chosen = true;
  automatic.regret = 1.5;
  Row wrong = row_of("cpu.matmul.f32.broken", "cpu", Status::wrong);
  wrong.reason = "element 5 is 3, expected 4 +- 0.5 \x01 <b>";
  wrong.bound_ratio = std::numeric_limits<double>::infinity();  // written as null
  Row skipped = row_of("cpu.matmul.f32.amx", "cpu", Status::skipped);
  skipped.reason = "this CPU has no AMX";
  Row sparse = right("cpu.spmm.csr.rows", "cpu", 2e-4);
  sparse.op = "spmm";
  sparse.problem = "csr:64x64x64@0.05";
  sparse.work.dense_flops = 524288;
  sparse.work.flops = 26214.4;
  sparse.theoretical_speedup = 20;
  sparse.speedup_vs_dense = 6.07;
  Row bytes = right("cpu.quantized_matmul.s8.simd", "cpu", 5e-5);
  bytes.op = "quantized_matmul";
  bytes.problem = "s8:64x64x64";
  bytes.work.arithmetic = DType::s8;
  bytes.can_saturate = true;
  bytes.saturated = 17;
  c.rows = {reference, simd, cuda, automatic, wrong, skipped, sparse, bytes};
  c.statements = {{"digits", "right on 9 of 10", {{"z", 9}, {"accuracy", 0.9}, {"absent", kAbsent}}}};
  return c;
}

}  // namespace tandem::test
