// Figures of a comparison that depend on other figures of it.
#pragma once

#include <vector>

#include <tandem/profile.h>

namespace tandem::profile {

/// The figures of one problem's rows that depend on other fields: rate, fractions, speed-ups, regret.
void derive_figures(std::vector<Row>& rows);

/// Seconds of a whole call from and to host memory, copies included; NaN when it was not timed.
double host_to_host(const Row& row);

}  // namespace tandem::profile
