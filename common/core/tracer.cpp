#include "common/core/tracer.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "common/core/context_impl.h"

namespace tandem {
namespace trace {

std::string_view name(Stage stage) noexcept {
  switch (stage) {
    case Stage::select:
      return "select";
    case Stage::allocate:
      return "allocate";
    case Stage::host_to_device:
      return "host to device";
    case Stage::workspace:
      return "workspace";
    case Stage::kernel:
      return "kernel";
    case Stage::device_to_host:
      return "device to host";
    case Stage::wait:
      return "wait";
  }
  return "unknown";
}

void Recorder::State::keep(Span span) {
  const std::lock_guard lock(mutex);
  if (spans.size() < options.capacity)
    spans.push_back(std::move(span));
  else
    ++dropped;
}

Recorder::Recorder(const RecorderOptions& options) : state_(std::make_shared<State>(options)) {}

std::vector<Span> Recorder::spans() const {
  std::vector<Tracer*> tracers;
  {
    const std::lock_guard lock(state_->mutex);
    tracers = state_->tracers;
  }
  for (Tracer* tracer : tracers) tracer->resolve();
  const std::lock_guard lock(state_->mutex);
  std::vector<Span> spans = state_->spans;
  // Parents have the smaller number: they were opened first.
  std::sort(spans.begin(), spans.end(),
            [](const Span& x, const Span& y) { return x.begin != y.begin ? x.begin < y.begin : x.id < y.id; });
  return spans;
}

std::size_t Recorder::dropped() const { return state_->dropped; }

void Recorder::clear() {
  (void)spans();  // what the device still owes would come later
  const std::lock_guard lock(state_->mutex);
  state_->spans.clear();
  state_->dropped = 0;
}

void attach(Context& ctx, const Recorder& recorder) {
  std::unique_ptr<Tracer>& tracer = ctx.impl().tracer;
  if (!tracer || tracer->state() != recorder.state_) tracer = std::make_unique<Tracer>(recorder.state_);
}

void detach(Context& ctx) {
  for (const std::unique_ptr<Context>& worker : ctx.impl().workers) detach(*worker);
  ctx.impl().tracer.reset();
}

Scope::Scope(Context& ctx, std::string_view name) {
  Tracer* tracer = ctx.impl().tracer.get();
  if (!tracer) return;
  impl_ = &ctx.impl();
  tracer->open(Kind::scope, name);
}

Scope::~Scope() {
  if (impl_ && impl_->tracer) impl_->tracer->close();
}

}  // namespace trace

namespace {

constexpr std::size_t kMostMarks = 1024;
// A float of milliseconds tells microseconds apart over so many seconds.
constexpr double kLongestPending = 8;

std::int64_t thread_of_system() noexcept {
  thread_local const auto id = static_cast<std::int64_t>(::syscall(SYS_gettid));
  return id;
}

}  // namespace

void share_recorder(const Context::Impl& from, Context::Impl& to) {
  if (!from.tracer)
    to.tracer.reset();
  else if (!to.tracer || to.tracer->state() != from.tracer->state())
    to.tracer = std::make_unique<Tracer>(from.tracer->state());
}

Tracer::Tracer(std::shared_ptr<trace::Recorder::State> state) : state_(std::move(state)) {
  const std::lock_guard lock(state_->mutex);
  state_->tracers.push_back(this);
}

Tracer::~Tracer() {
  while (depth_ > 0) close();
  resolve();
  const std::lock_guard lock(state_->mutex);
  std::erase(state_->tracers, this);
}

trace::Span* Tracer::current() noexcept {
  if (depth_ == 0 || depth_ > kDepth) return nullptr;
  Open& open = open_[static_cast<std::size_t>(depth_ - 1)];
  return open.recorded ? &open.span : nullptr;
}

void Tracer::begin_range() noexcept {
  if (depth_ == 0 || depth_ > kDepth || !state_->options.nvtx) return;
  Open& open = open_[static_cast<std::size_t>(depth_ - 1)];
  if (open.ranged) return;
  gpu::push_range(open.span.name.c_str());
  open.ranged = true;
}

bool Tracer::in_call() const {
  for (int i = 0; i < std::min(depth_, kDepth); ++i)
    if (open_[static_cast<std::size_t>(i)].span.kind == trace::Kind::call) return true;
  return false;
}

void Tracer::open(trace::Kind kind, std::string_view name) noexcept {
  const int at = depth_++;
  if (at >= kDepth) {
    ++state_->dropped;
    return;
  }
  Open& open = open_[static_cast<std::size_t>(at)];
  try {
    open = {};
    open.span.kind = kind;
    open.span.name = name;
    open.span.id = state_->next_id.fetch_add(1, std::memory_order_relaxed);
    for (int i = at; i > 0 && open.span.parent == 0; --i)
      if (const Open& outer = open_[static_cast<std::size_t>(i - 1)]; outer.recorded) open.span.parent = outer.span.id;
    open.span.thread = thread_of_system();
    open.recorded = true;
    if (kind == trace::Kind::scope) begin_range();
  } catch (const std::exception&) {
    ++state_->dropped;
  }
  open.span.begin = state_->now();
}

void Tracer::open_stage(trace::Stage stage, const std::shared_ptr<gpu::Stream>* stream, ThreadPool* pool) noexcept {
  const bool inner = in_call();
  const bool wanted = state_->options.stages || !inner;
  const bool marks_call = stage == trace::Stage::kernel && inner && stream;
  if (!wanted && !marks_call) {  // only counted, so that its close finds it
    if (depth_ < kDepth) open_[static_cast<std::size_t>(depth_)] = {};
    ++depth_;
    return;
  }
  open(trace::Kind::stage, wanted ? trace::name(stage) : std::string_view{});
  if (depth_ > kDepth) return;
  Open& open = open_[static_cast<std::size_t>(depth_ - 1)];
  open.recorded = open.recorded && wanted;
  open.span.stage = stage;
  open.marks_call = marks_call;
  if (stream) {
    open.span.backend = Backend::cuda;
    open.stream = *stream;
    open.begin_mark = mark(*stream);
    if (stage != trace::Stage::kernel) (*stream)->observe(this);
  } else if (pool && stage == trace::Stage::kernel && wanted) {
    try {
      regions_.shares.resize(static_cast<std::size_t>(pool->threads()));
      regions_.fork_join_seconds = 0;
      regions_.regions = 0;
      pool->watch(&regions_);
      open.pool = pool;
    } catch (const std::exception&) {  // no memory: the share of the regions stays unknown
    }
  }
}

void Tracer::close() noexcept {
  const double end = state_->now();
  if (depth_ == 0) return;  // of a scope that another recorder was attached within
  if (--depth_ >= kDepth) return;
  Open& open = open_[static_cast<std::size_t>(depth_)];
  open.span.end = end;
  if (open.ranged) gpu::pop_range();
  if (open.pool) {
    open.pool->watch(nullptr);
    open.span.fork_join = regions_.fork_join_seconds;
  }
  if (open.stream) {
    if (open.end_mark < 0) open.end_mark = mark(open.stream);
    open.stream->observe(nullptr);
    open.stream.reset();
  }
  if (open.marks_call)
    for (int i = depth_ - 1; i >= 0; --i) {
      Open& outer = open_[static_cast<std::size_t>(i)];
      if (outer.span.kind != trace::Kind::call) continue;
      outer.begin_mark = open.begin_mark;
      outer.end_mark = open.end_mark;
      break;
    }
  try {
    if (open.recorded) finish(open);
  } catch (const std::exception&) {
    ++state_->dropped;
  }
  // Only calls, and what is in them, refer to marks while they are open.
  if (marks_ && (marks_->count() >= kMostMarks || end - first_pending_ > kLongestPending) && !in_call()) resolve();
}

void Tracer::finish(Open& open) {
  if (open.begin_mark < 0 || open.end_mark < 0) return state_->keep(std::move(open.span));
  if (pending_.empty()) first_pending_ = open.span.begin;
  pending_.push_back({std::move(open.span), open.begin_mark, open.end_mark});
}

int Tracer::mark(const std::shared_ptr<gpu::Stream>& stream) noexcept {
  try {
    if (!marks_) marks_ = std::make_unique<gpu::Marks>(stream);
    return marks_->add();
  } catch (const std::exception&) {
    return -1;
  }
}

void Tracer::enqueued() noexcept {
  if (depth_ == 0 || depth_ > kDepth) return;
  Open& open = open_[static_cast<std::size_t>(depth_ - 1)];
  if (open.stream) open.end_mark = mark(open.stream);
}

void Tracer::arrived() noexcept {
  if (trace::Span* span = current(); span && span->stage == trace::Stage::device_to_host) span->noticed = state_->now();
}

void Tracer::resolve() noexcept {
  if (!marks_ || marks_->count() == 0) return;
  const std::vector<double> moments = marks_->resolve();
  const double start = std::chrono::duration<double>(state_->start.time_since_epoch()).count();
  for (Pending& pending : pending_) {
    const auto moment = [&](int index) {
      const auto at = static_cast<std::size_t>(index);
      return at < moments.size() ? moments[at] - start : trace::Span::kNone;
    };
    pending.span.device_begin = moment(pending.begin_mark);
    pending.span.device_end = moment(pending.end_mark);
    try {
      state_->keep(std::move(pending.span));
    } catch (const std::exception&) {
      ++state_->dropped;
    }
  }
  pending_.clear();
}

}  // namespace tandem
