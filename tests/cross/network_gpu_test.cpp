// Networks whose weights are on a GPU.
#include <cstring>

#include "tests/support/calls.h"
#include "tests/support/left_out.h"
#include "tests/support/network_checks.h"

namespace tandem::test::network_gpu_test {
namespace {

class GpuNetwork : public ::testing::Test {
 protected:
  void SetUp() override { TANDEM_NEED_GPU(); }
};

TEST_F(GpuNetwork, EveryFormGivesWhatItsOracleSays) {
  Context ctx;
  std::uint64_t seed = 1;
  for (const Activation activation : {Activation::relu, Activation::gelu_erf}) {
    Model model = random_model({13, 33, 20, 7}, activation, ++seed);
    model.softmax = activation == Activation::relu;
    const Tensor x = random_tensor({9, 13}, ++seed, -3, 3);
    for (const WeightForm form : kForms) {
      expect_form(ctx, model, x, form, false, Device::cuda());
      if (is_integer(form)) expect_form(ctx, model, x, form, true, Device::cuda());
    }
  }
}

TEST_F(GpuNetwork, ResultsGoWhereTheInputIs) {
  Context ctx;
  const Model model = random_model({16, 24, 5}, Activation::relu, 1);
  const Network network(ctx, model, {WeightForm::s8, {}, Device::cuda()});
  const Tensor x = random_tensor({6, 16}, 2), there = x.to(ctx, Device::cuda());
  const Tensor from_host = network.run(ctx, x), from_there = network.run(ctx, there);
  EXPECT_EQ(from_host.device(), Device::cpu());
  EXPECT_EQ(from_there.device(), Device::cuda());
  const Tensor back = from_there.to(ctx, Device::cpu());
  EXPECT_EQ(std::memcmp(back.data<float>(), from_host.data<float>(), 30 * sizeof(float)), 0);
}

// With transfers forbidden, whatever a layer makes must be where it is used.
TEST_F(GpuNetwork, WhatPassesBetweenLayersStaysThere) {
  ContextOptions there;
  there.policy.backend = Backend::cuda;
  there.policy.transfers = Transfers::forbid;
  Context plain, ctx(there);
  Model model = random_model({16, 24, 8, 5}, Activation::relu, 1);
  model.softmax = true;
  const Tensor x = random_tensor({6, 16}, 2);
  for (const WeightForm form : kForms)
    for (const bool calibrated : {false, true}) {
      if (calibrated && !is_integer(form)) continue;
      const Model stored = thinned(model, thinning_for(form));
      NetworkOptions options{form, {}, Device::cuda()};
      if (calibrated) options.inputs = calibrate(plain, stored, x);
      const Network network(plain, stored, options);
      there.policy.result.reset();
      ctx.set_policy(there.policy);
      const Tensor wanted = network.run(ctx, x);
      there.policy.result = Device::cpu();
      ctx.set_policy(there.policy);
      std::size_t layers = 0;
      const Tensor y = network.run(ctx, x, [&](std::size_t, const ConstView& output) {
        EXPECT_EQ(output.device(), Device::cuda());
        ++layers;
      });
      EXPECT_EQ(layers, 3u);
      EXPECT_EQ(y.device(), Device::cpu());
      EXPECT_EQ(std::memcmp(y.data<float>(), wanted.data<float>(), 30 * sizeof(float)), 0) << name(form);
    }
}

}  // namespace
}  // namespace tandem::test::network_gpu_test
