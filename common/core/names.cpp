// Names of the small enumerations, and their parsers.
#include <array>
#include <charconv>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <tandem/context.h>
#include <tandem/device.h>
#include <tandem/dtype.h>
#include <tandem/error.h>
#include <tandem/machine.h>
#include <tandem/ops.h>

namespace tandem {
namespace {

using std::string_view;

constexpr string_view kDTypes[] = {"f32", "bf16", "f16", "s8", "u8", "s32"};
constexpr string_view kBackends[] = {"cpu", "cuda"};
constexpr string_view kCodes[] = {"ok",           "invalid argument", "unsupported", "unavailable", "out of memory",
                                  "device error", "io error",         "internal"};
constexpr string_view kLevels[] = {"scalar", "sse4", "avx2", "avx512"};
constexpr string_view kMathModes[] = {"strict", "tf32", "bf16"};
constexpr string_view kRungs[] = {"measured", "interpolated", "fitted", "prior"};
constexpr string_view kActivations[] = {"none",         "relu",    "gelu_erf", "gelu_tanh",
                                        "gelu_sigmoid", "sigmoid", "tanh",     "silu"};
constexpr string_view kUnary[] = {"relu", "gelu_erf", "gelu_tanh", "gelu_sigmoid", "sigmoid", "tanh", "silu", "exp"};
constexpr string_view kBinary[] = {"add", "sub", "mul", "div", "squared_difference"};
constexpr string_view kSoftmax[] = {"softmax", "log_softmax"};
constexpr string_view kReduce[] = {"sum", "max", "dot", "euclidean_distance", "cosine_similarity"};

template <class E, std::size_t N>
E parse(const string_view (&names)[N], string_view text, string_view what) {
  for (std::size_t i = 0; i < N; ++i)
    if (names[i] == text) return static_cast<E>(i);
  throw Error(Code::invalid_argument, fmt::format("unknown {} '{}'; known are {}", what, text,
                                                  fmt::join(std::begin(names), std::end(names), ", ")));
}

template <class E, std::size_t N>
string_view name_in(const string_view (&names)[N], E value) noexcept {
  const auto at = static_cast<std::size_t>(value);
  return at < N ? names[at] : string_view("invalid");
}

}  // namespace

std::size_t size_of(DType dtype) noexcept {
  constexpr std::size_t kSizes[] = {4, 2, 2, 1, 1, 4};
  const auto at = static_cast<std::size_t>(dtype);
  return at < std::size(kSizes) ? kSizes[at] : 0;
}

DType accumulator(DType dtype) noexcept {
  return dtype == DType::s8 || dtype == DType::u8 || dtype == DType::s32 ? DType::s32 : DType::f32;
}

string_view name(DType v) noexcept { return name_in(kDTypes, v); }
string_view name(Backend v) noexcept { return name_in(kBackends, v); }
string_view name(Code v) noexcept { return name_in(kCodes, v); }
string_view name(IsaLevel v) noexcept { return name_in(kLevels, v); }
string_view name(MathMode v) noexcept { return name_in(kMathModes, v); }
string_view name(Rung v) noexcept { return name_in(kRungs, v); }
string_view name(Activation v) noexcept { return name_in(kActivations, v); }
string_view name(UnaryFn v) noexcept { return name_in(kUnary, v); }
string_view name(BinaryFn v) noexcept { return name_in(kBinary, v); }
string_view name(SoftmaxFn v) noexcept { return name_in(kSoftmax, v); }
string_view name(ReduceFn v) noexcept { return name_in(kReduce, v); }

DType parse_dtype(string_view text) { return parse<DType>(kDTypes, text, "dtype"); }
Backend parse_backend(string_view text) { return parse<Backend>(kBackends, text, "backend"); }
IsaLevel parse_isa_level(string_view text) { return parse<IsaLevel>(kLevels, text, "instruction-set level"); }
Activation parse_activation(string_view text) { return parse<Activation>(kActivations, text, "activation"); }

std::string to_string(Device device) {
  return device.is_cpu() ? std::string("cpu") : fmt::format("cuda:{}", device.index);
}

Device parse_device(string_view text) {
  if (text == "cpu") return Device::cpu();
  if (text == "cuda") return Device::cuda(0);
  if (text.starts_with("cuda:")) {
    const string_view digits = text.substr(5);
    int index = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (error == std::errc() && end == digits.data() + digits.size() && index >= 0) return Device::cuda(index);
  }
  throw Error(Code::invalid_argument, fmt::format("unknown device '{}'; write cpu, cuda or cuda:N", text));
}

}  // namespace tandem
