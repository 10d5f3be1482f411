// Device memory of tensors, which is freed in the order of a stream.
#pragma once

#include <memory>

#include <tandem/tensor.h>

#include "common/core/device_api.h"

namespace tandem {

/// The deleter of a tensor's device memory.
struct DeviceMemory {
  std::shared_ptr<gpu::Stream> stream;
  void operator()(void* memory) const { stream->release(memory); }

  /// That of a tensor, or null where it owns no device memory.
  static DeviceMemory* of(const Tensor& tensor) { return std::get_deleter<DeviceMemory>(tensor.memory_); }
};

}  // namespace tandem
