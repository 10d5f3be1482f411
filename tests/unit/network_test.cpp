// Networks against their oracle, in every form that a kernel serves here.
#include <tandem/network.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <tandem/error.h>

#include "tests/support/network_checks.h"

namespace tandem::network_test {
namespace {

using test::expect_form;
using test::Expected;
using test::kForms;
using test::NetworkOracle;
using test::random_model;
using test::random_tensor;
using test::thinned;
using test::thinning_for;

TEST(Network, EveryFormGivesWhatItsOracleSays) {
  Context ctx;
  std::uint64_t seed = 1;
  for (const Activation activation : {Activation::relu, Activation::gelu_erf, Activation::gelu_tanh, Activation::tanh})
    for (const bool softmax : {false, true}) {
      Model model = random_model({13, 33, 20, 7}, activation, ++seed);
      model.softmax = softmax;
      const Tensor x = random_tensor({19, 13}, ++seed, -3, 3);
      for (const WeightForm form : kForms) {
        expect_form(ctx, model, x, form, false);
        if (is_integer(form)) expect_form(ctx, model, x, form, true);
      }
    }
}

TEST(Network, TheBoundsOfItsOracleAreTight) {
  Context ctx;
  const Model model = random_model({64, 64, 10}, Activation::relu, 3);
  const Tensor x = random_tensor({16, 64}, 4);
  EXPECT_LT(expect_form(ctx, model, x, WeightForm::f32, false), 0.01);
  EXPECT_GT(expect_form(ctx, model, x, WeightForm::f32, false), 0);
  EXPECT_LT(expect_form(ctx, model, x, WeightForm::bf16, false), 2);
  for (const bool calibrated : {false, true})
    EXPECT_EQ(expect_form(ctx, model, x, WeightForm::s8, calibrated), 0) << "integers are exact";
}

TEST(Network, AWrongOutputIsSeen) {
  Context ctx;
  const Model model = random_model({8, 12, 3}, Activation::relu, 3);
  const Tensor x = random_tensor({1, 8}, 4);
  Tensor y = Network(ctx, model, {WeightForm::s8, {}}).run(ctx, x);
  y.data<float>()[1] = std::nextafter(y.data<float>()[1], 1e9f);
  const std::vector<Expected> expected = NetworkOracle(model, {}, WeightForm::s8, {}).row(x.data<float>());
  EXPECT_EQ(test::error_ratio(expected[0], static_cast<double>(y.data<float>()[0])), 0);
  EXPECT_GT(test::error_ratio(expected[1], static_cast<double>(y.data<float>()[1])), 1);
}

TEST(Network, RowsDoNotDependOnEachOther) {
  Context ctx;
  const Tensor x = random_tensor({9, 24}, 8);
  for (const WeightForm form : {WeightForm::s8, WeightForm::csr}) {
    // Kernels may differ in the last bit of a gelu, which a quantisation that follows can turn into a whole step.
    const Activation activation = is_integer(form) ? Activation::relu : Activation::gelu_erf;
    const Model model = random_model({24, 40, 5}, activation, 7);
    const Network network(ctx, thinned(model, thinning_for(form)), {form, {}});
    const Tensor all = network.run(ctx, x);
    for (std::int64_t i = 0; i < 9; ++i) {
      const Tensor one = network.run(ctx, x.view().slice(0, i, i + 1));
      for (std::int64_t j = 0; j < 5; ++j)
        EXPECT_NEAR(one.data<float>()[j], all.data<float>()[i * 5 + j], 1e-4f) << name(form);
    }
  }
}

TEST(Network, TakesAnyStridesAndNoRows) {
  Context ctx;
  const Model model = random_model({6, 9, 4}, Activation::relu, 9);
  const Network network(ctx, model, {WeightForm::s8, {}});
  const Tensor turned = random_tensor({6, 5}, 10);
  Tensor rows = Tensor::empty({5, 6});
  for (std::int64_t i = 0; i < 5; ++i)
    for (std::int64_t j = 0; j < 6; ++j) rows.data<float>()[i * 6 + j] = turned.data<float>()[j * 5 + i];
  const Tensor a = network.run(ctx, turned.view().transposed()), b = network.run(ctx, rows);
  for (std::int64_t i = 0; i < a.elements(); ++i) EXPECT_EQ(a.data<float>()[i], b.data<float>()[i]);
  EXPECT_EQ(network.run(ctx, Tensor::empty({0, 6})).shape(), (Shape{0, 4}));
}

TEST(Network, LayersAreObservedInOrder) {
  Context ctx;
  const Model model = random_model({6, 9, 4}, Activation::relu, 9);
  std::vector<std::string> seen;
  const Tensor y = Network(ctx, model).run(ctx, random_tensor({3, 6}, 1), [&](std::size_t layer, ConstView output) {
    seen.push_back(std::to_string(layer) + " " + to_string(output.shape()));
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"0 3x9", "1 3x4"}));
}

TEST(Network, OneNetworkServesSeveralThreads) {
  Context ctx;
  const Model model = random_model({32, 48, 6}, Activation::relu, 9);
  const Network network(ctx, model, {WeightForm::s8, {}});
  const Tensor x = random_tensor({11, 32}, 1), wanted = network.run(ctx, x);
  std::vector<std::thread> threads;
  std::vector<int> different(4, 0);
  for (std::size_t t = 0; t < different.size(); ++t)
    threads.emplace_back([&, t, copy = network] {
      ContextOptions one;
      one.threads = 1;
      Context own(one);
      for (int run = 0; run < 20; ++run) {
        const Tensor y = copy.run(own, x);
        for (std::int64_t i = 0; i < y.elements(); ++i) different[t] += y.data<float>()[i] != wanted.data<float>()[i];
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(different, std::vector<int>(4, 0));
}

TEST(Network, CompressedFormsAreSmaller) {
  Context ctx;
  const Model model = random_model({256, 256, 16}, Activation::relu, 9);
  const double plain = static_cast<double>(Network(ctx, model).bytes());
  const auto bytes = [&](const Model& m, WeightForm form) {
    return static_cast<double>(Network(ctx, m, {form, {}}).bytes());
  };
  EXPECT_GE(plain, 4.0 * static_cast<double>(model.weights()));
  EXPECT_LT(bytes(model, WeightForm::s8), 0.6 * plain);
  EXPECT_LT(bytes(prune_magnitude(model, 0.9), WeightForm::csr), 0.4 * plain);
}

TEST(Network, CalibrationTakesTheRangeOfEachInput) {
  Context ctx;
  const Model model = random_model({16, 30, 5}, Activation::relu, 11);
  const Tensor x = random_tensor({40, 16}, 12);
  const std::vector<Quantization> inputs = calibrate(ctx, model, x), most = calibrate(ctx, model, x, 90);
  ASSERT_EQ(inputs.size(), 2u);
  Model first;  // the first layer alone gives the inputs of the second
  first.layers.push_back(
      {"w", "b", Tensor::from(model.layers[0].weight.shape(), std::span(model.layers[0].weight.data<float>(), 16 * 30)),
       Tensor::from({30}, std::span(model.layers[0].bias.data<float>(), 30)), Activation::relu});
  const NetworkOracle oracle(first);
  double largest[2] = {};
  for (std::int64_t i = 0; i < 40; ++i) {
    for (std::int64_t j = 0; j < 16; ++j)
      largest[0] = std::max(largest[0], std::abs(static_cast<double>(x.data<float>()[i * 16 + j])));
    for (const Expected& e : oracle.row(x.data<float>() + i * 16)) largest[1] = std::max(largest[1], e.value);
  }
  for (std::size_t i = 0; i < 2; ++i) {
    const auto scale = static_cast<double>(inputs[i].scales.data<float>()[0]);
    EXPECT_NEAR(scale, largest[i] / 127, 1e-5 * scale);
    EXPECT_LT(most[i].scales.data<float>()[0], inputs[i].scales.data<float>()[0]);
  }
}

TEST(Network, BadCallsAreRefusedInASentence) {
  Context ctx;
  const Model model = random_model({6, 9, 4}, Activation::relu, 9);
  const Network network(ctx, model);
  const auto message_of = [](auto call) -> std::string {
    try {
      call();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::invalid_argument);
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message_of([&] {
              network.run(ctx, Tensor::zeros({3, 7}));
            }),
            "network: x is 3x7 of f32, [rows, 6] of f32 is needed");
  EXPECT_EQ(message_of([&] { network.run(ctx, Tensor::zeros({6})); }),
            "network: x is 6 of f32, [rows, 6] of f32 is needed");
  EXPECT_EQ(message_of([&] {
              network.run(ctx, Tensor::zeros({3, 6}, DType::s8));
            }),
            "network: x is 3x6 of s8, [rows, 6] of f32 is needed");
  NetworkOptions options{WeightForm::s8, calibrate(ctx, model, Tensor::full({1, 6}, 1))};
  options.inputs.pop_back();
  EXPECT_EQ(message_of([&] { Network(ctx, model, options); }),
            "network: 1 input quantisations for 2 layers with weights in s8");
  options = {WeightForm::f32, calibrate(ctx, model, Tensor::full({1, 6}, 1))};
  EXPECT_EQ(message_of([&] { Network(ctx, model, options); }),
            "network: 2 input quantisations for 2 layers with weights in f32");
  EXPECT_EQ(message_of([&] { Network(ctx, Model()); }), "network: there are no layers");
}

TEST(Network, QuantisationsThatDoNotFitAreRefusedWithTheirLayer) {
  Context ctx;
  Model model = random_model({6, 9, 4}, Activation::relu, 9);
  model.layers[1].weight_name = "w2";
  const auto message_of = [&](auto change) -> std::string {
    NetworkOptions options{WeightForm::s8, calibrate(ctx, model, Tensor::full({1, 6}, 1))};
    change(options.inputs[1]);
    try {
      Network(ctx, model, options);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::invalid_argument);
      return error.what();
    }
    return "no error";
  };
  const std::string who = "network: the input of layer 2 ('w2'): ";
  EXPECT_EQ(message_of([](Quantization& q) { q.axis = 0; }),
            who + "scales along axis 0; one scale (axis -1) is needed");
  EXPECT_EQ(message_of([](Quantization& q) { q.scales = Tensor::full({9}, 1); }),
            who + "scales have shape 9, but one is needed");
  EXPECT_EQ(message_of([](Quantization& q) { q.scales = Tensor(); }).substr(0, who.size()), who);
  EXPECT_EQ(message_of([](Quantization& q) { q.scales.data<float>()[0] = -1; }).substr(0, who.size()), who);
  EXPECT_EQ(message_of([](Quantization& q) { q.dtype = DType::s32; }),
            who + "the quantisation is s32, only s8 and u8 are supported");
  EXPECT_EQ(message_of([](Quantization& q) { q.zero_points = Tensor::full({1}, 1); }).substr(0, who.size()), who);
  EXPECT_EQ(message_of([](Quantization&) {}), "no error");
}

TEST(Network, TakesInputsOfU8WithAZeroPoint) {
  Context ctx;
  const Model model = random_model({6, 4}, Activation::relu, 9);
  const Tensor x = random_tensor({5, 6}, 3);
  const auto wide = [&] { return calibrate_min_max(ctx, x, {DType::u8, Scheme::asymmetric, -1, {}}); };
  NetworkOptions options{WeightForm::s8, {}};
  options.inputs.push_back(wide());
  const Network network(ctx, model, options);
  const Tensor y = network.run(ctx, x);
  const Quantization q = wide();
  const QuantizedTensor w = dynamic_quantize(ctx, model.layers[0].weight, {DType::s8, Scheme::symmetric, 1, {}});
  QuantizedMatmulOptions product;
  product.bias = model.layers[0].bias;
  product.activation = model.layers[0].activation;
  const Tensor wanted = quantized_matmul(ctx, quantize(ctx, x, q), q, w.values, w.quantization, product);
  for (std::int64_t i = 0; i < y.elements(); ++i) EXPECT_EQ(y.data<float>()[i], wanted.data<float>()[i]);
  NetworkOptions narrow{WeightForm::s8, calibrate(ctx, model, x)};
  EXPECT_EQ(network.bytes(), Network(ctx, model, narrow).bytes() + 4) << "a zero point";
}

TEST(Network, AModelThatIsNot24IsRefusedByLayer) {
  Context ctx;
  Model model = random_model({8, 8, 4}, Activation::relu, 1);
  model.layers[0].weight = prune_2_4(model).layers[0].weight.clone(ctx);
  for (const auto& [form, function] :
       {std::pair(WeightForm::sparse_2_4, "sparse_2_4"), std::pair(WeightForm::s8_sparse_2_4, "quantized_2_4")}) {
    try {
      Network(ctx, model, {form, {}});
      ADD_FAILURE() << name(form);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::invalid_argument);
      EXPECT_EQ(error.what(), "network: layer 2 ('w2'): Weights::" + std::string(function) +
                                  ": output 0, inputs 0 to 3 hold 4 nonzero elements, 2:4 allows 2");
    }
  }
}

}  // namespace
}  // namespace tandem::network_test
