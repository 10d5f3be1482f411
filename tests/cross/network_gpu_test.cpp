// Networks whose weights are on a GPU.
#include <cstring>

#include "tests/support/calls.h"
#include "tests/support/left_out.h"
#include "tests/support/network_checks.h"

namespace tandem::test {
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

}  // namespace
}  // namespace tandem::test
