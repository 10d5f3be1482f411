// cuBLASLt beside our CUDA products of s8 and bf16, on data that is on the device, in shuffled rounds of one process:
//   s8 -> s32   the best of the algorithms that cuBLASLt proposes, and every kernel of the table
//   s8 -> s8    that and our requantize, each timed by itself and added, and every kernel with everything fused
//   bf16        bf16 results, f32 sums
// b is contiguous along k, the layout that cuBLASLt needs for s8. s32 and s8 results must be equal, bf16 ones within
// their bound, before anything is timed. Exit code: 0, 1 when a kernel is wrong, 2 when there is no GPU or no cuBLASLt.
#include <fmt/core.h>

#include <bit>
#include <cmath>
#include <cstring>

#include <tandem/context.h>
#include <tandem/error.h>
#include <tandem/quantize.h>

#include "bench/peers/lt_product.h"
#include "bench/peers/program.h"

namespace {

using namespace tandem::peers;
using tandem::Device;
using tandem::DType;
using tandem::Tensor;

struct Row {
  std::string problem, kernel, status;
  double operations = 0, median = 0, p25 = 0, p75 = 0, of_peer = 0;
};

float bf16_value(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

Tensor random_values(const tandem::Shape& shape, DType dtype, std::mt19937& generator) {
  Tensor t = Tensor::empty(shape, dtype);
  if (dtype == DType::s8) {
    std::uniform_int_distribution<int> uniform(-128, 127);
    std::generate_n(t.data<std::int8_t>(), t.elements(), [&] { return static_cast<std::int8_t>(uniform(generator)); });
  } else {  // the upper halves of floats in [-1, 1)
    std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
    std::generate_n(static_cast<std::uint16_t*>(t.view().data()), t.elements(),
                    [&] { return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(uniform(generator)) >> 16); });
  }
  return t;
}

/// Integers: equal. bf16: both are roundings of sums of k products whose magnitudes are 1/4 on average, each within
/// gamma(2 k) times the sum of these of the exact one, so they differ by twice that and a unit in the last place.
bool agrees(const Tensor& ours, const Tensor& theirs, std::int64_t k) {
  if (ours.dtype() != DType::bf16)
    return std::memcmp(ours.view().data(), theirs.view().data(),
                       static_cast<std::size_t>(ours.elements()) * size_of(ours.dtype())) == 0;
  const auto* x = static_cast<const std::uint16_t*>(ours.view().data());
  const auto* y = static_cast<const std::uint16_t*>(theirs.view().data());
  const double terms = static_cast<double>(k), sums = 2 * (2 * terms * 0x1p-24) * (0.3 * terms);
  for (std::int64_t i = 0; i < ours.elements(); ++i) {
    const double a = bf16_value(x[i]), b = bf16_value(y[i]);
    if (!(std::abs(a - b) <= sums + std::max(std::abs(a), std::abs(b)) * 0x1p-7)) return false;
  }
  return true;
}

/// Puts other bytes where a result will be.
void spoil(const Tensor& result) {
  void* memory = const_cast<void*>(result.view().data());
  check(cudaMemset(memory, 0xa5, static_cast<std::size_t>(result.elements()) * size_of(result.dtype())), "cudaMemset");
  check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
}

/// One problem: what cuBLASLt does, in one or more parts, against every kernel of an operation that takes it.
class Contest {
 public:
  Contest(tandem::Context& ctx, const PeerOptions& options, std::string problem, double operations, std::int64_t k)
      : ctx_(ctx), options_(options), problem_(std::move(problem)), operations_(operations), k_(k) {}

  /// A part of what the peer does; the last one leaves what is expected in `result`.
  void peer(std::string name, std::function<void()> enqueue, const Tensor& result) {
    enqueue();
    check(cudaDeviceSynchronize(), name.c_str());
    expected_ = result.to(ctx_, Device::cpu());
    runners_.push_back({std::move(name), std::move(enqueue), {}, 1});
    rows_.push_back({problem_, runners_.back().name, "ok", operations_});
    ++parts_;
  }

  /// `call` runs the kernel of that name into `result`.
  void kernels(const char* op, const std::function<void(const std::string&)>& call, const Tensor& result) {
    for (const tandem::KernelInfo& info : tandem::kernels(ctx_)) {
      if (info.op != op || info.backend != tandem::Backend::cuda || !info.runnable) continue;
      if (!options_.wants(info.name)) continue;
      Row row{problem_, info.name, "ok", operations_};
      try {
        spoil(result);  // what the kernel before it left is right
        call(info.name);
        if (!agrees(result.to(ctx_, Device::cpu()), expected_, k_)) row.status = "wrong";
      } catch (const tandem::Error& error) {
        row.status = std::string("skipped: ") + error.what();
      }
      if (row.status == "ok") runners_.push_back({info.name, [call, name = info.name] { call(name); }, {}, 1});
      rows_.push_back(row);
    }
  }

  std::vector<Row> time(std::mt19937& generator) {
    time_interleaved(runners_, options_.rounds, generator);
    double reference = 0;
    for (std::size_t i = 0; i < parts_; ++i) reference += quantile(runners_[i].samples, 0.5);
    for (const Runner& runner : runners_) {
      Row& row = *std::find_if(rows_.begin(), rows_.end(), [&](const Row& r) { return r.kernel == runner.name; });
      row.median = quantile(runner.samples, 0.5);
      row.p25 = quantile(runner.samples, 0.25);
      row.p75 = quantile(runner.samples, 0.75);
      row.of_peer = reference / row.median;
    }
    return rows_;
  }

 private:
  tandem::Context& ctx_;
  const PeerOptions& options_;
  std::string problem_;
  double operations_;
  std::int64_t k_;
  Tensor expected_;
  std::size_t parts_ = 0;
  std::vector<Runner> runners_;
  std::vector<Row> rows_;
};

double operations_of(Size size) {
  return 2.0 * static_cast<double>(size.m) * static_cast<double>(size.n) * static_cast<double>(size.k);
}
std::string text_of(Size size) { return fmt::format("{}x{}x{}", size.m, size.n, size.k); }

void append(std::vector<Row>& all, std::vector<Row> rows) { all.insert(all.end(), rows.begin(), rows.end()); }

void compare_s8(tandem::Context& ctx, Size size, const PeerOptions& peer_options, std::mt19937& generator,
                std::vector<Row>& all) {
  const Device gpu = Device::cuda(0);
  const Tensor a = random_values({size.m, size.k}, DType::s8, generator).to(ctx, gpu);
  const Tensor b = random_values({size.n, size.k}, DType::s8, generator).to(ctx, gpu);
  Tensor sums = Tensor::empty(ctx, {size.m, size.n}, DType::s32, gpu);
  tandem::Quantization unit;
  unit.scales = Tensor::full({1}, 1.0f).to(ctx, gpu);
  ctx.synchronize();  // cuBLASLt works on a stream of its own
  const LtProduct product(size, DType::s8, a, b, sums);

  tandem::QuantizedMatmulOptions options;
  options.result = DType::s32;
  Tensor ours = Tensor::empty(ctx, {size.m, size.n}, DType::s32, gpu);
  Contest exact(ctx, peer_options, "s8:" + text_of(size) + ",tb,out=s32", operations_of(size), size.k);
  exact.peer(
      fmt::format("cublaslt.s32, best of {}", product.proposed()), [&] { product.enqueue(); }, sums);
  exact.kernels(
      "quantized_matmul",
      [&, options](const std::string& kernel) mutable {
        options.call.kernel = kernel;
        quantized_matmul_into(ctx, a, unit, b.view().transposed(), unit, ours, options);
      },
      ours);
  append(all, exact.time(generator));

  // To s8: the scale that a requantisation of the sums applies, once in a kernel of its own and once fused.
  const float result_scale = std::exp2(std::round(std::log2(std::sqrt(static_cast<float>(size.k)) * 128.0f)));
  const Tensor multipliers = Tensor::full({1}, 1.0f / result_scale).to(ctx, gpu);
  Tensor small = Tensor::empty(ctx, {size.m, size.n}, DType::s8, gpu),
         fused = Tensor::empty(ctx, {size.m, size.n}, DType::s8, gpu);
  options.result = DType::s8;
  options.result_scale = result_scale;
  Contest requantised(ctx, peer_options, "s8:" + text_of(size) + ",tb,out=s8", operations_of(size), size.k);
  requantised.peer(
      "cublaslt.s32", [&] { product.enqueue(); }, sums);
  requantised.peer(
      "requantize", [&] { requantize_into(ctx, sums, multipliers, 0, small.view()); }, small);
  requantised.kernels(
      "quantized_matmul",
      [&, options](const std::string& kernel) mutable {
        options.call.kernel = kernel;
        quantized_matmul_into(ctx, a, unit, b.view().transposed(), unit, fused, options);
      },
      fused);
  append(all, requantised.time(generator));
}

void compare_bf16(tandem::Context& ctx, Size size, const PeerOptions& peer_options, std::mt19937& generator,
                  std::vector<Row>& all) {
  const Device gpu = Device::cuda(0);
  const Tensor a = random_values({size.m, size.k}, DType::bf16, generator).to(ctx, gpu);
  const Tensor b = random_values({size.n, size.k}, DType::bf16, generator).to(ctx, gpu);
  Tensor theirs = Tensor::empty(ctx, {size.m, size.n}, DType::bf16, gpu),
         ours = Tensor::empty(ctx, {size.m, size.n}, DType::bf16, gpu);
  ctx.synchronize();
  const LtProduct product(size, DType::bf16, a, b, theirs);
  Contest contest(ctx, peer_options, "bf16:" + text_of(size) + ",tb", operations_of(size), size.k);
  contest.peer(
      fmt::format("cublaslt.bf16, best of {}", product.proposed()), [&] { product.enqueue(); }, theirs);
  contest.kernels(
      "matmul",
      [&](const std::string& kernel) {
        tandem::MatmulOptions options;
        options.call.kernel = kernel;
        matmul_into(ctx, a, b.view().transposed(), ours, options);
      },
      ours);
  append(all, contest.time(generator));
}

nlohmann::json to_json(const std::vector<Row>& rows, const tandem::GpuInfo& gpu) {
  nlohmann::json out = json_header("tandem-cublaslt/1", gpu);
  for (const Row& row : rows)
    out["rows"].push_back({{"problem", row.problem},
                           {"kernel", row.kernel},
                           {"status", row.status},
                           {"median_s", row.median},
                           {"p25_s", row.p25},
                           {"p75_s", row.p75},
                           {"gops", row.median > 0 ? row.operations / row.median / 1e9 : 0.0},
                           {"of_peer", row.of_peer}});
  return out;
}

bool run(tandem::Context& ctx, const tandem::GpuInfo& gpu, const std::vector<Size>& sizes, const PeerOptions& options) {
  std::mt19937 generator(1);
  std::vector<Row> all;
  for (const Size size : sizes) {
    compare_s8(ctx, size, options, generator, all);
    if (gpu.compute_capability >= 80) compare_bf16(ctx, size, options, generator, all);
  }
  bool wrong = false;
  for (const Row& row : all) {
    wrong = wrong || row.status == "wrong";
    if (row.status == "ok")
      fmt::print("{:>30} {:>32} {:>10.1f} us {:>10.1f} Top/s {:>8.3f} of cuBLASLt\n", row.problem, row.kernel,
                 row.median * 1e6, row.operations / row.median / 1e12, row.of_peer);
    else
      fmt::print("{:>30} {:>32} {}\n", row.problem, row.kernel, row.status == "wrong" ? "WRONG" : row.status);
  }
  write_json(options.json_file, to_json(all, gpu));
  return !wrong;
}

}  // namespace

int main(int argc, char** argv) {
  return peer_main(argc, argv, "tandem-peer-cublaslt",
                   "cuBLASLt and every CUDA kernel for s8 and bf16 products, interleaved, on device data",
                   {{64, 4096, 4096}, {4096, 4096, 4096}},
                   {{16, 4096, 4096},
                    {64, 5120, 5120},
                    {64, 13824, 5120},
                    {128, 4096, 4096},
                    {512, 512, 512},
                    {1024, 1024, 1024},
                    {2048, 2048, 2048},
                    {4096, 4096, 4096}},
                   run);
}
