#include "common/model/description.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <tandem/error.h>
#include <nlohmann/json.hpp>

#include "common/io/untrusted.h"

namespace tandem {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxText = 1 << 20;
constexpr std::size_t kMaxLayers = 1000;
constexpr std::uint64_t kVersion = 1;

enum class Type : std::uint8_t { number, string, flag, list };

struct Key {
  std::string_view name;
  Type type;
  bool required;
};
constexpr std::array<Key, 4> kModelKeys = {{{"version", Type::number, true},
                                            {"layers", Type::list, true},
                                            {"name", Type::string, false},
                                            {"softmax", Type::flag, false}}};
constexpr std::array<Key, 4> kLayerKeys = {{{"weight", Type::string, true},
                                            {"bias", Type::string, false},
                                            {"activation", Type::string, false},
                                            {"transposed", Type::flag, false}}};

std::string_view words_for(Type type) {
  constexpr std::string_view kWords[] = {"a number", "a string", "true or false", "a list"};
  return kWords[static_cast<std::size_t>(type)];
}

// Receives the text piece by piece: no tree is built, and what does not belong where it stands is refused at once.
class Handler : public json::json_sax_t {
 public:
  Handler(std::string_view text, std::string_view file) : text_(text), file_(file) {}
  ModelDescription take() { return std::move(model_); }

  bool start_object(std::size_t) override {
    if (place_ == Place::start) {
      place_ = Place::model;
    } else if (place_ == Place::layers) {
      if (model_.layers.size() == kMaxLayers) refuse(fmt::format("more than {} layers", kMaxLayers));
      model_.layers.emplace_back();
      seen_in_layer_ = {};
      place_ = Place::layer;
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool end_object() override {
    if (place_ == Place::layer) {
      require(kLayerKeys, seen_in_layer_);
      place_ = Place::layers;
    } else {
      require(kModelKeys, seen_in_model_);
      place_ = Place::end;
    }
    return true;
  }

  bool start_array(std::size_t) override {
    expect(Type::list);
    place_ = Place::layers;
    return true;
  }

  bool end_array() override {
    if (model_.layers.empty()) refuse("there are no layers");
    place_ = Place::model;
    return true;
  }

  bool key(string_t& text) override {
    key_ = place_ == Place::layer ? find(kLayerKeys, seen_in_layer_, text) : find(kModelKeys, seen_in_model_, text);
    return true;
  }

  bool string(string_t& text) override {
    expect(Type::string);
    if (place_ == Place::model) {
      model_.name = text;
    } else if (key_->name == "activation") {
      try {
        layer().activation = parse_activation(text);
      } catch (const Error&) {
        refuse(fmt::format("activation '{}' is unknown", io::printable(text)));
      }
    } else {
      if (text.empty()) refuse(fmt::format("'{}' must name a tensor", key_->name));
      (key_->name == "weight" ? layer().weight : layer().bias) = text;
    }
    return true;
  }

  bool boolean(bool value) override {
    expect(Type::flag);
    (place_ == Place::model ? model_.softmax : layer().transposed) = value;
    return true;
  }

  bool number_unsigned(number_unsigned_t value) override {
    expect(Type::number);
    if (value != kVersion) refuse_version(std::to_string(value));
    return true;
  }
  bool number_integer(number_integer_t value) override { return refuse_number(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override { return refuse_number(text); }
  bool null() override { return unexpected("null"); }
  bool binary(binary_t&) override { return unexpected("binary data"); }

  // `position` counts the bytes read, the one that cannot be meant (or the end of the text) included.
  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    const std::size_t at = position > 0 ? position - 1 : 0;
    const std::string found =
        at < text_.size() ? fmt::format("'{}'", io::printable(text_.substr(at, 1))) : std::string("the end of it");
    refuse(fmt::format("not JSON near byte {}: found {}", at, found));
  }

  [[noreturn]] void refuse(const std::string& sentence) const {
    const std::string where = place_ == Place::layer ? fmt::format("layer {}: ", model_.layers.size()) : "";
    throw Error(Code::io_error, fmt::format("{}: {}: {}{}", file_, kModelKey, where, sentence));
  }

 private:
  enum class Place : std::uint8_t { start, model, layers, layer, end };
  using Seen = std::array<bool, 4>;

  LayerDescription& layer() { return model_.layers.back(); }

  const Key* find(const std::array<Key, 4>& keys, Seen& seen, std::string_view text) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (keys[i].name != text) continue;
      if (std::exchange(seen[i], true)) refuse(fmt::format("'{}' appears twice", text));
      return &keys[i];
    }
    refuse(fmt::format("'{}' is unknown", io::printable(text)));
  }

  void require(const std::array<Key, 4>& keys, const Seen& seen) const {
    for (std::size_t i = 0; i < keys.size(); ++i)
      if (keys[i].required && !seen[i]) refuse(fmt::format("'{}' is missing", keys[i].name));
  }

  void expect(Type found) const {
    const bool member = place_ == Place::model || place_ == Place::layer;
    if (!member || key_->type != found) unexpected(words_for(found));
  }

  [[noreturn]] bool unexpected(std::string_view found) const {
    if (place_ == Place::start) refuse(fmt::format("must be an object, found {}", found));
    if (place_ == Place::layers) refuse(fmt::format("'layers' must hold objects, found {}", found));
    refuse(fmt::format("'{}' must be {}, found {}", key_->name, words_for(key_->type), found));
  }

  [[noreturn]] void refuse_version(std::string_view found) const {
    refuse(fmt::format("version {} is not supported (supported: {})", io::printable(found), kVersion));
  }
  bool refuse_number(std::string_view text) const {
    expect(Type::number);
    refuse_version(text);
  }

  std::string_view text_, file_;
  ModelDescription model_;
  Place place_ = Place::start;
  const Key* key_ = nullptr;
  Seen seen_in_model_ = {}, seen_in_layer_ = {};
};

}  // namespace

ModelDescription parse_model_description(std::string_view text, std::string_view file) {
  Handler handler(text, file);
  if (text.size() > kMaxText) handler.refuse(fmt::format("{} bytes are above the limit of {}", text.size(), kMaxText));
  // The parser would take a NUL for the end of the text.
  if (const std::size_t nul = text.find('\0'); nul != text.npos) handler.refuse(fmt::format("byte {} is NUL", nul));
  json::sax_parse(text.begin(), text.end(), &handler);
  return handler.take();
}

std::string print_model_description(const ModelDescription& description) {
  using Json = nlohmann::ordered_json;
  Json layers = Json::array();
  for (const LayerDescription& layer : description.layers) {
    Json json_layer = {{"weight", layer.weight}};
    if (!layer.bias.empty()) json_layer["bias"] = layer.bias;
    if (layer.activation != Activation::none) json_layer["activation"] = name(layer.activation);
    if (layer.transposed) json_layer["transposed"] = true;
    layers.push_back(json_layer);
  }
  Json model = {{"version", kVersion}};
  if (!description.name.empty()) model["name"] = description.name;
  model["layers"] = layers;
  if (description.softmax) model["softmax"] = true;
  try {
    return model.dump();
  } catch (const json::type_error&) {
    throw Error(Code::invalid_argument, fmt::format("{}: a name is not UTF-8", kModelKey));
  }
}

}  // namespace tandem
