// What a program did and when: spans of its own steps, of every call of an operation, and of the stages within a call.
//
//     trace::Recorder recorder;
//     trace::attach(ctx, recorder);
//     {
//       trace::Scope scope(ctx, "layer 1");
//       y = matmul(ctx, x, w);  // records a span by itself
//     }
//     std::ofstream("trace.json") << to_chrome_trace(recorder.spans());  // for chrome://tracing or ui.perfetto.dev
//
// A context without a recorder asks one pointer whether it is null, and does nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/context.h>

namespace tandem::trace {

enum class Kind : std::uint8_t {
  scope,  ///< a Scope of the program
  call,   ///< one call of an operation
  stage,  ///< a part of a call, or a copy or a wait outside of one
};

/// What a stage does. On the host's clock; `kernel` of a GPU is the enqueuing there, and runs on the device's interval.
enum class Stage : std::uint8_t {
  select,    ///< describing the operands, and choosing a kernel
  allocate,  ///< memory for what is moved, and giving it back
  host_to_device,
  workspace,  ///< binding the operands, and scratch memory
  kernel,
  device_to_host,
  wait,  ///< for the GPU to finish
};
std::string_view name(Stage stage) noexcept;

/// Something that took from `begin` to `end`: seconds since the recorder was made, by the host's steady clock.
struct Span {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  Kind kind = Kind::scope;
  Stage stage = Stage::kernel;  ///< of Kind::stage
  std::string name;             ///< of a scope as given; "matmul"; "host to device"
  std::string kernel, problem;  ///< of a call: "cpu.matmul.f32.simd", "f32:512x512x512"
  Backend backend = Backend::cpu;
  std::uint64_t id = 0, parent = 0;  ///< from 1; parent 0: there is none
  std::int64_t thread = 0;           ///< of the operating system
  double begin = 0, end = 0;
  /// From events on the GPU's stream: of a call and of Stage::kernel what the kernel took, of a copy what that took. On
  /// the host's clock to within some microseconds (the time that it takes to see an event happen). NaN without a GPU.
  double device_begin = kNone, device_end = kNone;
  double noticed = kNone;    ///< when the host had seen a copy to it end; NaN for all else
  double fork_join = kNone;  ///< of Stage::kernel on several host threads: seconds in which not even the slowest worked
  double bytes = kNone;      ///< of a call: what must move at least; of a copy: what it moved
  double flops = kNone;      ///< of a call
};

struct RecorderOptions {
  bool stages = false;  ///< stages within calls too: some ten readings of the clock a call, more events on the GPU
  bool nvtx = true;     ///< scopes and calls are NVTX ranges as well, where the library was built with CUDA
  std::size_t capacity = std::size_t{1} << 20;  ///< spans that are kept; later ones are counted only
};

/// Collects the spans of the contexts that it is attached to, which may belong to different threads. A handle: copies
/// collect the same spans.
class Recorder {
 public:
  explicit Recorder(const RecorderOptions& options = {});

  /// All spans so far, by begin. Waits for what the contexts enqueued. No attached context may be in a call.
  std::vector<Span> spans() const;
  /// Spans that were not kept: over the capacity, deeper than 32, or without memory for them.
  std::size_t dropped() const;
  /// Forgets all spans that have ended. No attached context may be in a call.
  void clear();

  struct State;

 private:
  friend void attach(Context& ctx, const Recorder& recorder);
  std::shared_ptr<State> state_;  // contexts hold it too: the recorder may go first
};

/// From now on the calls of `ctx`, and of the contexts that parallel_batch makes for it, are recorded. Replaces another
/// recorder. Not within a Scope of that context.
void attach(Context& ctx, const Recorder& recorder);
void detach(Context& ctx);

/// A span from here to the end of the block. Does nothing where no recorder is attached. On the context's thread.
class Scope {
 public:
  Scope(Context& ctx, std::string_view name);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  Context::Impl* impl_ = nullptr;  // null: not recorded
};

/// JSON of the Trace Event Format: complete events ("X") in microseconds, a process for the host with a lane a thread,
/// and one for the GPU, with names ("M"). An event's parent comes before it.
std::string to_chrome_trace(std::span<const Span> spans);

}  // namespace tandem::trace
