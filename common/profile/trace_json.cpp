// Spans as the Trace Event Format of chrome://tracing and Perfetto.
#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include <tandem/trace.h>
#include <nlohmann/json.hpp>

namespace tandem::trace {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kHost = 1, kGpu = 2;  // process numbers

Json metadata(const char* what, int process, std::int64_t thread, const std::string& name) {
  return {{"name", what}, {"ph", "M"}, {"pid", process}, {"tid", thread}, {"args", {{"name", name}}}};
}

Json event(const Span& span, const std::string& name, int process, double begin, double end) {
  Json args = Json::object();
  if (!span.kernel.empty()) args["kernel"] = span.kernel;
  if (!span.problem.empty()) args["problem"] = span.problem;
  const double seconds = end - begin;
  if (std::isfinite(span.bytes)) {
    args["bytes"] = span.bytes;
    if (seconds > 0) args["GB/s"] = span.bytes / seconds / 1e9;
  }
  if (std::isfinite(span.flops)) {
    args["flops"] = span.flops;
    if (seconds > 0) args["GFLOP/s"] = span.flops / seconds / 1e9;
  }
  if (std::isfinite(span.fork_join)) args["fork_join_us"] = span.fork_join * 1e6;
  args["id"] = span.id;
  args["parent"] = span.parent;
  constexpr const char* kCategories[] = {"scope", "call", "stage"};
  return {{"name", name},
          {"cat", kCategories[static_cast<int>(span.kind)]},
          {"ph", "X"},
          {"ts", begin * 1e6},
          {"dur", seconds * 1e6},
          {"pid", process},
          {"tid", span.thread},
          {"args", args}};
}

/// On the host the kernel of a GPU is only put on its stream.
std::string host_name(const Span& span) {
  const bool launch = span.kind == Kind::stage && span.stage == Stage::kernel && span.backend == Backend::cuda;
  return launch ? "launch" : span.name;
}

/// A kernel's interval is that of its call too: it is shown once, by the call, which knows the kernel's name.
bool shown_on_gpu(const Span& span) {
  if (!std::isfinite(span.device_begin) || !std::isfinite(span.device_end)) return false;
  return span.kind != Kind::stage || span.stage != Stage::kernel || span.parent == 0;
}

}  // namespace

std::string to_chrome_trace(std::span<const Span> spans) {
  Json events = Json::array();
  std::set<std::int64_t> threads, gpu_lanes;
  for (const Span& span : spans) {
    threads.insert(span.thread);
    if (shown_on_gpu(span)) gpu_lanes.insert(span.thread);
  }
  events.push_back(metadata("process_name", kHost, 0, "host"));
  if (!gpu_lanes.empty()) events.push_back(metadata("process_name", kGpu, 0, "GPU"));
  for (const std::int64_t thread : threads)
    events.push_back(metadata("thread_name", kHost, thread, "thread " + std::to_string(thread)));
  for (const std::int64_t thread : gpu_lanes)
    events.push_back(metadata("thread_name", kGpu, thread, "stream of thread " + std::to_string(thread)));
  for (const Span& span : spans) events.push_back(event(span, host_name(span), kHost, span.begin, span.end));
  std::vector<const Span*> on_gpu;
  for (const Span& span : spans)
    if (shown_on_gpu(span)) on_gpu.push_back(&span);
  std::stable_sort(on_gpu.begin(), on_gpu.end(),
                   [](const Span* x, const Span* y) { return x->device_begin < y->device_begin; });
  for (const Span* span : on_gpu)
    events.push_back(
        event(*span, span->kernel.empty() ? span->name : span->kernel, kGpu, span->device_begin, span->device_end));
  const Json json = {{"displayTimeUnit", "ns"}, {"traceEvents", std::move(events)}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tandem::trace
