// Choosing kernels by what was measured before: see docs/tuning.md. The program tandem-tune measures.
#pragma once

#include <string>

#include <tandem/context.h>

namespace tandem {

/// Where the predictions of a context come from, for the calls that follow; decisions already made are forgotten.
///   ""             what TANDEM_TUNING would be when unset: the files of the user and of the system, where they fit
///   "off"          no file: the kernels' own costs and measured ceilings
///   "frozen"       the files, and nothing is ever measured, ceilings included: the same choices in every run
///   "frozen:PATH"  the same with one file
///   PATH           one file
/// Throws Error(io_error) for a named file that cannot be read, is not a tuning file, may be written by everybody,
/// belongs to another user, or was measured on another machine; the context then stays as it was. A context that
/// pretends to be another machine takes a named file alone.
void use_tuning(Context& ctx, const std::string& source);

/// Where its predictions come from, in a sentence: "tuning file ... of 2 days ago, fingerprint matches".
std::string tuning_model(Context& ctx);

/// From now on each problem that a call meets without a measured time is appended to a file, one line each, for
/// tandem-tune --record; never in calls whose decision is cached. Empty: no more. Throws Error(io_error).
void record_problems(Context& ctx, const std::string& path);

}  // namespace tandem
