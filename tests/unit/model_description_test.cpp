// The description of a model in a file's metadata: what is read, and every refusal word for word.
#include "common/model/description.h"

#include <string>

#include <gtest/gtest.h>
#include <tandem/error.h>

namespace tandem::model_description_test {
namespace {

ModelDescription parse(const std::string& text) { return parse_model_description(text, "m.safetensors"); }

/// A model of one layer with these members beside its weight.
std::string layer_with(const std::string& members) {
  return "{\"version\":1,\"layers\":[{\"weight\":\"w\"" + members + "}]}";
}

TEST(ModelDescription, ReadsAllThatItDefines) {
  const ModelDescription d = parse(
      " {\"softmax\": true, \"name\": \"two\", \"layers\": [\n"
      "  {\"activation\": \"gelu_erf\", \"bias\": \"b1\", \"weight\": \"w1\"}, {\"weight\": \"w2\", \"transposed\": "
      "true}"
      " ], \"version\": 1} ");
  EXPECT_EQ(d.name, "two");
  EXPECT_TRUE(d.softmax);
  ASSERT_EQ(d.layers.size(), 2u);
  EXPECT_EQ(d.layers[0].weight, "w1");
  EXPECT_EQ(d.layers[0].bias, "b1");
  EXPECT_EQ(d.layers[0].activation, Activation::gelu_erf);
  EXPECT_FALSE(d.layers[0].transposed);
  EXPECT_EQ(d.layers[1].weight, "w2");
  EXPECT_EQ(d.layers[1].bias, "");
  EXPECT_EQ(d.layers[1].activation, Activation::none);
  EXPECT_TRUE(d.layers[1].transposed);
}

TEST(ModelDescription, WhatIsLeftOutHasADefault) {
  const ModelDescription d = parse(layer_with(""));
  EXPECT_EQ(d.name, "");
  EXPECT_FALSE(d.softmax);
  EXPECT_EQ(d.layers.at(0).activation, Activation::none);
}

TEST(ModelDescription, PrintsWhatItReads) {
  const ModelDescription d{
      "n \"q\" \xc3\xa9", {{"a", "b", Activation::relu, true}, {"c", "", Activation::none, false}}, true};
  const ModelDescription again = parse(print_model_description(d));
  EXPECT_EQ(again.name, d.name);
  EXPECT_EQ(again.softmax, d.softmax);
  ASSERT_EQ(again.layers.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(again.layers[i].weight, d.layers[i].weight);
    EXPECT_EQ(again.layers[i].bias, d.layers[i].bias);
    EXPECT_EQ(again.layers[i].activation, d.layers[i].activation);
    EXPECT_EQ(again.layers[i].transposed, d.layers[i].transposed);
  }
  EXPECT_EQ(print_model_description(again), print_model_description(d));
}

TEST(ModelDescription, NamesThatAreNotUtf8CannotBePrinted) {
  try {
    print_model_description({"\xff", {{"w", "", Activation::none, false}}, false});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument);
    EXPECT_STREQ(error.what(), "tandem.model: a name is not UTF-8");
  }
}

TEST(ModelDescription, RefusesEverythingElse) {
  const struct {
    std::string text, sentence;
  } kBad[] = {
      {"", "not JSON near byte 0: found the end of it"},
      {"{", "not JSON near byte 1: found the end of it"},
      {"x", "not JSON near byte 0: found 'x'"},
      {layer_with("") + "x", "not JSON near byte 39: found 'x'"},
      {layer_with(",\"bias\":\"\xff\""), "layer 1: not JSON near byte 45: found '\\xff'"},
      {std::string("{\"a\0\":1}", 8), "byte 3 is NUL"},
      {"null", "must be an object, found null"},
      {"7", "must be an object, found a number"},
      {"\"text\"", "must be an object, found a string"},
      {"true", "must be an object, found true or false"},
      {"[]", "must be an object, found a list"},
      {"{}", "'version' is missing"},
      {"{\"version\":1}", "'layers' is missing"},
      {"{\"layers\":[{\"weight\":\"w\"}]}", "'version' is missing"},
      {"{\"version\":2}", "version 2 is not supported (supported: 1)"},
      {"{\"version\":-1}", "version -1 is not supported (supported: 1)"},
      {"{\"version\":1.0}", "version 1.0 is not supported (supported: 1)"},
      {"{\"version\":1e999}", "not JSON near byte 15: found '9'"},
      {"{\"version\":\"1\"}", "'version' must be a number, found a string"},
      {"{\"version\":{}}", "'version' must be a number, found an object"},
      {"{\"version\":1,\"version\":1}", "'version' appears twice"},
      {"{\"version\":1,\"layer\":[]}", "'layer' is unknown"},
      {"{\"version\":1,\"name\":5}", "'name' must be a string, found a number"},
      {"{\"version\":1,\"softmax\":\"yes\"}", "'softmax' must be true or false, found a string"},
      {"{\"version\":1,\"layers\":{}}", "'layers' must be a list, found an object"},
      {"{\"version\":1,\"layers\":[]}", "there are no layers"},
      {"{\"version\":1,\"layers\":[[]]}", "'layers' must hold objects, found a list"},
      {"{\"version\":1,\"layers\":[1]}", "'layers' must hold objects, found a number"},
      {"{\"version\":1,\"layers\":[{}]}", "layer 1: 'weight' is missing"},
      {layer_with(",\"weight\":\"v\""), "layer 1: 'weight' appears twice"},
      {layer_with(",\"wait\":\"v\""), "layer 1: 'wait' is unknown"},
      {layer_with(",\"bias\":null"), "layer 1: 'bias' must be a string, found null"},
      {layer_with(",\"bias\":\"\""), "layer 1: 'bias' must name a tensor"},
      {layer_with(",\"bias\":[\"b\"]"), "layer 1: 'bias' must be a string, found a list"},
      {layer_with(",\"activation\":\"gelu\""), "layer 1: activation 'gelu' is unknown"},
      {layer_with(",\"activation\":\"softmax\""), "layer 1: activation 'softmax' is unknown"},
      {layer_with(",\"transposed\":1"), "layer 1: 'transposed' must be true or false, found a number"},
      {"{\"version\":1,\"layers\":[{\"weight\":\"w\"},{\"bias\":\"b\"}]}", "layer 2: 'weight' is missing"},
  };
  for (const auto& bad : kBad) {
    try {
      parse(bad.text);
      ADD_FAILURE() << "accepted: " << bad.text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::io_error) << bad.text;
      EXPECT_EQ(error.what(), "m.safetensors: tandem.model: " + bad.sentence) << bad.text;
    }
  }
}

TEST(ModelDescription, HasLimits) {
  const auto many = [](std::size_t layers) {
    std::string text = "{\"version\":1,\"layers\":[";
    for (std::size_t i = 0; i < layers; ++i) text += std::string(i > 0 ? "," : "") + "{\"weight\":\"w\"}";
    return text + "]}";
  };
  EXPECT_EQ(parse(many(1000)).layers.size(), 1000u);
  EXPECT_THROW(parse(many(1001)), Error);
  EXPECT_NO_THROW(parse(layer_with("") + std::string((1 << 20) - layer_with("").size(), ' ')));
  EXPECT_THROW(parse(layer_with("") + std::string((1 << 20) - layer_with("").size() + 1, ' ')), Error);
  EXPECT_THROW(parse(std::string(1 << 20, '[')), Error);  // nothing recurses
}

}  // namespace
}  // namespace tandem::model_description_test
