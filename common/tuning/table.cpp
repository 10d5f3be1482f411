#include "common/tuning/table.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "common/tuning/fit.h"
#include "common/tuning/interpolation.h"

namespace tandem::tuning {
namespace {

std::string series_key(std::string_view kernel, int threads) {
  std::string key(kernel);
  key += ' ';
  key += std::to_string(threads);
  return key;
}

/// The functions of one kernel are options of each other: what its cost function misses, it misses in all of them.
Sizes sizes_in_series(std::string_view op, std::string_view printed) {
  Sizes sizes = sizes_of(printed);
  std::vector<std::string>& options = sizes.place.options;
  options.insert(std::upper_bound(options.begin(), options.end(), op), std::string(op));
  return sizes;
}

/// The points of one kin. Models are made when they are first asked for.
struct Kin {
  std::vector<Point> points;
  mutable std::once_flag once;
  mutable std::unique_ptr<const Interpolation> model;
};

/// The points of one function of a kernel.
struct Function {
  std::vector<Work> work;
  std::vector<double> logs;  // of measured / prior
  mutable std::once_flag once;
  mutable Fit fitted;
  mutable Multiple multiple;
};

/// All points of one kernel and number of threads.
struct Series {
  std::map<std::string, Kin> kins;
  std::map<std::string, Function, std::less<>> functions;
};

using Same = std::function<bool(std::string_view)>;

const Measurement* exact_in(const Series& series, const Subject& subject, const Sizes& sizes, const Same& same) {
  const auto kin = series.kins.find(sizes.kin);
  if (kin == series.kins.end()) return nullptr;
  const std::vector<Point>& points = kin->second.points;
  const std::vector<double>& log2 = sizes.place.log2;
  auto at = std::lower_bound(points.begin(), points.end(), log2,
                             [](const Point& p, const std::vector<double>& to) { return p.sizes.place.log2 < to; });
  for (; at != points.end() && at->sizes.place.log2 == log2; ++at)
    if (at->measured.op == subject.op && at->printed == subject.printed && same(at->measured.problem))
      return &at->measured;
  return nullptr;
}

std::optional<Estimate> interpolated(const Series& series, const Subject& subject, const Sizes& sizes) {
  const auto at = series.kins.find(sizes.kin);
  if (at == series.kins.end() || !sizes.usable || sizes.place.log2.empty()) return std::nullopt;
  const Kin& kin = at->second;
  std::call_once(kin.once, [&] {
    std::vector<Interpolation::Sample> samples;
    for (const Point& point : kin.points)
      if (const double value = std::log(point.measured.seconds / point.prior);
          point.sizes.usable && std::isfinite(value))
        samples.push_back({point.sizes.place, value, point.measured.spread});
    if (samples.size() >= Interpolation::kFewest) kin.model = std::make_unique<Interpolation>(samples);
  });
  if (!kin.model || !(subject.prior > 0) || !kin.model->reaches(sizes.place)) return std::nullopt;
  const Interpolation::Answer answer = kin.model->at(sizes.place);
  return Estimate{subject.prior * std::exp(answer.value), Rung::interpolated, std::expm1(answer.deviation)};
}

std::optional<Estimate> fitted(const Series& series, const Subject& subject) {
  const auto at = series.functions.find(subject.op);
  if (at == series.functions.end() || at->second.work.size() < kFewestToFit) return std::nullopt;
  const Function& function = at->second;
  std::call_once(function.once, [&] {
    function.fitted = fit(function.work);
    function.multiple = multiple_of(function.logs);
  });
  const bool by_work = !(function.multiple.residual < function.fitted.residual) || !(subject.prior > 0);
  const double seconds =
      by_work ? function.fitted.at(subject.flops, subject.bytes) : subject.prior * std::exp(function.multiple.log);
  const double residual = by_work ? function.fitted.residual : function.multiple.residual;
  if (!(seconds > 0) || !std::isfinite(residual)) return std::nullopt;
  return Estimate{seconds, Rung::fitted, std::expm1(residual)};
}

}  // namespace

struct Table::Data {
  std::unordered_map<std::string, Series> series;

  const Series* find(const Subject& subject) const {
    const auto at = series.find(series_key(subject.kernel, subject.threads));
    return at == series.end() ? nullptr : &at->second;
  }
};

Table::Table(std::vector<Point> points, bool stale) : stale_(stale) {
  auto data = std::make_unique<Data>();
  for (Point& point : points) {
    const Measurement& m = point.measured;
    point.sizes = sizes_in_series(m.op, point.printed);
    std::vector<Point>& same = data->series[series_key(m.kernel, m.threads)].kins[point.sizes.kin].points;
    const auto again = std::find_if(same.begin(), same.end(), [&](const Point& p) {
      return p.measured.op == m.op && p.measured.problem == m.problem;
    });
    if (again != same.end()) {
      *again = std::move(point);  // the later one counts
      continue;
    }
    same.push_back(std::move(point));
    ++size_;
  }
  for (auto& [key, series] : data->series)
    for (auto& [name, kin] : series.kins) {
      std::sort(kin.points.begin(), kin.points.end(),
                [](const Point& a, const Point& b) { return a.sizes.place.log2 < b.sizes.place.log2; });
      for (const Point& point : kin.points) {
        Function& function = series.functions[point.measured.op];
        function.work.push_back({point.flops, point.bytes, point.measured.seconds});
        if (point.prior > 0) function.logs.push_back(std::log(point.measured.seconds / point.prior));
      }
    }
  data_ = std::move(data);
}

Table::~Table() = default;
Table::Table(Table&&) noexcept = default;
Table& Table::operator=(Table&&) noexcept = default;

std::optional<Estimate> Table::estimate(const Subject& subject,
                                        const std::function<bool(std::string_view)>& same) const {
  const Series* series = data_->find(subject);
  if (!series) return std::nullopt;
  const Sizes sizes = sizes_in_series(subject.op, subject.printed);
  std::optional<Estimate> estimate;
  if (const Measurement* m = exact_in(*series, subject, sizes, same))
    estimate = Estimate{m->seconds, Rung::measured, m->spread};
  if (!estimate) estimate = interpolated(*series, subject, sizes);
  if (!estimate) estimate = fitted(*series, subject);
  if (estimate && stale_) {
    estimate->rung = Rung::prior;
    estimate->error += kStaleError;
  }
  return estimate;
}

}  // namespace tandem::tuning
