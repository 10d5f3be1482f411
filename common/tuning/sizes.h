// The sizes in the printed text of a problem: what a family of problems shares, and where one of them lies in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tandem::tuning {

/// Where a problem lies among its kin: those that have the same sizes, whatever their options.
struct Place {
  std::vector<double> log2;          ///< of each size, in the order of the text
  std::vector<std::string> options;  ///< those without a size, sorted
};

/// "f32:512x256x64*8,tb" is of the family "f32:#x#x#*#,tb", whose kin are "f32:#x#x#*#". Sizes are the numbers after
/// ':', 'x', '*' and '@' before the first ',', and in what follows a ',' those that fill it after '=' or stand before a
/// space: ",b=1000", ",3 scales by runs". "2:4" and "beta=X" name variants.
struct Sizes {
  std::string family;
  std::string kin;  ///< the family without the options that have no size
  Place place;
  bool usable = true;  ///< false: a size is 0, which has no logarithm
};

Sizes sizes_of(std::string_view text);

/// The Euclidean distance of two of the same kin in their sizes: 1 where one size is twice the other.
double size_distance(const Place& a, const Place& b);

/// The same over sizes and options, with kOption for each option that only one of them has. Of the times of 250
/// problems that five tunings had not met, 0.5 to 1.5 missed by the same, 2 and 3 by more.
double distance(const Place& a, const Place& b);
inline constexpr double kOption = 1;

}  // namespace tandem::tuning
