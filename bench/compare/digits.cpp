// The real data: 1797 images of digits through a trained network of three layers.
#include <cmath>
#include <filesystem>

#include <fmt/format.h>
#include <tandem/error.h>
#include <tandem/npy.h>
#include <tandem/ops.h>

#include "bench/compare/jobs.h"

namespace tandem::compare {
namespace {

using Shared = std::shared_ptr<const Tensor>;

struct Network {
  Shared images, labels;
  Shared w[3], b[3];
  std::int64_t rows() const { return images->shape()[0]; }
};

Network load_network(const std::string& folder) {
  const auto load = [&](const std::string& file) {
    return std::make_shared<const Tensor>(load_npy((std::filesystem::path(folder) / file).string()));
  };
  Network net{load("digits_images.npy"), load("digits_labels.npy"), {}, {}};
  for (int i = 0; i < 3; ++i) {
    net.w[i] = load(fmt::format("w{}.npy", i + 1));
    net.b[i] = load(fmt::format("b{}.npy", i + 1));
  }
  if (net.images->shape().rank() != 2 || net.labels->dtype() != DType::s32 || net.labels->shape() != Shape{net.rows()})
    throw UsageError(
        fmt::format("{}: digits_images.npy must hold a matrix and digits_labels.npy one s32 label a row", folder));
  return net;
}

/// Which logit is the largest, for each image.
template <class Value>
std::vector<std::int64_t> answers(std::int64_t rows, std::int64_t classes, Value value) {
  std::vector<std::int64_t> best(static_cast<std::size_t>(rows), 0);
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 1; j < classes; ++j)
      if (value(i, j) > value(i, best[static_cast<std::size_t>(i)])) best[static_cast<std::size_t>(i)] = j;
  return best;
}

/// The same network in double, with none of the library's kernels.
std::vector<std::int64_t> answers_in_double(const Network& net) {
  const std::int64_t rows = net.rows();
  std::int64_t width = net.images->shape()[1];
  std::vector<double> x(net.images->data<float>(), net.images->data<float>() + rows * width);
  for (int layer = 0; layer < 3; ++layer) {
    const std::int64_t n = net.w[layer]->shape()[1];
    const float *w = net.w[layer]->data<float>(), *b = net.b[layer]->data<float>();
    std::vector<double> y(static_cast<std::size_t>(rows * n));
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < n; ++j) {
        auto sum = static_cast<double>(b[j]);
        for (std::int64_t l = 0; l < width; ++l)
          sum += x[static_cast<std::size_t>(i * width + l)] * static_cast<double>(w[l * n + j]);
        y[static_cast<std::size_t>(i * n + j)] = layer < 2 ? std::max(sum, 0.0) : sum;
      }
    x = std::move(y);
    width = n;
  }
  return answers(rows, width,
                 [&](std::int64_t i, std::int64_t j) { return x[static_cast<std::size_t>(i * width + j)]; });
}

profile::Statement accuracy_of(const Network& net, const Tensor& logits) {
  const std::int64_t rows = net.rows(), classes = logits.shape()[1];
  const float* values = logits.data<float>();
  const auto ours = answers(rows, classes, [&](std::int64_t i, std::int64_t j) { return values[i * classes + j]; });
  const auto exact = answers_in_double(net);
  const std::int32_t* labels = net.labels->data<std::int32_t>();
  std::int64_t correct = 0, correct_exact = 0, same = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    correct += ours[i] == labels[i] ? 1 : 0;
    correct_exact += exact[i] == labels[i] ? 1 : 0;
    same += ours[i] == exact[i] ? 1 : 0;
  }
  const double accuracy = static_cast<double>(correct) / static_cast<double>(rows);
  return {
      "digits",
      fmt::format(
          "the network, run through the library, is right on {} of {} images ({:.2f} %); in double precision on {}; "
          "{} of {} answers agree",
          correct, rows, 100 * accuracy, correct_exact, same, rows),
      {{"images", static_cast<double>(rows)},
       {"correct", static_cast<double>(correct)},
       {"accuracy", accuracy},
       {"correct_in_double", static_cast<double>(correct_exact)},
       {"answers_as_in_double", static_cast<double>(same)}}};
}

}  // namespace

std::vector<Job> digits_jobs(Context& ctx, const std::string& folder, std::vector<profile::Statement>& statements) {
  const Network net = load_network(folder);
  std::vector<Job> jobs;
  Shared x = net.images;
  std::string x_name = "digits_images.npy";
  Shared first_product;
  for (int layer = 0; layer < 3; ++layer) {
    const Shared &w = net.w[layer], &b = net.b[layer];
    const std::string w_name = fmt::format("w{}.npy", layer + 1), b_name = fmt::format("b{}.npy", layer + 1);
    const std::string size = fmt::format("f32:{}x{}x{}", net.rows(), w->shape()[1], x->shape()[1]);
    const bool last = layer == 2;
    MatmulOptions fused;
    fused.bias = b->view();
    fused.activation = last ? Activation::none : Activation::relu;
    auto y = std::make_shared<const Tensor>(matmul(ctx, *x, *w, fused));
    jobs.push_back({"matmul",
                    size + (last ? ",bias" : ",bias,act=relu"),
                    fmt::format("digits layer {}", layer + 1),
                    {{0, x, x_name}, {1, w, w_name}, {2, b, b_name}},
                    "digits"});
    if (layer == 0) {
      first_product = std::make_shared<const Tensor>(matmul(ctx, *x, *w));
      const auto biased = std::make_shared<const Tensor>(add(ctx, *first_product, *b));
      const std::string matrix = fmt::format("f32:{}x{}", net.rows(), w->shape()[1]);
      jobs.push_back({"matmul", size, "digits layer 1, product alone", {{0, x, x_name}, {1, w, w_name}}, "digits"});
      jobs.push_back({"add",
                      matrix + ",row",
                      "digits layer 1, bias alone",
                      {{0, first_product, "images @ w1"}, {1, b, b_name}},
                      "digits"});
      jobs.push_back({"relu", matrix, "digits layer 1, activation alone", {{0, biased, "images @ w1 + b1"}}, "digits"});
    }
    x = y;
    x_name = last ? "logits" : fmt::format("output of layer {}", layer + 1);
  }
  jobs.push_back(
      {"softmax", fmt::format("f32:{}", to_string(x->shape())), "digits probabilities", {{0, x, x_name}}, "digits"});
  statements.push_back(accuracy_of(net, *x));
  return jobs;
}

}  // namespace tandem::compare
