// Running one kernel on one case, in memory that catches every stray access, and judging the result.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "common/core/device_api.h"
#include "common/core/thread_pool.h"
#include "common/dispatch/registry.h"
#include "tests/support/cases.h"
#include "tests/support/fill.h"
#include "tests/support/guarded_buffer.h"
#include "tests/support/verify.h"

namespace tandem::test {

/// How a CPU kernel is run. With small caches, blocks are small and loops over blocks are taken by small problems.
struct HostSetting {
  IsaLevel isa = IsaLevel::scalar;
  int threads = 1;
  bool small_caches = false;
};

std::string describe(const HostSetting& setting);

/// What this CPU and the operating system allow.
IsaLevel cpu_level();

/// Every level from `least` up to what this CPU has; on the highest one also 2, 3 and 5 threads and small caches.
std::vector<HostSetting> host_settings(IsaLevel least);
/// The same, with 3 threads on every level.
std::vector<HostSetting> thread_settings(IsaLevel least);
/// Every level on one thread, and the highest one on two: for families of thousands of cases.
std::vector<HostSetting> few_host_settings(IsaLevel least);

/// This machine as a context with the setting would see it; no ceiling is measured, and forking seems free.
Machine machine_of(const HostSetting& setting);
/// This machine with its GPU; only where no_gpu_reason() is empty.
const Machine& gpu_machine();
/// The stream that all CUDA cases share.
gpu::Stream& gpu_stream();
/// A pool kept for the length of the program; null for one thread.
ThreadPool* pool_of(int threads);

/// What a run gave. Without a failure and a refusal the result was right and nothing else was touched.
struct Outcome {
  std::string refusal;            // of Kernel::supports
  std::string failure;            // what was wrong
  std::vector<std::byte> result;  // memory of all results, gaps included
};

/// The operands of a case, its inputs protected, and what must come out of it.
template <class Op>
class Prepared {
 public:
  Prepared(const Case<Op>& c, std::uint64_t seed) : case_(c) {
    for (std::size_t i = 0; i < c.operands.size(); ++i) {
      const OperandSpec& spec = c.operands[i];
      tensors_.push_back(std::make_unique<GuardedTensor>(spec.dtype, spec.shape, spec.strides, c.flush,
                                                         c.offsets.empty() ? 0 : c.offsets[i]));
      const bool is_result = i >= first_result();
      if (!is_result && spec.range)
        fill_range(tensors_.back()->view(), *spec.range, seed * 1000003 + i);
      else if (!is_result || Op::reads_result(c.attributes))
        fill(tensors_.back()->view(), c.fill, static_cast<int>(i), c.terms, seed);
      oracle_operands_.push_back(tensors_.back()->view());
    }
    make_legal<Op>(c, oracle_operands_, seed);
    run_operands_ = oracle_operands_;
    const GuardedBuffer& start =
        c.in_place >= 0 ? tensors_[static_cast<std::size_t>(c.in_place)]->buffer() : tensors_.back()->buffer();
    initial_.assign(start.data(), start.data() + start.bytes());
    if (c.in_place >= 0) run_operands_[static_cast<std::size_t>(c.in_place)] = run_operands_.back();
    for (std::size_t i = 0; i < first_result(); ++i) tensors_[i]->buffer().make_read_only();
    const Oracle<Op> oracle(c.attributes, oracle_operands_);
    expected_.resize(static_cast<std::size_t>(oracle.elements()));
    oracle.expect(0, oracle.elements(), expected_.data());
    // Results that are numbers, not bits, are rounded to their type.
    const DType result = std::is_base_of_v<NumberResult, Oracle<Op>> ? c.operands.back().dtype : DType::f32;
    if (c.exact)
      for (Expected& e : expected_)
        e = {result == DType::bf16 ? nearest_bf16(e.value) : result == DType::f16 ? nearest_f16(e.value) : e.value, 0};
    if constexpr (result_count<Op>() > 1) {
      for (std::size_t r = 0; r + 1 < result_count<Op>(); ++r) {
        others_.emplace_back(static_cast<std::size_t>(tensors_[first_result() + r]->view().elements()));
        oracle.expect_other(r, others_.back().data());
      }
    }
  }

  const typename Op::Attributes& attributes() const { return case_.attributes; }
  std::span<const View> operands() const { return run_operands_; }
  std::size_t offset(std::size_t operand) const { return case_.offsets.empty() ? 0 : case_.offsets[operand]; }
  int in_place() const { return case_.in_place; }
  GuardedBuffer& buffer(std::size_t operand) { return tensors_[operand]->buffer(); }
  std::string description() const { return describe(case_.operands, case_.fill, case_.in_place >= 0); }

  std::size_t first_result() const { return case_.operands.size() - result_count<Op>(); }

  /// What the results hold before a run: poison, the old contents that are read, or the input of a call in place.
  void reset_result() {
    for (std::size_t i = first_result(); i + 1 < tensors_.size(); ++i) tensors_[i]->buffer().poison();
    if (!initial_.empty()) std::memcpy(tensors_.back()->buffer().data(), initial_.data(), initial_.size());
  }

  /// Empty when the results are right and no gap or slack was written.
  std::string judge() const {
    for (std::size_t r = 0; r < others_.size(); ++r) {
      const std::string what = judge_one(*tensors_[first_result() + r], others_[r]);
      if (!what.empty()) return case_.operands[first_result() + r].name + ": " + what;
    }
    return judge_one(*tensors_.back(), expected_);
  }

  /// The memory of the results, one after the other.
  std::vector<std::byte> result() const {
    std::vector<std::byte> bytes;
    for (std::size_t i = first_result(); i < tensors_.size(); ++i) {
      const GuardedBuffer& buffer = tensors_[i]->buffer();
      bytes.insert(bytes.end(), buffer.data(), buffer.data() + buffer.bytes());
    }
    return bytes;
  }

 private:
  static std::string judge_one(const GuardedTensor& tensor, const std::vector<Expected>& all) {
    const View result = tensor.view();
    Check check;
    const Expected* expected = all.data();
    walk<1>(0, result.elements(), result.shape(), {result.strides()}, [&](std::int64_t i, const std::int64_t(&at)[1]) {
      compare(check, *expected++, Oracle<Op>::actual(result, at[0]), [&] { return element_name(i, result.shape()); });
    });
    if (!check.ok()) return check.complaint + " (" + std::to_string(check.wrong) + " wrong)";
    return tensor.damage();
  }

  Case<Op> case_;
  std::vector<std::unique_ptr<GuardedTensor>> tensors_;
  std::vector<View> oracle_operands_, run_operands_;
  std::vector<std::byte> initial_;
  std::vector<Expected> expected_;
  std::vector<std::vector<Expected>> others_;  // of the results before the last one
};

template <class Op>
Outcome run_on_host(const Kernel<Op>& kernel, Prepared<Op>& prepared, const HostSetting& setting) {
  const Machine machine = machine_of(setting);
  const auto problem = Op::describe(prepared.attributes(), prepared.operands());
  Outcome outcome;
  if (const Refusal refusal = refusal_of(kernel, problem, machine)) {
    outcome.refusal = refusal;
    return outcome;
  }
  // Poisoned, of exactly the size asked for, at the promised alignment, with a guard page close behind.
  constexpr std::size_t kAlignment = 256;
  const std::size_t bytes = kernel.workspace(problem, machine);
  const GuardedBuffer workspace(bytes, Flush::to_end, (kAlignment - bytes % kAlignment) % kAlignment);
  prepared.reset_result();
  const Code code =
      kernel.run(Op::bind(prepared.attributes(), prepared.operands()), {&machine, pool_of(setting.threads), nullptr},
                 {bytes == 0 ? nullptr : workspace.data(), bytes});
  if (code != Code::ok)
    outcome.failure = "run returned " + std::string(name(code));
  else
    outcome.failure = prepared.judge();
  if (outcome.failure.empty() && !workspace.damage().empty()) outcome.failure = "workspace: " + workspace.damage();
  outcome.result = prepared.result();
  return outcome;
}

/// Memory on the GPU, of exactly the bytes asked for beyond an offset.
class DeviceMemory {
 public:
  DeviceMemory(std::size_t bytes, std::size_t offset)
      : start_(static_cast<std::byte*>(gpu_stream().allocate(bytes + offset, "test"))), offset_(offset) {}
  ~DeviceMemory() { gpu_stream().release(start_); }
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;
  std::byte* data() const { return start_ + offset_; }

 private:
  std::byte* start_;
  std::size_t offset_;
};

/// `machine`: another one than the real one makes a kernel take the paths that it takes there.
template <class Op>
Outcome run_on_gpu(const Kernel<Op>& kernel, Prepared<Op>& prepared, const Machine& machine = gpu_machine()) {
  gpu::Stream& stream = gpu_stream();
  const Device device = Device::cuda(stream.device());
  Outcome outcome;
  std::vector<std::unique_ptr<DeviceMemory>> memory;
  std::vector<View> operands;
  prepared.reset_result();
  const std::span<const View> host = prepared.operands();
  for (std::size_t i = 0; i < host.size(); ++i) {
    const std::size_t bytes = prepared.buffer(i).bytes();
    memory.push_back(std::make_unique<DeviceMemory>(bytes, prepared.offset(i)));
    if (bytes > 0) stream.upload(memory.back()->data(), prepared.buffer(i).data(), bytes, "test");
    operands.emplace_back(memory.back()->data(), host[i].dtype(), host[i].shape(), host[i].strides(), device);
  }
  if (prepared.in_place() >= 0) operands[static_cast<std::size_t>(prepared.in_place())] = operands.back();
  const auto problem = Op::describe(prepared.attributes(), operands);
  if (const Refusal refusal = refusal_of(kernel, problem, machine)) {
    outcome.refusal = refusal;
    return outcome;
  }
  const std::size_t bytes = kernel.workspace(problem, machine);
  std::unique_ptr<DeviceMemory> workspace;
  if (bytes > 0) {
    workspace = std::make_unique<DeviceMemory>(bytes, 0);
    const std::vector<std::byte> poison(bytes, std::byte{0xff});
    stream.upload(workspace->data(), poison.data(), bytes, "test");
  }
  const Code code = kernel.run(Op::bind(prepared.attributes(), operands), {&machine, nullptr, stream.handle()},
                               {workspace ? workspace->data() : nullptr, bytes});
  if (code != Code::ok) outcome.failure = "run returned " + std::string(name(code));
  stream.check("test");
  stream.synchronize("test");
  for (std::size_t i = prepared.first_result(); i < host.size(); ++i) {
    GuardedBuffer& result = prepared.buffer(i);
    if (result.bytes() > 0) stream.download(result.data(), memory[i]->data(), result.bytes(), "test");
  }
  for (std::size_t i = 0; i < prepared.first_result() && outcome.failure.empty(); ++i) {  // inputs must be as they were
    std::vector<std::byte> now(prepared.buffer(i).bytes());
    if (now.empty() || prepared.in_place() == static_cast<int>(i)) continue;
    stream.download(now.data(), memory[i]->data(), now.size(), "test");
    if (std::memcmp(now.data(), prepared.buffer(i).data(), now.size()) != 0)
      outcome.failure = "operand " + std::to_string(i) + " was written";
  }
  if (outcome.failure.empty()) outcome.failure = prepared.judge();
  outcome.result = prepared.result();
  return outcome;
}

// Compiled once, in kernel_run.cpp.
#define TANDEM_OP(Op)                                                                            \
  extern template class Prepared<Op>;                                                            \
  extern template Outcome run_on_host<Op>(const Kernel<Op>&, Prepared<Op>&, const HostSetting&); \
  extern template Outcome run_on_gpu<Op>(const Kernel<Op>&, Prepared<Op>&, const Machine&);
#include "common/ops/ops.def"
#undef TANDEM_OP

}  // namespace tandem::test
