// How far the answers of a small network (the student) are from those of a large one (the teacher).
#pragma once

#include <tandem/tensor.h>

namespace tandem {

struct DistillationOptions {
  double temperature = 3;  ///< > 0; divides the logits of both
  double alpha = 0.5;      ///< weight of the labels, in [0, 1]; the teacher has 1 - alpha
};

struct DistillationLoss {
  double hard = 0;   ///< mean over the rows of -log softmax(student)[label]
  double soft = 0;   ///< mean over the rows of KL(softmax(teacher / T) || softmax(student / T)), >= 0
  double total = 0;  ///< alpha hard + (1 - alpha) T^2 soft (Hinton, Vinyals and Dean, 2015)
};

/// student and teacher are f32 logits [rows, classes], labels s32 [rows], of any strides, on the host; computed in
/// double. Throws Error(invalid_argument) for shapes that do not fit, no row, a logit that is a NaN or an infinity, a
/// label that is no class, and options out of range.
DistillationLoss distillation_loss(ConstView student, ConstView teacher, ConstView labels,
                                   const DistillationOptions& options = {});

}  // namespace tandem
