// Pieces of the layout analysis that tests look into.
#pragma once

#include <string>
#include <vector>

#include <tandem/layout.h>

namespace tandem::profile {

/// CPUs of a list as the kernel writes them: "0-3,8" -> 0, 1, 2, 3, 8.
std::vector<int> parse_cpu_list(const std::string& text);

/// A CPU that this process may use on each NUMA node that has one, in the order of the nodes.
std::vector<int> one_cpu_of_each_node();

/// Reading, from each of `cpus`, memory that a thread on the first of them touched first.
void measure_first_touch(LayoutReport& report, const std::vector<int>& cpus, const LayoutOptions& options);

}  // namespace tandem::profile
