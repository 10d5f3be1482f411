// Spans of calls, scopes and stages: what they say, how they nest, which thread they belong to, and the trace file.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <thread>

#include <tandem/trace.h>
#include <nlohmann/json.hpp>

#include "tests/support/calls.h"
#include "tests/support/left_out.h"

namespace tandem::test::trace_test {
namespace {

using nlohmann::json;
using trace::Kind;
using trace::Span;
using trace::Stage;

Context host_context(int threads = 1) {
  ContextOptions options;
  options.threads = threads;
  options.use_gpu = false;
  return Context(options);
}

std::vector<Span> of_kind(const std::vector<Span>& spans, Kind kind) {
  std::vector<Span> out;
  for (const Span& span : spans)
    if (span.kind == kind) out.push_back(span);
  return out;
}

/// Every span lies within its parent, on the parent's thread, and comes after it.
void expect_nested(const std::vector<Span>& spans) {
  std::map<std::uint64_t, const Span*> seen;
  for (const Span& span : spans) {
    EXPECT_LE(span.begin, span.end) << span.name;
    if (span.parent != 0) {
      ASSERT_TRUE(seen.contains(span.parent)) << span.name;
      const Span& parent = *seen[span.parent];
      EXPECT_GE(span.begin, parent.begin) << span.name << " in " << parent.name;
      EXPECT_LE(span.end, parent.end) << span.name << " in " << parent.name;
      EXPECT_EQ(span.thread, parent.thread) << span.name;
    }
    EXPECT_TRUE(seen.emplace(span.id, &span).second) << span.id;
  }
}

TEST(Trace, NothingIsRecordedWithoutARecorder) {
  Context ctx = host_context();
  trace::Recorder recorder;
  { trace::Scope scope(ctx, "unseen"); }
  relu(ctx, filled({10}, Fill::reals, 1));
  EXPECT_TRUE(recorder.spans().empty());
}

TEST(Trace, ACallTellsWhatItRan) {
  Context ctx = host_context();
  const Tensor a = filled({20, 30}, Fill::reals, 1), b = filled({30, 40}, Fill::reals, 2);
  trace::Recorder recorder;
  trace::attach(ctx, recorder);
  matmul(ctx, a, b);
  sigmoid(ctx, a);
  const std::vector<Span> spans = recorder.spans();
  ASSERT_EQ(spans.size(), 2u);
  const Span& product = spans[0];
  EXPECT_EQ(product.kind, Kind::call);
  EXPECT_EQ(product.name, "matmul");
  EXPECT_EQ(product.problem, "f32:20x40x30");
  EXPECT_EQ(product.kernel.rfind("cpu.matmul.f32.", 0), 0u) << product.kernel;
  EXPECT_EQ(product.flops, 2.0 * 20 * 30 * 40);
  EXPECT_EQ(product.bytes, 4.0 * (20 * 30 + 30 * 40 + 20 * 40));
  EXPECT_GT(product.end, product.begin);
  EXPECT_TRUE(std::isnan(product.device_begin));
  EXPECT_EQ(spans[1].name, "sigmoid");
  EXPECT_EQ(spans[1].kernel, ctx.last().kernel);
  EXPECT_GE(spans[1].begin, product.end);
  trace::detach(ctx);
  sigmoid(ctx, a);
  EXPECT_EQ(recorder.spans().size(), 2u);
  recorder.clear();
  EXPECT_TRUE(recorder.spans().empty());
}

TEST(Trace, ScopesHoldCallsAndCallsTheirStages) {
  Context ctx = host_context();
  const Tensor a = filled({20, 30}, Fill::reals, 1), b = filled({30, 40}, Fill::reals, 2);
  trace::RecorderOptions options;
  options.stages = true;
  trace::Recorder recorder(options);
  trace::attach(ctx, recorder);
  {
    const trace::Scope outer(ctx, "network");
    for (const char* layer : {"layer 1", "layer 2"}) {
      const trace::Scope inner(ctx, layer);
      matmul(ctx, a, b);
    }
  }
  const std::vector<Span> spans = recorder.spans();
  expect_nested(spans);
  std::vector<std::string> names;
  for (const Span& span : spans) names.push_back(span.name);
  EXPECT_EQ(names, (std::vector<std::string>{"network", "layer 1", "matmul", "select", "workspace", "kernel", "layer 2",
                                             "matmul", "select", "workspace", "kernel"}));
  for (std::size_t i = 4; i < 6; ++i) EXPECT_GE(spans[i].begin, spans[i - 1].end);  // stages follow each other
  EXPECT_EQ(spans[1].parent, spans[0].id);
  EXPECT_EQ(spans[2].parent, spans[1].id);
  EXPECT_EQ(spans[3].parent, spans[2].id);
}

TEST(Trace, RegionsOfThreadsAreToldFromTheKernel) {
  Context ctx = host_context(2);
  const Tensor a = filled({300, 300}, Fill::reals, 1), b = filled({300, 300}, Fill::reals, 2);
  trace::RecorderOptions options;
  options.stages = true;
  trace::Recorder recorder(options);
  trace::attach(ctx, recorder);
  matmul(ctx, a, b);
  bool found = false;
  for (const Span& span : recorder.spans()) {
    if (span.kind != Kind::stage || span.stage != Stage::kernel) continue;
    found = true;
    EXPECT_GT(span.fork_join, 0);
    EXPECT_LT(span.fork_join, span.end - span.begin);
  }
  EXPECT_TRUE(found);
}

TEST(Trace, AFailedCallClosesItsSpans) {
  Context ctx = host_context();
  const Tensor a = filled({4, 4}, Fill::reals, 1);
  trace::Recorder recorder;
  trace::attach(ctx, recorder);
  MatmulOptions options;
  options.call.kernel = "cuda.matmul.f32.tiled";
  EXPECT_THROW(matmul(ctx, a, a, options), Error);
  matmul(ctx, a, a);
  const std::vector<Span> spans = recorder.spans();
  expect_nested(spans);
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[1].parent, 0u);
}

TEST(Trace, WorkersOfABatchHaveTheirOwnThreads) {
  Context ctx = host_context(3);
  const Tensor x = filled({64, 64}, Fill::reals, 1);
  const std::vector<ConstView> batch(60, x);
  trace::Recorder recorder;
  trace::attach(ctx, recorder);
  parallel_batch(ctx, batch, [](Context& worker, ConstView item) {
    const trace::Scope scope(worker, "item");
    return matmul(worker, item, item);
  });
  const std::vector<Span> spans = recorder.spans();
  expect_nested(spans);
  const std::vector<Span> calls = of_kind(spans, Kind::call), scopes = of_kind(spans, Kind::scope);
  ASSERT_EQ(calls.size(), 60u);
  ASSERT_EQ(scopes.size(), 60u);
  std::map<std::int64_t, std::vector<Span>> lanes;
  for (const Span& span : calls) lanes[span.thread].push_back(span);
  EXPECT_LE(lanes.size(), 3u);
  EXPECT_GE(lanes.size(), 1u);
  for (const auto& [thread, lane] : lanes)
    for (std::size_t i = 1; i < lane.size(); ++i) EXPECT_GE(lane[i].begin, lane[i - 1].end) << thread;
  trace::detach(ctx);
  parallel_batch(ctx, batch, [](Context& worker, ConstView item) { return relu(worker, item); });
  EXPECT_EQ(recorder.spans().size(), 120u);
}

TEST(Trace, ContextsOfSeveralThreadsShareARecorder) {
  trace::Recorder recorder;
  const Tensor x = filled({32, 32}, Fill::reals, 1);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      Context ctx = host_context();
      trace::attach(ctx, recorder);
      for (int i = 0; i < 50; ++i) relu(ctx, x);
    });
  for (std::thread& thread : threads) thread.join();
  const std::vector<Span> spans = recorder.spans();
  EXPECT_EQ(spans.size(), 200u);
  std::map<std::int64_t, int> lanes;
  for (const Span& span : spans) ++lanes[span.thread];
  ASSERT_EQ(lanes.size(), 4u);
  for (const auto& [thread, count] : lanes) EXPECT_EQ(count, 50) << thread;
}

TEST(Trace, WhatIsOverTheCapacityIsCounted) {
  Context ctx = host_context();
  const Tensor x = filled({8}, Fill::reals, 1);
  trace::RecorderOptions options;
  options.capacity = 3;
  trace::Recorder recorder(options);
  trace::attach(ctx, recorder);
  for (int i = 0; i < 5; ++i) relu(ctx, x);
  EXPECT_EQ(recorder.spans().size(), 3u);
  EXPECT_EQ(recorder.dropped(), 2u);
  std::vector<std::unique_ptr<trace::Scope>> deep;
  for (int i = 0; i < 40; ++i) deep.push_back(std::make_unique<trace::Scope>(ctx, "deep"));
  EXPECT_EQ(recorder.dropped(), 2u + 8u);
  while (!deep.empty()) deep.pop_back();
  recorder.clear();
  relu(ctx, x);
  EXPECT_EQ(recorder.spans().size(), 1u);
  EXPECT_EQ(recorder.spans()[0].parent, 0u);
}

TEST(Trace, TheRecorderMayGoFirst) {
  Context ctx = host_context();
  const Tensor x = filled({8}, Fill::reals, 1);
  {
    trace::Recorder recorder;
    trace::attach(ctx, recorder);
  }
  EXPECT_EQ(relu(ctx, x).elements(), 8);
}

/// Parses a trace: every event complete, parents first, children within them, in each lane by time.
void expect_valid_trace(const std::string& text, std::size_t spans) {
  const json parsed = json::parse(text);
  std::map<std::pair<int, std::int64_t>, double> last;
  std::map<std::uint64_t, json> on_host;
  std::set<std::pair<int, std::int64_t>> named;
  std::size_t complete = 0;
  for (const json& event : parsed.at("traceEvents")) {
    const std::pair<int, std::int64_t> lane{event.at("pid"), event.at("tid")};
    if (event.at("ph") == "M") {
      EXPECT_FALSE(event.at("args").at("name").get<std::string>().empty());
      if (event.at("name") == "thread_name") named.insert(lane);
      continue;
    }
    ASSERT_EQ(event.at("ph"), "X");
    EXPECT_GE(event.at("dur").get<double>(), 0);
    EXPECT_TRUE(named.contains(lane)) << event.dump();
    EXPECT_GE(event.at("ts").get<double>(), last.contains(lane) ? last[lane] : 0.0) << event.dump();
    last[lane] = event.at("ts");
    if (lane.first != 1) continue;
    ++complete;
    const std::uint64_t parent = event.at("args").at("parent");
    if (parent != 0) {
      ASSERT_TRUE(on_host.contains(parent)) << event.dump();
      const json& outer = on_host[parent];
      EXPECT_GE(event.at("ts").get<double>(), outer.at("ts").get<double>());
      EXPECT_LE(event.at("ts").get<double>() + event.at("dur").get<double>(),
                outer.at("ts").get<double>() + outer.at("dur").get<double>() + 1e-3);
    }
    on_host[event.at("args").at("id")] = event;
  }
  EXPECT_EQ(complete, spans);
}

TEST(Trace, TheChromeTraceIsValidNestedAndOrdered) {
  Context ctx = host_context(2);
  const Tensor x = filled({64, 64}, Fill::reals, 1);
  trace::RecorderOptions options;
  options.stages = true;
  trace::Recorder recorder(options);
  trace::attach(ctx, recorder);
  {
    const trace::Scope scope(ctx, "a \"name\"\n\xff");
    matmul(ctx, x, x);
  }
  parallel_batch(ctx, std::vector<ConstView>(6, x), [](Context& worker, ConstView item) { return relu(worker, item); });
  const std::vector<Span> spans = recorder.spans();
  expect_valid_trace(to_chrome_trace(spans), spans.size());
  expect_valid_trace(trace::to_chrome_trace({}), 0);
}

TEST(Trace, KernelsAndCopiesOfAGpuHaveIntervalsThere) {
  TANDEM_NEED_GPU();
  Context ctx;
  const Tensor a = filled({64, 64}, Fill::reals, 1);
  MatmulOptions on_gpu;
  on_gpu.call.backend = Backend::cuda;
  matmul(ctx, a, a, on_gpu);
  trace::RecorderOptions options;
  options.stages = true;
  trace::Recorder recorder(options);
  trace::attach(ctx, recorder);
  for (int i = 0; i < 3; ++i) matmul(ctx, a, a, on_gpu);
  const Tensor there = a.to(ctx, Device::cuda());
  ctx.synchronize();
  const std::vector<Span> spans = recorder.spans();
  expect_nested(spans);
  const std::vector<Span> calls = of_kind(spans, Kind::call);
  ASSERT_EQ(calls.size(), 3u);
  constexpr double kClocks = 1e-3;  // what the two clocks may differ by, on a busy machine
  for (const Span& call : calls) {
    EXPECT_EQ(call.backend, Backend::cuda);
    EXPECT_GT(call.device_end, call.device_begin);
    EXPECT_GE(call.device_begin, call.begin - kClocks);
    EXPECT_LE(call.device_end, call.end + kClocks);  // the result is on the host
    std::vector<Stage> stages;
    double device = -1;
    for (const Span& span : spans) {
      if (span.parent != call.id) continue;
      stages.push_back(span.stage);
      if (std::isnan(span.device_begin)) continue;
      EXPECT_GE(span.device_begin, device - 1e-6) << span.name;  // one stream: in order
      device = span.device_end;
      EXPECT_GE(span.device_end, span.device_begin);
    }
    EXPECT_EQ(stages, (std::vector<Stage>{Stage::select, Stage::allocate, Stage::host_to_device, Stage::allocate,
                                          Stage::host_to_device, Stage::allocate, Stage::workspace, Stage::kernel,
                                          Stage::device_to_host, Stage::allocate}));
  }
  const std::vector<Span> stages = of_kind(spans, Kind::stage);
  EXPECT_EQ(stages[stages.size() - 2].stage, Stage::host_to_device);  // outside of a call
  EXPECT_EQ(stages[stages.size() - 2].bytes, 64.0 * 64 * 4);
  EXPECT_EQ(stages.back().stage, Stage::wait);
  expect_valid_trace(to_chrome_trace(spans), spans.size());
}

TEST(Trace, WithoutStagesACallOnAGpuStillHasItsInterval) {
  TANDEM_NEED_GPU();
  Context ctx;
  const Tensor a = filled({16, 16}, Fill::reals, 1);
  trace::Recorder recorder;
  trace::attach(ctx, recorder);
  {
    const trace::Scope scope(ctx, "step");
    relu(ctx, a, {"", Backend::cuda});
  }
  const std::vector<Span> spans = recorder.spans();
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_TRUE(std::isnan(spans[0].device_begin));
  EXPECT_GT(spans[1].device_end, spans[1].device_begin);
}

}  // namespace
}  // namespace tandem::test::trace_test
