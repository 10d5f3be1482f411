// Whether text is well-formed XML, of the kind that this library writes: elements, attributes, the five entities.
#pragma once

#include <cctype>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::test {

/// Empty when well formed; else what is wrong, and where.
inline std::string xml_complaint(std::string_view text) {
  std::vector<std::string> open;
  std::size_t at = 0;
  bool root_closed = false;
  const auto complain = [&](const std::string& what) { return what + " at byte " + std::to_string(at); };
  const auto entity_ok = [&](std::string_view rest) {
    for (const std::string_view name : {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"})
      if (rest.substr(0, name.size()) == name) return true;
    return false;
  };
  while (at < text.size()) {
    if (text[at] != '<') {
      if (text[at] == '&' && !entity_ok(text.substr(at))) return complain("a lone '&'");
      if (open.empty() && !std::isspace(static_cast<unsigned char>(text[at])))
        return complain("text outside of the root");
      ++at;
      continue;
    }
    if (open.empty() && root_closed) return complain("a second root");
    std::size_t end = at + 1;
    char quote = 0;
    std::set<std::string> attributes;
    std::size_t word = std::string_view::npos;
    for (; end < text.size() && (quote != 0 || text[end] != '>'); ++end) {
      const char c = text[end];
      if (quote != 0) {
        if (c == quote) quote = 0;
        if (c == '<') return complain("'<' within an attribute");
        if (c == '&' && !entity_ok(text.substr(end))) return complain("a lone '&'");
      } else if (c == '"' || c == '\'') {
        if (text[end - 1] != '=') return complain("a quote without an attribute");
        quote = c;
      } else if (c == '=') {
        if (word == std::string_view::npos) return complain("'=' without a name");
        if (!attributes.insert(std::string(text.substr(word, end - word))).second)
          return complain("an attribute twice");
        if (end + 1 >= text.size() || (text[end + 1] != '"' && text[end + 1] != '\''))
          return complain("an attribute without quotes");
      } else if (c == ' ') {
        word = end + 1;
      }
    }
    if (end >= text.size()) return complain("an element that does not end");
    const std::string_view tag = text.substr(at + 1, end - at - 1);
    const std::string name(tag.substr(0, tag.find_first_of(" /", 1)));
    if (tag.starts_with("/")) {
      if (open.empty() || "/" + open.back() != name) return complain("<" + name + "> closes nothing");
      open.pop_back();
    } else if (!tag.ends_with("/")) {
      open.push_back(name);
    }
    root_closed = open.empty();
    at = end + 1;
  }
  return !open.empty() ? complain("<" + open.back() + "> is open") : root_closed ? "" : complain("no element");
}

}  // namespace tandem::test
