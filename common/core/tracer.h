// How the calls of one context become spans. Everything here is skipped by one null check when no recorder is attached.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include <tandem/trace.h>

#include "common/core/device_api.h"
#include "common/core/thread_pool.h"

namespace tandem {

class Tracer;

struct trace::Recorder::State {
  explicit State(const RecorderOptions& wanted) : options(wanted) {}

  const RecorderOptions options;
  const std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  std::atomic<std::uint64_t> next_id{1};
  std::atomic<std::size_t> dropped{0};
  std::mutex mutex;  // of what follows
  std::vector<Span> spans;
  std::vector<Tracer*> tracers;

  double now() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); }
  void keep(Span span);
};

/// The spans of one context that are open, and those whose end on the device is not known yet. Never throws: a span for
/// which there is no room is dropped, and counted. A context's thread uses it; another one may while it is idle.
class Tracer final : public gpu::CopyObserver {
 public:
  explicit Tracer(std::shared_ptr<trace::Recorder::State> state);
  ~Tracer();
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  const std::shared_ptr<trace::Recorder::State>& state() const { return state_; }

  void open(trace::Kind kind, std::string_view name) noexcept;
  /// Within a call only where stages are wanted; a kernel's interval on the device becomes the call's in any case.
  void open_stage(trace::Stage stage, const std::shared_ptr<gpu::Stream>* stream, ThreadPool* pool) noexcept;
  void close() noexcept;
  /// The innermost open span, for those who know more of it; null when it was dropped.
  trace::Span* current() noexcept;

  /// The innermost open span is an NVTX range from here on, by the name that it has.
  void begin_range() noexcept;

  /// Waits for the device where spans need it, and hands them on.
  void resolve() noexcept;

  // Of the stream, during a copy.
  void enqueued() noexcept override;
  void arrived() noexcept override;

 private:
  static constexpr int kDepth = 32;
  struct Open {
    trace::Span span;
    bool recorded = false, ranged = false;
    bool marks_call = false;  // a kernel within a call: its interval is the call's too
    int begin_mark = -1, end_mark = -1;
    std::shared_ptr<gpu::Stream> stream;  // of a stage on the device
    ThreadPool* pool = nullptr;
  };
  struct Pending {
    trace::Span span;
    int begin_mark, end_mark;
  };
  int mark(const std::shared_ptr<gpu::Stream>& stream) noexcept;
  void finish(Open& open);
  bool in_call() const;

  std::shared_ptr<trace::Recorder::State> state_;
  std::array<Open, kDepth> open_;
  int depth_ = 0;
  std::unique_ptr<gpu::Marks> marks_;
  std::vector<Pending> pending_;
  double first_pending_ = 0;
  RegionClock regions_;
};

/// A stage from here to the end of the block.
class TraceStage {
 public:
  /// `stream`: of what the stage does on the device. `pool`: whose regions are measured.
  TraceStage(Tracer* tracer, trace::Stage stage, const std::shared_ptr<gpu::Stream>* stream = nullptr,
             ThreadPool* pool = nullptr)
      : tracer_(tracer) {
    if (tracer_) [[unlikely]]
      tracer_->open_stage(stage, stream, pool);
  }
  ~TraceStage() { end(); }
  void end() {
    if (tracer_) [[unlikely]] {
      tracer_->close();
      tracer_ = nullptr;
    }
  }
  TraceStage(const TraceStage&) = delete;
  TraceStage& operator=(const TraceStage&) = delete;

 private:
  Tracer* tracer_;
};

/// A call from here to the end of the block.
class TraceCall {
 public:
  TraceCall(Tracer* tracer, std::string_view op) : tracer_(tracer) {
    if (tracer_) [[unlikely]]
      tracer_->open(trace::Kind::call, op);
  }
  ~TraceCall() {
    if (tracer_) [[unlikely]]
      tracer_->close();
  }
  TraceCall(const TraceCall&) = delete;
  TraceCall& operator=(const TraceCall&) = delete;

 private:
  Tracer* tracer_;
};

}  // namespace tandem
