#include "common/tuning/sizes.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

namespace tandem::tuning {
namespace {

/// The length of the number at the start of `text`; 0: there is none. "0.05" is one, "1." and "-3" are not.
std::size_t number_length(std::string_view text) {
  std::size_t length = 0;
  bool point = false;
  while (length < text.size()) {
    const char c = text[length];
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c != '.' || point || length == 0)) break;
    point = point || c == '.';
    ++length;
  }
  return length;
}

bool starts_size(char before, std::string_view option, std::string_view rest, std::size_t length, bool in_options) {
  if (!in_options) return before == ':' || before == 'x' || before == '*' || before == '@';
  if (before == '=') return length == rest.size() && !option.starts_with("beta");
  return before == ',' && length < rest.size() && rest[length] == ' ';
}

/// What of the family is shared by the kin, and what are options.
void divide(Sizes& sizes) {
  const std::string_view family = sizes.family;
  for (std::size_t at = 0; at < family.size();) {
    const std::size_t end = std::min(family.find(',', at + 1), family.size());
    const std::string_view part = family.substr(at, end - at);
    if (part.starts_with(',') && part.find('#') == part.npos)
      sizes.place.options.emplace_back(part.substr(1));
    else
      sizes.kin += part;
    at = end;
  }
  std::sort(sizes.place.options.begin(), sizes.place.options.end());
}

}  // namespace

Sizes sizes_of(std::string_view text) {
  Sizes sizes;
  std::size_t option = std::string_view::npos;  // where the current one begins
  for (std::size_t at = 0; at < text.size();) {
    if (at > 0) {
      const std::size_t end =
          option == std::string_view::npos ? text.size() : std::min(text.find(',', at), text.size());
      const std::string_view rest = text.substr(at, end - at);
      const std::size_t length = number_length(rest);
      const bool in_options = option != std::string_view::npos;
      if (length > 0 && starts_size(text[at - 1], text.substr(in_options ? option : 0), rest, length, in_options)) {
        double value = 0;
        std::from_chars(rest.data(), rest.data() + length, value);
        sizes.usable = sizes.usable && value > 0;
        sizes.place.log2.push_back(value > 0 ? std::log2(value) : 0);
        sizes.family += '#';
        at += length;
        continue;
      }
    }
    if (text[at] == ',') option = at + 1;
    sizes.family += text[at++];
  }
  divide(sizes);
  return sizes;
}

double size_distance(const Place& a, const Place& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.log2.size(); ++i) sum += (a.log2[i] - b.log2[i]) * (a.log2[i] - b.log2[i]);
  return std::sqrt(sum);
}

double distance(const Place& a, const Place& b) {
  std::vector<std::string> of_one;
  std::set_symmetric_difference(a.options.begin(), a.options.end(), b.options.begin(), b.options.end(),
                                std::back_inserter(of_one));
  return std::hypot(size_distance(a, b), kOption * std::sqrt(static_cast<double>(of_one.size())));
}

}  // namespace tandem::tuning
