// A matrix in 2:4 storage written out, for the oracles of products. Included by their headers.
#pragma once

#include <cstring>
#include <memory>

#include <tandem/tensor.h>

namespace tandem::verify {

/// b [k, n] from the storage of its transpose: values [n, 2 groups], places [n, (groups + 1) / 2].
class Expanded24 {
 public:
  Expanded24(const ConstView& values, const ConstView& places, std::int64_t k)
      : dense_(std::make_shared<Tensor>(Tensor::zeros({values.shape()[0], k}, values.dtype()))) {
    const std::size_t size = size_of(values.dtype());
    const std::int64_t n = values.shape()[0], pairs = values.shape()[1] / 2;
    const auto* in = static_cast<const unsigned char*>(values.data());
    const auto* bytes = static_cast<const unsigned char*>(places.data());
    auto* out = static_cast<unsigned char*>(dense_->view().data());
    for (std::int64_t j = 0; j < n; ++j)
      for (std::int64_t v = 0; v < 2 * pairs; ++v) {  // value v has two bits of places
        const unsigned byte = bytes[j * places.shape()[1] + v / 4];
        const std::int64_t l = v / 2 * 4 + (byte >> (v % 4 * 2) & 3u);
        if (l < k)
          std::memcpy(out + static_cast<std::size_t>(j * k + l) * size,
                      in + static_cast<std::size_t>(j * 2 * pairs + v) * size, size);
      }
  }
  ConstView view() const { return dense_->view().transposed(); }

 private:
  std::shared_ptr<Tensor> dense_;
};

}  // namespace tandem::verify
