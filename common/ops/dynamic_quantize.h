// f32 to integers with scales from the data itself.
#pragma once

#include "common/ops/quantization.h"

namespace tandem {

struct DynamicQuantizeAttributes {
  Scheme scheme = Scheme::symmetric;
  int axis = -1;  // one scale for every index along it; -1: one
};

/// How channels lie in x and q.
enum class ChannelPlace : std::uint8_t {
  along,   // the elements of a channel are one run of unit stride
  across,  // neighbouring channels are: the elements of one have a common step
  other,
};

struct DynamicQuantizeProblem {
  DType dtype = DType::s8;
  Scheme scheme = Scheme::symmetric;
  std::int64_t channels = 0;  // scales
  std::int64_t length = 0;    // elements that share a scale
  ChannelPlace place = ChannelPlace::along;
  friend bool operator==(const DynamicQuantizeProblem&, const DynamicQuantizeProblem&) = default;
};

struct DynamicQuantizeArgs {
  DType dtype = DType::s8;
  Scheme scheme = Scheme::symmetric;
  const float* x = nullptr;
  float* scales = nullptr;
  std::int32_t* zero_points = nullptr;
  void* q = nullptr;
  std::int64_t channels = 1;
  std::int64_t x_channel = 0, scale_channel = 0, zero_channel = 0, q_channel = 0;  // strides from channel to channel
  Loops<2> inner;  // x, q: the elements of one channel (elements 0: none)

  ChannelPlace place() const noexcept {
    if (inner.contiguous()) return ChannelPlace::along;
    return x_channel == 1 && q_channel == 1 && inner.rank <= 1 ? ChannelPlace::across : ChannelPlace::other;
  }
};

struct DynamicQuantize {
  static constexpr const char* kName = "dynamic_quantize";
  static constexpr std::string_view kForm = "s8|u8:SIZE[xSIZE...][,axis=N|,per_token|,per_channel][,asymmetric]";
  static constexpr bool kRateIsFlops = false;
  static constexpr std::size_t kResults = 3;
  using Attributes = DynamicQuantizeAttributes;
  using Problem = DynamicQuantizeProblem;
  using Args = DynamicQuantizeArgs;

  static Problem describe(const Attributes&, std::span<const View> operands);  // x, scales, zero points, q
  static Args bind(const Attributes&, std::span<const View> operands);
  static bool reads_result(const Attributes&) { return false; }
  static double flops(const Problem& p);
  static double bytes(const Problem& p);
  /// "dynamic_quantize" with kForm: the dtype of the result.
  static std::optional<Request<DynamicQuantize>> parse(std::string_view op, std::string_view text);
  static std::string op_name(const Problem&) { return kName; }
  static std::vector<std::string> op_names() { return {kName}; }
  static std::string print(const Problem& p);
};

/// dynamic_quantize() with its results on `device`, whatever the policy says.
QuantizedTensor dynamic_quantize_on(Context& ctx, ConstView x, const QuantizeOptions& options, Device device);

}  // namespace tandem
