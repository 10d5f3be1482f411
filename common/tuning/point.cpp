#include "common/tuning/point.h"

#include "common/ops/all.h"

namespace tandem::tuning {

Table make_table(std::span<const Measurement> measured, const Machine& machine, bool stale) {
  std::vector<Point> points;
  for_each_op([&]<class Op>() {
    for (const Measurement& m : measured)
      if (const Entry<Op>* entry = find_kernel<Op>(m.kernel))
        if (std::optional<Point> point = point_of<Op>(m, *entry, machine)) points.push_back(std::move(*point));
  });
  return Table(std::move(points), stale);
}

}  // namespace tandem::tuning
