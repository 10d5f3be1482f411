// Contexts: what is decided once (machine, environment, policy) and what is kept between calls.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <tuple>

#include <fmt/format.h>
#include <tandem/context.h>
#include <tandem/error.h>
#include <tandem/tuning.h>

#include "common/core/context_impl.h"
#include "common/core/environment.h"
#include "common/core/host_api.h"
#include "common/core/memory.h"
#include "common/dispatch/recorder.h"
#include "common/dispatch/registry.h"
#include "common/dispatch/select.h"
#include "common/tuning/source.h"

namespace tandem {
namespace {

constexpr std::size_t kWorkspaceAlignment = 256;

// What cpu::measure() fills: what depends on the instruction sets.
constexpr double Ceilings::*kCpuCeilings[] = {&Ceilings::cpu_flops,      &Ceilings::cpu_s8_ops,
                                              &Ceilings::cpu_bf16_flops, &Ceilings::cpu_l2_bytes,
                                              &Ceilings::cpu_l3_bytes,   &Ceilings::cpu_dram_bytes};

Machine detect() {
  Machine machine;
  machine.cpu = cpu::query();
  gpu::Devices devices = gpu::query();
  machine.gpus = std::move(devices.gpus);
  machine.no_gpu_reason = std::move(devices.no_gpu_reason);
  return machine;
}

Machine measured(Machine machine) {
  cpu::measure(machine.cpu, machine.ceilings);
  machine.ceilings.cpu_fork_seconds = measure_fork(machine.cpu.threads);
  if (machine.gpus.empty()) return machine;
  try {
    gpu::measure(machine.gpus.front().index, machine.cpu.threads, machine.ceilings);
  } catch (const Error& error) {  // listed, but not to be used: the CPU serves
    machine.gpus.clear();
    machine.no_gpu_reason = error.what();
  }
  return machine;
}

/// Ceilings as this processor reaches them with instruction sets up to a cap, measured once in a process for each cap:
/// 20 ms. The others stay as they are.
void measure_capped(const CpuInfo& capped, Ceilings& ceilings) {
  static std::mutex mutex;
  static std::map<IsaLevel, Ceilings> known;
  const std::lock_guard lock(mutex);
  auto at = known.find(capped.isa);
  if (at == known.end()) {
    Ceilings measured;
    cpu::measure(capped, measured);
    at = known.emplace(capped.isa, measured).first;
  }
  for (double Ceilings::*field : kCpuCeilings) ceilings.*field = at->second.*field;
}

/// Which operation a kernel name belongs to; throws when no kernel has that name.
int op_of_kernel(std::string_view kernel, const char* who = "") {
  int found = -1;
  for_each_op([&]<class Op>() {
    if (find_kernel<Op>(kernel)) found = op_index<Op>();
  });
  if (found < 0)
    throw Error(Code::invalid_argument,
                fmt::format("{}there is no kernel named '{}'; kernels(ctx) lists them", who, kernel));
  return found;
}

void check_policy(const Policy& policy) {
  constexpr const char* kWhat = "policy";
  if (policy.backend) require_known(kWhat, "backend", *policy.backend, Backend::cuda);
  if (policy.result) require_known(kWhat, "the results' backend", policy.result->backend, Backend::cuda);
  require_known(kWhat, "transfers", policy.transfers, Transfers::forbid);
  require_known(kWhat, "math mode", policy.math, MathMode::bf16);
}

}  // namespace

double measure_fork(int threads) {
  if (threads < 2) return 0;
  ThreadPool pool(threads);
  const auto seconds = [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
  constexpr int kRegions = 200;
  double best = 1;
  for (int round = 0; round < 5; ++round) {
    const double begin = seconds();
    for (int i = 0; i < kRegions; ++i) pool.run(threads, [](int, int) {});
    best = std::min(best, (seconds() - begin) / kRegions);
  }
  return best;
}

const Machine& detected_machine() {
  static const Machine machine = detect();
  return machine;
}

const Machine& this_machine() {
  static const Machine machine = measured(detected_machine());
  return machine;
}

void Context::Impl::find_machine(const std::string& source) {
  const TuningSource spec = parse_tuning_source(source, "tuning: ");
  tuning = nullptr;
  tuning_source = source;
  if (pretended) {
    machine = *options.machine;
    model = "the ceilings that were given, no measured times";
  }
  if (!pretended || !spec.path.empty()) {
    constexpr auto kMeasured = +[] { return this_machine().ceilings; };
    tuning::Loaded loaded =
        pretended ? tuning::load(spec, machine, nullptr) : tuning::load(spec, detected_machine(), kMeasured);
    if (!pretended && (loaded.ceilings || spec.frozen)) {
      machine = detected_machine();
      machine.ceilings = loaded.ceilings.value_or(Ceilings{});
    } else if (!pretended) {
      machine = this_machine();
    }
    tuning = std::move(loaded.table);
    model = std::move(loaded.model);
  }
  limit_machine();
}

void Context::Impl::limit_machine() {
  const Environment env = pretended ? Environment{} : environment();
  if (!options.use_gpu) {
    machine.gpus.clear();
    machine.no_gpu_reason = "the context was made with use_gpu = false";
  }
  if (options.threads > 0)
    machine.cpu.threads = options.threads;
  else if (env.threads)
    machine.cpu.threads = *env.threads;
  const IsaLevel all = machine.cpu.isa;
  for (const std::optional<IsaLevel>& cap : {env.isa_max, options.isa_max})
    if (cap && *cap < machine.cpu.isa) machine.cpu.isa = *cap;
  if (machine.cpu.isa == all) return;
  const bool frozen = parse_tuning_source(tuning_source, "tuning: ").frozen;
  const char* ceilings = pretended ? "the ceilings that were given"
                         : frozen  ? "frozen: assumed ceilings"
                                   : "measured ceilings";
  if (tuning || (frozen && !pretended))
    model = fmt::format("{}; what was measured is not of {}, the cap", ceilings, name(machine.cpu.isa));
  tuning = nullptr;
  if (pretended) return;
  if (frozen)
    for (double Ceilings::*field : kCpuCeilings) machine.ceilings.*field = 0;  // then assumed
  else
    measure_capped(machine.cpu, machine.ceilings);
}

void Context::Impl::use_tuning(const std::string& source) {
  const auto old = std::tuple(machine, tuning, model, tuning_source);
  try {
    find_machine(source);
    set_policy(policy);  // forgets what was decided
  } catch (...) {
    std::tie(machine, tuning, model, tuning_source) = old;
    throw;
  }
}

Context::Impl::Impl(const ContextOptions& wanted) : options(wanted) {
  pretended = options.machine.has_value();
  const Environment env = pretended ? Environment{} : environment();
  if (options.threads < 0 || options.threads > 1024)
    throw Error(Code::invalid_argument,
                fmt::format("context: {} threads; write 0 (automatic) to 1024", options.threads));
  if (options.isa_max) require_known("context", "instruction-set level", *options.isa_max, IsaLevel::avx512);
  find_machine(env.tuning);
  if (env.log) log = [](const std::string& line) { std::fprintf(stderr, "tandem: %s\n", line.c_str()); };
  if (!env.record.empty()) recorder = std::make_unique<ProblemRecorder>(env.record);
  if (options.policy.kernels.empty())
    for (const std::string& kernel : env.kernels) op_of_kernel(kernel, "TANDEM_KERNEL: ");
  set_policy(options.policy);
}

Context::Impl::~Impl() {
  workers.clear();
  tracer.reset();
  if (device_workspace_) stream_->release(device_workspace_);
  if (stream_) stream_->use_threads(nullptr);  // tensors keep it
}

void Context::Impl::set_policy(const Policy& asked) {
  Policy wanted = asked;
  if (!pretended) {
    if (!wanted.backend) wanted.backend = environment().backend;
    if (wanted.kernels.empty()) wanted.kernels = environment().kernels;
  }
  check_policy(wanted);
  std::array<std::string, kOpCount> forced;
  for (const std::string& kernel : wanted.kernels) {
    std::string& other = forced[static_cast<std::size_t>(op_of_kernel(kernel))];
    if (!other.empty() && other != kernel)
      throw Error(Code::invalid_argument,
                  fmt::format("kernels {} and {} are of one operation; at most one can be forced", other, kernel));
    other = kernel;
  }
  if (wanted.backend == Backend::cuda && machine.gpus.empty())
    throw Error(Code::unavailable, fmt::format("backend cuda was asked for, but {}", machine.no_gpu_reason));
  if (describe_last_) kept_last_ = last();
  last_ = nullptr;
  describe_last_ = nullptr;
  for (auto& cache : caches_) cache.reset();
  workers.clear();
  forced_ = std::move(forced);
  policy = std::move(wanted);
}

void Context::Impl::require_own_machine(std::string_view op) const {
  if (pretended)
    throw Error(Code::unavailable,
                fmt::format("{}: this context pretends to be another machine: it can select and explain, not run", op));
}

Queue Context::Impl::queue(Backend backend, const char* op) {
  require_own_machine(op);
  if (backend == Backend::cuda) return {&machine, nullptr, stream(op)->to_launch_on(op)};
  return {&machine, pool(), nullptr};
}

ThreadPool* Context::Impl::pool() {
  if (!pool_ && machine.cpu.threads > 1) pool_ = std::make_unique<ThreadPool>(machine.cpu.threads);
  return pool_.get();
}

Workspace Context::Impl::workspace(Backend backend, std::size_t bytes, const char* op) {
  if (bytes == 0) return {};
  if (backend == Backend::cpu) {
    if (bytes > host_workspace_bytes_) {
      host_workspace_.reset();  // first, so that the peak is not the sum of both
      host_workspace_bytes_ = 0;
      host_workspace_ = allocate_host(bytes, kWorkspaceAlignment, op);
      host_workspace_bytes_ = bytes;
    }
    return {host_workspace_.get(), host_workspace_bytes_};
  }
  if (bytes > device_workspace_bytes_) {
    if (device_workspace_) stream(op)->release(device_workspace_);
    device_workspace_ = nullptr;
    device_workspace_bytes_ = 0;
    device_workspace_ = stream(op)->allocate(bytes, op);
    device_workspace_bytes_ = bytes;
  }
  return {device_workspace_, device_workspace_bytes_};
}

void Context::Impl::check(Code code, const char* op, const std::string& kernel) {
  if (code == Code::ok) return;
  if (stream_) stream_->check(op);  // prefers the driver's own words
  throw Error(code, fmt::format("{}: kernel {} failed: {}", op, kernel, name(code)));
}

const std::shared_ptr<gpu::Stream>& Context::Impl::stream(const char* op) {
  if (!stream_) {
    if (machine.gpus.empty())
      throw Error(Code::unavailable, fmt::format("{}: there is no GPU: {}", op, machine.no_gpu_reason));
    require_own_machine(op);
    stream_ = std::make_shared<gpu::Stream>(machine.gpus.front().index);
    stream_->use_threads(pool());
  }
  return stream_;
}

void Context::Impl::require_reachable(Device device, std::string_view op) const {
  if (device.is_cpu()) return;
  const auto refuse = [&](const std::string& reason) {
    throw Error(Code::unavailable, fmt::format("{}: memory of {} is out of reach: {}", op, to_string(device), reason));
  };
  if (machine.gpus.empty()) refuse(machine.no_gpu_reason.empty() ? "there is no GPU" : machine.no_gpu_reason);
  const Device own = Device::cuda(machine.gpus.front().index);
  if (device != own) refuse("this context uses " + to_string(own));
}

Decision Context::Impl::last() const { return describe_last_ ? describe_last_(last_, machine) : kept_last_; }

void Context::Impl::log_last() {
  const Decision d = last();
  log(fmt::format("{} {} -> {} (predicted {:.3g} s, {} threads)", d.op, d.problem, d.kernel, d.predicted_seconds,
                  d.threads));
}

Context::Context() : Context(ContextOptions{}) {}
Context::Context(const ContextOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Context::~Context() = default;
Context::Context(Context&&) noexcept = default;
Context& Context::operator=(Context&&) noexcept = default;

const Machine& Context::machine() const noexcept { return impl_->machine; }
int Context::threads() const noexcept { return impl_->machine.cpu.threads; }
const Policy& Context::policy() const noexcept { return impl_->policy; }
void Context::set_policy(const Policy& policy) { impl_->set_policy(policy); }
void Context::synchronize() {
  if (!impl_->has_stream()) return;
  const TraceStage stage(impl_->tracer.get(), trace::Stage::wait);
  impl_->stream("synchronize")->synchronize("synchronize");
}
void* Context::stream() const {
  return impl_->pretended || impl_->machine.gpus.empty() ? nullptr : impl_->stream("stream")->handle();
}
Decision Context::last() const { return impl_->last(); }
void Context::set_log(std::function<void(const std::string&)> log) { impl_->log = std::move(log); }

void use_tuning(Context& ctx, const std::string& source) { ctx.impl().use_tuning(source); }

std::string tuning_model(Context& ctx) { return ctx.impl().model; }

void record_problems(Context& ctx, const std::string& path) {
  ctx.impl().recorder = path.empty() ? nullptr : std::make_unique<ProblemRecorder>(path);
  ctx.impl().workers.clear();  // made anew, with the same path
}

std::vector<KernelInfo> kernels(Context& ctx) {
  std::vector<KernelInfo> all;
  const Machine& machine = ctx.machine();
  for_each_op([&]<class Op>() {
    for (const Entry<Op>& entry : table<Op>()) {
      const detail::RowFacts row = detail::facts(entry);
      KernelInfo info;
      info.name = entry.name;
      info.op = Op::kName;
      info.backend = entry.backend;
      info.built = row.built;
      info.reason = detail::refuse_by_machine(row, machine);
      info.runnable = info.reason.empty();
      info.reference = row.traits.reference;
      info.deterministic = row.traits.deterministic;
      all.push_back(std::move(info));
    }
  });
  return all;
}

}  // namespace tandem
