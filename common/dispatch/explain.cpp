// What would be decided for a problem string, and from where on it would be decided otherwise.
#include <tandem/context.h>

#include "common/dispatch/crossing.h"

namespace tandem {
namespace {

/// From which size, or reuse, on the GPU is predicted to be faster, with the operands where the question has them;
/// empty where only one side can run.
std::string break_even_remark(Context& ctx, const Question& question, const Decision& decision) {
  if (!best_on(decision, Backend::cpu) || !best_on(decision, Backend::cuda)) return {};
  const Scaling scaling(question.text);
  if (!scaling.grows()) return {};
  const std::int64_t last = steps_within(question, scaling, device_bytes(ctx.machine()));
  if (last == 0) return {};
  const auto faster = [&](Question asked) { return duel_of(decide(ctx, asked)).cuda_is_faster(); };
  const std::int64_t size = first_step(last, 0, [&](std::int64_t steps) {
    Question asked = question;
    asked.text = scaling.at(steps);
    return faster(asked);
  });
  std::string remark = size == 0 ? "the GPU is predicted to be slower at every size up to " + scaling.at(last)
                                 : "the GPU is predicted to be faster from " + scaling.at(size);
  if (duel_of(decision).cuda_is_faster()) return remark;
  const std::int64_t calls = first_reuse(ctx, question, &Duel::cuda_is_faster);
  return calls > 0 ? fmt::format("{}, or from reuse >= {}", remark, calls) : remark;
}

}  // namespace

Decision explain_question(Context& ctx, const Question& question) {
  Decision decision = decide(ctx, question);
  if (const std::string remark = break_even_remark(ctx, question, decision); !remark.empty())
    decision.why += "; " + remark;
  return decision;
}

Decision explain(Context& ctx, const std::string& problem, const std::vector<Device>& devices) {
  return answering("explain", problem, [&] { return explain_question(ctx, parse_question(problem, devices)); });
}

}  // namespace tandem
