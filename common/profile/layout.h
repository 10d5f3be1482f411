// Pieces of the layout analysis that tests look into.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <tandem/layout.h>

#include "common/profile/measure.h"

namespace tandem::profile {

/// CPUs of a list as the kernel writes them: "0-3,8" -> 0, 1, 2, 3, 8.
std::vector<int> parse_cpu_list(const std::string& text);

/// A CPU that this process may use on each NUMA node that has one, in the order of the nodes.
std::vector<int> one_cpu_of_each_node();

/// Reading, from each of `cpus`, memory that a thread on the first of them touched first.
void measure_first_touch(LayoutReport& report, const std::vector<int>& cpus, const LayoutOptions& options);

/// A row without rate and slowdown; without samples it says why there are none.
LayoutRow layout_row(const std::string& group, const std::string& access, Timing time, double bytes);

/// Adds a row for each of `ways`, which have run once before; a pass of way i has to move bytes[i].
void measure_ways(LayoutReport& report, const std::string& group, std::span<const Timed> ways,
                  std::span<const double> bytes, const LayoutOptions& options);

/// Adds a row for each measured curve of copies, at the largest size that all of them have.
void add_copy_rows(LayoutReport& report, const Ceilings& ceilings);

}  // namespace tandem::profile
