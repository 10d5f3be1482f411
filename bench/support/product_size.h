// Sizes of matrix products as the words of a command line, for the programs that time one kind of product.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tandem::bench {

struct ProductSize {
  std::int64_t m = 0, n = 0, k = 0;
  bool ta = false, tb = false;  ///< stored transposed
};

/// "255x255x255", and where `transposed` says so "255x255x255,ta,tb". `bytes` are those that an element of each of the
/// three matrices takes. Throws UsageError, also for a product beyond the memory that is free.
ProductSize parse_product(const std::string& text, bool transposed, double bytes);

/// -s as these programs take it: seconds for each row and candidate. Throws UsageError.
void check_seconds(double seconds);

}  // namespace tandem::bench
