// How much the layout of data costs on this machine: the same work on data that lies, or is walked, differently.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <tandem/context.h>
#include <tandem/profile.h>

namespace tandem::profile {

/// One way to lay data out or to walk through it.
struct LayoutRow {
  std::string group;          ///< "order", "stride", "alignment", "pages", "first touch" or "host memory"
  std::string access;         ///< "by columns"
  Timing time;                ///< of one pass; empty where `reason` says why there is none
  double bytes = 0;           ///< that a pass has to move
  double rate = kAbsent;      ///< bytes / time.median
  double slowdown = kAbsent;  ///< best rate of the group / rate
  std::string reason;         ///< "n/a: ..."
};

struct LayoutReport : RunFacts {
  std::int64_t matrix_rows = 0, matrix_columns = 0;
  std::vector<LayoutRow> rows;      ///< groups together
  std::vector<std::string> advice;  ///< one sentence a group that was measured
};

struct LayoutOptions {
  std::int64_t rows = 2048, columns = 4096;  ///< of the f32 matrix, at least 64 each and 2^28 elements together
  double min_seconds = 0.1;                  ///< spent in the samples of each row
  std::uint64_t seed = 1;                    ///< of the order of measuring
  const std::atomic<bool>* cancel = nullptr;
  std::function<void(const Progress&)> observe;
};

/// Fills rate, slowdown and advice in from what was measured.
void derive_layout_figures(LayoutReport& report);

/// A table, with the advice below it.
std::string layout_table(const LayoutReport& report);
std::string layout_markdown(const LayoutReport& report);
std::string layout_csv(const LayoutReport& report);
/// Schema "tandem-layout/1": docs/profiling.md describes it.
std::string layout_json(const LayoutReport& report);

}  // namespace tandem::profile

namespace tandem {

/// Measures on one thread (the walks), ways of a group in shuffled rounds, and between host and GPU (the copies), where
/// each row is one figure (Stop::one_figure): the largest size that all curves have. Throws Error(invalid_argument) for
/// sizes out of range, Error(unavailable) for a context that pretends to be another machine, Error(out_of_memory).
profile::LayoutReport analyse_layout(Context& ctx, const profile::LayoutOptions& options = {});

}  // namespace tandem
