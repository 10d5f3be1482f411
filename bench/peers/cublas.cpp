// cuBLAS beside our CUDA products: cublasSgemm in pedantic mode (f32 arithmetic, as ours) and every kernel of the table
// that runs here, on data that is on the device, in shuffled rounds of one process. Results are checked before anything
// is timed. Exit code: 0, 1 when a kernel is wrong, 2 when there is no GPU or no working cuBLAS.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <tandem/context.h>
#include <tandem/error.h>
#include <tandem/ops.h>

#include "bench/peers/program.h"

namespace {

using tandem::Device;
using tandem::Tensor;
using namespace tandem::peers;

struct Row {
  Size size;
  std::string kernel;
  std::string status;
  double median = 0, p25 = 0, p75 = 0, of_cublas = 0, bound_ratio = 0;
  std::size_t samples = 0;
};

class Cublas {
 public:
  Cublas() {
    check(cublasCreate(&handle_), "cublasCreate");
    check(cublasSetMathMode(handle_, CUBLAS_PEDANTIC_MATH), "cublasSetMathMode");
  }
  ~Cublas() { cublasDestroy(handle_); }
  Cublas(const Cublas&) = delete;
  Cublas& operator=(const Cublas&) = delete;

  // Row-major c = a @ b is column-major c^T = b^T @ a^T.
  void product(const Tensor& a, const Tensor& b, Tensor& c, Size size) const {
    const float one = 1.0f, zero = 0.0f;
    const int m = static_cast<int>(size.m), n = static_cast<int>(size.n), k = static_cast<int>(size.k);
    check(cublasSgemm(handle_, CUBLAS_OP_N, CUBLAS_OP_N, n, m, k, &one, pointer(b), n, pointer(a), k, &zero,
                      static_cast<float*>(c.view().data()), n),
          "cublasSgemm");
  }

 private:
  static const float* pointer(const Tensor& t) { return static_cast<const float*>(t.view().data()); }
  cublasHandle_t handle_ = nullptr;
};

Tensor random_tensor(const tandem::Shape& shape, std::mt19937& generator) {
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  Tensor t = Tensor::empty(shape);
  std::generate_n(t.data<float>(), t.elements(), [&] { return uniform(generator); });
  return t;
}

Tensor absolute(const Tensor& t) {
  Tensor out = Tensor::empty(t.shape());
  std::transform(t.data<float>(), t.data<float>() + t.elements(), out.data<float>(),
                 [](float x) { return std::fabs(x); });
  return out;
}

// The largest |ours - cuBLAS| as a multiple of what two correct f32 products may differ by: 2 gamma(k) (|a| @ |b|).
double bound_ratio(const Tensor& ours, const Tensor& theirs, const Tensor& magnitude, std::int64_t k) {
  const double unit = std::ldexp(1.0, -24);
  const double gamma = static_cast<double>(k + 2) * unit / (1.0 - static_cast<double>(k + 2) * unit);
  double worst = 0;
  for (std::int64_t i = 0; i < ours.elements(); ++i) {
    const double difference = std::fabs(static_cast<double>(ours.data<float>()[i]) - theirs.data<float>()[i]);
    const double bound = 2.0 * gamma * static_cast<double>(magnitude.data<float>()[i]) * (1.0 + gamma);
    if (std::isnan(difference)) return std::numeric_limits<double>::infinity();
    worst = std::max(worst, difference == 0 ? 0 : difference / bound);
  }
  return worst;
}

std::vector<Row> compare(tandem::Context& ctx, const Cublas& cublas, Size size, const PeerOptions& peer_options,
                         std::mt19937& generator) {
  const auto [m, n, k] = size;
  const Device gpu = Device::cuda(0);
  const Tensor a_host = random_tensor({m, k}, generator), b_host = random_tensor({k, n}, generator);
  const Tensor a = a_host.to(ctx, gpu), b = b_host.to(ctx, gpu);
  Tensor theirs = Tensor::empty(ctx, {m, n}, tandem::DType::f32, gpu),
         ours = Tensor::empty(ctx, {m, n}, tandem::DType::f32, gpu);
  ctx.synchronize();  // cuBLAS works on a stream of its own

  const Tensor a_abs = absolute(a_host).to(ctx, gpu), b_abs = absolute(b_host).to(ctx, gpu);
  ctx.synchronize();
  cublas.product(a_abs, b_abs, theirs, size);
  check(cudaDeviceSynchronize(), "cuBLAS");
  const Tensor magnitude = theirs.to(ctx, Device::cpu());
  cublas.product(a, b, theirs, size);
  check(cudaDeviceSynchronize(), "cuBLAS");
  const Tensor expected = theirs.to(ctx, Device::cpu());

  std::vector<Row> rows;
  std::vector<Runner> runners{{"cublas.sgemm.pedantic", [&] { cublas.product(a, b, theirs, size); }, {}, 1}};
  for (const tandem::KernelInfo& info : tandem::kernels(ctx)) {
    if (info.op != "matmul" || info.backend != tandem::Backend::cuda || !info.runnable) continue;
    if (!peer_options.wants(info.name)) continue;
    tandem::MatmulOptions options;
    options.call.kernel = info.name;
    try {
      tandem::matmul_into(ctx, a, b, ours, options);
      const double ratio = bound_ratio(ours.to(ctx, Device::cpu()), expected, magnitude, k);
      rows.push_back({size, info.name, ratio <= 1 ? "ok" : "wrong", 0, 0, 0, 0, ratio, 0});
    } catch (const tandem::Error& error) {
      rows.push_back({size, info.name, std::string("skipped: ") + error.what(), 0, 0, 0, 0, 0, 0});
    }
    if (rows.back().status != "ok") continue;
    runners.push_back(
        {info.name, [&ctx, &a, &b, &ours, options] { tandem::matmul_into(ctx, a, b, ours, options); }, {}, 1});
  }
  time_interleaved(runners, peer_options.rounds, generator);

  rows.insert(rows.begin(), {size, runners[0].name, "ok", 0, 0, 0, 0, 0, 0});
  const double reference = quantile(runners[0].samples, 0.5);
  for (const Runner& runner : runners) {
    Row& row = *std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.kernel == runner.name; });
    row.median = quantile(runner.samples, 0.5);
    row.p25 = quantile(runner.samples, 0.25);
    row.p75 = quantile(runner.samples, 0.75);
    row.of_cublas = reference / row.median;
    row.samples = runner.samples.size();
  }
  return rows;
}

double gflops(const Row& row) {
  if (row.median <= 0) return 0;
  return 2.0 * static_cast<double>(row.size.m) * static_cast<double>(row.size.n) * static_cast<double>(row.size.k) /
         row.median / 1e9;
}

nlohmann::json to_json(const std::vector<Row>& rows, const tandem::GpuInfo& gpu) {
  nlohmann::json out = json_header("tandem-cublas/1", gpu);
  for (const Row& row : rows) {
    out["rows"].push_back({{"problem", fmt::format("f32:{}x{}x{}", row.size.m, row.size.n, row.size.k)},
                           {"kernel", row.kernel},
                           {"status", row.status},
                           {"median_s", row.median},
                           {"p25_s", row.p25},
                           {"p75_s", row.p75},
                           {"samples", row.samples},
                           {"gflops", gflops(row)},
                           {"of_cublas", row.of_cublas},
                           {"bound_ratio", row.bound_ratio}});
  }
  return out;
}

bool run(tandem::Context& ctx, const tandem::GpuInfo& gpu, const std::vector<Size>& sizes, const PeerOptions& options) {
  const Cublas cublas;
  std::mt19937 generator(1);
  fmt::print("{:>18} {:>28} {:>10} {:>10} {:>10} {:>12}\n", "m x n x k", "kernel", "median us", "GFLOP/s", "of cuBLAS",
             "error/bound");

  std::vector<Row> all;
  bool wrong = false;
  for (const Size size : sizes) {
    for (const Row& row : compare(ctx, cublas, size, options, generator)) {
      const std::string problem = fmt::format("{}x{}x{}", size.m, size.n, size.k);
      if (row.status == "ok") {
        fmt::print("{:>18} {:>28} {:>10.1f} {:>10.0f} {:>10.3f} {:>12.4f}\n", problem, row.kernel, row.median * 1e6,
                   gflops(row), row.of_cublas, row.bound_ratio);
      } else {
        fmt::print("{:>18} {:>28} {}\n", problem, row.kernel, row.status == "wrong" ? "WRONG" : row.status);
      }
      wrong = wrong || row.status == "wrong";
      all.push_back(row);
    }
  }
  write_json(options.json_file, to_json(all, gpu));
  return !wrong;
}

}  // namespace

int main(int argc, char** argv) {
  return peer_main(argc, argv, "tandem-peer-cublas",
                   "cublasSgemm (pedantic) and every CUDA matmul kernel, interleaved, on device data",
                   {{512, 512, 512}, {1000, 1000, 1000}, {4096, 4096, 4096}},
                   {{128, 128, 128},
                    {256, 256, 256},
                    {512, 512, 512},
                    {1000, 1000, 1000},
                    {1024, 1024, 1024},
                    {2048, 2048, 2048},
                    {4095, 4095, 4095},
                    {4096, 4096, 4096},
                    {16, 4096, 4096},
                    {64, 4096, 4096},
                    {8192, 8192, 128},
                    {4096, 64, 4096}},
                   run);
}
