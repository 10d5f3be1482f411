// Cases of every operation: their operands, and a row for each of their kernels.
#include "common/ops/all.h"
#include "common/profile/compare.h"

namespace tandem::profile {
namespace {

/// The usual range of random inputs: wide enough for functions to pass through all their branches.
template <class Op>
constexpr Fill fill_of() {
  return std::is_same_v<Op, Unary> || std::is_same_v<Op, Softmax> ? Fill{-6, 6} : Fill{-1, 1};
}

template <class Op>
detail::Way whole_call(Context& context, const Case<Op>& problem, std::function<void()> call) {
  return {[&problem] { problem.operands.reset_results(); }, std::move(call), [&context] { context.synchronize(); },
          [] {}};
}

template <class Op>
Row row_of(const Case<Op>& problem, const Context& ctx, const typename Op::Problem& described) {
  Row row;
  row.op = problem.op;
  row.problem = problem.text;
  row.label = problem.label;
  row.operands = problem.operands.description();
  row.threads = ctx.threads();
  double written = 0;
  for (const View& result : problem.operands.results())
    written += static_cast<double>(result.elements()) * static_cast<double>(size_of(result.dtype()));
  row.work = {Op::flops(described), Op::bytes(described), written, Op::kRateIsFlops};
  if constexpr (requires { Op::arithmetic(described); }) row.work.arithmetic = Op::arithmetic(described);
  if constexpr (requires { Op::dense_flops(described); }) row.work.dense_flops = Op::dense_flops(described);
  const DType dtype = problem.operands.result().dtype();
  row.can_saturate = dtype == DType::s8 || dtype == DType::u8;
  return row;
}

}  // namespace

template <class Op>
Case<Op> make_case(std::string op, std::string text, const Request<Op>& request, std::span<const Given> given,
                   std::uint64_t seed) {
  check_request<Op>(op, text, request);
  Operands operands(op, request.operands, given, fill_of<Op>(), seed, Op::reads_result(request.attributes),
                    result_count<Op>());
  if constexpr (requires { Op::fill_structure(operands.views(), seed); }) Op::fill_structure(operands.views(), seed);
  return {std::move(op), std::move(text), {}, request.attributes, std::move(operands)};
}

template <class Op>
std::vector<Row> compare_kernels(Context& context, const Case<Op>& problem, std::span<const Entry<Op>> entries,
                                 const Judge& judge, const Roof& roof, const CompareOptions& options) {
  Context::Impl& ctx = context.impl();
  const std::span<const View> operands = problem.operands.views();
  const Situation<Op> situation = make_situation<Op>(ctx, problem.attributes, operands);
  const Row common = row_of(problem, context, situation.on(Backend::cpu));
  std::vector<detail::Candidate> candidates;
  std::shared_ptr<DeviceOperands> device;

  std::string chosen, why_none;
  Prediction chosen_prediction;
  try {
    const Selection<Op> selection = select<Op>(situation, ctx.policy, ctx.machine, nullptr, ctx.tuning.get());
    chosen = selection.entry->name;
    chosen_prediction = selection.prediction;
  } catch (const Error& error) {
    why_none = error.what();
  }

  for (const Entry<Op>& entry : entries) {
    if (!options.wants(entry.name)) continue;
    detail::Candidate candidate{common, {}, {}};
    Row& row = candidate.row;
    row.kernel = row.ran = entry.name;
    row.backend = name(entry.backend);
    row.reference = entry.kernel && entry.kernel->traits.reference;
    row.dense = entry.kernel && entry.kernel->traits.dense;
    row.chosen = entry.name == chosen;
    row.ceiling =
        entry.backend == Backend::cpu ? host_bound(row.work, roof) : device_bound(row.work, ctx.machine.ceilings);
    row.reason = refusal(entry, situation, ctx.policy, ctx.machine).text;
    try {
      if (row.reason.empty()) {
        const Prediction p = predict(entry, situation, ctx.machine, ctx.tuning.get());
        row.predicted_seconds = p.kernel;
        row.predicted_end_to_end_seconds = p.total();
        if (entry.backend == Backend::cpu) {
          candidate.time = detail::host_way(ctx, entry, problem);
        } else {
          candidate.time = detail::device_way(context, entry, problem, device);
          candidate.end_to_end = whole_call(context, problem, [&ctx, &entry, &problem, operands] {
            run_selected<Op>(ctx, {&entry, {}}, problem.attributes, operands);
          });
        }
      }
    } catch (const Error& error) {
      row.reason = error.what();
    }
    candidates.push_back(std::move(candidate));
  }
  if (options.wants(kAuto)) {
    detail::Candidate candidate{common, {}, {}};
    Row& row = candidate.row;
    row.kernel = kAuto;
    row.ran = chosen;
    row.reason = why_none;
    if (!chosen.empty()) {
      const Entry<Op>* entry = find_kernel<Op>(chosen);
      row.backend = name(entry->backend);
      row.ceiling =
          entry->backend == Backend::cpu ? host_bound(row.work, roof) : device_bound(row.work, ctx.machine.ceilings);
      row.predicted_seconds = row.predicted_end_to_end_seconds = chosen_prediction.total();
      candidate.time = whole_call(
          context, problem, [&context, &problem, operands] { execute<Op>(context, problem.attributes, operands); });
    }
    candidates.push_back(std::move(candidate));
  }
  std::vector<Row> rows =
      detail::run_candidates(context, std::move(candidates), judge, problem.operands.results(), options);
  derive_figures(rows);
  derive_effects(rows, {.threshold = options.threshold, .seed = options.seed});
  return rows;
}

#define TANDEM_OP(Op)                                                                                                \
  template Case<Op> make_case<Op>(std::string, std::string, const Request<Op>&, std::span<const Given>,              \
                                  std::uint64_t);                                                                    \
  template std::vector<Row> compare_kernels<Op>(Context&, const Case<Op>&, std::span<const Entry<Op>>, const Judge&, \
                                                const Roof&, const CompareOptions&);
#include "common/ops/ops.def"
#undef TANDEM_OP

}  // namespace tandem::profile
