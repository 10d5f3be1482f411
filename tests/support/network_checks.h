// Networks held against their oracle.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <tandem/network.h>

#include "common/verify/oracle_network.h"
#include "tests/support/models.h"
#include "tests/support/verify.h"

namespace tandem::test {

inline constexpr WeightForm kForms[] = {WeightForm::f32, WeightForm::bf16,       WeightForm::s8,
                                        WeightForm::csr, WeightForm::sparse_2_4, WeightForm::s8_sparse_2_4};

inline Thinning thinning_for(WeightForm form) {
  const bool two_of_four = form == WeightForm::sparse_2_4 || form == WeightForm::s8_sparse_2_4;
  return {form == WeightForm::csr ? 0.7 : 0.0, two_of_four};
}

/// Every output against the oracle; the largest bound that it allowed.
inline double expect_right(const NetworkOracle& oracle, const Tensor& x, const Tensor& y, const std::string& what) {
  test::Check check;
  double largest = 0;
  for (std::int64_t i = 0; i < x.shape()[0]; ++i) {
    const std::vector<Expected> expected = oracle.row(x.data<float>() + i * oracle.inputs());
    for (std::size_t j = 0; j < expected.size(); ++j) {
      largest = std::max(largest, expected[j].bound);
      const auto at = i * oracle.outputs() + static_cast<std::int64_t>(j);
      test::compare(check, expected[j], static_cast<double>(y.data<float>()[at]),
                    [&] { return "row " + std::to_string(i) + ", output " + std::to_string(j); });
    }
  }
  EXPECT_TRUE(check.ok()) << what << ": " << check.complaint;
  return largest;
}

/// Runs one form of a model on a device and holds it against the oracle; the largest bound that it allowed.
inline double expect_form(Context& ctx, const Model& model, const Tensor& x, WeightForm form, bool calibrated,
                          Device device = Device::cpu()) {
  const Thinning thinning = thinning_for(form);
  const Model stored = thinned(model, thinning);
  NetworkOptions options{form, {}, device};
  if (calibrated) options.inputs = calibrate(ctx, stored, x);
  const NetworkOracle oracle(model, thinning, form, options.inputs);
  const Network network(ctx, stored, options);
  EXPECT_EQ(network.device(), device);
  const Tensor y = network.run(ctx, x);
  EXPECT_EQ(y.shape(), (Shape{x.shape()[0], model.outputs()}));
  return expect_right(oracle, x, y, std::string(name(form)) + (calibrated ? ", calibrated" : ""));
}

}  // namespace tandem::test
