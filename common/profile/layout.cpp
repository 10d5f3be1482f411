// The layout analysis: one loop over memory, with nothing but its strides and places changed.
#include "common/profile/layout.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <tandem/error.h>

#include "common/core/context_impl.h"
#include "common/core/memory.h"
#include "common/profile/roofline.h"
#include "common/profile/run_facts.h"
#include "common/profile/timing.h"

namespace tandem::profile {
namespace {

constexpr std::int64_t kTile = 64;
constexpr std::int64_t kLine = 16;  // floats

/// Sum of `count` words, `stride` apart. The stride is not known when this is compiled, so that every walk runs the
/// same instructions and only the places differ.
[[gnu::noinline]] std::uint32_t sum_strided(const std::uint32_t* p, std::int64_t stride, std::int64_t count) {
  std::uint32_t a = 0, b = 0, c = 0, d = 0;
  std::int64_t i = 0;
  for (; i + 4 <= count; i += 4, p += 4 * stride) {
    a += p[0];
    b += p[stride];
    c += p[2 * stride];
    d += p[3 * stride];
  }
  for (; i < count; ++i, p += stride) a += *p;
  return a + b + c + d;
}

/// Sum of consecutive words, in vectors.
[[gnu::noinline]] std::uint32_t sum_dense(const std::uint32_t* p, std::int64_t count) {
  std::uint32_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += p[i];
  return sum;
}

void keep(std::uint32_t value) {
  volatile std::uint32_t sink = value;
  (void)sink;
}

struct Memory {
  std::shared_ptr<void> owner;
  std::uint32_t* words;
};

Memory words_of(std::int64_t count, Pages pages = Pages::huge) {
  const auto bytes = static_cast<std::size_t>(count) * 4;
  Memory memory{allocate_host(bytes, 4096, "layout analysis", pages), nullptr};
  memory.words = static_cast<std::uint32_t*>(memory.owner.get());
  std::memset(memory.words, 1, bytes);
  return memory;
}

/// A way of a group, and what one pass of it does.
struct Way {
  std::string access;
  double bytes;
  std::function<void()> pass;
};

void measure_group(LayoutReport& report, const std::string& group, const std::vector<Way>& ways,
                   const LayoutOptions& options) {
  std::vector<Timed> timed;
  std::vector<double> bytes;
  for (const Way& way : ways) {
    way.pass();
    timed.push_back({way.access, [&way](int calls) { return time_calls(calls, way.pass); }});
    bytes.push_back(way.bytes);
  }
  measure_ways(report, group, timed, bytes, options);
}

void measure_order(LayoutReport& report, const LayoutOptions& options) {
  const std::int64_t rows = options.rows, columns = options.columns, padded = columns + kLine;
  const Memory plain = words_of(rows * columns), wide = words_of(rows * padded);
  const double bytes = static_cast<double>(rows * columns) * 4;
  const auto by_columns = [=](const std::uint32_t* p, std::int64_t stride) {
    for (std::int64_t j = 0; j < columns; ++j) keep(sum_strided(p + j, stride, rows));
  };
  const auto in_tiles = [=](const std::uint32_t* p) {
    for (std::int64_t i = 0; i < rows; i += kTile)
      for (std::int64_t j = 0; j < columns; ++j)
        keep(sum_strided(p + i * columns + j, columns, std::min(kTile, rows - i)));
  };
  const std::vector<Way> ways = {
      {"by rows", bytes,
       [=] {
         for (std::int64_t i = 0; i < rows; ++i) keep(sum_strided(plain.words + i * columns, 1, columns));
       }},
      {"by columns", bytes, [=] { by_columns(plain.words, columns); }},
      {fmt::format("by columns, rows padded to {}", padded), bytes, [=] { by_columns(wide.words, padded); }},
      {fmt::format("by columns in blocks of {} rows", kTile), bytes, [=] { in_tiles(plain.words); }}};
  measure_group(report, "order", ways, options);
}

/// 512 lines, whole, at distances of powers of two and next to them.
void measure_strides(LayoutReport& report, const LayoutOptions& options) {
  constexpr std::int64_t kCount = 512;
  const Memory memory = words_of(kCount * (4096 + kLine));
  std::vector<Way> ways;
  for (const std::int64_t stride : {1024, 1024 + 16, 2048, 2048 + 16, 4096, 4096 + 16})
    ways.push_back({fmt::format("{} floats apart", stride), 4.0 * kCount * kLine, [=] {
                      for (std::int64_t j = 0; j < kLine; ++j) keep(sum_strided(memory.words + j, stride, kCount));
                    }});
  measure_group(report, "stride", ways, options);
}

void measure_alignment(LayoutReport& report, const LayoutOptions& options) {
  constexpr std::int64_t kCount = 4096;  // 16 KiB: in the first level, where it can be seen
  const Memory memory = words_of(kCount + kLine);
  std::vector<Way> ways;
  for (const int offset : {0, 4, 32})
    ways.push_back({offset == 0 ? "aligned to 64 bytes" : fmt::format("{} bytes behind it", offset), 4.0 * kCount,
                    [=] { keep(sum_dense(memory.words + offset / 4, kCount)); }});
  measure_group(report, "alignment", ways, options);
}

/// The same words in memory on huge pages and on small ones, more of them than the TLB reaches.
void measure_pages(LayoutReport& report, const LayoutOptions& options) {
  constexpr std::int64_t kCount = 16 << 20;
  const std::string& mode = report.noise.huge_pages;
  if (mode != "always" && mode != "madvise") {
    const std::string why = mode == "never" ? "n/a: the system is set to give no huge pages" : mode;
    report.rows.push_back({"pages", "huge and small", {}, 0, kAbsent, kAbsent, why});
    return;
  }
  const Memory huge = words_of(kCount, Pages::huge), small = words_of(kCount, Pages::small);
  std::vector<Way> ways;
  for (const auto& [memory, access] : {std::pair{&huge, "64 MiB in order, huge pages"}, {&small, "small pages"}})
    ways.push_back({access, 4.0 * kCount, [words = memory->words] { keep(sum_dense(words, kCount)); }});
  measure_group(report, "pages", ways, options);
}

void add_copies(LayoutReport& report, const Machine& machine, bool cancelled) {
  const auto absent = [&](const std::string& why) {
    report.rows.push_back({"host memory", "pinned and pageable copies", {}, 0, kAbsent, kAbsent, "n/a: " + why});
  };
  if (machine.gpus.empty()) return absent(machine.no_gpu_reason);
  if (cancelled) return absent("interrupted");
  Ceilings ceilings;
  gpu::measure_copies(machine.gpus.front().index, machine.cpu.threads, ceilings);
  add_copy_rows(report, ceilings);
}

void check(const LayoutOptions& options) {
  if (options.rows < 64 || options.columns < 64 || options.rows > (std::int64_t{1} << 28) / options.columns)
    throw Error(Code::invalid_argument,
                fmt::format("layout analysis: a matrix of {} x {}; write at least 64 of each, and "
                            "at most 2^28 elements",
                            options.rows, options.columns));
}

}  // namespace

LayoutRow layout_row(const std::string& group, const std::string& access, Timing time, double bytes) {
  LayoutRow row{group, access, std::move(time), bytes, kAbsent, kAbsent, {}};
  if (!row.time.measured()) row.reason = "n/a: " + why_not_measured(row.time);
  return row;
}

void measure_ways(LayoutReport& report, const std::string& group, std::span<const Timed> ways,
                  std::span<const double> bytes, const LayoutOptions& options) {
  std::vector<Samples> samples = measure(ways, measure_options(options));
  for (std::size_t i = 0; i < ways.size(); ++i)
    report.rows.push_back(layout_row(group, ways[i].name, timing_of(std::move(samples[i])), bytes[i]));
}

void add_copy_rows(LayoutReport& report, const Ceilings& ceilings) {
  std::size_t point = 0;
  const std::vector<NamedCurve> curves = curves_of(ceilings);
  for (std::size_t i = 0; i < CopyCurve::kPoints; ++i)
    if (std::all_of(curves.begin(), curves.end(), [&](const NamedCurve& c) { return c.curve->seconds[i] > 0; }))
      point = i;
  for (const NamedCurve& named : curves)
    report.rows.push_back(layout_row("host memory", named.words,
                                     timing_of({{named.curve->seconds[point]}, 1, Stop::one_figure}),
                                     static_cast<double>(CopyCurve::bytes_at(point))));
}

}  // namespace tandem::profile

namespace tandem {

profile::LayoutReport analyse_layout(Context& ctx, const profile::LayoutOptions& options) {
  using namespace profile;
  ctx.impl().require_own_machine("analyse_layout");
  check(options);
  LayoutReport report{
      begin_run(ctx.machine(), options.seed, options.min_seconds), options.rows, options.columns, {}, {}};
  const auto cancelled = [&] { return options.cancel && options.cancel->load(); };
  measure_order(report, options);
  measure_strides(report, options);
  measure_alignment(report, options);
  measure_pages(report, options);
  measure_first_touch(report, one_cpu_of_each_node(), options);
  add_copies(report, ctx.machine(), cancelled());
  derive_layout_figures(report);
  report.interrupted = cancelled();
  finish_run(report);
  return report;
}

}  // namespace tandem
