#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "common/profile/format.h"
#include "common/profile/report.h"
#include "common/profile/report_parts.h"
#include "common/profile/roof.h"
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

std::string remark(const Row& row) {
  if (row.kernel == kAuto && !std::isnan(row.regret))
    return fmt::format("predicted {}{}", duration(row.predicted_seconds),
                       row.regret > 0.005 ? fmt::format(", {} behind the best", percent(row.regret)) : "");
  if (row.time.stop == Stop::interrupted) return "interrupted";
  if (row.time.stop == Stop::max_time && row.time.summary.relative_iqr() > 0.1) return "noisy";
  return "";
}

/// A verdict that has no interval beside it, or null.
const Effect* without_interval(const Row& row) {
  for (const Effect* effect : {&row.vs_reference, &row.vs_best})
    if (effect->verdict != Verdict::none && !effect->has_interval()) return effect;
  return nullptr;
}

/// "noisy", "drifts": what makes the figures of a row doubtful, and what dispatch thought.
std::string remarks(const Row& row) {
  std::string text = remark(row);
  const auto add = [&](const std::string& more) { text += (text.empty() ? "" : ", ") + more; };
  if (drifts(row.drift, row.time.samples.size())) add("drifts");
  if (const Effect* effect = without_interval(row))
    add(fmt::format("no interval of {} sample{}", effect->samples, effect->samples == 1 ? "" : "s"));
  return text;
}

/// A column of a problem's table. Those of the highest rank are left out first where a line is too short for all.
struct Column {
  std::string title;
  std::size_t width;
  bool on_the_left;
  int rank;
  std::function<std::string(const Row&)> cell;
  std::string (Paint::*paint)(std::string_view) const = nullptr;

  std::string aligned(const std::string& text) const { return on_the_left ? left(text, width) : right(text, width); }
};

std::string ceiling_cell(const Row& row, const Style& style) {
  return bar(row.ceiling_fraction, kCeilingBar, style.unicode) + " " + right(percent(row.ceiling_fraction), 7);
}

/// All columns after the kernel's name that these rows fill. Some are of problems with compressed operands alone.
std::vector<Column> all_columns(std::span<const Row> rows, const Style& style) {
  const auto any = [&](auto told) { return std::any_of(rows.begin(), rows.end(), told); };
  const bool calls = any([](const Row& r) { return r.end_to_end.measured(); });
  const bool saturation = any([](const Row& r) { return r.can_saturate; });
  const bool sparsity = any([](const Row& r) { return r.work.dense_flops > 0; });
  const auto median = [](const Timing& t) { return t.measured() ? duration(t.summary.median) : ""; };
  std::vector<Column> columns;
  const auto add = [&](Column column) { columns.push_back(std::move(column)); };
  add({"median", 9, false, 0, [=](const Row& r) { return median(r.time); }, &Paint::bold});
  add({"p25 .. p75", 16, true, 7, [](const Row& r) { return spread_cell(r.time); }, &Paint::dim});
  if (calls) add({"end to end", 10, false, 2, [=](const Row& r) { return median(r.end_to_end); }});
  if (any([](const Row& r) { return r.cold.measured(); }))
    add({"cold", 9, false, 2, [=](const Row& r) { return median(r.cold); }});
  add({rows.front().rate_unit, 8, false, 3, [](const Row& r) { return significant(r.rate); }});
  add({"of the ceiling", kCeilingBar + 8, true, 5, [=](const Row& r) { return ceiling_cell(r, style); }});
  add({"speed-up", 8, false, 0, [](const Row& r) { return factor(speedup_of(r)); }});
  add({"verdict", 16, true, 1, [](const Row& r) { return verdict_cell(r.vs_reference); }});
  add({"against the fastest", 19, true, 9, [](const Row& r) { return verdict_cell(r.vs_best); }});
  if (calls) add({"end to end", 10, false, 4, [](const Row& r) { return factor(r.end_to_end_speedup_vs_reference); }});
  add({"err/bound", 9, false, 6, error_cell});
  if (saturation || sparsity) add({"bytes", 8, false, 8, [](const Row& r) { return with_prefix(r.work.bytes) + "B"; }});
  if (saturation) add({"saturated", 9, false, 8, saturated_cell});
  if (sparsity) add({"dense, in theory", 16, false, 4, dense_cell});
  return columns;
}

struct Columns {
  std::vector<Column> shown;
  std::vector<std::string> left_out;  // titles
};

std::size_t name_width(std::span<const Row> rows) {
  std::size_t width = 6;
  for (const Row& row : rows) width = std::max(width, display_width(kernel_cell(row)));
  return width;
}

Columns columns_of(std::span<const Row> rows, const Style& style) {
  Columns columns{all_columns(rows, style), {}};
  const auto too_wide = [&] {
    std::size_t width = 2 + name_width(rows);
    for (const Column& column : columns.shown) width += 2 + column.width;
    return style.width > 0 && width > static_cast<std::size_t>(style.width);
  };
  while (too_wide()) {
    const auto last = std::max_element(columns.shown.begin(), columns.shown.end(),
                                       [](const Column& a, const Column& b) { return a.rank < b.rank; });
    if (last->rank == 0) break;
    columns.left_out.push_back(last->title);
    columns.shown.erase(last);
  }
  return columns;
}

std::string timed_line(const Row& row, std::size_t width, const Columns& columns, bool fastest, const Style& style) {
  const Paint paint{style.colour};
  const std::string name = left(kernel_cell(row), width);
  std::string line = "  " + (row.kernel == kAuto ? paint.dim(name) : fastest ? paint.green(name) : name);
  for (const Column& column : columns.shown) {
    const std::string cell = column.aligned(column.cell(row));
    line += "  " + (column.paint ? (paint.*column.paint)(cell) : cell);
  }
  std::string text = remarks(row);
  if (const std::string_view above = above_mark(row.ceiling_fraction); !above.empty())
    text += fmt::format("{}{}", text.empty() ? "" : ", ", above);
  if (!text.empty()) line += "  " + paint.dim(text);
  return line + "\n";
}

std::string column_line(std::size_t width, const Columns& columns, const Style& style) {
  std::string line = "  " + left("kernel", width);
  for (const Column& column : columns.shown) line += "  " + column.aligned(column.title);
  return Paint{style.colour}.dim(line) + "\n";
}

/// A sentence for the foot of the table; empty where every column was shown.
std::string left_out(std::span<const Row> rows, const Style& style) {
  std::vector<std::string> titles;
  for (const std::span<const Row> group : by_problem(rows))
    for (const std::string& title : columns_of(group, style).left_out)
      if (std::find(titles.begin(), titles.end(), title) == titles.end()) titles.push_back(title);
  if (titles.empty()) return "";
  return fmt::format("not shown in {} characters: {}; a wider terminal, --markdown or --csv have them\n", style.width,
                     fmt::join(titles, ", "));
}

std::string title(std::span<const Row> rows, const Style& style) {
  const Row& row = rows.front();
  std::string text = Paint{style.colour}.bold(row.op + " " + row.problem);
  std::vector<std::string> facts;
  if (!row.label.empty()) facts.push_back(row.label);
  if (row.work.rate_is_flops) facts.push_back(with_prefix(row.work.flops) + operation_word(row.work));
  facts.push_back(with_prefix(row.work.bytes) + "B");
  for (const Row& r : rows)
    if (r.backend == "cpu" && r.ceiling.value > 0) {
      facts.push_back(fmt::format("ceiling {} {} {}", r.ceiling.by, significant(r.ceiling.value / 1e9),
                                  r.ceiling.flops ? arithmetic_unit(r.work) : "GB/s"));
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

double speedup_of(const Row& row) {
  return row.vs_reference.verdict == Verdict::none ? row.speedup_vs_reference : row.vs_reference.ratio;
}

std::string saturated_cell(const Row& row) {
  if (!row.can_saturate || row.compared == 0) return "";
  return row.saturated == 0 ? "0" : percent(static_cast<double>(row.saturated) / static_cast<double>(row.compared));
}

std::string verdict_cell(const Effect& effect) {
  if (effect.verdict == Verdict::none) return "";
  if (!effect.has_interval()) return fmt::format("{} n/a", name(effect.verdict));
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
  const std::size_t width = name_width(rows);
  const Columns columns = columns_of(rows, style);
  std::string text = title(rows, style);
  if (std::any_of(rows.begin(), rows.end(), [](const Row& row) { return row.timed(); }))
    text += column_line(width, columns, style);
  std::vector<std::pair<std::string, std::vector<std::string>>> skipped;
  bool first = true;
  for (const Row* row : in_order(rows)) {
    if (row->timed()) {
      text += timed_line(*row, width, columns, first, style);
      first = false;
    } else if (row->status == Status::wrong) {
      text += "  " + left(kernel_cell(*row), width) + "  " + paint.red("WRONG") + "  " + row->reason + "\n";
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
  text += "\n" + left_out(c.rows, style);
  if (const std::string above = above_ceilings(c.rows); !above.empty()) text += above + "\n";
  return text;
}

}  // namespace tandem::profile
