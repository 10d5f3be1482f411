// The sizes in the printed text of a problem: what a family of problems shares, and where one of them lies in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tandem::tuning {

/// "f32:512x256x64*8,tb" is of the family "f32:#x#x#*#,tb". Sizes are the numbers after ':', 'x', '*' and '@' before
/// the first ',', and in what follows a ',' those that fill it after '=' or stand before a space: ",b=1000", ",3 scales
/// by runs". "2:4" and "beta=X" name variants.
struct Sizes {
  std::string family;
  std::vector<double> log2;  ///< of each size, in the order of the text
  bool usable = true;        ///< false: a size is 0, which has no logarithm
};

Sizes sizes_of(std::string_view text);

/// The Euclidean distance of two members of a family: 1 where one size is twice the other.
double distance(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace tandem::tuning
