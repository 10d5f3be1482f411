// Host memory.
#pragma once

#include <cstddef>
#include <memory>

namespace tandem {

enum class Pages { huge, small };

/// Uninitialised and aligned (a power of two); at least one byte. From 2 MiB on it begins on a huge page, and lies on
/// huge pages where the system gives them, or on none of them where `pages` says so and the system listens. Throws
/// Error(out_of_memory) that names `what`.
std::shared_ptr<void> allocate_host(std::size_t bytes, std::size_t alignment, const char* what,
                                    Pages pages = Pages::huge);

}  // namespace tandem
