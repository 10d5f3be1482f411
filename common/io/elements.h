// Elements of host views on their way into a file.
#pragma once

#include <tandem/tensor.h>

#include "common/io/file.h"

namespace tandem::io {

/// Writes the elements of a host view of any strides in C order, as they lie in memory.
void write_elements(const ConstView& view, AtomicFile& file);

}  // namespace tandem::io
