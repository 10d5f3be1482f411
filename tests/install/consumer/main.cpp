// A program outside of the tree: a product, and what the installed library says about itself.
#include <cstdio>
#include <cstring>

#include <tandem/context.h>
#include <tandem/ops.h>
#include <tandem/version.h>

int main() {
  if (std::strcmp(tandem::version(), TANDEM_VERSION) != 0) {
    std::printf("header %s, library %s\n", TANDEM_VERSION, tandem::version());
    return 1;
  }
  tandem::Context ctx;
  const auto a = tandem::Tensor::from({2, 3}, {1, 2, 3, 4, 5, 6});
  const auto b = tandem::Tensor::from({3, 2}, {1, 0, 0, 1, 1, 1});
  const auto c = tandem::matmul(ctx, a, b);
  const float expected[] = {4, 5, 10, 11};
  if (std::memcmp(c.data<float>(), expected, sizeof expected) != 0) {
    std::printf("wrong product from %s\n", ctx.last().kernel.c_str());
    return 1;
  }
  bool cuda_listed = false;
  bool cuda_built = false;
  for (const auto& kernel : tandem::kernels(ctx)) {
    if (kernel.backend != tandem::Backend::cuda) continue;
    cuda_listed = true;
    cuda_built = cuda_built || kernel.built;
  }
  if (!cuda_listed) {
    std::puts("no CUDA kernel is listed; those that are not built should be, with the reason");
    return 1;
  }
  std::printf("tandem %s, cuda: %s, matmul by %s\n", tandem::version(), cuda_built ? "built" : "not built",
              ctx.last().kernel.c_str());
  return 0;
}
