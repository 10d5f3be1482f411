// tandem-dot-bench [MxNxK ...]: products of 8-bit integers and of bf16 by the CPU kernels, on one thread, beside the
// ceilings of the instructions they are made of and the f32 product.
//
// Every candidate is checked against exact sums before it is timed. Candidates and ceilings are measured in turn in
// every round, and medians over the rounds are printed. "prepared": b was packed before.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "bench/support/product_size.h"
#include "bench/support/program.h"
#include "bench/support/run_options.h"
#include "common/core/bf16.h"
#include "common/core/host_api.h"
#include "common/core/memory.h"
#include "cpu/kernels.h"

namespace {

using namespace tandem;
using Clock = std::chrono::steady_clock;

using Size = bench::ProductSize;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

using Memory = std::shared_ptr<void>;
Memory allocate(std::size_t bytes) { return allocate_host(std::max<std::size_t>(bytes, 64), 256, "bench"); }

// Whole numbers -8 .. 8 (0 .. 16 for u8) in every type, so that all products of a size have the same exact sums but u8.
int number(std::int64_t i) { return static_cast<int>((i * 2654435761 >> 7) % 17) - 8; }

template <class T, class Convert>
Memory numbers(std::int64_t count, std::int64_t seed, Convert convert) {
  Memory memory = allocate(static_cast<std::size_t>(count) * sizeof(T));
  for (std::int64_t i = 0; i < count; ++i) static_cast<T*>(memory.get())[i] = convert(number(i + seed));
  return memory;
}

struct Candidate {
  std::string name, ceiling;
  std::function<void()> run;
  std::function<double(std::int64_t)> result;  // element of c
  int offset = 0;                              // what is added to the numbers of a
  int repeats = 1;
  std::vector<double> seconds;
};

class Bench {
 public:
  Bench(double seconds, std::string only) : seconds_(seconds), only_(std::move(only)) {
    machine_.cpu = cpu::query();
    machine_.cpu.threads = 1;
    queue_ = {&machine_, nullptr, nullptr};
  }

  // False when a result is wrong.
  bool run(const Size& s) {
    size_ = s;
    kept_.clear();
    candidates_.clear();
    const float one = 1.0f;
    const auto f32 = [](int v) { return static_cast<float>(v); };
    const auto bf16 = [&](int v) { return to_bf16(f32(v)); };
    const auto s8 = [](int v) { return static_cast<std::int8_t>(v); };
    const auto u8 = [](int v) { return static_cast<std::uint8_t>(v + 8); };
    float_product<float>("f32 simd", "f32", cpu::matmul_f32_simd::kKernel, DType::f32, f32, false);
    integer_product<std::int8_t>("s8 simd", "s8", cpu::quantized_matmul_s8_simd::kKernel, DType::s8, s8, false, one);
    integer_product<std::int8_t>("s8 simd prepared", "s8", cpu::quantized_matmul_s8_simd::kKernel, DType::s8, s8, true,
                                 one);
    integer_product<std::uint8_t>("u8s8 simd prepared", "s8", cpu::quantized_matmul_s8_simd::kKernel, DType::u8, u8,
                                  true, one);
    integer_product<std::int8_t>("s8 avx2", "s16", cpu::quantized_matmul_s8_avx2::kKernel, DType::s8, s8, false, one);
    float_product<Bf16>("bf16 simd", "bf16", cpu::matmul_bf16_simd::kKernel, DType::bf16, bf16, false);
    float_product<Bf16>("bf16 simd prepared", "bf16", cpu::matmul_bf16_simd::kKernel, DType::bf16, bf16, true);
    integer_product<std::int8_t>("s8 amx", "s8 amx", cpu::quantized_matmul_s8_amx::kKernel, DType::s8, s8, false, one);
    integer_product<std::int8_t>("s8 amx prepared", "s8 amx", cpu::quantized_matmul_s8_amx::kKernel, DType::s8, s8,
                                 true, one);
    integer_product<std::uint8_t>("u8s8 amx prepared", "s8 amx", cpu::quantized_matmul_s8_amx::kKernel, DType::u8, u8,
                                  true, one);
    float_product<Bf16>("bf16 amx", "bf16 amx", cpu::matmul_bf16_amx::kKernel, DType::bf16, bf16, false);
    float_product<Bf16>("bf16 amx prepared", "bf16 amx", cpu::matmul_bf16_amx::kKernel, DType::bf16, bf16, true);
    for (const Candidate& c : candidates_)
      if (!right(c)) return fmt::print("{}x{}x{}: {} is WRONG\n", s.m, s.n, s.k, c.name), false;
    measure();
    print();
    return true;
  }

 private:
  template <class T>
  T* keep(Memory memory) {
    kept_.push_back(std::move(memory));
    return static_cast<T*>(kept_.back().get());
  }

  template <class Op>
  void add(const char* name, const char* ceiling, const Kernel<Op>& kernel, const typename Op::Problem& problem,
           const typename Op::Args& args, int offset) {
    if (std::string(name).find(only_) == std::string::npos && std::string(name) != "f32 simd") return;
    if (kernel.needs.isa > machine_.cpu.isa || kernel.supports(problem, machine_) != nullptr) return;
    const std::size_t bytes = kernel.workspace(problem, machine_);
    const Workspace workspace{keep<void>(allocate(bytes)), bytes};
    const auto* c = static_cast<const float*>(args.c.data);
    candidates_.push_back({name,
                           ceiling,
                           [&kernel, args, workspace, this] { kernel.run(args, queue_, workspace); },
                           [c](std::int64_t at) { return static_cast<double>(c[at]); },
                           offset,
                           1,
                           {}});
  }

  template <class Args>
  void prepare(Args& args, DType dtype) {
    const cpu::PackedLayout layout = cpu::packed_layout(machine_.cpu, dtype, size_.k, size_.n);
    void* packed = keep<void>(allocate(layout.bytes));
    cpu::pack_b(machine_.cpu, dtype, size_.k, size_.n, args.b.data, size_.n, 1, packed);
    args.packed_b = packed;
    args.packed_panel = layout.panel;
  }

  template <class Args>
  void sizes_of(Args& args) {
    args.m = size_.m, args.n = size_.n, args.k = size_.k;
    args.result = DType::f32;
    args.c = {keep<float>(allocate(static_cast<std::size_t>(size_.m * size_.n) * sizeof(float))), size_.n, 1};
  }

  template <class T, class Convert>
  void float_product(const char* name, const char* ceiling, const Kernel<Matmul>& kernel, DType dtype, Convert convert,
                     bool prepared) {
    MatmulProblem problem;
    problem.dtype = dtype;
    problem.m = size_.m, problem.n = size_.n, problem.k = size_.k;
    MatmulArgs args;
    sizes_of(args);
    args.a = {keep<T>(numbers<T>(size_.m * size_.k, 1, convert)), size_.k, 1};
    args.b = {keep<T>(numbers<T>(size_.k * size_.n, 2, convert)), size_.n, 1};
    if (prepared) prepare(args, dtype);
    add(name, ceiling, kernel, problem, args, 0);
  }

  template <class A, class Convert>
  void integer_product(const char* name, const char* ceiling, const Kernel<QuantizedMatmul>& kernel, DType a_type,
                       Convert convert, bool prepared, float one) {
    if (prepared && !machine_.cpu.has_s8_dot()) return;
    QuantizedMatmulProblem problem;
    problem.a = a_type;
    problem.m = size_.m, problem.n = size_.n, problem.k = size_.k;
    QuantizedMatmulArgs args;
    sizes_of(args);
    args.a_type = a_type;
    args.a = {keep<A>(numbers<A>(size_.m * size_.k, 1, convert)), size_.k, 1};
    const auto s8 = [](int v) { return static_cast<std::int8_t>(v); };
    args.b = {keep<std::int8_t>(numbers<std::int8_t>(size_.k * size_.n, 2, s8)), size_.n, 1};
    float* scales = keep<float>(allocate(static_cast<std::size_t>(size_.n) * sizeof(float)));
    std::fill_n(scales, size_.n, one);
    args.sa = {scales, 0};
    args.sb = {scales, 1};
    if (prepared) prepare(args, DType::s8);
    add(name, ceiling, kernel, problem, args, a_type == DType::u8 ? 8 : 0);
  }

  // Some elements against exact sums; all numbers are small.
  bool right(const Candidate& c) const {
    c.run();
    const std::int64_t elements = size_.m * size_.n, step = std::max<std::int64_t>(1, elements / 1000) | 1;
    for (std::int64_t at = 0; at < elements; at += step) {
      const std::int64_t i = at / size_.n, j = at % size_.n;
      std::int64_t sum = 0;
      for (std::int64_t p = 0; p < size_.k; ++p)
        sum += (number(i * size_.k + p + 1) + c.offset) * number(p * size_.n + j + 2);
      if (c.result(at) != static_cast<double>(sum)) return false;
    }
    return true;
  }

  double ceiling(const std::string& kind) const {
    constexpr double kSeconds = 3e-4;
    if (kind == "f32") return cpu::measure_fma(machine_.cpu.isa, kSeconds);
    CpuInfo cpu = machine_.cpu;
    if (!kind.ends_with("amx")) cpu.amx_int8 = cpu.amx_bf16 = false;
    if (kind == "s16") cpu.avx512_vnni = cpu.avx_vnni = false;
    return cpu::measure_dot(cpu, kind.starts_with("bf16") ? DType::bf16 : DType::s8, kSeconds);
  }

  void measure() {
    for (Candidate& c : candidates_) {
      const Clock::time_point start = Clock::now();
      c.run();
      c.repeats = static_cast<int>(std::clamp(4e-3 / seconds_since(start), 1.0, 10000.0));
    }
    for (auto& [kind, rates] : ceilings_) rates.clear();
    read_.clear();
    const Clock::time_point start = Clock::now();
    const double limit = seconds_ * static_cast<double>(candidates_.size());
    while (read_.size() < 5 || seconds_since(start) < limit) {
      for (auto& [kind, rates] : ceilings_) rates.push_back(ceiling(kind));
      read_.push_back(cpu::measure_read(machine_.cpu.isa, static_cast<std::size_t>(size_.k * size_.n), 1e-3));
      for (Candidate& c : candidates_) {
        const Clock::time_point warm = Clock::now();  // its operands are back in cache, that of victims too
        do c.run();
        while (seconds_since(warm) < 2e-3);
        const Clock::time_point begin = Clock::now();
        for (int r = 0; r < c.repeats; ++r) c.run();
        c.seconds.push_back(seconds_since(begin) / c.repeats);
      }
    }
  }

  void print() const {
    const double operations =
        2.0 * static_cast<double>(size_.m) * static_cast<double>(size_.n) * static_cast<double>(size_.k);
    const double b_elements = static_cast<double>(size_.k * size_.n);
    fmt::print("{}x{}x{}; reading {:.1f} MB (a byte an element of b): {:.1f} GB/s\n", size_.m, size_.n, size_.k,
               b_elements * 1e-6, median(read_) * 1e-9);
    const double f32 = median(candidates_.front().seconds);
    for (const Candidate& c : candidates_) {
      double peak = 0;
      for (const auto& [kind, rates] : ceilings_)
        if (kind == c.ceiling) peak = median(rates);
      const double seconds = median(c.seconds), rate = operations / seconds;
      fmt::print(
          "  {:<20} {:>8.1f} GOP/s  {:.3f} of {:>6.1f}  {:>5.2f} x f32  b at {:>6.1f} GB/s a byte  {:>10.2f} us\n",
          c.name, rate * 1e-9, rate / peak, peak * 1e-9, f32 / seconds, b_elements / seconds * 1e-9, seconds * 1e6);
    }
    std::fflush(stdout);
  }

  double seconds_;
  std::string only_;
  Machine machine_;
  Queue queue_;
  Size size_;
  std::vector<Memory> kept_;
  std::vector<Candidate> candidates_;
  std::vector<std::pair<std::string, std::vector<double>>> ceilings_ = {{"f32", {}},  {"s8", {}},     {"s16", {}},
                                                                        {"bf16", {}}, {"s8 amx", {}}, {"bf16 amx", {}}};
  std::vector<double> read_;
};

int run(int argc, const char* const* argv) {
  std::vector<std::string> words;
  double seconds = 0.15;
  std::string only;
  CLI::App app("products of 8-bit integers and of bf16 beside their ceilings, one thread", "tandem-dot-bench");
  app.add_option("sizes", words, "MxNxK");
  app.add_option("-s,--seconds", seconds, "a size and candidate")->capture_default_str();
  app.add_option("-o,--only", only, "candidates with this in their name, and f32");
  if (!bench::parse_command_line(app, argc, argv)) return 0;
  if (words.empty())
    words = {"64x64x64",       "255x255x255", "512x512x512", "1000x1000x1000",
             "1024x1024x1024", "4x4096x4096", "1x4096x4096", "8x4096x4096"};
  bench::check_seconds(seconds);
  std::vector<Size> sizes;
  constexpr double kBytes = 60;  // of the operands of all candidates, for each element
  for (const std::string& word : words) sizes.push_back(bench::parse_product(word, false, kBytes));
  Bench all(seconds, only);
  bool right = true;
  for (const Size& size : sizes) right = all.run(size) && right;
  return right ? 0 : bench::kWrong;
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_program("tandem-dot-bench", [&] { return run(argc, argv); });
}
