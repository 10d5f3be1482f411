// Decisions as text.
#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <tandem/context.h>

namespace tandem {
namespace {

std::string duration(double seconds) {
  if (seconds < 1e-6) return fmt::format("{:.3g} ns", seconds * 1e9);
  if (seconds < 1e-3) return fmt::format("{:.3g} us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.3g} ms", seconds * 1e3);
  return fmt::format("{:.3g} s", seconds);
}

bool runs_on(const Candidate& c, Backend backend) { return c.kernel.starts_with(name(backend)); }

/// "copy in a, b": the inputs that are not where the kernel runs.
std::string copies_in(const Candidate& c, const Decision& decision) {
  std::string names;
  for (const Place& operand : decision.operands)
    if (!operand.result && !runs_on(c, operand.device.backend)) names += (names.empty() ? " " : ", ") + operand.name;
  return "copy in" + names;
}

std::string stages(const Candidate& c, const Decision& decision) {
  std::string text;
  const auto add = [&](const std::string& stage, double seconds) {
    if (seconds > 0) text += fmt::format("{}{} {}", text.empty() ? "= " : " + ", stage, duration(seconds));
  };
  add(copies_in(c, decision), c.copy_in_seconds);
  add("launch", c.launch_seconds);
  add("kernel", c.kernel_seconds);
  add("copy out", c.copy_out_seconds);
  add("wait", c.wait_seconds);
  add("allocation", c.allocate_seconds);
  return text;
}

std::string heading(const Decision& decision) {
  std::string text = fmt::format("{} {}", decision.op, decision.problem);
  for (const Place& place : decision.operands)
    text +=
        fmt::format("{}{}:{}", &place == decision.operands.data() ? "  " : " ", place.name, to_string(place.device));
  return text + (decision.operands.empty() ? "\n" : fmt::format("  reuse={}\n", decision.expected_reuse));
}

std::string line(const char* label, const std::string& text) { return fmt::format("  {:<8} {}\n", label, text); }

std::string accepted_lines(const Decision& decision) {
  std::vector<const Candidate*> accepted;
  std::size_t width = 0, rungs = 0;
  const auto rung = [](const Candidate& c) {
    return std::string(name(c.rung)) + (std::isnan(c.error) ? "" : fmt::format(" +-{:.0f} %", 100 * c.error));
  };
  for (const Candidate& c : decision.candidates) {
    if (!c.accepted) continue;
    accepted.push_back(&c);
    width = std::max(width, c.kernel.size());
    rungs = std::max(rungs, rung(c).size());
  }
  std::string text;
  for (const Candidate* c : accepted) {
    const bool chosen = c->kernel == decision.kernel;
    std::string more = stages(*c, decision);
    if (chosen && decision.backend == Backend::cpu)
      more += fmt::format("; {} thread{}", decision.threads, decision.threads == 1 ? "" : "s");
    if (c->verdict.starts_with("reference")) more += "  (" + c->verdict + ")";
    text +=
        line(chosen                                ? "chosen"
             : text.find('\n') == text.rfind('\n') ? "next"
                                                   : "",
             fmt::format("{:<{}}  {:>9}  {:<{}}  {}", c->kernel, width, duration(c->seconds), rung(*c), rungs, more));
  }
  return text;
}

/// Kernels that are out for the same reason share a line, or several.
std::string refused_lines(const Decision& decision) {
  std::vector<std::pair<std::string, std::vector<std::string>>> reasons;
  for (const Candidate& c : decision.candidates) {
    if (c.accepted) continue;
    auto at = std::find_if(reasons.begin(), reasons.end(), [&](const auto& r) { return r.first == c.verdict; });
    if (at == reasons.end()) at = reasons.insert(reasons.end(), {c.verdict, {}});
    at->second.push_back(c.kernel);
  }
  constexpr std::size_t kColumns = 100;
  std::string text;
  for (const auto& [reason, kernels] : reasons) {
    std::string names;
    for (const std::string& kernel : kernels) {
      if (!names.empty() && names.size() + kernel.size() > kColumns) {
        text += line(text.empty() ? "refused" : "", names + ",");
        names.clear();
      }
      names += (names.empty() ? "" : ", ") + kernel;
    }
    text += line(text.empty() ? "refused" : "", names + ": " + reason);
  }
  return text;
}

}  // namespace

std::string to_string(const Decision& decision) {
  std::string text = heading(decision);
  text += decision.candidates.empty()
              ? line("ran", fmt::format("{}  {}", decision.kernel, duration(decision.predicted_seconds)))
              : accepted_lines(decision);
  text += line("why", decision.why) + refused_lines(decision);
  return decision.model.empty() ? text : text + line("model", decision.model);
}

}  // namespace tandem
