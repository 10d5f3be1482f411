#include "tests/support/left_out.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "common/core/device_api.h"

namespace tandem::test {
namespace {

std::map<std::string, std::set<std::string>>& registry() {
  static std::map<std::string, std::set<std::string>> left_out;
  return left_out;
}

char running[512];

}  // namespace

void leave_out(const std::string& kernel, const std::string& reason) { registry()[reason].insert(kernel); }
const std::map<std::string, std::set<std::string>>& kernels_left_out() { return registry(); }

bool cuda_is_required() {
  const char* value = std::getenv("TANDEM_REQUIRE_CUDA");
  return value != nullptr && std::string_view(value) == "1";
}

const std::string& no_gpu_reason() {
  static const std::string reason = [] {
    const gpu::Devices devices = gpu::query();
    if (!devices.gpus.empty()) return std::string();
    return devices.no_gpu_reason.empty() ? std::string("there is no GPU") : devices.no_gpu_reason;
  }();
  return reason;
}

void set_running_case(const std::string& text) noexcept {
  const std::size_t length = std::min(text.size(), sizeof running - 1);
  std::copy_n(text.data(), length, running);
  running[length] = '\0';
}
const char* running_case() noexcept { return running; }

}  // namespace tandem::test
