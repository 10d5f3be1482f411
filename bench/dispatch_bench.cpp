// What a call costs beyond its kernel: matmul_into of 8x8x8 through the public API (validate, describe, cached
// selection, bind) against the same kernel called directly; and what recording costs: a scope without a recorder, and a
// call with one. Interleaved rounds, medians.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include <tandem/tandem.h>

#include "bench/support/program.h"
#include "bench/support/run_options.h"
#include "common/core/context_impl.h"
#include "common/dispatch/execute.h"

namespace {

double nanoseconds_per_call(int calls, auto&& call) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; ++i) call();
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count() / calls;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

int run(int argc, const char* const* argv) {
  CLI::App app("what a call costs beyond its kernel, and what recording costs", "tandem-dispatch-bench");
  if (!tandem::bench::parse_command_line(app, argc, argv)) return 0;
  using namespace tandem;
  Context ctx;
  const Tensor a = Tensor::full({8, 8}, 0.5f), b = Tensor::full({8, 8}, 0.25f);
  Tensor c = Tensor::empty({8, 8});
  matmul_into(ctx, a, b, c);  // decides
  if (c.data<float>()[0] != 1.0f) {
    std::fprintf(stderr, "WRONG: c[0] is %g, not 1\n", static_cast<double>(c.data<float>()[0]));
    return 1;
  }

  const std::string kernel = ctx.last().kernel;
  const Entry<Matmul>& entry = *find_kernel<Matmul>(kernel);
  const View operands[] = {readable(a), readable(b), c};
  const MatmulArgs args = Matmul::bind({}, operands);
  const Queue queue = ctx.impl().queue(entry.backend);
  const Workspace workspace = ctx.impl().workspace(
      entry.backend, entry.kernel->workspace(Matmul::describe({}, operands), ctx.machine()), "bench");

  constexpr int kRounds = 101, kCalls = 2000;
  std::vector<double> call, direct, beyond, scope, recorded;
  trace::RecorderOptions few;
  few.capacity = 0;  // spans are made and not kept: memory is no part of the cost of a call
  const trace::Recorder recorder(few);
  for (int i = 0; i < kRounds; ++i) {
    call.push_back(nanoseconds_per_call(kCalls, [&] { matmul_into(ctx, a, b, c); }));
    direct.push_back(nanoseconds_per_call(kCalls, [&] { entry.kernel->run(args, queue, workspace); }));
    beyond.push_back(call.back() - direct.back());
    scope.push_back(nanoseconds_per_call(kCalls, [&] { const trace::Scope off(ctx, "off"); }));
    trace::attach(ctx, recorder);
    recorded.push_back(nanoseconds_per_call(kCalls, [&] { matmul_into(ctx, a, b, c); }) - call.back());
    trace::detach(ctx);
  }
  std::printf("matmul f32:8x8x8 with %s, median of %d interleaved rounds\n", kernel.c_str(), kRounds);
  std::printf("  matmul_into    %7.1f ns\n  kernel alone   %7.1f ns\n  beyond it      %7.1f ns\n", median(call),
              median(direct), median(beyond));
  std::printf("  trace::Scope   %7.1f ns without a recorder\n  recording      %7.1f ns more a call\n", median(scope),
              median(recorded));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return tandem::bench::run_program("tandem-dispatch-bench", [&] { return run(argc, argv); });
}
