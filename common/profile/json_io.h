// Structs to JSON and back through one description of their fields (result_fields.h): what a JsonWriter writes, a
// JsonReader reads. Both are called as io("key", member).
#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace tandem::profile {

using Json = nlohmann::ordered_json;  // NaN and infinities are written as null

/// A number that is null unless `known`; null is read as `absent`.
template <class T>
struct Known {
  T& value;
  bool known;
  std::remove_const_t<T> absent{};
};
template <class T>
Known(T&, bool) -> Known<T>;
template <class T>
Known(T&, bool, std::remove_const_t<T>) -> Known<T>;

/// Seconds of a call, null unless `known`; what no clock can have said is refused.
template <class T>
struct Seconds {
  T& value;
  bool known;
};
template <class T>
Seconds(T&, bool) -> Seconds<T>;

/// A number that is null where `exists` is false.
template <class Flag, class T>
struct Counted {
  Flag& exists;
  T& value;
};
template <class Flag, class T>
Counted(Flag&, T&) -> Counted<Flag, T>;

/// A number written in 1e9; null where it is not positive.
template <class T>
struct Giga {
  T& value;
};
template <class T>
Giga(T&) -> Giga<T>;

/// A flag written as one of two words.
template <class Flag>
struct Either {
  Flag& flag;
  const char *yes, *no;
  const char* once = yes;  // what older versions wrote for yes
};
template <class Flag>
Either(Flag&, const char*, const char*) -> Either<Flag>;
template <class Flag>
Either(Flag&, const char*, const char*, const char*) -> Either<Flag>;

/// Text that is one of these words, which live for ever.
template <class Text>
struct OneOf {
  Text& text;
  std::array<std::string_view, 4> words;
};
template <class Text>
OneOf(Text&, std::array<std::string_view, 4>) -> OneOf<Text>;

/// The size of a list that is written too.
template <class List>
struct SizeOf {
  List& list;
};
template <class List>
SizeOf(List&) -> SizeOf<List>;

class JsonWriter {
 public:
  explicit JsonWriter(Json& object) : object_(object) {}

  template <class T>
  void operator()(const std::string& key, const T& value) {
    object_[key] = json_of(value);
  }
  /// A field that results of older versions do not have.
  template <class T>
  void later(const std::string& key, const T& value) {
    (*this)(key, value);
  }
  /// Text that says something about the other fields.
  void remark(const std::string& key, const char* text) { object_[key] = text; }

  /// Whether fields that begin with `key` are there.
  bool when(const std::string&, bool there) const { return there; }

  template <class Describe>
  void object(const std::string& key, Describe describe) {
    Json inner = Json::object();
    JsonWriter io(inner);
    describe(io);
    object_[key] = std::move(inner);
  }
  template <class List, class Describe>
  void list(const std::string& key, const List& elements, Describe describe) {
    Json all = Json::array();
    for (const auto& element : elements) {
      JsonWriter io(all.emplace_back(Json::object()));
      describe(io, element);
    }
    object_[key] = std::move(all);
  }
  void pairs(const std::string& key, const std::vector<std::pair<std::string, double>>& values) {
    Json inner = Json::object();
    for (const auto& [name, value] : values) inner[name] = value;
    object_[key] = std::move(inner);
  }

 private:
  template <class T>
  static Json json_of(const T& value) {
    if constexpr (std::is_enum_v<T>)
      return name(value);
    else
      return value;
  }
  template <class T>
  static Json json_of(const Known<T>& number) {
    return number.known ? Json(number.value) : Json();
  }
  template <class T>
  static Json json_of(const Seconds<T>& number) {
    return number.known ? Json(number.value) : Json();
  }
  template <class Flag, class T>
  static Json json_of(const Counted<Flag, T>& number) {
    return number.exists ? Json(number.value) : Json();
  }
  template <class T>
  static Json json_of(const Giga<T>& number) {
    return number.value > 0 ? Json(number.value / 1e9) : Json();
  }
  template <class Flag>
  static Json json_of(const Either<Flag>& choice) {
    return choice.flag ? choice.yes : choice.no;
  }
  template <class Text>
  static Json json_of(const OneOf<Text>& choice) {
    return choice.text;
  }
  template <class List>
  static Json json_of(const SizeOf<List>& size) {
    return size.list.size();
  }

  Json& object_;
};

/// Names of an enumeration's values 0, 1, ... up to `count`, for reading.
template <class E>
struct EnumNames;  // specialised in result_fields.h: static constexpr int count

/// Reads one object. Strict about what it asks for, and silent about fields that nobody asks for. Throws
/// Error(io_error): "old.json: rows[3].median_s is a string, expected a number or null".
class JsonReader {
 public:
  /// `place` is where the object stands, for messages: "old.json: rows[3]".
  JsonReader(const Json& object, std::string source, std::string place);

  template <class T>
  void operator()(const std::string& key, T&& value) {
    take(key, at(key), value);
  }
  template <class T>
  void later(const std::string& key, T&& value) {
    if (object_.contains(key)) take(key, at(key), value);
  }
  void remark(const std::string& key, const char*) { (void)text_at(key, at(key)); }
  bool when(const std::string& key, bool) const { return object_.contains(key); }

  template <class Describe>
  void object(const std::string& key, Describe describe) {
    JsonReader io(at(key), source_, place_of(key));
    describe(io);
  }
  template <class List, class Describe>
  void list(const std::string& key, List& elements, Describe describe) {
    const Json& all = list_at(key, at(key));
    if constexpr (requires { elements.clear(); }) {
      elements.clear();
      elements.resize(all.size());
    } else if (all.size() != elements.size()) {
      refuse(key, "has " + std::to_string(all.size()) + " entries, expected " + std::to_string(elements.size()));
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      JsonReader io(all[i], source_, place_of(key) + "[" + std::to_string(i) + "]");
      describe(io, elements[i]);
    }
  }
  void pairs(const std::string& key, std::vector<std::pair<std::string, double>>& values);

  [[noreturn]] void refuse(const std::string& key, const std::string& sentence) const;

 private:
  const Json& at(const std::string& key) const;
  std::string place_of(const std::string& key) const;
  const std::string& text_at(const std::string& key, const Json& json) const;
  const Json& list_at(const std::string& key, const Json& json) const;
  std::uint64_t whole_number(const std::string& key, const Json& json, std::uint64_t largest) const;

  void take(const std::string& key, const Json& json, std::string& out) const { out = text_at(key, json); }
  void take(const std::string& key, const Json& json, bool& out) const;
  void take(const std::string& key, const Json& json, double& out) const;  // null is NaN
  void take(const std::string& key, const Json& json, std::vector<double>& out) const;
  void take(const std::string& key, const Json& json, std::vector<std::string>& out) const;
  template <std::integral T>
  void take(const std::string& key, const Json& json, std::vector<T>& out) const {
    out.clear();
    for (const Json& entry : list_at(key, json)) take(key, entry, out.emplace_back());
  }
  template <std::integral T>
  void take(const std::string& key, const Json& json, T& out) const {
    out = static_cast<T>(whole_number(key, json, static_cast<std::uint64_t>(std::numeric_limits<T>::max())));
  }
  template <class E>
  requires std::is_enum_v<E>
  void take(const std::string& key, const Json& json, E& out) const {
    const std::string& text = text_at(key, json);
    for (int i = 0; i < EnumNames<E>::count; ++i)
      if (name(static_cast<E>(i)) == text) {
        out = static_cast<E>(i);
        return;
      }
    refuse_word(key, text);
  }
  template <class T>
  void take(const std::string& key, const Json& json, Known<T>& out) const {
    out.value = out.absent;
    if (!json.is_null()) take(key, json, out.value);
  }
  void take(const std::string& key, const Json& json, Seconds<double>& out) const;
  template <class Flag, class T>
  void take(const std::string& key, const Json& json, Counted<Flag, T>& out) const {
    out.exists = !json.is_null();
    out.value = {};
    if (out.exists) take(key, json, out.value);
  }
  template <class T>
  void take(const std::string& key, const Json& json, Giga<T>& out) const {
    take(key, json, out.value);
    out.value = std::isnan(out.value) ? 0 : times_giga(out.value);
  }
  template <class Flag>
  void take(const std::string& key, const Json& json, Either<Flag>& out) const {
    const std::string& text = text_at(key, json);
    if (text != out.yes && text != out.once && text != out.no) refuse_word(key, text);
    out.flag = text != out.no;
  }
  template <class Text>
  void take(const std::string& key, const Json& json, OneOf<Text>& out) const {
    const std::string& text = text_at(key, json);
    for (const std::string_view word : out.words)
      if (word == text) {
        out.text = word;
        return;
      }
    refuse_word(key, text);
  }
  template <class List>
  void take(const std::string& key, const Json& json, SizeOf<List>& out) const {
    std::size_t size = 0;
    take(key, json, size);
    if (size != out.list.size())
      refuse(key, "is " + std::to_string(size) + ", but the list has " + std::to_string(out.list.size()) + " entries");
  }

  [[noreturn]] void refuse_word(const std::string& key, const std::string& text) const;
  /// The number that was divided by 1e9.
  static double times_giga(double quotient);

  const Json& object_;
  std::string source_, place_;
};

}  // namespace tandem::profile
