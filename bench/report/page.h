// A report: one HTML file that holds all it needs.
#pragma once

#include <string>
#include <vector>

#include <tandem/profile.h>

#include "bench/model/result.h"

namespace tandem::report {

/// What is read from one file.
struct Source {
  std::string name;  ///< "results.json"
  std::string json;  ///< its text
  profile::Comparison comparison;
  models::Result model;
  bool is_model = false;
};

/// Reads results of tandem-compare or tandem-model. Throws Error(io_error), one sentence.
Source read_source(const std::string& path);

/// The page.
std::string to_html(const std::vector<Source>& sources);

/// The files of this folder that the page is made of, built into the program.
struct Assets {
  static const char *page, *style, *script;
};

}  // namespace tandem::report
