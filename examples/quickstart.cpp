// A product with bias and GELU, where it ran and why, and the same product forced onto another kernel.
#include <tandem/tandem.h>
#include <iostream>

int main() {
  tandem::Context ctx;  // threads, GPU stream and policy; no global state
  const auto a = tandem::Tensor::full({512, 256}, 0.01f);
  const auto b = tandem::Tensor::full({256, 128}, 0.02f);
  const auto bias = tandem::Tensor::zeros({128});

  tandem::MatmulOptions options;
  options.bias = bias;
  options.activation = tandem::Activation::gelu_erf;
  const tandem::Tensor c = tandem::matmul(ctx, a, b, options);
  std::cout << "c[0] = " << c.data<float>()[0] << ", computed by " << ctx.last().kernel << "\n\n"
            << to_string(tandem::explain(ctx, "matmul f32:512x128x256,bias,act=gelu_erf"));

  options.call.kernel = "cpu.matmul.f32.naive";  // any kernel can be asked for by name
  const tandem::Tensor again = tandem::matmul(ctx, a, b, options);
  std::cout << "\nnaive: c[0] = " << again.data<float>()[0] << '\n';
}
