// What no caller can mean, for every public function that takes it: views without shape and memory, and enumerators
// that there are not. Each is an Error(invalid_argument) whose sentence begins with the name of the function.
#include <functional>
#include <string>
#include <vector>

#include "tests/support/calls.h"
#include "tests/support/models.h"
#include "tests/support/temporary_folder.h"

namespace tandem::test::bad_values_test {
namespace {

struct Refused {
  std::string begin;  // of the sentence
  std::function<void()> call;
};

void expect_refused(const std::vector<Refused>& calls) {
  for (const Refused& refused : calls) {
    const Error error = error_of(refused.call);
    EXPECT_EQ(error.code(), Code::invalid_argument) << refused.begin << " " << error.what();
    EXPECT_EQ(std::string(error.what()).rfind(refused.begin, 0), 0u) << refused.begin << " " << error.what();
  }
}

Quantization one_scale() {
  Quantization q;
  q.scales = Tensor::full({1}, 1.0f);
  return q;
}

class BadValues : public ::testing::Test {
 protected:
  const ConstView empty{};
  const Quantization scale = one_scale();
  Context ctx;
  Tensor m = Tensor::full({4, 4}, 1.0f), zeros = Tensor::zeros({4, 4}), q = Tensor::zeros({4, 4}, DType::s8);
  View y = zeros.view();
};

TEST_F(BadValues, AnEmptyViewIsRefusedByOperations) {
  const Csr csr = to_csr(m);
  const Sparse24 sparse = to_2_4(zeros), sparse_q = to_2_4(q);
  const Weights weights = Weights::dense(ctx, m);
  std::vector<Refused> calls = {
      {"copy: ", [&] { copy(ctx, empty, Device::cpu()); }},
      {"copy: ", [&] { copy_into(ctx, empty, y); }},
      {"copy: ", [&] { copy_into(ctx, empty, View()); }},
      {"copy: ", [&] { copy_into(ctx, m, View()); }},
      {"clone: ", [&] { Tensor().clone(ctx); }},
      {"to: ", [&] { Tensor().to(ctx, Device::cpu()); }},
      {"matmul: ", [&] { matmul(ctx, empty, m); }},
      {"matmul: ", [&] { matmul(ctx, m, empty); }},
      {"matmul: ", [&] { matmul_into(ctx, empty, m, y); }},
      {"matmul: ", [&] { matmul_into(ctx, m, m, View()); }},
      {"relu: ", [&] { unary_into(ctx, UnaryFn::relu, empty, y); }},
      {"relu: ", [&] { unary_into(ctx, UnaryFn::relu, m, View()); }},
      {"div: ", [&] { binary_into(ctx, BinaryFn::div, empty, m, y); }},
      {"div: ", [&] { binary_into(ctx, BinaryFn::div, m, m, View()); }},
      {"softmax: ", [&] { softmax(ctx, empty); }},
      {"log_softmax: ", [&] { log_softmax(ctx, empty); }},
      {"softmax: ", [&] { softmax_into(ctx, SoftmaxFn::softmax, empty, y); }},
      {"softmax: ", [&] { softmax_into(ctx, SoftmaxFn::softmax, m, View()); }},
      {"max: ", [&] { reduce(ctx, ReduceFn::max, empty); }},
      {"max: ", [&] { reduce_into(ctx, ReduceFn::max, m, {}, View()); }},
      {"sum: ", [&] { sum(ctx, empty); }},
      {"max: ", [&] { max(ctx, empty); }},
      {"dot: ", [&] { dot(ctx, empty, m); }},
      {"euclidean_distance: ", [&] { euclidean_distance(ctx, m, empty); }},
      {"cosine_similarity: ", [&] { cosine_similarity(ctx, empty, empty); }},
      {"transpose: ", [&] { transpose(ctx, empty); }},
      {"transpose: ", [&] { transpose_into(ctx, m, View()); }},
      {"convert: ", [&] { convert(ctx, empty, DType::bf16); }},
      {"convert: ", [&] { convert_into(ctx, empty, y); }},
      {"convert: ", [&] { convert_into(ctx, m, View()); }},
      {"calibrate_min_max: ", [&] { calibrate_min_max(ctx, empty); }},
      {"calibrate_percentile: ", [&] { calibrate_percentile(ctx, empty, 99); }},
      {"quantize: ", [&] { quantize(ctx, empty, scale); }},
      {"quantize: ", [&] { quantize_into(ctx, m, scale, View()); }},
      {"quantize: ", [&] { quantize(ctx, m, {}); }},
      {"count_saturated: ", [&] { count_saturated(ctx, empty, scale); }},
      {"dequantize: ", [&] { dequantize(ctx, empty, scale); }},
      {"dequantize: ", [&] { dequantize_into(ctx, q, scale, View()); }},
      {"dynamic_quantize: ", [&] { dynamic_quantize(ctx, empty); }},
      {"requantize: ", [&] { requantize(ctx, empty, scale.scales, 0, DType::s8); }},
      {"requantize: ", [&] { requantize_into(ctx, empty, scale.scales, 0, View()); }},
      {"quantized_relu: ", [&] { quantized_relu(ctx, empty, scale); }},
      {"quantized_relu: ", [&] { quantized_relu_into(ctx, q, scale, View()); }},
      {"quantized_matmul: ", [&] { quantized_matmul(ctx, empty, scale, q, scale); }},
      {"quantized_matmul: ", [&] { quantized_matmul_into(ctx, q, scale, q, scale, View()); }},
      {"quantized_matmul: ", [&] { quantized_matmul(ctx, empty, m); }},
      {"quantized_matmul_2_4: ", [&] { quantized_matmul_2_4(ctx, empty, scale, sparse_q, scale); }},
      {"quantized_matmul_2_4: ",
       [&] {
         quantized_matmul_2_4(ctx, q, scale, {4, 4, {}, {}}, scale);
       }},
      {"quantized_matmul_2_4: ", [&] { quantized_matmul_2_4_into(ctx, q, scale, sparse_q, scale, View()); }},
      {"spmm: ", [&] { spmm(ctx, csr, empty); }},
      {"spmm: ", [&] { spmm_into(ctx, csr, m, View()); }},
      {"matmul_2_4: ", [&] { matmul_2_4(ctx, empty, sparse); }},
      {"matmul_2_4: ",
       [&] {
         matmul_2_4(ctx, m, {4, 4, {}, {}});
       }},
      {"matmul_2_4: ", [&] { matmul_2_4_into(ctx, m, sparse, View()); }},
      {"linear: ", [&] { linear(ctx, empty, weights); }},
      {"linear: ", [&] { linear_into(ctx, m, weights, View()); }},
  };
  for (int fn = 0; fn <= static_cast<int>(UnaryFn::exp); ++fn)
    calls.push_back({std::string(name(static_cast<UnaryFn>(fn))) + ": ",
                     [this, fn] { unary(ctx, static_cast<UnaryFn>(fn), empty); }});
  for (int fn = 0; fn <= static_cast<int>(BinaryFn::squared_difference); ++fn)
    calls.push_back({std::string(name(static_cast<BinaryFn>(fn))) + ": ",
                     [this, fn] { binary(ctx, static_cast<BinaryFn>(fn), m, empty); }});
  expect_refused(calls);
}

TEST_F(BadValues, AnEmptyViewIsRefusedByFunctionsOfTheHost) {
  const TemporaryFolder folder;
  const std::string file = folder.file("file");
  const Model model = random_model({4, 4}, Activation::relu, 1);
  const ConstView several[] = {m, empty};
  expect_refused({
      {"Weights::dense: ", [&] { Weights::dense(ctx, empty); }},
      {"Weights::quantized: ", [&] { Weights::quantized(ctx, empty); }},
      {"Weights::csr: ", [&] { Weights::csr(ctx, empty); }},
      {"Weights::sparse_2_4: ", [&] { Weights::sparse_2_4(ctx, empty); }},
      {"Weights::quantized_2_4: ", [&] { Weights::quantized_2_4(ctx, empty); }},
      {"network: ", [&] { Network(ctx, model).run(ctx, empty); }},
      {"calibrate_min_max: ", [&] { calibrate(ctx, model, empty); }},
      {"to_csr: ", [&] { to_csr(empty); }},
      {"to_2_4: ", [&] { to_2_4(empty); }},
      {"prune_magnitude: ", [&] { prune_magnitude(empty, 0.5); }},
      {"prune_magnitude: ", [&] { prune_magnitude(several, 0.5); }},
      {"prune_magnitude_count: ", [&] { prune_magnitude_count(empty, 0); }},
      {"prune_structured: ", [&] { prune_structured(empty); }},
      {"prune_2_4: ", [&] { prune_2_4(empty); }},
      {"narrow_layers: ", [&] { narrow_layers(empty, empty, m, {}); }},
      {"sparsity: ", [&] { sparsity(empty); }},
      {"output_error: ", [&] { output_error(ctx, empty, m, m); }},
      {"output_error: ", [&] { output_error(ctx, m, empty, empty); }},
      {"magnitudes: ", [&] { magnitudes(empty); }},
      {"low_rank_approximate: ", [&] { low_rank_approximate(empty, 1); }},
      {"distillation_loss: ", [&] { distillation_loss(empty, empty, empty); }},
      {"save_npy: ", [&] { save_npy(file, empty); }},
      {"save_safetensors: ",
       [&] {
         save_safetensors(file, {{"a", m}, {"b", empty}});
       }},
  });
  EXPECT_EQ(folder.entries(), 0u) << "something was written";
}

TEST_F(BadValues, UnknownEnumeratorsAreRefused) {
  const auto no_activation = static_cast<Activation>(99);
  const auto no_dtype = static_cast<DType>(99);
  const auto no_backend = static_cast<Backend>(99);
  MatmulOptions product;
  product.activation = no_activation;
  QuantizedMatmulOptions integers;
  integers.activation = no_activation;
  SpmmOptions sparse;
  sparse.activation = no_activation;
  LinearOptions layer;
  layer.activation = no_activation;
  QuantizeOptions scheme;
  scheme.scheme = static_cast<Scheme>(99);
  CallOptions elsewhere;
  elsewhere.backend = no_backend;
  const Sparse24 s24 = to_2_4(zeros), q24 = to_2_4(q);
  const Model model = random_model({4, 4}, Activation::relu, 1);
  const auto with_policy = [&](auto change) {
    Policy policy;
    change(policy);
    ctx.set_policy(policy);
  };
  expect_refused({
      {"unary: function 99 is unknown", [&] { unary(ctx, static_cast<UnaryFn>(99), m); }},
      {"unary: function 99 is unknown", [&] { unary_into(ctx, static_cast<UnaryFn>(99), m, y); }},
      {"unary: function 8 is unknown", [&] { unary(ctx, static_cast<UnaryFn>(8), m); }},
      {"binary: function 99 is unknown", [&] { binary(ctx, static_cast<BinaryFn>(99), m, m); }},
      {"binary: function 99 is unknown", [&] { binary_into(ctx, static_cast<BinaryFn>(99), m, m, y); }},
      {"softmax: function 99 is unknown", [&] { softmax_into(ctx, static_cast<SoftmaxFn>(99), m, y); }},
      {"reduce: function 99 is unknown", [&] { reduce(ctx, static_cast<ReduceFn>(99), m); }},
      {"matmul: activation 99 is unknown", [&] { matmul(ctx, m, m, product); }},
      {"matmul: activation 99 is unknown", [&] { matmul_into(ctx, m, m, y, product); }},
      {"matmul_2_4: activation 99 is unknown", [&] { matmul_2_4(ctx, m, s24, product); }},
      {"quantized_matmul: activation 99 is unknown", [&] { quantized_matmul(ctx, q, scale, q, scale, integers); }},
      {"quantized_matmul_2_4: activation 99 is unknown",
       [&] { quantized_matmul_2_4(ctx, q, scale, q24, scale, integers); }},
      {"spmm: activation 99 is unknown", [&] { spmm(ctx, to_csr(m), m, sparse); }},
      {"linear: activation 99 is unknown", [&] { linear(ctx, m, Weights::dense(ctx, m), layer); }},
      {"dynamic_quantize: scheme 99 is unknown", [&] { dynamic_quantize(ctx, m, scheme); }},
      {"calibrate_min_max: scheme 99 is unknown", [&] { calibrate_min_max(ctx, m, scheme); }},
      {"calibrate_percentile: scheme 99 is unknown", [&] { calibrate_percentile(ctx, m, 99, scheme); }},
      {"prune_structured: structure 99 is unknown",
       [&] { prune_structured(m, {.structure = static_cast<Structure>(99)}); }},
      {"prune_structured: importance 99 is unknown",
       [&] { prune_structured(m, {.importance = static_cast<Importance>(99)}); }},
      {"network: form 99 is unknown",
       [&] {
         Network(ctx, model, {static_cast<WeightForm>(99), {}});
       }},
      {"convert: from f32 to invalid", [&] { convert(ctx, m, no_dtype); }},
      {"Weights::dense: the dtype is invalid", [&] { Weights::dense(ctx, m, {no_dtype}); }},
      {"a view of shape 4", [&] { Tensor::empty({4}, no_dtype); }},
      {"a view of shape 4", [&] { View(m.view().data(), no_dtype, {4}); }},
      {"a view of shape 4",
       [&] {
         View(m.view().data(), DType::f32, {4}, Device{no_backend, 0});
       }},
      {"relu: backend 99 is unknown", [&] { relu(ctx, m, elsewhere); }},
      {"context: instruction-set level 99 is unknown",
       [&] {
         ContextOptions options;
         options.isa_max = static_cast<IsaLevel>(99);
         Context other(options);
       }},
      {"policy: backend 99 is unknown", [&] { with_policy([&](Policy& p) { p.backend = no_backend; }); }},
      {"policy: the results' backend 99 is unknown",
       [&] { with_policy([&](Policy& p) {
               p.result = Device{no_backend, 0};
             }); }},
      {"policy: transfers 99 is unknown",
       [&] { with_policy([&](Policy& p) { p.transfers = static_cast<Transfers>(99); }); }},
      {"policy: math mode 99 is unknown", [&] { with_policy([&](Policy& p) { p.math = static_cast<MathMode>(99); }); }},
  });
  for (std::int64_t i = 0; i < y.elements(); ++i) EXPECT_EQ(y.as<float>()[i], 0.0f) << "something was written";
  EXPECT_EQ(name(static_cast<WeightForm>(99)), "invalid");
}

TEST_F(BadValues, AnEmptyFunctionOfABatchIsRefused) {
  const ConstView one[] = {m};
  expect_refused({{"parallel_batch: ", [&] { parallel_batch(ctx, one, {}); }},
                  {"parallel_batch: ", [&] { parallel_batch(ctx, {}, {}); }}});
}

}  // namespace
}  // namespace tandem::test::bad_values_test
