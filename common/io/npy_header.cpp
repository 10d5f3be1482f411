#include "common/io/npy_header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <tandem/error.h>

#include "common/io/untrusted.h"

namespace tandem::io {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kAlignment = 64;

struct Descr {
  std::string_view text;
  DType dtype;
};
constexpr std::array<Descr, 5> kDescrs = {
    {{"<f4", DType::f32}, {"<f2", DType::f16}, {"|i1", DType::s8}, {"|u1", DType::u8}, {"<i4", DType::s32}}};
constexpr std::string_view kSupported = "supported: '<f4', '<f2', '|i1', '|u1', '<i4'; convert with .astype()";

DType dtype_of(std::string_view descr, std::string_view file) {
  for (const Descr& known : kDescrs) {
    if (descr == known.text) return known.dtype;
    // Byte order means nothing for one byte; NumPy accepts any mark there.
    if (known.text[0] == '|' && (descr[0] == '<' || descr[0] == '>') && descr.substr(1) == known.text.substr(1)) {
      return known.dtype;
    }
  }
  if (descr.starts_with('>')) {
    for (const Descr& known : kDescrs) {
      if (known.text[0] == '<' && descr.substr(1) == known.text.substr(1)) {
        throw Error(Code::io_error,
                    fmt::format("{}: dtype '{}' is big-endian; convert with .astype('{}')", file, descr, known.text));
      }
    }
  }
  throw Error(Code::io_error, fmt::format("{}: dtype '{}' is not supported ({})", file, printable(descr), kSupported));
}

// The text is a Python literal such as {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }. Only what a header
// can hold is understood: no nesting, so no recursion, and nothing is evaluated.
class HeaderText {
 public:
  HeaderText(std::string_view text, std::size_t offset, std::string_view file)
      : text_(text), offset_(offset), file_(file) {}

  NpyHeader parse() {
    std::optional<DType> dtype;
    std::optional<bool> fortran_order;
    std::optional<Shape> shape;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted("a key in quotes or '}'");
      expect(':');
      if (key == "descr") {
        assign(dtype, descr(), key);
      } else if (key == "fortran_order") {
        assign(fortran_order, boolean(), key);
      } else if (key == "shape") {
        assign(shape, tuple(), key);
      } else {
        refuse(fmt::format("header key '{}' is unknown", printable(key)));
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (position_ != text_.size()) malformed("nothing but space after '}'");
    return {require(dtype, "descr"), require(shape, "shape"), require(fortran_order, "fortran_order"),
            offset_ + text_.size()};
  }

 private:
  [[noreturn]] void refuse(const std::string& sentence) const {
    throw Error(Code::io_error, fmt::format("{}: {}", file_, sentence));
  }

  [[noreturn]] void malformed(std::string_view wanted) const {
    const std::string found = position_ < text_.size() ? fmt::format("'{}'", printable(text_.substr(position_, 1)))
                                                       : std::string("the end of the header");
    refuse(fmt::format("malformed header at byte {}: wanted {}, found {}", offset_ + position_, wanted, found));
  }

  template <class T>
  void assign(std::optional<T>& slot, T value, std::string_view key) const {
    if (slot) refuse(fmt::format("header key '{}' appears twice", key));
    slot = std::move(value);
  }

  template <class T>
  T require(const std::optional<T>& slot, std::string_view key) const {
    if (!slot) refuse(fmt::format("header lacks the key '{}'", key));
    return *slot;
  }

  void skip_space() {
    constexpr std::string_view kSpace = " \t\r\n";
    while (position_ < text_.size() && kSpace.find(text_[position_]) != kSpace.npos) ++position_;
  }

  // The next character after space; '\0', which no caller asks for, at the end.
  char peek() {
    skip_space();
    return position_ < text_.size() ? text_[position_] : '\0';
  }

  bool accept(char wanted) {
    if (peek() != wanted) return false;
    ++position_;
    return true;
  }

  void expect(char wanted) {
    if (!accept(wanted)) malformed(fmt::format("'{}'", wanted));
  }

  bool accept(std::string_view word) {
    skip_space();
    if (!text_.substr(position_).starts_with(word)) return false;
    position_ += word.size();
    return true;
  }

  // A string without escapes; no header that can be accepted needs them.
  std::string_view quoted(std::string_view wanted) {
    const char quote = peek();
    if (quote != '\'' && quote != '"') malformed(wanted);
    const std::size_t begin = position_ + 1;
    const std::size_t end = text_.find(quote, begin);
    if (end == text_.npos) malformed("a closing quote");
    position_ = end + 1;
    return text_.substr(begin, end - begin);
  }

  DType descr() {
    const char first = peek();
    if (first == '[' || first == '(' || first == '{')
      refuse(fmt::format("a structured dtype is not supported ({})", kSupported));
    const std::string_view text = quoted("a dtype in quotes");
    if (text.empty()) refuse(fmt::format("dtype '' is not supported ({})", kSupported));
    return dtype_of(text, file_);
  }

  bool boolean() {
    if (accept("True")) return true;
    if (accept("False")) return false;
    malformed("True or False");
  }

  Shape tuple() {
    Shape shape;
    expect('(');
    while (!accept(')')) {
      if (shape.rank() == kMaxRank) refuse(fmt::format("shape has more than {} dimensions", kMaxRank));
      shape.push_back(dimension());
      if (accept(',')) continue;
      if (shape.rank() == 1) malformed("','");  // (3) is a number in Python, (3,) a tuple
      expect(')');
      break;
    }
    return shape;
  }

  std::int64_t dimension() {
    if (peek() == '-') refuse(fmt::format("shape has the negative size {}", printable(number_text(1))));
    const std::string_view digits = number_text(0);
    if (digits.empty()) malformed("a size or ')'");
    std::int64_t value = 0;
    for (const char c : digits) {
      const std::int64_t digit = c - '0';
      if (value > (std::numeric_limits<std::int64_t>::max() - digit) / 10) {
        refuse(fmt::format("shape has the size {}, above 2^63 - 1", printable(digits)));
      }
      value = value * 10 + digit;
    }
    position_ += digits.size();
    if (position_ < text_.size() && text_[position_] == 'L') ++position_;  // written by Python 2
    return value;
  }

  // The digits at the current position, with the `sign` characters before them.
  std::string_view number_text(std::size_t sign) const {
    std::size_t end = position_ + sign;
    while (end < text_.size() && text_[end] >= '0' && text_[end] <= '9') ++end;
    return text_.substr(position_, end - position_);
  }

  std::string_view text_;
  std::size_t offset_;  // of the text in the file
  std::string_view file_;
  std::size_t position_ = 0;
};

std::size_t little_endian(std::string_view bytes) {
  std::size_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

NpyHeader parse_npy_header(std::string_view bytes, std::string_view file) {
  const auto refuse = [&](const std::string& sentence) {
    throw Error(Code::io_error, fmt::format("{}: {}", file, sentence));
  };
  if (bytes.substr(0, kMagic.size()) != kMagic) refuse("not an .npy file (it does not start with \\x93NUMPY)");
  const auto truncated = [&](std::size_t needed) {
    if (bytes.size() < needed)
      refuse(fmt::format("the file ends inside the header ({} of {} bytes)", bytes.size(), needed));
  };
  truncated(kMagic.size() + 2);
  const int major = static_cast<unsigned char>(bytes[kMagic.size()]);
  const int minor = static_cast<unsigned char>(bytes[kMagic.size() + 1]);
  if (major < 1 || major > 3 || minor != 0) {
    refuse(fmt::format(".npy version {}.{} is not supported (supported: 1.0, 2.0, 3.0)", major, minor));
  }
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  const std::size_t begin = kMagic.size() + 2 + length_bytes;
  truncated(begin);
  const std::size_t length = little_endian(bytes.substr(kMagic.size() + 2, length_bytes));
  if (length > kNpyMaxHeader) refuse(fmt::format("header of {} bytes is above the limit of {}", length, kNpyMaxHeader));
  truncated(begin + length);
  return HeaderText(bytes.substr(begin, length), begin, file).parse();
}

std::int64_t npy_data_bytes(const NpyHeader& header, std::string_view file) {
  const std::optional<std::int64_t> bytes = checked_bytes(header.dtype, header.shape);
  if (!bytes) {
    throw Error(Code::io_error, fmt::format("{}: shape {} of {} passes 2^63 - 1 bytes", file, to_string(header.shape),
                                            name(header.dtype)));
  }
  return *bytes;
}

std::string print_npy_header(const NpyHeader& header, std::string_view file) {
  const auto known =
      std::find_if(kDescrs.begin(), kDescrs.end(), [&](const Descr& d) { return d.dtype == header.dtype; });
  if (known == kDescrs.end()) {
    throw Error(Code::unsupported,
                fmt::format("{}: NumPy has no dtype for {}; save f32 or f16", file, name(header.dtype)));
  }
  std::string shape;
  for (int d = 0; d < header.shape.rank(); ++d) shape += (d == 0 ? "" : ", ") + std::to_string(header.shape[d]);
  if (header.shape.rank() == 1) shape += ',';
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': ({}), }}", known->text,
                                 header.fortran_order ? "True" : "False", shape);
  const std::size_t preamble = kMagic.size() + 4;
  const std::size_t end = (preamble + text.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  text.resize(end - preamble - 1, ' ');
  text += '\n';
  std::string out(kMagic);
  out += {'\x01', '\x00', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  return out + text;
}

}  // namespace tandem::io
