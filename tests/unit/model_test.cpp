// Models from files and back, and pruned ones.
#include <tandem/model.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <tandem/error.h>
#include <tandem/npy.h>
#include <tandem/prune.h>

#include "common/model/description.h"
#include "tests/support/data.h"
#include "tests/support/models.h"
#include "tests/support/temporary_folder.h"

namespace tandem::model_test {
namespace {

using test::random_model;
using test::random_tensor;
using test::same_bits;
using test::TemporaryFolder;

std::string data_file(const char* name) { return std::string(TANDEM_TEST_DATA_DIR) + "/../../bench/data/" + name; }

TEST(Model, IsReadAsItWasSaved) {
  const TemporaryFolder folder;
  Model model = random_model({5, 7, 4, 3}, Activation::gelu_tanh, 1);
  model.softmax = true;
  save_model(folder.file("m"), model);
  const Model again = load_model(folder.file("m"));
  EXPECT_EQ(again.name, "random");
  EXPECT_TRUE(again.softmax);
  ASSERT_EQ(again.layers.size(), 3u);
  EXPECT_EQ(again.inputs(), 5);
  EXPECT_EQ(again.outputs(), 3);
  EXPECT_EQ(again.weights(), 5 * 7 + 7 * 4 + 4 * 3);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(same_bits(again.layers[i].weight, model.layers[i].weight));
    EXPECT_EQ(again.layers[i].activation, model.layers[i].activation);
    ASSERT_EQ(again.layers[i].has_bias(), i != 1);
    if (i != 1) {
      EXPECT_TRUE(same_bits(again.layers[i].bias, model.layers[i].bias));
    }
  }
}

TEST(Model, TransposedWeightsAreTurned) {
  const TemporaryFolder folder;
  const Tensor stored = Tensor::from({2, 3}, {1, 2, 3, 4, 5, 6});
  save_safetensors(folder.file("m"), {{"w", stored}},
                   {{kModelKey, print_model_description({"", {{"w", "", Activation::none, true}}, false})}});
  const Model model = load_model(folder.file("m"));
  EXPECT_TRUE(same_bits(model.layers[0].weight, Tensor::from({3, 2}, {1, 4, 2, 5, 3, 6})));
}

TEST(Model, TheDigitsFileHoldsTheDigitsNetwork) {
  const Model model = load_model(data_file("digits.safetensors"));
  ASSERT_EQ(model.layers.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string number = std::to_string(i + 1);
    EXPECT_TRUE(same_bits(model.layers[i].weight, load_npy(data_file(("w" + number + ".npy").c_str()))));
    EXPECT_TRUE(same_bits(model.layers[i].bias, load_npy(data_file(("b" + number + ".npy").c_str()))));
    EXPECT_EQ(model.layers[i].activation, i < 2 ? Activation::relu : Activation::none);
  }
}

// Tensors that do not make the model that the description promises.
TEST(Model, FilesThatAreNoModelAreRefusedInASentence) {
  const TemporaryFolder folder;
  const std::string path = folder.file("m");
  const Tensor m23 = random_tensor({2, 3}, 1), m34 = random_tensor({3, 4}, 2), m44 = random_tensor({4, 4}, 3);
  const Tensor v3 = random_tensor({3}, 4), v4 = random_tensor({4}, 5), cube = random_tensor({2, 3, 1}, 6);
  const Tensor none = Tensor::empty({0, 3}), integers = Tensor::zeros({2, 3}, DType::s8);
  Tensor nan = random_tensor({2, 3}, 7), infinite = random_tensor({3}, 8);
  nan.data<float>()[4] = std::numeric_limits<float>::quiet_NaN();
  infinite.data<float>()[0] = -std::numeric_limits<float>::infinity();
  const LayerDescription w{"w", "", Activation::none, false}, wb{"w", "b", Activation::none, false};
  const LayerDescription v{"v", "", Activation::none, false};
  const struct {
    std::vector<LayerDescription> layers;
    std::map<std::string, ConstView> tensors;
    std::string sentence;
  } kBad[] = {
      {{w}, {{"x", m23}}, "layer 1: there is no tensor 'w'"},
      {{wb}, {{"w", m23}}, "layer 1: there is no tensor 'b'"},
      {{w, w}, {{"w", m44}}, "layer 2: tensor 'w' is used twice"},
      {{{"w", "w", Activation::none, false}}, {{"w", m44}}, "layer 1: tensor 'w' is used twice"},
      {{w}, {{"w", m23}, {"x", v3}}, "no layer uses tensor 'x'"},
      {{w}, {{"w", integers}}, "layer 1: tensor 'w' is s8, only f32 is supported"},
      {{w}, {{"w", cube}}, "layer 1: tensor 'w' holds 2x3x1, not a matrix"},
      {{w}, {{"w", v3}}, "layer 1: tensor 'w' holds 3, not a matrix"},
      {{w}, {{"w", none}}, "layer 1: tensor 'w' holds 0x3, not a matrix"},
      {{wb}, {{"w", m23}, {"b", m34}}, "layer 1: tensor 'b' holds 3x4, not a vector"},
      {{wb}, {{"w", m23}, {"b", v4}}, "layer 1: 'b' holds 4 numbers for 3 outputs"},
      {{w, v}, {{"w", m23}, {"v", m44}}, "layer 2: 'v' takes 4 inputs, the layer before gives 3"},
      {{w}, {{"w", nan}}, "layer 1: tensor 'w' holds a NaN or an infinity"},
      {{wb}, {{"w", m23}, {"b", infinite}}, "layer 1: tensor 'b' holds a NaN or an infinity"},
  };
  for (const auto& bad : kBad) {
    save_safetensors(path, bad.tensors, {{kModelKey, print_model_description({"", bad.layers, false})}});
    try {
      load_model(path);
      ADD_FAILURE() << "accepted: " << bad.sentence;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::io_error);
      EXPECT_EQ(error.what(), path + ": tandem.model: " + bad.sentence);
    }
  }
  save_safetensors(path, {{"w", m23}}, {{"format", "pt"}});
  try {
    load_model(path);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), path + ": the metadata has no 'tandem.model', so this is no model that can be run");
  }
}

TEST(Model, WhatCouldNotBeReadIsNotSaved) {
  const TemporaryFolder folder;
  Model model = random_model({2, 3, 4}, Activation::relu, 1);
  model.layers[1].weight = random_tensor({5, 4}, 1);
  EXPECT_THROW(save_model(folder.file("m"), model), Error);
  EXPECT_THROW(save_model(folder.file("m"), Model()), Error);
  EXPECT_EQ(folder.entries(), 0u);
}

TEST(Model, PruningByMagnitudeCountsOverAllLayers) {
  Model model = random_model({8, 10, 6, 4}, Activation::relu, 5);
  for (std::int64_t i = 0; i < model.layers[2].weight.elements(); ++i) model.layers[2].weight.data<float>()[i] *= 1e-3f;
  const Model pruned = prune_magnitude(model, 0.25);
  std::int64_t zeros = 0;
  for (const Layer& layer : pruned.layers)
    zeros +=
        static_cast<std::int64_t>(std::lround(sparsity(layer.weight) * static_cast<double>(layer.weight.elements())));
  EXPECT_EQ(zeros, pruned_count(0.25, model.weights()));
  EXPECT_EQ(sparsity(pruned.layers[2].weight), 1.0) << "the layer of small weights goes first";
  EXPECT_TRUE(same_bits(pruned.layers[0].bias, model.layers[0].bias));
  EXPECT_EQ(pruned.layers[0].activation, Activation::relu);
  EXPECT_EQ(pruned.layers[1].bias_name, "");
}

TEST(Model, TwoOfFourIsAlongTheInputs) {
  const Model model = random_model({8, 6, 3}, Activation::relu, 6), pruned = prune_2_4(model);
  const float* w = pruned.layers[0].weight.data<float>();
  for (std::int64_t j = 0; j < 6; ++j)
    for (std::int64_t group = 0; group < 2; ++group) {
      int kept = 0;
      for (std::int64_t l = 4 * group; l < 4 * group + 4; ++l) kept += w[l * 6 + j] != 0 ? 1 : 0;
      EXPECT_EQ(kept, 2) << j << " " << group;
    }
}

}  // namespace
}  // namespace tandem::model_test
