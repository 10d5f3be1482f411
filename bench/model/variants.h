// The variants of a model: what is done to its weights, and how they are stored.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tandem/network.h>

#include "bench/model/options.h"
#include "common/verify/oracle_network.h"

namespace tandem::models {

struct Variant {
  std::string name;
  verify::Thinning thinning;
  WeightForm form = WeightForm::f32;
  bool calibrated = false;  ///< the scales of its inputs come from data
};

/// Those that the options ask for. Throws UsageError when there are none.
std::vector<Variant> choose_variants(const Options& options);

/// Bytes of a safetensors file that holds what the variant stores of a thinned model. It is written, to the folder for
/// temporary files, and removed again.
std::int64_t bytes_on_disk(Context& ctx, const Model& model, WeightForm form);

}  // namespace tandem::models
