// Selection over a table of made-up kernels on made-up machines.
#include "common/dispatch/select.h"

#include <set>

#include <gtest/gtest.h>

#include "common/dispatch/cache.h"
#include "tests/support/machines.h"
#include "tests/support/toy_op.h"

namespace tandem::test::select_test {
namespace {

constexpr std::int64_t kFloat = 4;

// Data of two inputs and a result on the host: running on the GPU moves all of it.
Situation<Toy> on_host(std::int64_t elements, bool odd = false) {
  Situation<Toy> s;
  s.problem = {ToyProblem{elements, odd}, ToyProblem{elements, odd}};
  s.copies[1] = {2 * elements * kFloat, elements * kFloat, 2, 1};
  return s;
}
Situation<Toy> on_gpu(std::int64_t elements) {
  Situation<Toy> s = on_host(elements);
  std::swap(s.copies[0], s.copies[1]);
  return s;
}

std::string chosen(const Situation<Toy>& s, const Machine& machine, const Policy& policy = {}) {
  return select<Toy>(s, policy, machine).entry->name;
}

std::string refusal_of(const std::string& kernel, const Situation<Toy>& s, const Machine& machine,
                       const Policy& policy = {}) {
  return refusal(*find_kernel<Toy>(kernel), s, policy, machine).text;
}

template <class Call>
Error error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return Error(Code::ok, "nothing was thrown");
}

TEST(Select, PrefersTheLeastPredictedTime) {
  EXPECT_EQ(chosen(on_host(1000000), plain_machine()), "cpu.toy.f32.fast");
  Machine old = plain_machine();
  old.cpu.isa = IsaLevel::sse4;
  EXPECT_EQ(chosen(on_host(1000000), old), "cpu.toy.f32.slow");
  EXPECT_EQ(refusal_of("cpu.toy.f32.fast", on_host(8), old), "needs avx2, this context has sse4");
}

TEST(Select, TakesAReferenceOnlyWhenNothingElseIsLeft) {
  EXPECT_EQ(chosen(on_host(1000), plain_machine()), "cpu.toy.f32.fast");  // though the reference claims to be faster
  Decision trace;
  EXPECT_EQ(select<Toy>(on_host(1000, true), {}, plain_machine(), &trace).entry->name, "cpu.toy.f32.reference");
  EXPECT_EQ(trace.why, "a reference kernel, since nothing else is left");
  EXPECT_EQ(trace.candidates.front().kernel, "cpu.toy.f32.reference");
  EXPECT_EQ(trace.candidates.front().verdict, "chosen");
}

TEST(Select, WeighsCopiesAgainstTheGain) {
  const Machine machine = gpu_machine_with(10e9);
  EXPECT_EQ(chosen(on_host(1000), machine), "cpu.toy.f32.fast");  // launch and latency
  // 1 ns an element on the CPU; 12 bytes an element over a link of 10 GB/s take 1.2 ns: never worth it.
  EXPECT_EQ(chosen(on_host(100000000), machine), "cpu.toy.f32.fast");
  const Machine fast_link = gpu_machine_with(100e9);
  EXPECT_EQ(chosen(on_host(1000), fast_link), "cpu.toy.f32.fast");
  EXPECT_EQ(chosen(on_host(100000000), fast_link), "cuda.toy.f32.fast");
  // Data that is there already stays, even for little work.
  EXPECT_EQ(chosen(on_gpu(1000000), machine), "cuda.toy.f32.fast");
  EXPECT_EQ(chosen(on_gpu(10000), machine), "cuda.toy.f32.fast");
}

TEST(Select, PredictsByStage) {
  const Machine machine = gpu_machine_with(10e9);
  const Situation<Toy> s = on_host(1000000);
  const Prediction gpu = predict(*find_kernel<Toy>("cuda.toy.f32.fast"), s, machine);
  EXPECT_DOUBLE_EQ(gpu.copy_in, 2 * 10e-6 + 8e6 / 10e9);
  EXPECT_DOUBLE_EQ(gpu.copy_out, 10e-6 + 4e6 / 10e9);
  EXPECT_DOUBLE_EQ(gpu.launch, 5e-6);
  EXPECT_DOUBLE_EQ(gpu.kernel, 1e-6);
  EXPECT_DOUBLE_EQ(gpu.total(), gpu.copy_in + gpu.copy_out + gpu.launch + gpu.kernel);
  const Prediction cpu = predict(*find_kernel<Toy>("cpu.toy.f32.fast"), s, machine);
  EXPECT_DOUBLE_EQ(cpu.copy_in + cpu.copy_out, 0);
  EXPECT_DOUBLE_EQ(cpu.launch, 0);  // fork and join are the kernel's
}

TEST(Select, RefusesInSentences) {
  const Situation<Toy> s = on_host(1000);
  const Machine none = plain_machine(), old_gpu = gpu_machine_with(1e9, 75), gpu = gpu_machine_with(1e9);
  EXPECT_EQ(refusal_of("cuda.toy.f32.absent", s, gpu), kNotBuilt);
  EXPECT_EQ(refusal_of("cuda.toy.f32.fast", s, none), none.no_gpu_reason);
  Machine silent = none;
  silent.no_gpu_reason.clear();
  EXPECT_EQ(refusal_of("cuda.toy.f32.fast", s, silent), "there is no GPU");
  EXPECT_EQ(refusal_of("cuda.toy.f32.fast", s, old_gpu), "needs compute capability 8.0, made-up GPU has 7.5");
  EXPECT_EQ(refusal_of("cuda.toy.f32.hungry", s, gpu),
            "needs 204800 bytes of shared memory a block, made-up GPU has 102400");
  EXPECT_EQ(refusal_of("cpu.toy.f32.fast", on_host(8, true), none), "needs an even problem");
  EXPECT_EQ(refusal_of("cpu.toy.f32.rounded", s, none), "computes in tf32, and the math mode is strict");
  EXPECT_EQ(refusal_of("cpu.toy.f32.restless", s, none), "is not deterministic, and the policy asks for that");
  Policy stay;
  stay.transfers = Transfers::forbid;
  EXPECT_EQ(refusal_of("cuda.toy.f32.fast", s, gpu, stay),
            "would move 12000 bytes between host and device, and the policy forbids transfers");
  EXPECT_EQ(refusal_of("cpu.toy.f32.fast", s, gpu, stay), "");
  Situation<Toy> forced = s;
  forced.backend = Backend::cuda;
  EXPECT_EQ(refusal_of("cpu.toy.f32.fast", forced, gpu), "backend cuda is forced");
}

TEST(Select, PolicyOpensAndClosesKernels) {
  Policy loose;
  loose.math = MathMode::tf32;
  EXPECT_EQ(chosen(on_host(1000), plain_machine(), loose), "cpu.toy.f32.rounded");
  loose.math = MathMode::bf16;  // exactly the mode that is allowed, no other
  EXPECT_EQ(chosen(on_host(1000), plain_machine(), loose), "cpu.toy.f32.fast");
  Policy free;
  free.deterministic = false;
  EXPECT_EQ(chosen(on_host(1000), plain_machine(), free), "cpu.toy.f32.restless");
  Policy stay;
  stay.transfers = Transfers::forbid;
  EXPECT_EQ(chosen(on_gpu(10), gpu_machine_with(1e12), stay), "cuda.toy.f32.fast");
  EXPECT_EQ(chosen(on_host(100000000), gpu_machine_with(1e12), stay), "cpu.toy.f32.fast");
}

TEST(Select, ForcedKernelsWinOrFail) {
  const Machine machine = gpu_machine_with(1e9);
  Situation<Toy> s = on_host(1000);
  for (const char* kernel : {"cpu.toy.f32.slow", "cpu.toy.f32.reference", "cuda.toy.f32.fast"}) {
    s.kernel = kernel;
    EXPECT_EQ(chosen(s, machine), kernel);
  }
  const auto sentence = [&](const char* kernel, const Situation<Toy>& situation, const Machine& m) {
    Situation<Toy> forced = situation;
    forced.kernel = kernel;
    return std::string(error_of([&] { chosen(forced, m); }).what());
  };
  EXPECT_EQ(sentence("cpu.toy.f32.quick", s, machine),
            "toy f32:1000: kernel cpu.toy.f32.quick was asked for, but it cannot run: there is no such kernel for this "
            "operation");
  EXPECT_EQ(sentence("cpu.toy.f32.fast", on_host(7, true), machine),
            "toy f32:7,odd: kernel cpu.toy.f32.fast was asked for, but it cannot run: needs an even problem");
  EXPECT_EQ(
      sentence("cuda.toy.f32.fast", s, plain_machine()),
      "toy f32:1000: kernel cuda.toy.f32.fast was asked for, but it cannot run: no CUDA-capable device is detected");
  EXPECT_EQ(sentence("cuda.toy.f32.absent", s, machine),
            std::string("toy f32:1000: kernel cuda.toy.f32.absent was asked for, but it cannot run: ") + kNotBuilt);
  EXPECT_EQ(sentence("cpu.toy.f32.rounded", s, machine),
            "toy f32:1000: kernel cpu.toy.f32.rounded was asked for, but it cannot run: computes in tf32, and the math "
            "mode is strict");
}

TEST(Select, TheCodeOfAnErrorSaysWhoRefused) {
  const Machine none = plain_machine(), gpu = gpu_machine_with(1e9), old_gpu = gpu_machine_with(1e9, 75);
  Machine old = none;
  old.cpu.isa = IsaLevel::sse4;
  const Situation<Toy> even = on_host(1000), odd = on_host(7, true);
  const struct {
    const char* kernel;
    std::optional<Backend> backend;
    const Situation<Toy>& situation;
    const Machine& machine;
    Transfers transfers;
    Code code;
  } cases[] = {
      // A name that nobody knows.
      {"cpu.toy.f32.quick", {}, even, gpu, Transfers::automatic, Code::invalid_argument},
      // The machine, or the build.
      {"cpu.toy.f32.fast", {}, even, old, Transfers::automatic, Code::unavailable},
      {"cuda.toy.f32.fast", {}, even, none, Transfers::automatic, Code::unavailable},
      {"cuda.toy.f32.fast", {}, even, old_gpu, Transfers::automatic, Code::unavailable},
      {"cuda.toy.f32.hungry", {}, even, gpu, Transfers::automatic, Code::unavailable},
      {"cuda.toy.f32.absent", {}, even, gpu, Transfers::automatic, Code::unavailable},
      {"", Backend::cuda, even, none, Transfers::automatic, Code::unavailable},
      {"", Backend::cuda, even, old_gpu, Transfers::automatic, Code::unavailable},
      // The kernel, or the policy.
      {"cpu.toy.f32.fast", {}, odd, none, Transfers::automatic, Code::unsupported},
      {"cpu.toy.f32.rounded", {}, even, none, Transfers::automatic, Code::unsupported},
      {"cpu.toy.f32.restless", {}, even, none, Transfers::automatic, Code::unsupported},
      {"cuda.toy.f32.fast", Backend::cpu, even, gpu, Transfers::automatic, Code::unsupported},
      {"cuda.toy.f32.fast", {}, even, gpu, Transfers::forbid, Code::unsupported},
      // On another GPU too: the kernels that this one lacks something for would have to move the operands as well.
      {"", Backend::cuda, even, gpu, Transfers::forbid, Code::unsupported},
      {"", Backend::cuda, even, old_gpu, Transfers::forbid, Code::unsupported},
  };
  for (const auto& c : cases) {
    Situation<Toy> s = c.situation;
    s.kernel = c.kernel;
    s.backend = c.backend;
    Policy policy;
    policy.transfers = c.transfers;
    const Error error = error_of([&] { chosen(s, c.machine, policy); });
    EXPECT_EQ(name(error.code()), name(c.code)) << error.what();
  }
}

TEST(Select, SaysWhyNothingIsLeft) {
  Situation<Toy> s = on_host(7, true);
  s.backend = Backend::cuda;
  const std::string what = error_of([&] { chosen(s, gpu_machine_with(1e9)); }).what();
  EXPECT_NE(what.find("toy f32:7,odd: no kernel can run this"), std::string::npos) << what;
  for (const Entry<Toy>& entry : table<Toy>()) EXPECT_NE(what.find(entry.name + ": "), std::string::npos) << what;
  EXPECT_NE(what.find("cuda.toy.f32.fast: needs an even problem"), std::string::npos) << what;
  EXPECT_NE(what.find("cpu.toy.f32.reference: backend cuda is forced"), std::string::npos) << what;
}

TEST(Select, TraceHoldsEveryCandidateOnce) {
  Decision trace;
  const Selection<Toy> selection = select<Toy>(on_host(1000000), {}, gpu_machine_with(10e9), &trace);
  EXPECT_EQ(trace.kernel, selection.entry->name);
  EXPECT_EQ(trace.op, "toy");
  EXPECT_EQ(trace.problem, "f32:1000000");
  EXPECT_EQ(trace.threads, 4);
  EXPECT_DOUBLE_EQ(trace.predicted_seconds, selection.prediction.total());
  std::set<std::string> names;
  bool refused = false;
  for (const Candidate& c : trace.candidates) {
    names.insert(c.kernel);
    EXPECT_FALSE(c.verdict.empty()) << c.kernel;
    EXPECT_EQ(c.accepted, c.seconds > 0) << c.kernel;
    EXPECT_FALSE(refused && c.accepted) << c.kernel << " is accepted, but comes after a refused one";
    refused = !c.accepted;
  }
  EXPECT_EQ(names.size(), table<Toy>().size());
  EXPECT_EQ(trace.candidates.size(), table<Toy>().size());
  EXPECT_EQ(trace.candidates.front().kernel, trace.kernel);
  EXPECT_FALSE(trace.why.empty());
}

TEST(Select, IsTheSameWithAndWithoutATrace) {
  for (const double link : {1e9, 30e9, 300e9})
    for (std::int64_t elements = 1; elements < 1000000000; elements *= 7)
      for (const auto& s : {on_host(elements), on_gpu(elements), on_host(elements, true)}) {
        Decision trace;
        const Machine machine = gpu_machine_with(link);
        EXPECT_EQ(chosen(s, machine), select<Toy>(s, {}, machine, &trace).entry->name);
        EXPECT_EQ(chosen(s, machine), trace.kernel);
      }
}

// Copies on a made-up link that was measured: 10 us until it begins, then 10 GB/s.
Machine measured_link() {
  Machine machine = gpu_machine_with(1e9);  // the curves take the place of this rate
  Ceilings& c = machine.ceilings;
  for (CopyCurve* curve : {&c.h2d_pageable, &c.d2h_pageable})
    for (std::size_t i = 0; i < CopyCurve::kPoints; ++i)
      curve->seconds[i] = 10e-6 + static_cast<double>(CopyCurve::bytes_at(i)) / 10e9;
  c.wait_seconds = 3e-6;
  c.allocate_seconds = 1e-6;
  return machine;
}

TEST(Select, PredictsCopiesFromMeasuredCurvesWithWaitAndAllocation) {
  const Machine machine = measured_link();
  const CopyCurve& curve = machine.ceilings.h2d_pageable;
  EXPECT_DOUBLE_EQ(curve.at(100), curve.seconds[0]);  // no copy is faster than the smallest one that was measured
  EXPECT_DOUBLE_EQ(curve.at(16384), curve.seconds[1]);
  EXPECT_NEAR(curve.at(1000000), 10e-6 + 100e-6, 1e-12);
  EXPECT_NEAR(curve.at(std::int64_t{1} << 30), 10e-6 + 0.1073741824, 1e-9);  // beyond the last point
  const Prediction p = predict(*find_kernel<Toy>("cuda.toy.f32.fast"), on_host(1000000), machine);
  EXPECT_NEAR(p.copy_in, 2 * (10e-6 + 400e-6), 1e-10);
  EXPECT_NEAR(p.copy_out, 10e-6 + 400e-6, 1e-10);
  EXPECT_DOUBLE_EQ(p.wait, 3e-6);
  EXPECT_DOUBLE_EQ(p.allocate, 3e-6);
  EXPECT_DOUBLE_EQ(p.total(), p.copy_in + p.launch + p.kernel + p.copy_out + p.wait + p.allocate);
  const Prediction near = predict(*find_kernel<Toy>("cuda.toy.f32.fast"), on_gpu(1000000), machine);
  EXPECT_DOUBLE_EQ(near.total(), near.launch + near.kernel);
}

Prediction taking(double seconds, double error) {
  Prediction p;
  p.kernel = seconds;
  p.error = error;
  return p;
}

using detail::SideChoice;
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
const std::array<Copies, 2> kNowhere = {}, kOnHost = {Copies{}, Copies{8, 4, 2, 1}},
                            kOnGpu = {Copies{8, 4, 2, 1}, Copies{}},
                            kMostlyOnHost = {Copies{10, 0, 1, 0}, Copies{90, 50, 2, 1}};

void expect_choice(const Prediction& cpu, const Prediction& gpu, const std::array<Copies, 2>& copies, Backend side,
                   Ground ground) {
  const SideChoice choice = detail::choose_side(cpu, gpu, copies);
  EXPECT_EQ(choice.side, side) << cpu.total() << ' ' << gpu.total();
  EXPECT_EQ(choice.ground, ground) << cpu.total() << ' ' << gpu.total();
  // The same with the sides exchanged, but for two that are equal in all.
  if (cpu.total() == gpu.total()) return;
  const SideChoice mirrored = detail::choose_side(gpu, cpu, {copies[1], copies[0]});
  EXPECT_NE(mirrored.side, side) << cpu.total() << ' ' << gpu.total();
  EXPECT_EQ(mirrored.ground, ground);
}

TEST(ChooseSide, TakesTheFasterWhereErrorsAreUnknownOrApart) {
  for (const auto& copies : {kNowhere, kOnHost, kOnGpu}) {
    expect_choice(taking(1.00, kUnknown), taking(0.99, kUnknown), copies, Backend::cuda, Ground::time);
    expect_choice(taking(1.00, 0.5), taking(0.99, kUnknown), copies, Backend::cuda, Ground::time);
    expect_choice(taking(0.99, kUnknown), taking(1.00, 0.5), copies, Backend::cpu, Ground::time);
    expect_choice(taking(1.00, 0), taking(0.99, 0), copies, Backend::cuda, Ground::time);
    // 0.9 to 1.1 and 0.6 to 0.8 have nothing in common.
    expect_choice(taking(1.0, 0.1), taking(0.7, 0.1 / 0.7), copies, Backend::cuda, Ground::time);
  }
}

TEST(ChooseSide, TakesTheCheaperWorstCaseWhereTheyOverlap) {
  // 0.95 to 1.05 against 0.45 to 1.35: the second is faster if the model is right, and may be much slower.
  expect_choice(taking(1.0, 0.05), taking(0.9, 0.5), kNowhere, Backend::cpu, Ground::worst_case);
  expect_choice(taking(1.0, 0.05), taking(0.9, 0.5), kOnHost, Backend::cpu, Ground::worst_case);
  expect_choice(taking(1.0, 0.3), taking(0.9, 0.1), kNowhere, Backend::cuda, Ground::time);
}

TEST(ChooseSide, LeavesHomeOnlyForMoreThanTheError) {
  // The GPU is predicted faster and its worst case is cheaper, but the CPU's prediction may be off by twice the gain.
  const Prediction cpu = taking(1.0, 0.2), gpu = taking(0.9, 0.05);
  expect_choice(cpu, gpu, kOnHost, Backend::cpu, Ground::home);
  expect_choice(cpu, gpu, kMostlyOnHost, Backend::cpu, Ground::home);  // fewer bytes to be moved to it
  expect_choice(cpu, gpu, kNowhere, Backend::cuda, Ground::time);
  expect_choice(cpu, gpu, kOnGpu, Backend::cuda, Ground::time);
  // A gain of 0.25 is above both errors, though the predictions touch: 0.8 to 1.2, 0.7 to 0.8.
  expect_choice(taking(1.0, 0.2), taking(0.75, 0.1), kOnHost, Backend::cuda, Ground::time);
  // Where the data is, a cheaper worst case holds it, whatever is predicted.
  expect_choice(taking(1.0, 0.05), taking(0.9, 0.3), kOnHost, Backend::cpu, Ground::worst_case);
  // The worst case alone is no reason to leave: the other side would be slower if the model is right.
  expect_choice(taking(1.0, 0.5), taking(1.1, 0.05), kOnHost, Backend::cpu, Ground::home);
}

TEST(Select, SharesTheCostOfWhatStays) {
  const Machine machine = gpu_machine_with(10e9);
  Situation<Toy> s = on_host(1000000);  // two inputs of 4 MB each
  const Prediction once = predict(*find_kernel<Toy>("cuda.toy.f32.fast"), s, machine);
  s.copies[1].kept_bytes = 4000000;
  s.copies[1].kept_count = 1;
  s.copies[1].reuse = 4;
  const Prediction shared = predict(*find_kernel<Toy>("cuda.toy.f32.fast"), s, machine);
  EXPECT_DOUBLE_EQ(once.copy_in, 2 * (10e-6 + 4e6 / 10e9));
  EXPECT_DOUBLE_EQ(shared.copy_in, 1.25 * (10e-6 + 4e6 / 10e9));
  EXPECT_DOUBLE_EQ(shared.copy_out, once.copy_out);
  EXPECT_DOUBLE_EQ(shared.kernel, once.kernel);
  EXPECT_NE(s, on_host(1000000));  // another situation, so another decision is remembered
}

TEST(Select, MeasurementsThatDoNotTellKernelsApartLeaveTheChoiceToThePriors) {
  const Entry<Toy>&fast = *find_kernel<Toy>("cpu.toy.f32.fast"), &slow = *find_kernel<Toy>("cpu.toy.f32.slow");
  const auto taking = [](double seconds, double error, double prior) {
    Prediction p;
    p.kernel = seconds;
    p.error = error;
    p.prior = prior;
    return p;
  };
  const auto chosen_of = [&](const Prediction& of_fast, const Prediction& of_slow) {
    detail::Side<Toy> side, reversed;
    side.add(fast, of_fast);
    side.add(slow, of_slow);
    reversed.add(slow, of_slow);
    reversed.add(fast, of_fast);
    EXPECT_EQ(side.best().entry, reversed.best().entry);
    EXPECT_EQ(side.best().ground, reversed.best().ground);
    return std::pair(side.best().entry->name, side.best().ground);
  };
  using Chosen = std::pair<std::string, Ground>;
  const Chosen by_prior = {"cpu.toy.f32.fast", Ground::prior}, by_time = {"cpu.toy.f32.slow", Ground::time};
  EXPECT_EQ(chosen_of(taking(0.9, 0.3, 1.0), taking(0.8, 0.1, 2.0)), by_prior);
  EXPECT_EQ(chosen_of(taking(0.9, 0.01, 1.0), taking(0.8, 0.1, 2.0)), by_time) << "0.89 against 0.88";
  EXPECT_EQ(chosen_of(taking(0.9, 0.3, 2.0), taking(0.8, 0.1, 1.0)), by_time) << "both say so";
  EXPECT_EQ(chosen_of(taking(1.0, 0.3, 1.0), taking(0.8, 0.1, 2.0)), by_time) << "a quarter is too much to bet";
  EXPECT_EQ(chosen_of(taking(50.0, 1.01, 1.0), taking(1.0, 0.03, 2.0)), by_time) << "twice as far off is not any time";
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(chosen_of(taking(0.9, unknown, 1.0), taking(0.8, 0.1, 2.0)), by_time);
  EXPECT_EQ(chosen_of(taking(0.9, 0.3, 1.0), taking(0.8, unknown, 2.0)), by_time);
}

TEST(DecisionCache, FindsWhatWasDecidedAndReplacesTheOldest) {
  DecisionCache<Toy> cache;
  const Machine machine = plain_machine();
  const auto insert = [&](std::int64_t elements) {
    const Situation<Toy> s = on_host(elements);
    return cache.insert({s, select<Toy>(s, {}, machine)});
  };
  EXPECT_EQ(cache.find(on_host(1)), nullptr);
  const Decided<Toy>* first = insert(1);
  EXPECT_EQ(cache.find(on_host(1)), first);
  EXPECT_EQ(cache.find(on_host(1, true)), nullptr);
  EXPECT_EQ(cache.find(on_gpu(1)), nullptr);  // the same problem with its data elsewhere
  Situation<Toy> forced = on_host(1);
  forced.kernel = "cpu.toy.f32.slow";
  EXPECT_EQ(cache.find(forced), nullptr);
  for (std::int64_t elements = 2; elements <= 64; ++elements) insert(elements);
  EXPECT_EQ(cache.find(on_host(1)), first);  // slots do not move
  EXPECT_EQ(cache.find(on_host(64))->situation.on(Backend::cpu).elements, 64);
  insert(65);
  EXPECT_EQ(cache.find(on_host(1)), nullptr);
  for (std::int64_t elements = 2; elements <= 65; ++elements)
    EXPECT_NE(cache.find(on_host(elements)), nullptr) << elements;
}

TEST(KernelNames, LastTwoUnderscoresBecomeDots) {
  EXPECT_EQ(kernel_name(Backend::cpu, "matmul_f32_simd"), "cpu.matmul.f32.simd");
  EXPECT_EQ(kernel_name(Backend::cuda, "squared_difference_f32_naive"), "cuda.squared_difference.f32.naive");
}

}  // namespace
}  // namespace tandem::test::select_test
