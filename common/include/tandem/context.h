// The explicit state behind every call: threads, device streams, workspace, policy, decisions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tandem/device.h>
#include <tandem/machine.h>

namespace tandem {

/// Whether a call may move data between host and device to run elsewhere than where the data is.
enum class Transfers : std::uint8_t {
  automatic,  ///< weigh the copies against the gain (default)
  forbid,     ///< run where the operands are; mixed operands are an error
};

/// Arithmetic that a call may use. Anything but `strict` changes results and is never chosen silently.
enum class MathMode : std::uint8_t { strict, tf32, bf16 };

std::string_view name(MathMode mode) noexcept;

/// What every call of a context must respect. Each field can be overridden for one call through CallOptions.
struct Policy {
  std::optional<Backend> backend;  ///< only kernels of this backend; not here -> Error(unavailable) with the reason
  /// Full names; forces that kernel for its operation, at most one for each; refused -> an error.
  std::vector<std::string> kernels;
  Transfers transfers = Transfers::automatic;
  MathMode math = MathMode::strict;  ///< what is permitted; changes nothing in this version: every kernel is strict
  /// Same bits for the same build, kernel and inputs. `false` changes nothing in this version: every kernel gives them.
  bool deterministic = true;
  std::optional<Device> result;  ///< where results that a call allocates go; unset: where the first operand is
  /// A call that chose the GPU, not forced there, runs on the CPU when device memory for moved operands or workspace
  /// runs out. A result that belongs on the GPU and does not fit there is an error all the same.
  bool cpu_when_out_of_memory = true;
};

/// How a prediction was made, best first.
enum class Rung : std::uint8_t { measured, interpolated, fitted, prior };

std::string_view name(Rung rung) noexcept;

/// One kernel's part in a decision.
struct Candidate {
  std::string kernel;  ///< "cpu.matmul.f32.simd"
  bool accepted = false;
  std::string verdict;  ///< refused: the reason in a sentence; accepted: "chosen", or why another was preferred
  double seconds = 0;   ///< predicted, copies included; 0 when refused
  double kernel_seconds = 0;
  double copy_in_seconds = 0;
  double copy_out_seconds = 0;
  double launch_seconds = 0;    ///< of a CUDA kernel; fork and join of host threads belong to the kernel
  double wait_seconds = 0;      ///< for the GPU to finish, where the result goes to the host
  double allocate_seconds = 0;  ///< of device memory for what is copied
  Rung rung = Rung::prior;
  double error = 0;  ///< half width of what the prediction may be off by, as a fraction of it; NaN: unknown
};

/// An operand of a call that explain() was asked about.
struct Place {
  std::string name;  ///< "a"
  Device device;
  std::int64_t bytes = 0;  ///< of its elements, each once
  bool result = false;
};

/// What a call ran, or would run, and why.
struct Decision {
  std::string op;  ///< "matmul"
  /// "f32:512x512x512". What it says of operands that explain() has no words for, explain() and the programs do not
  /// accept: strided, strided_a, _b, _c, across, in_place, a=N, b=N, tc of quantized_matmul, za, zb, zp by elements, N
  /// scales by runs or by elements, N multipliers. The reduction "f32:4x6" along an axis they read as one of 24
  /// elements.
  std::string problem;
  std::string kernel;  ///< empty before the first call
  Backend backend = Backend::cpu;
  double predicted_seconds = 0;
  Rung rung = Rung::prior;
  double error = 0;                   ///< of the prediction, as Candidate::error
  std::string model;                  ///< where the predictions come from, in a sentence; only in explain()
  int threads = 0;                    ///< host threads that the call may use
  std::string why;                    ///< one sentence
  std::vector<Place> operands;        ///< inputs, then results; only in explain()
  float expected_reuse = 1;           ///< see CallOptions; only in explain()
  std::vector<Candidate> candidates;  ///< every kernel known for the operation, chosen first; only in explain()
};

/// Several lines for people: chosen, next, why, refused.
std::string to_string(const Decision& decision);

struct ContextOptions {
  int threads = 0;                  ///< host threads; 0: TANDEM_THREADS, else affinity mask and cgroup quota
  std::optional<IsaLevel> isa_max;  ///< cap on the instruction sets; unset: TANDEM_ISA_MAX, else what the CPU has
  Policy policy;                    ///< see Context::set_policy
  bool use_gpu = true;              ///< false: behave as on a machine without GPU
  std::optional<Machine> machine;   ///< pretend to be another machine: for select and explain, never for running
};

/// Holds what calls share. One thread may use a context at a time; separate contexts are independent of each other. Its
/// GPU is the first one that is usable; CUDA_VISIBLE_DEVICES chooses which that is. Memory of another GPU is refused
/// with Error(unavailable).
/// Environment (read when the first context of the process is made; a bad value is an Error): TANDEM_BACKEND,
/// TANDEM_KERNEL (names separated by commas), TANDEM_ISA_MAX, TANDEM_THREADS, TANDEM_TUNING and TANDEM_RECORD (see
/// tandem/tuning.h), and TANDEM_LOG=1, which writes one line a call to standard error. Options and policies win over
/// the environment, but for the cap on instruction sets, where the lower one counts; a context with a made-up machine
/// ignores it.
class Context {
 public:
  Context();
  explicit Context(const ContextOptions& options);
  ~Context();
  Context(Context&&) noexcept;
  Context& operator=(Context&&) noexcept;

  const Machine& machine() const noexcept;
  int threads() const noexcept;

  const Policy& policy() const noexcept;
  /// `backend` left unset and `kernels` left empty are filled in from TANDEM_BACKEND and TANDEM_KERNEL. Validated here:
  /// an unknown kernel, two kernels for one operation (Error(invalid_argument)) or a backend that is not here
  /// (Error(unavailable)) leaves the old one.
  void set_policy(const Policy& policy);

  /// Waits for all work of this context on its GPU stream. Reports an asynchronous device error, once.
  void synchronize();
  /// The cudaStream_t that everything of this context on its GPU is enqueued on, made at first use: work that a program
  /// enqueues there before a call is done before it, and what it enqueues after, after. It does not wait for the legacy
  /// default stream. Null without a GPU. It lives as long as the context and its tensors.
  void* stream() const;

  /// What the last call on this context ran.
  Decision last() const;

  /// Receives one line a call; an empty function turns the log off. Nothing else in the library prints.
  void set_log(std::function<void(const std::string&)> log);

  struct Impl;
  Impl& impl() noexcept { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// One kernel of the library, runnable here or not.
struct KernelInfo {
  std::string name;  ///< "cpu.matmul.f32.simd": backend, operation, type, variant
  std::string op;    ///< "matmul"
  Backend backend = Backend::cpu;
  bool built = false;
  bool runnable = false;  ///< built, and this context's machine has what it needs
  std::string reason;     ///< why not runnable; empty otherwise
  bool reference = false;
  bool deterministic = true;
};

/// Every kernel known, in the order of the table (best first within an operation), also those that are not built or
/// cannot run on this context's machine.
std::vector<KernelInfo> kernels(Context& ctx);

/// What would run `problem` ("matmul f32:512x512x512", see docs/architecture.md for the grammar of each operation),
/// with every candidate's verdict. `operands` says where the data is, inputs then result; a shorter list means that
/// the remaining operands are on the host. Throws on a problem that cannot be parsed.
Decision explain(Context& ctx, const std::string& problem, const std::vector<Device>& operands = {});

}  // namespace tandem
