// Pieces of HTML. Whatever comes from a result file is text and goes through esc().
#pragma once

#include <string>
#include <string_view>

#include <tandem/measurement.h>

namespace tandem::report {

/// Text between tags or in a quoted attribute. Control characters that HTML forbids become U+FFFD.
std::string esc(std::string_view text);

/// A kernel's name or a problem, which may break after each dot and comma.
std::string kernel_text(std::string_view name);

/// JSON inside a <script> element: no '<' is left, so nothing in it can end the element.
std::string script_json(std::string_view json);

/// "130.2 us", "1.52x", "93.5 %", "29.4 MB": a dash for what is absent or not finite.
std::string seconds_text(double seconds);
std::string factor_text(double factor);
std::string percent_text(double fraction);
std::string bytes_text(double bytes);
std::string number_text(double value);

/// "19.5x .. 20.2x"; empty for what is not finite.
std::string factors_text(const profile::Interval& interval);

/// <section id="id"><h2>title</h2>body</section>; empty for an empty body. `note` is a sentence below the title.
std::string section(std::string_view id, std::string_view title, std::string_view note, std::string_view body);

/// A bar, "93.5 %", and a mark where that is more than there should be.
std::string ceiling_text(double fraction);

/// A horizontal bar, filled up to `fraction`, that needs no script.
std::string bar(double fraction);

}  // namespace tandem::report
