#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "common/profile/format.h"
#include "common/profile/report.h"
#include "common/profile/report_parts.h"
#include "common/profile/stats.h"

namespace tandem::profile {
namespace {

constexpr std::size_t kCeilingBar = 16;

std::string kernel_cell(const Row& row) {
  if (row.kernel == kAuto) return "auto: " + row.ran;
  return row.kernel + (row.reference ? " (reference)" : "");
}

std::string error_cell(const Row& row) {
  if (std::isnan(row.bound_ratio)) return "";
  return row.bound_ratio == 0 ? "exact" : fmt::format("{:.2g}", row.bound_ratio);
}

/// Columns that a problem with compressed operands has beside the common ones.
struct Extra {
  bool end_to_end = false;
  bool cold = false;
  bool bytes = false;
  bool saturation = false;
  bool sparsity = false;  // speed-up over the dense product, and what the fewer operations promise
};

Extra extra_of(std::span<const Row> rows) {
  Extra extra;
  for (const Row& row : rows) {
    extra.end_to_end = extra.end_to_end || row.end_to_end.measured();
    extra.cold = extra.cold || row.cold.measured();
    extra.saturation = extra.saturation || row.can_saturate;
    extra.sparsity = extra.sparsity || row.work.dense_flops > 0;
  }
  extra.bytes = extra.saturation || extra.sparsity;
  return extra;
}

std::string remark(const Row& row) {
  if (row.kernel == kAuto && !std::isnan(row.regret))
    return fmt::format("predicted {}{}", duration(row.predicted_seconds),
                       row.regret > 0.005 ? fmt::format(", {} behind the best", percent(row.regret)) : "");
  if (row.time.stop == Stop::interrupted) return "interrupted";
  if (row.time.stop == Stop::max_time && row.time.summary.relative_iqr() > 0.1) return "noisy";
  return "";
}

/// "noisy", "drifts": what makes the figures of a row doubtful, and what dispatch thought.
std::string remarks(const Row& row) {
  std::string text = remark(row);
  if (drifts(row.drift, row.time.samples.size())) text += fmt::format("{}drifts", text.empty() ? "" : ", ");
  return text;
}

std::string timed_line(const Row& row, std::size_t name_width, const Extra& extra, bool fastest, const Style& style) {
  const Paint paint{style.colour};
  const std::string name = left(kernel_cell(row), name_width);
  std::string line = "  " + (row.kernel == kAuto ? paint.dim(name) : fastest ? paint.green(name) : name);
  line += "  " + paint.bold(right(duration(row.time.summary.median), 9));
  line += "  " + paint.dim(left(spread_cell(row.time), 16));
  if (extra.end_to_end)
    line += "  " + right(row.end_to_end.measured() ? duration(row.end_to_end.summary.median) : "", 10);
  if (extra.cold) line += "  " + right(row.cold.measured() ? duration(row.cold.summary.median) : "", 9);
  line += "  " + right(significant(row.rate), 8);
  line += "  " + bar(row.ceiling_fraction, kCeilingBar, style.unicode) + " " + right(percent(row.ceiling_fraction), 7);
  line += "  " + right(factor(row.speedup_vs_reference), 8);
  line += "  " + left(verdict_cell(row.vs_reference), 16) + "  " + left(verdict_cell(row.vs_best), 19);
  if (extra.end_to_end) line += "  " + right(factor(row.end_to_end_speedup_vs_reference), 10);
  line += "  " + right(error_cell(row), 9);
  if (extra.bytes) line += "  " + right(with_prefix(row.work.bytes) + "B", 8);
  if (extra.saturation) line += "  " + right(saturated_cell(row), 9);
  if (extra.sparsity) line += "  " + right(dense_cell(row), 16);
  std::string text = remarks(row);
  if (const std::string_view above = above_mark(row.ceiling_fraction); !above.empty())
    text += fmt::format("{}{}", text.empty() ? "" : ", ", above);
  if (!text.empty()) line += "  " + paint.dim(text);
  return line + "\n";
}

std::string column_line(std::span<const Row> rows, std::size_t name_width, const Extra& extra, const Style& style) {
  std::string line = "  " + left("kernel", name_width) + "  " + right("median", 9) + "  " + left("p25 .. p75", 16);
  if (extra.end_to_end) line += "  " + right("end to end", 10);
  if (extra.cold) line += "  " + right("cold", 9);
  line += "  " + right(rows.front().rate_unit, 8) + "  " + left("of the ceiling", kCeilingBar + 8) + "  " +
          right("speed-up", 8);
  line += "  " + left("verdict", 16) + "  " + left("against the fastest", 19);
  if (extra.end_to_end) line += "  " + right("end to end", 10);
  line += "  " + right("err/bound", 9);
  if (extra.bytes) line += "  " + right("bytes", 8);
  if (extra.saturation) line += "  " + right("saturated", 9);
  if (extra.sparsity) line += "  " + right("dense, in theory", 16);
  return Paint{style.colour}.dim(line) + "\n";
}

std::string title(std::span<const Row> rows, const Style& style) {
  const Row& row = rows.front();
  std::string text = Paint{style.colour}.bold(row.op + " " + row.problem);
  std::vector<std::string> facts;
  if (!row.label.empty()) facts.push_back(row.label);
  if (row.work.rate_is_flops) facts.push_back(with_prefix(row.work.flops) + "FLOP");
  facts.push_back(with_prefix(row.work.bytes) + "B");
  for (const Row& r : rows)
    if (r.backend == "cpu" && r.ceiling.value > 0) {
      facts.push_back(fmt::format("ceiling {} {} {}", r.ceiling.by, significant(r.ceiling.value / 1e9),
                                  r.ceiling.flops ? "GFLOP/s" : "GB/s"));
      break;
    }
  if (row.threads > 0) facts.push_back(fmt::format("{} thread{}", row.threads, row.threads == 1 ? "" : "s"));
  facts.push_back(row.operands);
  return text + Paint{style.colour}.dim(fmt::format("   {}", fmt::join(facts, " | "))) + "\n";
}

/// "cuda.relu.f32.{naive, vector}" for names that differ in their last part only.
std::string joined(const std::vector<std::string>& names) {
  if (names.size() == 1) return names.front();
  const std::string stem = names.front().substr(0, names.front().rfind('.') + 1);
  const bool same = std::all_of(names.begin(), names.end(), [&](const std::string& n) {
    return n.starts_with(stem) && n.find('.', stem.size()) == std::string::npos;
  });
  if (stem.empty() || !same) return fmt::format("{}", fmt::join(names, ", "));
  std::vector<std::string> ends;
  for (const std::string& n : names) ends.push_back(n.substr(stem.size()));
  return fmt::format("{}{{{}}}", stem, fmt::join(ends, ", "));
}

}  // namespace

std::string remarks_cell(const Row& row) { return remarks(row); }

std::string saturated_cell(const Row& row) {
  if (!row.can_saturate || row.compared == 0) return "";
  return row.saturated == 0 ? "0" : percent(static_cast<double>(row.saturated) / static_cast<double>(row.compared));
}

std::string verdict_cell(const Effect& effect) {
  if (effect.verdict == Verdict::none) return "";
  const double half = (effect.ratio_95.high - effect.ratio_95.low) / 2 / effect.ratio;
  return fmt::format("{} +-{}", name(effect.verdict), percent(half));
}

std::string dense_cell(const Row& row) {
  if (std::isnan(row.speedup_vs_dense)) return "";
  return fmt::format("{} of {}", factor(row.speedup_vs_dense), factor(row.theoretical_speedup));
}

std::vector<std::span<const Row>> by_problem(std::span<const Row> rows) {
  std::vector<std::span<const Row>> groups;
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t end = begin + 1;
    while (end < rows.size() && rows[end].op == rows[begin].op && rows[end].problem == rows[begin].problem &&
           rows[end].operands == rows[begin].operands && rows[end].threads == rows[begin].threads &&
           rows[end].kernel != rows[begin].kernel && rows[end - 1].kernel != kAuto)
      ++end;
    groups.push_back(rows.subspan(begin, end - begin));
    begin = end;
  }
  return groups;
}

std::vector<const Row*> in_order(std::span<const Row> rows) {
  std::vector<const Row*> order;
  for (const Row& row : rows) order.push_back(&row);
  const auto rank = [](const Row& row) {
    return row.timed() ? (row.kernel == kAuto ? 1 : 0) : row.status == Status::wrong ? 2 : 3;
  };
  std::stable_sort(order.begin(), order.end(), [&](const Row* a, const Row* b) {
    if (rank(*a) != rank(*b)) return rank(*a) < rank(*b);
    return rank(*a) == 0 && a->time.summary.median < b->time.summary.median;
  });
  return order;
}

std::string table_block(std::span<const Row> rows, const Style& style) {
  if (rows.empty()) return "";
  const Paint paint{style.colour};
  std::size_t name_width = 6;
  bool any = false;
  for (const Row& row : rows) {
    name_width = std::max(name_width, display_width(kernel_cell(row)));
    any = any || row.timed();
  }
  const Extra extra = extra_of(rows);
  std::string text = title(rows, style);
  if (any) text += column_line(rows, name_width, extra, style);
  std::vector<std::pair<std::string, std::vector<std::string>>> skipped;
  bool first = true;
  for (const Row* row : in_order(rows)) {
    if (row->timed()) {
      text += timed_line(*row, name_width, extra, first, style);
      first = false;
    } else if (row->status == Status::wrong) {
      text += "  " + left(kernel_cell(*row), name_width) + "  " + paint.red("WRONG") + "  " + row->reason + "\n";
    } else {
      const auto same =
          std::find_if(skipped.begin(), skipped.end(), [&](const auto& s) { return s.first == row->reason; });
      if (same == skipped.end())
        skipped.push_back({row->reason, {row->kernel}});
      else
        same->second.push_back(row->kernel);
    }
  }
  for (const auto& [reason, names] : skipped)
    text += paint.dim(fmt::format("  skipped {}: {}", joined(names), reason)) + "\n";
  return text + "\n";
}

std::string table_footer(const Comparison& c, const Style& style) {
  const Paint paint{style.colour};
  std::string text;
  for (const Statement& s : c.statements) text += paint.bold(s.name) + ": " + s.text + "\n";
  std::size_t right_rows = 0, wrong = 0, skipped = 0;
  for (const Row& row : c.rows)
    (row.status == Status::ok ? right_rows : row.status == Status::wrong ? wrong : skipped) += 1;
  text +=
      fmt::format("{}{} rows measured and right, {}, {} skipped; {}", c.interrupted ? "interrupted: " : "", right_rows,
                  wrong > 0 ? paint.red(fmt::format("{} WRONG", wrong)) : "0 wrong", skipped, run_time(c));
  text += "\n";
  if (const std::string above = above_ceilings(c.rows); !above.empty()) text += above + "\n";
  return text;
}

}  // namespace tandem::profile
