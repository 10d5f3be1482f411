// tandem-ceiling-check: the host's ceilings measured a second time, by plain loops that share no code with those of the
// library. Both are repeated in turns and the best of each is kept, since only disturbances differ, until neither has
// grown for a while.
// tandem-ceiling-check [THREADS]; exit code 0: they agree within 5 %, 1: they do not, 2: a command without meaning.
#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#if defined(__AVX__)
#include <immintrin.h>
#endif

#include <tandem/context.h>

#include "common/core/host_api.h"
#include "common/core/memory.h"
#include "common/profile/roof.h"

namespace {

constexpr double kTolerance = 0.05;
constexpr int kFewestTurns = 9, kMostTurns = 60;
constexpr int kSteady = 6;         // turns in which neither best
constexpr double kGrowth = 0.005;  // grew by more than that
constexpr double kSeconds = 0.02;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// As wide as the widest registers of the processor that this program was compiled for.
#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif
typedef float Vector __attribute__((vector_size(kVectorBytes)));

/// Twelve chains of multiply-adds, ten thousand steps; the flops.
double multiply_adds() {
  Vector a[12], x = {}, y = {};
  x += 0.5f;
  y += 0.25f;
  volatile float start = 3;  // unknown to the compiler: 1/2 is a fixed point, whose chain it would leave out
  for (int c = 0; c < 12; ++c) a[c] = y * (start + static_cast<float>(c));
  for (int step = 0; step < 10000; ++step)
    for (int c = 0; c < 12; ++c) a[c] = a[c] * x + y;
  Vector sum = a[0];
  for (int c = 1; c < 12; ++c) sum += a[c];
  volatile float sink = sum[0];
  (void)sink;
  return 2.0 * 10000 * 12 * (kVectorBytes / 4);
}

// Loops over vectors, four or eight at a time. Streaming stores go past the caches.

void store(Vector* to, Vector value, bool streaming) {
#if defined(__AVX512F__)
  if (streaming) return _mm512_stream_ps(reinterpret_cast<float*>(to), reinterpret_cast<__m512>(value));
#elif defined(__AVX__)
  if (streaming) return _mm256_stream_ps(reinterpret_cast<float*>(to), reinterpret_cast<__m256>(value));
#endif
  *to = value;
}

template <bool kStreaming>
void copy_vectors(Vector* to, const Vector* from, std::size_t count) {
  for (std::size_t i = 0; i + 4 <= count; i += 4)
    for (std::size_t u = 0; u < 4; ++u) store(to + i + u, from[i + u], kStreaming);
}

template <bool kStreaming>
void write_vectors(Vector* to, std::size_t count) {
  const Vector value = Vector{} + 1.5f;
  for (std::size_t i = 0; i + 4 <= count; i += 4)
    for (std::size_t u = 0; u < 4; ++u) store(to + i + u, value, kStreaming);
}

float read_vectors(const Vector* from, std::size_t count) {
  Vector sums[8] = {};  // so many that additions need not wait for each other
  for (std::size_t i = 0; i + 8 <= count; i += 8)
    for (std::size_t u = 0; u < 8; ++u) sums[u] += from[i + u];
  for (std::size_t u = 1; u < 8; ++u) sums[0] += sums[u];
  return sums[0][0];
}

/// Work a second of all threads, the best of the rounds of kSeconds, and of three at least: each prepares; a round
/// lasts from the first begin to the last end. Rounds are as short as those of the library, since the best of short
/// ones is disturbed less.
double together(int threads, const std::function<std::function<double()>(int)>& prepare) {
  const double round_seconds = threads > 1 ? 4e-3 : 50e-6;
  std::barrier gate(threads);
  bool more = true;
  std::int64_t runs = 0;  // these and `more` are written by thread 0, between barriers
  double work_of_run = 0, best = 0;
  std::vector<double> begins(static_cast<std::size_t>(threads));
  const auto body = [&](int t) {
    const std::function<double()> once = prepare(t);
    once();
    if (t == 0) {
      const double start = seconds_now();
      do {
        work_of_run = once();
        ++runs;
      } while (seconds_now() - start < round_seconds);
    }
    const double first = seconds_now();
    for (int round = 1;; ++round) {
      gate.arrive_and_wait();
      if (!more) return;
      begins[static_cast<std::size_t>(t)] = seconds_now();
      for (std::int64_t n = runs; n > 0; --n) once();
      gate.arrive_and_wait();
      if (t != 0) continue;
      const double now = seconds_now(), seconds = now - *std::min_element(begins.begin(), begins.end());
      more = round < 3 || now - first < kSeconds;
      best = std::max(best, threads * static_cast<double>(runs) * work_of_run / seconds);
    }
  };
  std::vector<std::thread> others;
  for (int t = 1; t < threads; ++t) others.emplace_back(body, t);
  body(0);
  for (std::thread& other : others) other.join();
  return best;
}

enum class Way { copy, read, write };

double plain_bandwidth(Way way, bool streaming, std::size_t bytes, int threads) {
  const std::size_t count = bytes / kVectorBytes / 8 * 8;
  // Small working sets are passed through several times a run, or calling it would count.
  const std::size_t passes = std::max<std::size_t>(1, (std::size_t{1} << 20) / bytes);
  return together(threads, [&](int) -> std::function<double()> {
    const std::size_t all = (way == Way::copy ? 2 : 1) * count * kVectorBytes;
    const std::shared_ptr<void> owner = tandem::allocate_host(all, 64, "check");  // where tensors lie
    std::memset(owner.get(), 0, all);
    return [=] {
      auto* memory = static_cast<Vector*>(owner.get());
      for (std::size_t pass = 0; pass < passes; ++pass) {
        if (way == Way::copy)
          streaming ? copy_vectors<true>(memory + count, memory, count)
                    : copy_vectors<false>(memory + count, memory, count);
        else if (way == Way::write)
          streaming ? write_vectors<true>(memory, count) : write_vectors<false>(memory, count);
        else {
          volatile float sink = read_vectors(memory, count);
          (void)sink;
        }
        asm volatile("" ::: "memory");  // the next pass is not this one
      }
      return static_cast<double>(all * passes);
    };
  });
}

/// Storing through the caches, or past them where that is faster.
double plain_best(Way way, std::size_t bytes, int threads) {
  const double through = plain_bandwidth(way, false, bytes, threads);
  if (way == Way::read || bytes < (std::size_t{4} << 20)) return through;
  return std::max(through, plain_bandwidth(way, true, bytes, threads));
}

/// One line; whether the two agree.
bool compare(const std::string& name, const char* unit, const std::function<double()>& library,
             const std::function<double()>& plain) {
  double ours = 0, theirs = 0;
  int turn = 0;
  for (int grew = 0; turn < kFewestTurns || (turn < kMostTurns && turn - grew < kSteady); ++turn) {
    const double one = library(), other = plain();
    if (one > ours * (1 + kGrowth) || other > theirs * (1 + kGrowth)) grew = turn;
    ours = std::max(ours, one);
    theirs = std::max(theirs, other);
  }
  const double off = ours / theirs - 1;
  const bool agree = off <= kTolerance && off >= -kTolerance;
  std::printf("%-12s library %9.2f %s, plain loop %9.2f %s: %+5.1f %%, %d turns%s\n", name.c_str(), ours / 1e9, unit,
              theirs / 1e9, unit, 100 * off, turn, agree ? "" : "  more than 5 % apart");
  std::fflush(stdout);
  return agree;
}

}  // namespace

int main(int argc, char** argv) {
  tandem::ContextOptions options;
  options.use_gpu = false;
  tandem::Context ctx(options);
  const tandem::CpuInfo& cpu = ctx.machine().cpu;
  char* end = nullptr;
  const long wanted = argc == 2 ? std::strtol(argv[1], &end, 10) : cpu.threads;
  if (argc > 2 || wanted < 1 || wanted > 1024 || (end && *end)) {
    std::fprintf(stderr, "tandem-ceiling-check: write nothing, or the number of threads, 1 to 1024\n");
    return 2;
  }
  const int threads = static_cast<int>(wanted);
  std::printf("%s, threads that run together: %d, best of %d to %d turns\n", cpu.name.c_str(), threads, kFewestTurns,
              kMostTurns);
  bool agree = compare(
      "FMA", "GFLOP/s", [&] { return tandem::cpu::measure_fma(cpu.isa, kSeconds, threads); },
      [&] { return together(threads, [](int) { return multiply_adds; }); });
  const std::int64_t share = std::max(cpu.l3_bytes, cpu.l2_bytes * threads) / threads;
  tandem::CpuInfo all = cpu;
  all.threads = threads;
  const std::int64_t last_level = tandem::profile::last_level_working_set(all) / threads;
  const struct {
    const char* name;
    std::int64_t bytes;  // of one thread: within a level, or well beyond the last
  } kLevels[] = {{"L1", cpu.l1d_bytes / 2}, {"L2", cpu.l2_bytes / 2}, {"L3", last_level}, {"DRAM", 4 * share}};
  for (const auto& level : kLevels) {
    const auto bytes = static_cast<std::size_t>(level.bytes);
    const std::string name = level.name;
    agree &= compare(
        "copy " + name, "GB/s", [&] { return tandem::cpu::measure_copy(cpu.isa, bytes / 2, kSeconds, threads); },
        [&] { return plain_best(Way::copy, bytes / 2, threads); });
    agree &= compare(
        "read " + name, "GB/s", [&] { return tandem::cpu::measure_read(cpu.isa, bytes, kSeconds, threads); },
        [&] { return plain_best(Way::read, bytes, threads); });
    agree &= compare(
        "write " + name, "GB/s", [&] { return tandem::cpu::measure_write(cpu.isa, bytes, kSeconds, threads); },
        [&] { return plain_best(Way::write, bytes, threads); });
  }
  return agree ? 0 : 1;
}
