#include "common/dispatch/crossing.h"

#include <charconv>
#include <cmath>

namespace tandem {
namespace {

constexpr std::int64_t kLargestUnit = 32;
constexpr std::int64_t kLargestSize = (std::int64_t{1} << 31) - 1;

std::int64_t unit_of(std::int64_t size) {
  std::int64_t unit = 1;
  while (unit < kLargestUnit && size % (2 * unit) == 0) unit *= 2;
  return unit;
}

}  // namespace

Scaling::Scaling(std::string_view text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::size_t end = std::min(text.find_first_of(",*@", colon), text.size());
  before_ = std::string(text.substr(0, std::min(colon + 1, end)));
  after_ = std::string(text.substr(end));
  const char* at = text.data() + before_.size();
  const char* const stop = text.data() + end;
  for (bool more = true; more;) {
    Size size{0, 1};
    const auto [next, error] = std::from_chars(at, stop, size.value);
    if (error != std::errc() || size.value < 1) {
      sizes_.clear();
      break;
    }
    size.unit = unit_of(size.value);
    sizes_.push_back(size);
    more = next < stop && *next == 'x';
    at = more ? next + 1 : next;
  }
  if (at != stop) sizes_.clear();
  for (std::size_t i = 1; i < sizes_.size(); ++i)
    if (sizes_[i].value > largest()) largest_ = i;
}

std::string Scaling::at(std::int64_t steps) const {
  std::string text = before_;
  const double factor = scale(steps);
  for (std::size_t i = 0; i < sizes_.size(); ++i) {
    const Size& size = sizes_[i];
    std::int64_t value = size.value;
    if (i == largest_)
      value = steps * size.unit;
    else if (size.value > 1 || largest() == 1)
      value = size.unit * std::max<std::int64_t>(1, std::llround(static_cast<double>(size.value) * factor /
                                                                 static_cast<double>(size.unit)));
    text += (i ? "x" : "") + std::to_string(value);
  }
  return text + after_;
}

double Scaling::scale(std::int64_t steps) const {
  return static_cast<double>(steps * sizes_[largest_].unit) / static_cast<double>(largest());
}

std::int64_t Scaling::last() const { return kLargestSize / sizes_[largest_].unit; }

const Candidate* best_on(const Decision& decision, Backend backend) {
  for (const Candidate& c : decision.candidates)  // the best come first
    if (c.accepted && c.kernel.starts_with(std::string(name(backend)) + ".")) return &c;
  return nullptr;
}

Duel duel_of(const Decision& decision) {
  Duel duel;
  if (const Candidate* cpu = best_on(decision, Backend::cpu)) {
    duel.cpu = cpu->seconds;
    duel.cpu_error = cpu->error;
  }
  if (const Candidate* cuda = best_on(decision, Backend::cuda)) {
    duel.cuda = cuda->seconds;
    duel.cuda_error = cuda->error;
  }
  return duel;
}

SidesAt predicted_sides(Context& ctx, const Question& question) {
  SidesAt sides;
  sides.problem = question.text;
  const Decision decision = decide(ctx, {question.op, question.text, {}, {}, 1});
  if (const Candidate* cpu = best_on(decision, Backend::cpu)) {
    sides.cpu = cpu->kernel;
    sides.cpu_seconds = cpu->seconds;
    sides.cpu_error = cpu->error;
  }
  if (const Candidate* cuda = best_on(decision, Backend::cuda)) {
    sides.cuda = cuda->kernel;
    sides.cuda_seconds = cuda->launch_seconds + cuda->kernel_seconds;
    sides.cuda_moved_seconds = cuda->seconds;
    sides.cuda_error = cuda->error;
  }
  return sides;
}

Duel duel_between(const SidesAt& sides, Placement placement, int calls) {
  Duel duel{sides.cpu_seconds, sides.cuda_moved_seconds, sides.cpu_error, sides.cuda_error};
  if (placement == Placement::resident) duel.cuda = sides.cuda_seconds;
  if (placement == Placement::upload_once)
    duel.cuda = (sides.cuda_moved_seconds + (calls - 1) * sides.cuda_seconds) / calls;
  return duel;
}

std::int64_t steps_within(const Question& question, const Scaling& scaling, std::int64_t max_bytes) {
  const auto too_large = [&](std::int64_t steps) {
    try {
      return operand_bytes({question.op, scaling.at(steps), {}, {}, 1}) > max_bytes;
    } catch (const Error&) {  // more than can be counted
      return true;
    }
  };
  const std::int64_t first = first_step(scaling.last(), 0, too_large);
  return first == 0 ? scaling.last() : first - 1;
}

std::int64_t device_bytes(const Machine& machine) {
  const std::int64_t bytes = machine.gpus.empty() ? 0 : machine.gpus.front().memory_bytes;
  return bytes > 0 ? bytes : std::int64_t{16} << 30;
}

std::int64_t first_reuse(Context& ctx, const Question& question, bool (Duel::*holds)() const) {
  constexpr std::int64_t kMost = std::int64_t{1} << 20;
  return first_step(kMost, 0, [&](std::int64_t calls) {
    Question asked = question;
    asked.reuse = static_cast<float>(calls);
    return (duel_of(decide(ctx, asked)).*holds)();
  });
}

}  // namespace tandem
