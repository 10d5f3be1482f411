// Where a context's predictions come from: the kernels' cost functions, then the file of the system, then that of the
// user; or the one that was named.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <tandem/machine.h>

#include "common/core/environment.h"
#include "common/tuning/file.h"

namespace tandem::tuning {

inline constexpr const char* kSystemFile = "/etc/tandem/tuning-v1.json";

/// $XDG_CACHE_HOME/tandem/tuning-v1.json, else $HOME/.cache/...; empty where neither variable is an absolute path.
std::string user_file();

struct Loaded {
  std::shared_ptr<const Table> table;  // null: nothing was measured
  std::optional<Ceilings> ceilings;    // of a file whose fingerprint matches
  std::string model;                   // where predictions come from, in a sentence
};

/// What there is for a machine as it was detected, whose ceilings are those of a file or else what `measured` returns;
/// for a made-up machine, which keeps its own, `measured` is null. A named file that cannot be used is an
/// Error(io_error); others cost a sentence in `model`. Files that did not change since are not read again.
Loaded load(const TuningSource& spec, const Machine& machine, Ceilings (*measured)());

/// "3 hours", "2 days"; "unknown age" for NaN.
std::string age(double seconds);

}  // namespace tandem::tuning
