// The file of measurements: JSON of the schema "tandem-tuning/1", not trusted when it is read, replaced as a whole when
// it is written.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/machine.h>

#include "common/tuning/fingerprint.h"
#include "common/tuning/table.h"

namespace tandem::tuning {

inline constexpr const char* kSchema = "tandem-tuning/1";

struct File {
  std::string date;  // of the last writing, "2026-01-31T12:00:00Z"
  Fingerprint fingerprint;
  std::optional<Ceilings> ceilings;
  std::vector<Measurement> measured;
};

/// Throws Error(io_error), one sentence that begins with `source`: no JSON, another schema, a field that is missing, of
/// another type or out of its range (times are finite and positive), more than 16 MiB. Kernels and problems that this
/// library does not know are kept, since another build may; they are not used.
File parse_file(std::string_view text, const std::string& source);
std::string print_file(const File& file);

/// Throws as parse_file; and for a file that cannot be read, that everybody may write, or that is neither this user's
/// nor root's.
File read_file(const std::string& path);

/// Adds to the file what was measured, under a lock on PATH.lock that other processes respect, keeping what is there of
/// other problems; newer times replace older ones. What is there of another machine, build or driver is replaced.
/// Folders are made. What cannot be read is not overwritten: Error(io_error). Returns what the file holds then.
File merge_into_file(const std::string& path, const File& news);

/// Throws Error(io_error) when merge_into_file() could not write there, before anything is measured. Makes the folders,
/// as merging does.
void prepare_file(const std::string& path);

/// Removes a tuning file, also one that cannot be read whole; false when nothing is there. Throws Error(io_error) for
/// what does not begin as one: a path may be mistyped.
bool remove_file(const std::string& path);

/// now as File::date has it; and the seconds since such a date, NaN when it is none.
std::string now_utc();
double seconds_since(const std::string& date);

}  // namespace tandem::tuning
