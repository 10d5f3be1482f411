#include "bench/report/html.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "common/profile/format.h"
#include "common/profile/report_parts.h"

namespace tandem::report {
namespace {

constexpr const char* kAbsentText = "\xe2\x80\x93";  // a dash

}  // namespace

std::string esc(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
          out += "\xef\xbf\xbd";
        else
          out += c;
    }
  }
  return out;
}

std::string kernel_text(std::string_view name) {
  std::string out;
  for (const char c : esc(name)) {
    out += c;
    if (c == '.' || c == ',') out += "<wbr>";
  }
  return out;
}

std::string script_json(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  }
  return out;
}

std::string seconds_text(double seconds) { return std::isfinite(seconds) ? profile::duration(seconds) : kAbsentText; }

std::string factor_text(double factor) {
  if (!std::isfinite(factor)) return kAbsentText;
  return std::abs(factor) >= 100 ? fmt::format("{:.0f}x", factor) : fmt::format("{:.3g}x", factor);
}

std::string factors_text(const profile::Interval& interval) {
  if (!std::isfinite(interval.low) || !std::isfinite(interval.high)) return "";
  return fmt::format("{} .. {}", factor_text(interval.low), factor_text(interval.high));
}

std::string percent_text(double fraction) { return std::isfinite(fraction) ? profile::percent(fraction) : kAbsentText; }

std::string bytes_text(double bytes) { return std::isfinite(bytes) ? profile::with_prefix(bytes) + "B" : kAbsentText; }

std::string number_text(double value) { return std::isfinite(value) ? profile::significant(value) : kAbsentText; }

std::string section(std::string_view id, std::string_view title, std::string_view note, std::string_view body) {
  if (body.empty()) return "";
  const std::string sentence = note.empty() ? "" : fmt::format("<p class=\"note\">{}</p>\n", note);
  return fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n{}{}</section>\n", id, title, sentence, body);
}

std::string bar(double fraction) {
  if (!std::isfinite(fraction)) return "";
  return fmt::format("<span class=\"bar\" aria-hidden=\"true\"><i style=\"width:{:.1f}%\"></i></span>",
                     100 * std::clamp(fraction, 0.0, 1.0));
}

std::string ceiling_text(double fraction) {
  const std::string_view above = profile::above_mark(fraction);
  return bar(fraction) + percent_text(fraction) + (above.empty() ? "" : fmt::format("<small>{}</small>", above));
}

}  // namespace tandem::report
