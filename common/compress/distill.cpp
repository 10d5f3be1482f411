#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <tandem/distill.h>
#include <tandem/error.h>

#include "common/compress/elements.h"

namespace tandem {
namespace {

constexpr const char* kName = "distillation_loss";

/// out = log softmax(logits / temperature) of one row.
void log_softmax_row(const float* logits, std::int64_t classes, double temperature, std::vector<double>& out) {
  const double largest = *std::max_element(logits, logits + classes);
  double sum = 0;
  for (std::int64_t c = 0; c < classes; ++c) {
    out[static_cast<std::size_t>(c)] = (logits[c] - largest) / temperature;
    sum += std::exp(out[static_cast<std::size_t>(c)]);
  }
  for (double& value : out) value -= std::log(sum);
}

void check(const ConstView& student, const ConstView& teacher, const ConstView& labels,
           const DistillationOptions& options) {
  if (student.rank() != 2 || !(teacher.shape() == student.shape()) || labels.rank() != 1 ||
      labels.shape()[0] != student.shape()[0])
    throw Error(
        Code::invalid_argument,
        fmt::format("{}: student, teacher and labels must be [rows, classes], the same, and [rows], but are {}, "
                    "{} and {}",
                    kName, to_string(student.shape()), to_string(teacher.shape()), to_string(labels.shape())));
  if (student.elements() == 0)
    throw Error(Code::invalid_argument,
                fmt::format("{}: logits of shape {} have no answer in them", kName, to_string(student.shape())));
  if (labels.dtype() != DType::s32)
    throw Error(Code::invalid_argument, fmt::format("{}: labels are {}, not s32", kName, name(labels.dtype())));
  compress::require_host(kName, "labels", labels);
  if (!(options.temperature > 0) || !std::isfinite(options.temperature))
    throw Error(Code::invalid_argument, fmt::format("{}: temperature {} is not > 0", kName, options.temperature));
  if (!(options.alpha >= 0 && options.alpha <= 1))
    throw Error(Code::invalid_argument, fmt::format("{}: alpha {} is not in [0, 1]", kName, options.alpha));
}

}  // namespace

DistillationLoss distillation_loss(ConstView student, ConstView teacher, ConstView labels,
                                   const DistillationOptions& options) {
  check(student, teacher, labels, options);
  const std::vector<float> s = compress::finite_values(kName, "student", student),
                           t = compress::finite_values(kName, "teacher", teacher);
  const std::int64_t rows = student.shape()[0], classes = student.shape()[1];
  std::vector<double> hard(static_cast<std::size_t>(classes)), soft(hard), target(hard);
  DistillationLoss loss;
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int32_t label = static_cast<const std::int32_t*>(labels.data())[i * labels.strides()[0]];
    if (label < 0 || label >= classes)
      throw Error(Code::invalid_argument,
                  fmt::format("{}: label {} of row {} is none of {} classes", kName, label, i, classes));
    log_softmax_row(s.data() + i * classes, classes, 1, hard);
    log_softmax_row(s.data() + i * classes, classes, options.temperature, soft);
    log_softmax_row(t.data() + i * classes, classes, options.temperature, target);
    loss.hard -= hard[static_cast<std::size_t>(label)];
    for (std::size_t c = 0; c < target.size(); ++c) loss.soft += std::exp(target[c]) * (target[c] - soft[c]);
  }
  loss.hard /= static_cast<double>(rows);
  loss.soft = std::max(0.0, loss.soft / static_cast<double>(rows));
  loss.total = options.alpha * loss.hard + (1 - options.alpha) * options.temperature * options.temperature * loss.soft;
  return loss;
}

}  // namespace tandem
