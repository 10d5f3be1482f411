// tandem-gemm-bench [MxNxK[,ta][,tb] ...]: the f32 matrix products of the CPU kernels beside OpenBLAS.
//
// Each product is verified against double before it is timed. The candidates and the ceilings (independent
// multiply-adds in registers; a sum over 256 MiB) are measured in turn in every round, and medians over the rounds are
// printed, so that all figures of a row come from the same seconds. OpenBLAS is loaded at run time, where it is
// installed.
#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "bench/support/product_size.h"
#include "bench/support/program.h"
#include "bench/support/run_options.h"
#include "common/core/host_api.h"
#include "common/core/memory.h"
#include "common/core/thread_pool.h"
#include "cpu/gemm/blocking.h"
#include "cpu/kernels.h"

namespace {

using tandem::Code;
using tandem::Machine;
using tandem::MatmulArgs;
using tandem::MatmulProblem;
using Clock = std::chrono::steady_clock;
using MatmulKernel = tandem::Kernel<tandem::Matmul>;

using Shape = tandem::bench::ProductSize;

std::string print(const Shape& s) {
  return fmt::format("{}x{}x{}{}{}", s.m, s.n, s.k, s.ta ? ",ta" : "", s.tb ? ",tb" : "");
}

using Buffer = std::shared_ptr<float[]>;

Buffer random_buffer(std::int64_t count, std::uint32_t seed) {
  const std::shared_ptr<void> memory =
      tandem::allocate_host(static_cast<std::size_t>(count) * sizeof(float), 64, "bench");
  const Buffer buffer(memory, static_cast<float*>(memory.get()));
  std::minstd_rand random(seed);
  std::uniform_real_distribution<float> values(-1.0f, 1.0f);
  for (std::int64_t i = 0; i < count; ++i) buffer[static_cast<std::size_t>(i)] = values(random);
  return buffer;
}

// One product with its operands.
struct Product {
  explicit Product(const Shape& s)
      : shape(s), a(random_buffer(s.m * s.k, 1)), b(random_buffer(s.k * s.n, 2)), c(random_buffer(s.m * s.n, 3)) {
    args.m = s.m;
    args.n = s.n;
    args.k = s.k;
    args.a = {a.get(), s.ta ? 1 : s.k, s.ta ? s.m : 1};
    args.b = {b.get(), s.tb ? 1 : s.n, s.tb ? s.k : 1};
    args.c = {c.get(), s.n, 1};
    problem.m = s.m;
    problem.n = s.n;
    problem.k = s.k;
    problem.a = s.ta ? tandem::Layout::column : tandem::Layout::row;
    problem.b = s.tb ? tandem::Layout::column : tandem::Layout::row;
  }

  // Some elements of c against double: |error| <= gamma(k) * sum |a||b|.
  bool verify() const {
    const std::int64_t elements = shape.m * shape.n, step = std::max<std::int64_t>(1, elements / 3000) | 1;
    for (std::int64_t at = 0; at < elements; at += step) {
      const std::int64_t i = at / shape.n, j = at % shape.n;
      double sum = 0, bound = 0;
      for (std::int64_t p = 0; p < shape.k; ++p) {
        const double t = static_cast<double>(a[static_cast<std::size_t>(i * args.a.row + p * args.a.col)]) *
                         static_cast<double>(b[static_cast<std::size_t>(p * args.b.row + j * args.b.col)]);
        sum += t;
        bound += std::fabs(t);
      }
      const double unit = 0x1p-24 * static_cast<double>(shape.k);
      if (!(std::fabs(static_cast<double>(c[static_cast<std::size_t>(at)]) - sum) <= unit / (1 - unit) * bound))
        return false;
    }
    return true;
  }

  Shape shape;
  Buffer a, b, c;
  MatmulArgs args;
  MatmulProblem problem;
};

// OpenBLAS, when it can be loaded.
struct OpenBlas {
  using Sgemm = void (*)(int, int, int, int, int, int, float, const float*, int, const float*, int, float, float*, int);
  Sgemm sgemm = nullptr;
  void (*set_threads)(int) = nullptr;

  OpenBlas() {
    void* library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return;
    sgemm = reinterpret_cast<Sgemm>(dlsym(library, "cblas_sgemm"));
    set_threads = reinterpret_cast<void (*)(int)>(dlsym(library, "openblas_set_num_threads"));
  }
  bool loaded() const { return sgemm != nullptr && set_threads != nullptr; }
  void run(const Product& p) const {
    constexpr int kRowMajor = 101, kPlain = 111, kTransposed = 112;
    const Shape& s = p.shape;
    const auto i = [](std::int64_t x) { return static_cast<int>(x); };
    sgemm(kRowMajor, s.ta ? kTransposed : kPlain, s.tb ? kTransposed : kPlain, i(s.m), i(s.n), i(s.k), 1.0f, p.a.get(),
          i(s.ta ? s.m : s.k), p.b.get(), i(s.tb ? s.k : s.n), 0.0f, p.c.get(), i(s.n));
  }
};

struct Candidate {
  std::string name;
  std::function<void()> run;
  int repeats = 1;
  std::vector<double> seconds;
};

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double time_once(const std::function<void()>& run, int repeats) {
  const Clock::time_point start = Clock::now();
  for (int r = 0; r < repeats; ++r) run();
  return seconds_since(start) / repeats;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

struct Options {
  std::vector<Shape> shapes;
  std::vector<int> threads;
  double seconds = 0.25;  // a row and candidate
  bool all = false;
  std::optional<tandem::IsaLevel> isa;
  tandem::cpu::MatmulBlocking blocking;
};

class Bench {
 public:
  explicit Bench(const Options& options) : options_(options) {
    machine_.cpu = tandem::cpu::query();
    if (options.isa) machine_.cpu.isa = *options.isa;
  }

  // False when a result is wrong.
  bool run(int threads) {
    machine_.cpu.threads = threads;
    tandem::ThreadPool pool(threads);
    queue_ = {&machine_, threads > 1 ? &pool : nullptr, nullptr};
    if (blas_.loaded()) blas_.set_threads(threads);
    fmt::print("\n{} thread{}, {}, {}; OpenBLAS {}\n", threads, threads > 1 ? "s" : "", machine_.cpu.name,
               tandem::name(machine_.cpu.isa), blas_.loaded() ? "loaded" : "not found");
    fmt::print("{:<22} {:>9} {:>9} {:>8}", "m x n x k", "FMA peak", "simd", "of peak");
    fmt::print(" {:>9} {:>7} {:>11}", "OpenBLAS", "simd/OB", "simd GB/s");
    if (options_.all) fmt::print(" {:>9} {:>9} {:>9}", "blocked", "naive", "eigen");
    fmt::print("   (GFLOP/s)\n");
    bool right = true;
    for (const Shape& shape : options_.shapes) right = row(shape, threads) && right;
    return right;
  }

 private:
  void add(std::vector<Candidate>& candidates, const char* name, const MatmulKernel& kernel, const Product& product) {
    workspaces_.push_back(
        random_buffer(static_cast<std::int64_t>(kernel.workspace(product.problem, machine_) / 4 + 64), 4));
    const tandem::Workspace workspace{workspaces_.back().get(), kernel.workspace(product.problem, machine_)};
    candidates.push_back(
        {name, [&kernel, &product, workspace, this] { kernel.run(product.args, queue_, workspace); }, 1, {}});
  }

  bool row(const Shape& shape, int threads) {
    Product product(shape);
    workspaces_.clear();
    std::vector<Candidate> candidates;
    add(candidates, "simd", tandem::cpu::matmul_f32_simd::kKernel, product);
    if (blas_.loaded()) candidates.push_back({"OpenBLAS", [&] { blas_.run(product); }, 1, {}});
    if (options_.all) {
      add(candidates, "blocked", tandem::cpu::matmul_f32_blocked::kKernel, product);
      add(candidates, "naive", tandem::cpu::matmul_f32_naive::kKernel, product);
      add(candidates, "eigen", tandem::cpu::matmul_f32_eigen::kKernel, product);
    }
    const std::int64_t elements = shape.m * shape.n;
    for (Candidate& c : candidates) {
      std::fill_n(product.c.get(), elements, std::nanf(""));
      c.run();
      if (!product.verify()) {
        fmt::print("{:<22} WRONG: {}\n", print(shape), c.name);
        return false;
      }
      const double once = time_once(c.run, 1);
      c.repeats = static_cast<int>(std::clamp(1e-3 / once, 1.0, 10000.0));
    }
    const double fma = threads > 1 ? measure_apart(candidates) : measure_in_turn(candidates);
    print_row(shape, threads, candidates, fma);
    return true;
  }

  // One thread: every candidate once a round. Returns the ceiling, flop/s.
  double measure_in_turn(std::vector<Candidate>& candidates) const {
    std::vector<double> fma;
    const Clock::time_point start = Clock::now();
    const double limit = options_.seconds * static_cast<double>(candidates.size());
    while (fma.size() < 5 || seconds_since(start) < limit) {
      fma.push_back(tandem::cpu::measure_fma(machine_.cpu.isa, 3e-4));
      for (Candidate& c : candidates) {
        c.run();  // its operands are back in cache
        c.seconds.push_back(time_once(c.run, c.repeats));
      }
    }
    return median(fma);
  }

  // Several threads: a candidate's helpers spin for a while after it and would disturb the next one, so that rounds
  // are longer, with a pause before each candidate and a start in which its own helpers wake up.
  double measure_apart(std::vector<Candidate>& candidates) const {
    constexpr int kRounds = 3;
    constexpr double kWakeUp = 20e-3;
    constexpr std::chrono::milliseconds kPause(60);
    std::vector<double> fma;
    for (int round = 0; round < kRounds; ++round) {
      for (Candidate& c : candidates) {
        std::this_thread::sleep_for(kPause);
        for (int i = 0; i < 5; ++i) fma.push_back(tandem::cpu::measure_fma(machine_.cpu.isa, 3e-4));
        Clock::time_point start = Clock::now();
        do c.run();
        while (seconds_since(start) < kWakeUp);
        start = Clock::now();
        do c.seconds.push_back(time_once(c.run, c.repeats));
        while (seconds_since(start) < options_.seconds / kRounds);
      }
    }
    return median(fma);
  }

  void print_row(const Shape& s, int threads, const std::vector<Candidate>& candidates, double fma) const {
    const double flops = 2.0 * static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k);
    const auto rate = [&](const char* name) {
      for (const Candidate& c : candidates)
        if (c.name == name) return flops / median(c.seconds) * 1e-9;
      return std::nan("");
    };
    const double peak = fma * threads * 1e-9, ours = rate("simd"), blas = rate("OpenBLAS");
    const double bytes = 4.0 * static_cast<double>(s.m * s.k + s.k * s.n + s.m * s.n);
    fmt::print("{:<22} {:>9.1f} {:>9.1f} {:>8.3f} {:>9.1f} {:>7.2f} {:>11.1f}", print(s), peak, ours, ours / peak, blas,
               ours / blas, bytes * ours / flops);
    if (options_.all) fmt::print(" {:>9.2f} {:>9.2f} {:>9.2f}", rate("blocked"), rate("naive"), rate("eigen"));
    fmt::print("  {:.3f} us\n", flops / ours * 1e-3);
    std::fflush(stdout);
  }

  Options options_;
  Machine machine_;
  tandem::Queue queue_;
  OpenBlas blas_;
  std::vector<Buffer> workspaces_;
};

void print_read_bandwidth(const Machine& machine) {
  constexpr std::size_t kBytes = std::size_t{256} << 20;
  std::vector<double> rates;
  for (int i = 0; i < 5; ++i) rates.push_back(tandem::cpu::measure_read(machine.cpu.isa, kBytes, 0.05));
  fmt::print("read bandwidth, 1 thread, 256 MiB: {:.1f} GB/s\n", median(rates) * 1e-9);
}

int run(int argc, const char* const* argv) {
  using tandem::bench::UsageError;
  Options options;
  std::vector<std::string> words;
  std::string isa;
  tandem::cpu::MatmulBlocking& blocking = options.blocking;
  CLI::App app("f32 matrix products of the CPU kernels beside OpenBLAS", "tandem-gemm-bench");
  app.add_option("shapes", words, "MxNxK with optional ,ta and ,tb (stored transposed)");
  app.add_option("-t,--threads", options.threads, "numbers of threads (default: 1 and all)");
  app.add_option("-s,--seconds", options.seconds, "a row and candidate")->capture_default_str();
  app.add_option("--isa", isa, "scalar, sse4, avx2 or avx512: cap on the instruction sets");
  app.add_option("--mc", blocking.mc, "block sizes instead of those of the caches: all three");
  app.add_option("--kc", blocking.kc);
  app.add_option("--nc", blocking.nc);
  app.add_flag("--all", options.all, "also the blocked, naive and eigen kernels");
  if (!tandem::bench::parse_command_line(app, argc, argv)) return 0;
  Machine machine;
  machine.cpu = tandem::cpu::query();
  if (words.empty())
    words = {"8x8x8",        "16x16x16",       "32x32x32",       "64x64x64",    "128x128x128",    "256x256x256",
             "512x512x512",  "1024x1024x1024", "2048x2048x2048", "255x255x255", "1000x1000x1000", "1023x1023x1023",
             "16x1024x1024", "64x4096x64",     "1x4096x4096",    "4x4096x4096", "8x4096x4096",    "1797x128x64"};
  for (const std::string& word : words)
    options.shapes.push_back(tandem::bench::parse_product(word, true, sizeof(float)));
  if (options.threads.empty()) {
    options.threads = {1};
    if (machine.cpu.threads > 1) options.threads.push_back(machine.cpu.threads);
  }
  for (const int threads : options.threads)
    if (threads < 1 || threads > 1024) throw UsageError(fmt::format("--threads {}: write 1 to 1024", threads));
  tandem::bench::check_seconds(options.seconds);
  if (!isa.empty()) options.isa = tandem::parse_isa_level(isa);
  if (options.isa && *options.isa > machine.cpu.isa)
    throw UsageError(fmt::format("--isa {}: this processor has {}", isa, tandem::name(machine.cpu.isa)));
  const std::size_t blocks = app.count("--mc") + app.count("--kc") + app.count("--nc");
  if (blocks != 0 && (blocks != 3 || blocking.mc < 1 || blocking.kc < 1 || blocking.nc < 1))
    throw UsageError(fmt::format("--mc {} --kc {} --nc {}: write all three, each at least 1", blocking.mc, blocking.kc,
                                 blocking.nc));
  print_read_bandwidth(machine);
  std::optional<tandem::cpu::ScopedMatmulBlocking> forced;
  if (blocks != 0) forced.emplace(blocking);
  Bench bench(options);
  bool right = true;
  for (int threads : options.threads) right = bench.run(threads) && right;
  return right ? 0 : tandem::bench::kWrong;
}

}  // namespace

int main(int argc, char** argv) {
  return tandem::bench::run_program("tandem-gemm-bench", [&] { return run(argc, argv); });
}
