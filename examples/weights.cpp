// A layer whose weights are prepared once: as f32, as 8-bit integers and as a sparse matrix, all run by one function.
#include <tandem/tandem.h>
#include <iostream>

int main() {
  tandem::Context ctx;
  tandem::Tensor w = tandem::Tensor::zeros({256, 128});  // one weight of eight is not 0
  for (std::int64_t i = 0; i < w.elements(); i += 8) w.data<float>()[i] = 0.01f * static_cast<float>(i % 97 - 48);
  const auto bias = tandem::Tensor::full({128}, 0.5f);
  const auto x = tandem::Tensor::full({16, 256}, 1.0f);

  tandem::LinearOptions options;
  options.bias = bias;
  options.activation = tandem::Activation::relu;
  for (const tandem::Weights& weights :
       {tandem::Weights::dense(ctx, w), tandem::Weights::quantized(ctx, w), tandem::Weights::csr(ctx, w)}) {
    const tandem::Tensor y = tandem::linear(ctx, x, weights, options);
    std::cout << name(weights.form()) << ": y[0] = " << y.data<float>()[0] << ", " << weights.bytes().total()
              << " bytes of weights, computed by " << ctx.last().kernel << '\n';
  }
}
