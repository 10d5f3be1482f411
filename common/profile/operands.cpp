#include "common/profile/operands.h"

#include <algorithm>
#include <cstring>
#include <random>

#include <fmt/format.h>
#include <tandem/error.h>

#include "common/core/bf16.h"
#include "common/core/context_impl.h"
#include "common/core/f16.h"
#include "common/core/stage.h"
#include "common/profile/noise.h"

namespace tandem::profile {
namespace {

std::int64_t extent_of(const OperandSpec& spec) {
  if (element_count(spec.shape) == 0) return 0;
  std::int64_t extent = 1;
  for (int d = 0; d < spec.shape.rank(); ++d) extent += (spec.shape[d] - 1) * spec.strides[d];
  return extent;
}

double bytes_of(std::span<const OperandSpec> specs) {
  double bytes = 0;
  for (const OperandSpec& spec : specs)
    bytes += static_cast<double>(extent_of(spec)) * static_cast<double>(size_of(spec.dtype));
  return bytes;
}

std::size_t memory_bytes(const ConstView& view) {
  return static_cast<std::size_t>(view.extent()) * size_of(view.dtype());
}

bool is_real(DType dtype) { return dtype == DType::f32 || dtype == DType::bf16 || dtype == DType::f16; }

/// What Op::fill_structure() makes of integers: where the values of a compressed operand are.
bool is_place(const OperandSpec& spec) {
  return spec.name == "row_offsets" || spec.name == "columns" || spec.name.ends_with("_places");
}

/// Values of a range, both ends included.
void fill_range(const View& memory, const ValueRange& range, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto whole = [&] {
    const auto count = static_cast<std::uint64_t>(range.high - range.low) + 1;
    return static_cast<std::int64_t>(range.low) + static_cast<std::int64_t>(random() % count);
  };
  for (std::int64_t i = 0; i < memory.elements(); ++i) {
    if (memory.dtype() == DType::f32)
      memory.as<float>()[i] =
          static_cast<float>(range.low + static_cast<double>(random() >> 40) * 0x1p-24 * (range.high - range.low));
    else if (memory.dtype() == DType::s32)
      memory.as<std::int32_t>()[i] = static_cast<std::int32_t>(whole());
    else
      static_cast<unsigned char*>(memory.data())[i] = static_cast<unsigned char>(whole());
  }
}

void fill_memory(const View& memory, const Fill& fill, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  if (is_real(memory.dtype())) {
    for (std::int64_t i = 0; i < memory.elements(); ++i) {
      const float unit = static_cast<float>(random() >> 40) * 0x1p-24f;
      float value = fill.low + unit * (fill.high - fill.low);
      if (!(value < fill.high)) value = fill.low;
      if (memory.dtype() == DType::f32)
        memory.as<float>()[i] = value;
      else if (memory.dtype() == DType::f16)
        static_cast<F16*>(memory.data())[i] = to_f16(value);
      else
        static_cast<Bf16*>(memory.data())[i] = to_bf16(value);
    }
    return;
  }
  auto* bytes = static_cast<unsigned char*>(memory.data());
  for (std::size_t i = 0; i < memory_bytes(memory); ++i) bytes[i] = static_cast<unsigned char>(random() >> 56);
}

}  // namespace

void require_memory(std::string_view op, std::span<const OperandSpec> specs) {
  const double needed = bytes_of(specs), there = available_memory();
  if (there > 0 && needed > 0.9 * there)
    throw Error(Code::out_of_memory, fmt::format("{}: the operands need {:.1f} GiB, but {:.1f} GiB of memory are free",
                                                 op, needed / 0x1p30, there / 0x1p30));
}

Operands::Operands(std::string_view op, std::span<const OperandSpec> specs, std::span<const Given> given,
                   const Fill& fill, std::uint64_t seed, bool reads_result, std::size_t results)
    : results_(results) {
  require_memory(op, specs);
  for (const Given& g : given)
    if (g.operand + results >= specs.size())
      throw Error(Code::invalid_argument, fmt::format("{}: {} stands for input {}, but there are only {}", op, g.source,
                                                      g.operand + 1, specs.size() - results));
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const auto g = std::find_if(given.begin(), given.end(), [&](const Given& x) { return x.operand == i; });
    const bool result = i + results >= specs.size();
    if (g != given.end()) {
      add_given(op, specs[i], *g);
    } else {
      add_random(specs[i], fill, seed * 1000 + i);
    }
    if (result) continue;
    if (!description_.empty()) description_ += ", ";
    description_ += g != given.end() ? fmt::format("{} {}", specs[i].name, g->source)
                    : specs[i].range ? fmt::format("{} in [{:.4g}, {:.4g}]", specs[i].name, specs[i].range->low,
                                                   specs[i].range->high)
                    : is_real(specs[i].dtype) ? fmt::format("{} uniform [{}, {})", specs[i].name, fill.low, fill.high)
                    : is_place(specs[i])      ? fmt::format("{} random places", specs[i].name)
                                              : fmt::format("{} random bits", specs[i].name);
  }
  if (reads_result) {
    const View& c = result();
    old_result_ = Tensor::empty(Shape{c.extent()}, c.dtype());
    if (c.extent() > 0) std::memcpy(old_result_.view().data(), c.data(), memory_bytes(c));
    description_ += fmt::format(", {} uniform [{}, {})", specs.back().name, fill.low, fill.high);
  }
}

void Operands::add_random(const OperandSpec& spec, const Fill& fill, std::uint64_t seed) {
  memory_.push_back(Tensor::empty(Shape{extent_of(spec)}, spec.dtype));
  if (spec.range)
    fill_range(memory_.back().view(), *spec.range, seed);
  else
    fill_memory(memory_.back().view(), fill, seed);
  views_.emplace_back(memory_.back().view().data(), spec.dtype, spec.shape, spec.strides);
}

void Operands::add_given(std::string_view op, const OperandSpec& spec, const Given& given) {
  const ConstView data = given.data->view();
  if (data.dtype() != spec.dtype)
    throw Error(Code::invalid_argument, fmt::format("{}: operand {} is {}, but {} holds {}", op, spec.name,
                                                    name(spec.dtype), given.source, name(data.dtype())));
  if (!(data.shape() == spec.shape))
    throw Error(Code::invalid_argument, fmt::format("{}: operand {} is {}, but {} holds {}", op, spec.name,
                                                    to_string(spec.shape), given.source, to_string(data.shape())));
  kept_.push_back(given.data);
  views_.push_back(readable(data));
}

void Operands::reset_results() const {
  for (const View& c : results())
    if (c.extent() > 0) std::memset(c.data(), 0xff, memory_bytes(c));
  const View& c = result();
  if (old_result_.elements() > 0) std::memcpy(c.data(), old_result_.view().data(), memory_bytes(c));
}

std::vector<View> Operands::pristine() const {
  std::vector<View> views = views_;
  if (old_result_.elements() > 0) {
    const ConstView old = old_result_.view();
    views.back() = View(const_cast<void*>(old.data()), old.dtype(), result().shape(), result().strides());
  }
  return views;
}

DeviceOperands::DeviceOperands(Context& ctx, const Operands& host) : ctx_(ctx), host_(host) {
  const ArrivalViews arrivals = arrival_views(Backend::cuda, host.views());
  for (std::size_t i = 0; i < arrivals.count; ++i) {
    const View& layout = arrivals.views[i];
    const Device device = Device::cuda(ctx.machine().gpus.empty() ? 0 : ctx.machine().gpus.front().index);
    memory_.push_back(Tensor::empty(ctx, Shape{layout.extent()}, layout.dtype(), device));
    views_.emplace_back(memory_.back().view().data(), layout.dtype(), layout.shape(), layout.strides(), device);
    if (i + host.results().size() < arrivals.count) copy_across(ctx.impl(), views_.back(), host.views()[i], "compare");
  }
}

void DeviceOperands::upload_results() const {
  const std::size_t inputs = views_.size() - host_.results().size();
  for (std::size_t i = inputs; i < views_.size(); ++i) copy_across(ctx_.impl(), views_[i], host_.views()[i], "compare");
}

void DeviceOperands::download_results() const {
  const std::size_t inputs = views_.size() - host_.results().size();
  for (std::size_t i = inputs; i < views_.size(); ++i) copy_across(ctx_.impl(), host_.views()[i], views_[i], "compare");
  ctx_.synchronize();
}

}  // namespace tandem::profile
