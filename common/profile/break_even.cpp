// Break-evens of the two sides, from predicted times or from measured ones.
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <tandem/explain.h>

#include "common/core/context_impl.h"
#include "common/dispatch/crossing.h"
#include "common/profile/roof.h"
#include "common/profile/run_problem.h"

namespace tandem {
namespace {

constexpr std::int64_t kMeasuredBytes = std::int64_t{256} << 20;
constexpr double kLongestCall = 2;  // predicted seconds beyond which nothing is measured
constexpr double kMeasuredTolerance = 0.1;

/// Half the 95 % interval of a median, as a fraction of it: the wider side.
double error_of(const profile::Summary& s) {
  return std::max(s.median - s.median_95.low, s.median_95.high - s.median) / s.median;
}

/// Both sides at growing sizes, each looked at once.
class Sides {
 public:
  Sides(Context& ctx, const Question& question, const BreakEvenOptions& options)
      : ctx_(ctx), question_(question), options_(options), scaling_(question.text) {
    if (options.measure) roof_ = profile::measure_roof(ctx.machine().cpu, options.how.min_seconds);
    const std::int64_t fits = options.measure ? kMeasuredBytes : device_bytes(ctx.machine());
    last_ = steps_within(question, scaling_, options.max_bytes > 0 ? options.max_bytes : fits);
    if (options.measure && last_ > 0) last_ = steps_before_long_calls();
  }

  const Scaling& scaling() const { return scaling_; }
  std::int64_t last() const { return last_; }

  /// NaN throughout for what is too late to be measured.
  const SidesAt& at(std::int64_t steps) {
    const auto found = known_.find(steps);
    if (found != known_.end()) return found->second;
    SidesAt sides = predicted_sides(ctx_, {question_.op, scaling_.at(steps), {}, {}, 1});
    if (options_.measure) measure(sides);
    return known_.emplace(steps, std::move(sides)).first->second;
  }

  std::vector<SidesAt> all() const {
    std::vector<SidesAt> sides;
    for (const auto& [steps, at] : known_) sides.push_back(at);
    return sides;
  }
  /// Why a side failed to be measured, the first time; empty: none did.
  const std::string& failure() const { return failure_; }

 private:
  std::int64_t steps_before_long_calls() {
    const std::int64_t first = first_step(last_, 0, [&](std::int64_t steps) {
      const SidesAt sides = predicted_sides(ctx_, {question_.op, scaling_.at(steps), {}, {}, 1});
      return std::max(sides.cpu_seconds, sides.cuda_moved_seconds) > kLongestCall;
    });
    return first == 0 ? last_ : first - 1;
  }

  void measure(SidesAt& sides) {
    sides.cpu_seconds = sides.cuda_seconds = sides.cuda_moved_seconds = profile::kAbsent;
    sides.cpu_error = sides.cuda_error = profile::kAbsent;
    if (options_.how.cancelled()) return;
    profile::CompareOptions how = options_.how;
    how.wanted = [&](std::string_view kernel) { return kernel == sides.cpu || kernel == sides.cuda; };
    for (const profile::Row& row : profile::run_problem(ctx_, {question_.op, sides.problem, {}, {}}, roof_, how)) {
      if (row.status != profile::Status::ok) {
        if (failure_.empty() && !options_.how.cancelled())
          failure_ = fmt::format("{} on {}: {}", row.kernel, sides.problem, row.reason);
      } else if (row.kernel == sides.cpu) {
        sides.cpu_seconds = row.time.summary.median;
        sides.cpu_error = error_of(row.time.summary);
      } else if (row.end_to_end.measured()) {
        sides.cuda_seconds = row.time.summary.median;
        sides.cuda_moved_seconds = row.end_to_end.summary.median;
        sides.cuda_error = std::max(error_of(row.time.summary), error_of(row.end_to_end.summary));
      }
    }
  }

  Context& ctx_;
  const Question& question_;
  const BreakEvenOptions& options_;
  Scaling scaling_;
  profile::Roof roof_;
  std::int64_t last_ = 0;
  std::map<std::int64_t, SidesAt> known_;
  std::string failure_;
};

Crossing crossing_of(Sides& sides, Placement placement, int calls, double tolerance) {
  const FirstSteps steps = first_steps(sides.last(), tolerance,
                                       [&](std::int64_t at) { return duel_between(sides.at(at), placement, calls); });
  Crossing crossing;
  crossing.placement = placement;
  crossing.calls = calls;
  const auto fill = [&](std::int64_t at, double& scale, std::string& text) {
    if (at == 0) return;
    scale = sides.scaling().scale(at);
    text = sides.scaling().at(at);
  };
  fill(steps.from, crossing.scale.from, crossing.from);
  fill(steps.possibly, crossing.scale.possibly, crossing.possibly);
  fill(steps.surely, crossing.scale.surely, crossing.surely);
  if (steps.from == 0) crossing.reason = "the GPU is slower at every size that was looked at";
  return crossing;
}

void add_reuse(Context& ctx, const Question& question, BreakEven& result) {
  const auto least = [&](bool (Duel::*holds)() const) {
    const std::int64_t calls = first_reuse(ctx, question, holds);
    return calls > 0 ? static_cast<double>(calls) : profile::kAbsent;
  };
  result.reuse = {least(&Duel::cuda_is_faster), least(&Duel::cuda_may_be_faster), least(&Duel::cuda_is_surely_faster)};
  if (std::isnan(result.reuse.from))
    result.reuse_reason = "the GPU is slower at this size even where what stays costs nothing to bring";
}

bool same_sizes(const Crossing& a, const Crossing& b) {
  return a.placement == b.placement && a.from == b.from && a.possibly == b.possibly && a.surely == b.surely;
}

/// Why there is nothing to find; empty: there is.
std::string why_not(Context& ctx, const Question& question) {
  const Machine& machine = ctx.machine();
  if (machine.gpus.empty())
    return "n/a: " + (machine.no_gpu_reason.empty() ? "there is no GPU" : machine.no_gpu_reason);
  const Decision decision = decide(ctx, {question.op, question.text, {}, {}, 1});
  for (const Backend side : {Backend::cpu, Backend::cuda}) {
    if (best_on(decision, side)) continue;
    std::string reason;
    for (const Candidate& c : decision.candidates)
      if (c.kernel.starts_with(name(side))) reason = c.verdict;
    return fmt::format("n/a: no kernel of {} can run: {}", name(side), reason.empty() ? "there is none" : reason);
  }
  return {};
}

}  // namespace

std::string_view name(Placement placement) noexcept {
  switch (placement) {
    case Placement::resident:
      return "resident";
    case Placement::upload_once:
      return "upload once";
    case Placement::always_transfer:
      return "always transfer";
  }
  return "unknown";
}

BreakEven break_even(Context& ctx, const std::string& problem, const BreakEvenOptions& options) {
  return answering("break_even", problem, [&] {
    const Question question = parse_question(problem);
    decide(ctx, question);  // what cannot be parsed is an error, GPU or not
    if (!Scaling(question.text).grows())
      throw Error(Code::invalid_argument, "a size is 0, and nothing grows from that");
    BreakEven result;
    result.op = question.op;
    result.problem = question.text;
    result.measured = options.measure;
    result.reason = why_not(ctx, question);
    if (!result.reason.empty()) return result;
    if (options.measure && ctx.impl().pretended)
      throw Error(Code::unavailable, "this context pretends to be another machine: it can predict, not measure");
    if (options.measure) profile::check_problem({question.op, question.text, {}, {}});
    Sides sides(ctx, question, options);
    if (sides.last() == 0) {
      result.reason = fmt::format("n/a: even {} is too large", sides.scaling().at(1));
      return result;
    }
    result.smallest = sides.scaling().at(1);
    result.largest = sides.scaling().at(sides.last());
    for (const Placement placement : {Placement::resident, Placement::upload_once, Placement::always_transfer})
      for (const int calls : {1, 10, 100})
        result.crossings.push_back(crossing_of(sides, placement, calls, options.measure ? kMeasuredTolerance : 0));
    add_reuse(ctx, question, result);
    result.sizes = sides.all();
    result.interrupted = options.how.cancelled();
    if (!sides.failure().empty()) result.reason = "n/a: " + sides.failure();
    if (!result.reason.empty() || result.interrupted) result.crossings.clear();
    return result;
  });
}

std::string to_string(const BreakEven& b) {
  std::string text = fmt::format("break-even of {} {}, {}\n", b.op, b.problem, b.measured ? "measured" : "predicted");
  const auto interval = [](const std::string& low, const std::string& high) {
    if (low.empty() && high.empty()) return std::string();
    return fmt::format("  ({} to {})", low.empty() ? "?" : low, high.empty() ? "?" : high);
  };
  for (std::size_t i = 0; i < b.crossings.size(); ++i) {
    const Crossing& c = b.crossings[i];
    std::string calls = std::to_string(c.calls);
    for (; i + 1 < b.crossings.size() && same_sizes(c, b.crossings[i + 1]); ++i)
      calls += ", " + std::to_string(b.crossings[i + 1].calls);
    text += fmt::format("  {:<15}  {:<16}  {}{}\n", name(c.placement), calls + (calls == "1" ? " call" : " calls"),
                        c.from.empty() ? c.reason : "from " + c.from, interval(c.possibly, c.surely));
  }
  if (!b.reason.empty()) return text + "  " + b.reason + "\n";
  if (b.interrupted) return text + "  interrupted: nothing is told from part of the sizes\n";
  const auto number = [](double calls) { return std::isnan(calls) ? std::string() : fmt::format("{:.0f}", calls); };
  text += fmt::format("  {:<33}  {}{}\n", "reuse at this size",
                      std::isnan(b.reuse.from) ? b.reuse_reason : "from " + number(b.reuse.from),
                      interval(number(b.reuse.possibly), number(b.reuse.surely)));
  return text + fmt::format("  {:<33}  {} to {}\n", "sizes looked at", b.smallest, b.largest);
}

}  // namespace tandem
