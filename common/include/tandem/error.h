// The exception type of the library. Beside it only std::bad_alloc can come, where there is no memory for host objects
// other than tensors and workspaces: strings, lists, state, and the working copies, as large as the data, of functions
// that run on the host alone (pruning, magnitudes, low rank, calibration, the kernels *.eigen). Functions that read or
// write JSON (results, tuning files, traces, models, safetensors) use a library whose destructors allocate: where
// memory runs out inside them the process may end.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tandem {

/// What kind of failure an Error reports; `ok` is used only as the return value of kernels.
enum class Code : std::uint8_t {
  ok,
  invalid_argument,  ///< shapes, dtypes, strides, options or text that cannot be meant
  unsupported,       ///< a legal request that no kernel serves, or not the named one, or that the policy excludes
  unavailable,       ///< a backend, device or kernel that this machine, or this build, cannot run
  out_of_memory,     ///< host or device memory
  device_error,      ///< the CUDA runtime reported a failure
  io_error,          ///< a file could not be read or written, or is malformed
  internal,          ///< a broken invariant of the library
};

std::string_view name(Code code) noexcept;

/// Thrown by every public function that fails. `what()` is one sentence that names the operation and the offending
/// values, such as "matmul: inner dimensions differ (a is 64x32, b is 31x16)".
class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& message) : std::runtime_error(message), code_(code) {}
  Code code() const noexcept { return code_; }

 private:
  Code code_;
};

}  // namespace tandem
