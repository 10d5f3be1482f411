#include "common/io/safetensors_header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <tandem/error.h>
#include <nlohmann/json.hpp>

#include "common/io/untrusted.h"

namespace tandem::io {
namespace {

using nlohmann::json;

constexpr std::string_view kMetadata = "__metadata__";

struct KnownDType {
  std::string_view text;
  DType dtype;
};
constexpr std::array<KnownDType, 6> kDTypes = {{{"F32", DType::f32},
                                                {"BF16", DType::bf16},
                                                {"F16", DType::f16},
                                                {"I8", DType::s8},
                                                {"U8", DType::u8},
                                                {"I32", DType::s32}}};

// Receives the JSON text piece by piece, so that no tree is built and nothing recurses: whatever does not belong where
// it stands, deeper objects and lists among it, is refused at once.
class HeaderHandler : public json::json_sax_t {
 public:
  HeaderHandler(std::string_view text, SafetensorsHeader& header, std::string_view file)
      : text_(text), header_(header), file_(file) {}

  bool key(string_t& text) override {
    key_ = text;
    switch (place_) {
      case Place::file:
        begin_member();
        break;
      case Place::metadata:
        if (header_.metadata.contains(text)) refuse(fmt::format("{} has the key '{}' twice", kMetadata, shown(text)));
        break;
      default:
        begin_field();
    }
    return true;
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::start) {
      place_ = Place::file;
    } else if (place_ == Place::file) {
      place_ = key_ == kMetadata ? Place::metadata : Place::tensor;
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool end_object() override {
    if (place_ == Place::tensor) end_tensor();
    place_ = place_ == Place::file ? Place::start : Place::file;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ != Place::tensor || field_ == Field::dtype) unexpected("a list");
    place_ = Place::list;
    return true;
  }

  bool end_array() override {
    if (field_ == Field::offsets && offset_count_ != 2)
      refuse_tensor(fmt::format("data_offsets has {} numbers instead of 2", offset_count_));
    place_ = Place::tensor;
    return true;
  }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ != Place::list) unexpected("a number");
    if (value > std::uint64_t{std::numeric_limits<std::int64_t>::max()})
      refuse_tensor(fmt::format("{} has the number {}, above 2^63 - 1", field_name(), value));
    add(static_cast<std::int64_t>(value));
    return true;
  }

  bool number_integer(number_integer_t value) override { return refuse_number(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override { return refuse_number(text); }

  bool string(string_t& text) override {
    if (place_ == Place::metadata) {
      header_.metadata.emplace(key_, text);
      return true;
    }
    if (place_ != Place::tensor || field_ != Field::dtype) unexpected("a string");
    const auto known =
        std::find_if(kDTypes.begin(), kDTypes.end(), [&](const KnownDType& d) { return d.text == text; });
    if (known == kDTypes.end())
      refuse_tensor(fmt::format("dtype '{}' is not supported (supported: F32, BF16, F16, I8, U8, I32)", shown(text)));
    entry_.dtype = known->dtype;
    return true;
  }

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("true or false"); }
  bool binary(binary_t&) override { return unexpected("binary data"); }

  // `position` counts the bytes read, the one that cannot be meant (or the end of the text) included.
  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    not_json(position - 1);
  }

  [[noreturn]] void not_json(std::size_t at) const {
    const std::string found =
        at < text_.size() ? fmt::format("'{}'", shown(text_.substr(at, 1))) : std::string("the end of the header");
    refuse(fmt::format("the header is not JSON near byte {}: found {}", kSafetensorsPreamble + at, found));
  }

 private:
  enum class Place : std::uint8_t { start, file, metadata, tensor, list };
  enum class Field : std::uint8_t { dtype, shape, offsets };

  static std::string shown(std::string_view text) { return printable(text); }

  [[noreturn]] void refuse(const std::string& sentence) const {
    throw Error(Code::io_error, fmt::format("{}: {}", file_, sentence));
  }
  [[noreturn]] void refuse_tensor(const std::string& sentence) const {
    refuse(fmt::format("tensor '{}': {}", shown(tensor_), sentence));
  }

  std::string_view field_name() const {
    constexpr std::string_view kNames[] = {"dtype", "shape", "data_offsets"};
    return kNames[static_cast<std::size_t>(field_)];
  }

  // Says what should be at this place instead.
  [[noreturn]] bool unexpected(std::string_view found) const {
    switch (place_) {
      case Place::start:
        refuse(fmt::format("the header must be an object, found {}", found));
      case Place::file:
        refuse(fmt::format("'{}' must be an object, found {}", shown(key_), found));
      case Place::metadata:
        refuse(fmt::format("{} '{}' must be a string, found {}", kMetadata, shown(key_), found));
      case Place::tensor:
        refuse_tensor(fmt::format("{} must be {}, found {}", field_name(),
                                  field_ == Field::dtype ? "a string" : "a list of whole numbers", found));
      case Place::list:
        break;
    }
    refuse_tensor(fmt::format("{} must hold whole numbers, found {}", field_name(), found));
  }

  bool refuse_number(std::string_view text) const {
    if (place_ == Place::list)
      refuse_tensor(fmt::format("{} has {}, which is no whole number from 0 to 2^63 - 1", field_name(), shown(text)));
    unexpected("a number");
  }

  void begin_member() {
    const bool again = key_ == kMetadata ? std::exchange(has_metadata_, true) : header_.tensors.contains(key_);
    if (again) refuse(fmt::format("'{}' appears twice", shown(key_)));
    tensor_ = key_;
    entry_ = {};
    has_field_ = {};
    offset_count_ = 0;
  }

  void begin_field() {
    if (key_ == "dtype") {
      field_ = Field::dtype;
    } else if (key_ == "shape") {
      field_ = Field::shape;
    } else if (key_ == "data_offsets") {
      field_ = Field::offsets;
    } else {
      refuse_tensor(fmt::format("key '{}' is unknown", shown(key_)));
    }
    if (std::exchange(has_field_[static_cast<std::size_t>(field_)], true))
      refuse_tensor(fmt::format("key '{}' appears twice", key_));
  }

  void add(std::int64_t value) {
    if (field_ == Field::shape) {
      if (entry_.shape.rank() == kMaxRank) refuse_tensor(fmt::format("shape has more than {} dimensions", kMaxRank));
      entry_.shape.push_back(value);
      return;
    }
    if (offset_count_ < 2) (offset_count_ == 0 ? entry_.begin : entry_.end) = value;
    ++offset_count_;
  }

  void end_tensor() {
    for (const Field field : {Field::dtype, Field::shape, Field::offsets}) {
      field_ = field;
      if (!has_field_[static_cast<std::size_t>(field)])
        refuse_tensor(fmt::format("the key '{}' is missing", field_name()));
    }
    const std::optional<std::int64_t> bytes = checked_bytes(entry_.dtype, entry_.shape);
    const std::string what = fmt::format("shape {} of {}", to_string(entry_.shape), name(entry_.dtype));
    if (!bytes) refuse_tensor(what + " passes 2^63 - 1 bytes");
    if (entry_.begin > entry_.end || entry_.end - entry_.begin != *bytes)
      refuse_tensor(
          fmt::format("data_offsets [{}, {}] do not span the {} bytes of {}", entry_.begin, entry_.end, *bytes, what));
    header_.tensors.emplace(tensor_, entry_);
  }

  std::string_view text_;
  SafetensorsHeader& header_;
  std::string_view file_;
  Place place_ = Place::start;
  std::string key_;  // the last one
  bool has_metadata_ = false;
  // The tensor that is being read.
  std::string tensor_;
  SafetensorsEntry entry_;
  std::array<bool, 3> has_field_ = {};
  Field field_ = Field::dtype;
  std::size_t offset_count_ = 0;
};

using Named = const std::pair<const std::string, SafetensorsEntry>*;

// Pointers to the entries, by where their bytes begin; empty tensors before what begins at the same byte.
std::vector<Named> in_file_order(const SafetensorsHeader& header) {
  std::vector<Named> order;
  order.reserve(header.tensors.size());
  for (const auto& entry : header.tensors) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](Named a, Named b) {
    return std::tie(a->second.begin, a->second.end, a->first) < std::tie(b->second.begin, b->second.end, b->first);
  });
  return order;
}

void check_tiling(const SafetensorsHeader& header, std::uint64_t data_bytes, std::string_view file) {
  std::int64_t reached = 0;
  for (const Named entry : in_file_order(header)) {
    if (entry->second.begin != reached)
      throw Error(Code::io_error,
                  fmt::format("{}: tensor '{}' begins at byte {} of the data, but the data before it end "
                              "at byte {}: {}",
                              file, printable(entry->first), entry->second.begin, reached,
                              entry->second.begin > reached ? "a gap" : "an overlap"));
    reached = entry->second.end;
  }
  if (static_cast<std::uint64_t>(reached) != data_bytes)
    throw Error(Code::io_error,
                fmt::format("{}: the tensors need {} bytes of data, the file holds {}", file, reached, data_bytes));
}

// A JSON string. Throws json::type_error for what is not UTF-8.
std::string quoted(const std::string& text) { return json(text).dump(); }

}  // namespace

std::size_t safetensors_header_length(std::string_view start, std::uint64_t file_bytes, std::string_view file) {
  const auto refuse = [&](const std::string& sentence) {
    throw Error(Code::io_error, fmt::format("{}: {}", file, sentence));
  };
  if (start.size() < kSafetensorsPreamble)
    refuse(fmt::format("not a safetensors file: {} bytes, and the length of the header alone takes {}", start.size(),
                       kSafetensorsPreamble));
  std::uint64_t length = 0;
  for (std::size_t i = kSafetensorsPreamble; i-- > 0;) length = length << 8 | static_cast<unsigned char>(start[i]);
  if (length > kSafetensorsMaxHeader)
    refuse(fmt::format("header of {} bytes is above the limit of {}", length, kSafetensorsMaxHeader));
  if (length > file_bytes - kSafetensorsPreamble)
    refuse(fmt::format("the file ends inside the header ({} of {} bytes)", file_bytes, length + kSafetensorsPreamble));
  return static_cast<std::size_t>(length);
}

SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_bytes, std::string_view file) {
  // The parser would skip space and a byte order mark before the object, and take a NUL for the end of the text.
  if (!text.starts_with('{'))
    throw Error(Code::io_error,
                fmt::format("{}: the header must start with '{{', found '{}'", file, printable(text.substr(0, 1))));
  SafetensorsHeader header;
  HeaderHandler handler(text, header, file);
  if (const std::size_t nul = text.find('\0'); nul != text.npos) handler.not_json(nul);
  json::sax_parse(text.begin(), text.end(), &handler);
  check_tiling(header, data_bytes, file);
  return header;
}

std::string print_safetensors_header(const SafetensorsHeader& header, std::string_view file) {
  const auto refuse = [&](const std::string& sentence) {
    throw Error(Code::invalid_argument, fmt::format("{}: {}", file, sentence));
  };
  std::string text = "{";
  try {
    if (!header.metadata.empty()) {
      text += fmt::format("\"{}\":{{", kMetadata);
      for (const auto& [key, value] : header.metadata) text += quoted(key) + ':' + quoted(value) + ',';
      text.back() = '}';
      text += ',';
    }
    for (const Named entry : in_file_order(header)) {
      const auto& [name, e] = *entry;
      if (name == kMetadata) refuse(fmt::format("a tensor cannot have the name {}", kMetadata));
      const auto known =
          std::find_if(kDTypes.begin(), kDTypes.end(), [&](const KnownDType& d) { return d.dtype == e.dtype; });
      text += fmt::format("{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}},", quoted(name), known->text,
                          fmt::join(e.shape.begin(), e.shape.end(), ","), e.begin, e.end);
    }
  } catch (const json::type_error&) {
    refuse("a name or the metadata is not UTF-8");
  }
  if (text.back() == ',') text.pop_back();
  text += '}';
  text.resize((text.size() + 7) / 8 * 8, ' ');
  if (text.size() > kSafetensorsMaxHeader)
    refuse(fmt::format("header of {} bytes is above the limit of {}", text.size(), kSafetensorsMaxHeader));
  std::string out;
  for (std::size_t i = 0; i < kSafetensorsPreamble; ++i) out += static_cast<char>(text.size() >> (8 * i) & 0xff);
  return out + text;
}

}  // namespace tandem::io
