#include "bench/model/variants.h"

#include <fnmatch.h>
#include <unistd.h>

#include <bit>
#include <cstdlib>
#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <tandem/error.h>
#include <tandem/safetensors.h>
#include <tandem/sparse.h>

namespace tandem::models {
namespace {

std::vector<Variant> all_variants(const Options& options) {
  std::vector<Variant> all = {{"f32", {}, WeightForm::f32, false},
                              {"bf16", {}, WeightForm::bf16, false},
                              {"int8-static", {}, WeightForm::s8, true},
                              {"int8-dynamic", {}, WeightForm::s8, false}};
  for (const double sparsity : options.sparsity)
    all.push_back({fmt::format("pruned-{:.6g}%", 100 * sparsity), {sparsity, false}, WeightForm::csr, false});
  all.push_back({"2:4", {0, true}, WeightForm::sparse_2_4, false});
  all.push_back({"int8+2:4", {0, true}, WeightForm::s8_sparse_2_4, true});
  return all;
}

using Tensors = std::map<std::string, Tensor>;

void put(Tensors& out, const std::string& name, Csr csr) {
  out.emplace(name + ".row_offsets", std::move(csr.row_offsets));
  out.emplace(name + ".columns", std::move(csr.columns));
  out.emplace(name + ".values", std::move(csr.values));
}
void put(Tensors& out, const std::string& name, Sparse24 sparse) {
  out.emplace(name + ".values", std::move(sparse.values));
  out.emplace(name + ".metadata", std::move(sparse.metadata));
}

/// Weights as stored: of an output's weights along the inputs where they are sparse.
void put_weight(Context& ctx, Tensors& out, const std::string& name, const ConstView& weight, WeightForm form) {
  switch (form) {
    case WeightForm::f32:
      out.emplace(name, Tensor::from(weight.shape(),
                                     std::span(weight.as<float>(), static_cast<std::size_t>(weight.elements()))));
      break;
    case WeightForm::bf16:
      out.emplace(name, Tensor::zeros(weight.shape(), DType::bf16));  // for its size
      break;
    case WeightForm::csr:
      put(out, name, to_csr(weight.transposed()));
      break;
    case WeightForm::sparse_2_4:
      put(out, name, to_2_4(weight.transposed()));
      break;
    case WeightForm::s8:
    case WeightForm::s8_sparse_2_4: {
      QuantizedTensor q = dynamic_quantize(ctx, weight, {DType::s8, Scheme::symmetric, 1, {}});
      out.emplace(name + ".scales", std::move(q.quantization.scales));
      if (form == WeightForm::s8)
        out.emplace(name, std::move(q.values));
      else
        put(out, name, to_2_4(q.values.view().transposed()));
    }
  }
}

}  // namespace

std::vector<Variant> choose_variants(const Options& options) {
  std::vector<Variant> chosen = all_variants(options);
  std::erase_if(chosen, [&](const Variant& v) { return fnmatch(options.variants.c_str(), v.name.c_str(), 0) != 0; });
  if (!chosen.empty()) return chosen;
  std::string names;
  for (const Variant& v : all_variants(options)) names += (names.empty() ? "" : ", ") + v.name;
  throw UsageError(fmt::format("no variant's name matches '{}' (there are {})", options.variants, names));
}

std::int64_t bytes_on_disk(Context& ctx, const Model& model, WeightForm form) {
  namespace fs = std::filesystem;
  Tensors tensors;
  // By number: a model may call a bias what a part of a weight would be called.
  for (std::size_t i = 0; i < model.layers.size(); ++i)
    put_weight(ctx, tensors, fmt::format("{}.weight", i), model.layers[i].weight, form);
  std::map<std::string, ConstView> views(tensors.begin(), tensors.end());
  for (std::size_t i = 0; i < model.layers.size(); ++i)
    if (model.layers[i].has_bias()) views.emplace(fmt::format("{}.bias", i), model.layers[i].bias);
  const fs::path path = fs::temp_directory_path() / fmt::format("tandem-model-{}.safetensors", ::getpid());
  save_safetensors(path.string(), views);
  const auto bytes = static_cast<std::int64_t>(fs::file_size(path));
  fs::remove(path);
  return bytes;
}

}  // namespace tandem::models
