#include "common/ops/operand.h"

#include <charconv>

#include <fmt/format.h>

namespace tandem {

Shape broadcast_shapes(std::string_view op, const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  Shape out;
  for (int d = 0; d < rank; ++d) {
    const int da = d - (rank - a.rank()), db = d - (rank - b.rank());
    const std::int64_t sa = da < 0 ? 1 : a[da], sb = db < 0 ? 1 : b[db];
    if (sa != sb && sa != 1 && sb != 1)
      throw Error(Code::invalid_argument,
                  fmt::format("{}: shapes {} and {} do not broadcast: {} meets {} in dimension {}", op, to_string(a),
                              to_string(b), sa, sb, d));
    out.push_back(sa == 1 ? sb : sa);
  }
  return out;
}

Strides broadcast_strides(const ConstView& view, const Shape& shape) {
  Strides strides = shape;
  const int shift = shape.rank() - view.rank();
  for (int d = 0; d < shape.rank(); ++d)
    strides[d] = d < shift || view.shape()[d - shift] == 1 ? 0 : view.strides()[d - shift];
  return strides;
}

namespace {

struct Bytes {
  std::uintptr_t begin, end;
};

Bytes reach(const ConstView& v) {
  const auto begin = reinterpret_cast<std::uintptr_t>(v.data());
  return {begin, begin + static_cast<std::uintptr_t>(v.extent()) * size_of(v.dtype())};
}

/// Elements that `v` reaches below a row of `pitch` elements; 0 when some larger stride is no multiple of the pitch.
std::int64_t reach_in_row(const ConstView& v, std::int64_t pitch) {
  std::int64_t last = 0;
  for (int d = 0; d < v.rank(); ++d) {
    if (v.shape()[d] == 1) continue;
    if (v.strides()[d] < pitch)
      last += (v.shape()[d] - 1) * v.strides()[d];
    else if (v.strides()[d] % pitch != 0)
      return 0;
  }
  return last + 1;
}

/// True for views such as the left and the right columns of one matrix, whose memory interleaves without overlap.
bool interleave(const ConstView& a, const ConstView& b) {
  if (a.dtype() != b.dtype()) return false;
  const auto size = static_cast<std::int64_t>(size_of(a.dtype()));
  const std::int64_t apart = static_cast<const char*>(b.data()) - static_cast<const char*>(a.data());
  if (apart % size != 0) return false;
  for (int d = 0; d < a.rank(); ++d) {
    const std::int64_t pitch = a.strides()[d];
    if (a.shape()[d] == 1 || pitch < 2) continue;
    const std::int64_t reach_a = reach_in_row(a, pitch), reach_b = reach_in_row(b, pitch);
    const std::int64_t offset = ((apart / size) % pitch + pitch) % pitch;
    if (reach_a > 0 && reach_b > 0 && offset >= reach_a && offset + reach_b <= pitch) return true;
  }
  return false;
}

bool same_elements(const ConstView& a, const ConstView& b) {
  if (a.data() != b.data() || a.dtype() != b.dtype() || !(a.shape() == b.shape())) return false;
  for (int d = 0; d < a.rank(); ++d)
    if (a.shape()[d] != 1 && a.strides()[d] != b.strides()[d]) return false;
  return true;
}

}  // namespace

void refuse_overlap(std::string_view op, const ConstView& out, const ConstView& in, bool in_place_allowed) {
  if (out.elements() == 0 || in.elements() == 0 || !(out.device() == in.device())) return;
  const Bytes a = reach(out), b = reach(in);
  if (a.end <= b.begin || b.end <= a.begin) return;
  if (in_place_allowed && same_elements(out, in)) return;
  if (interleave(out, in)) return;
  throw Error(Code::invalid_argument,
              fmt::format("{}: the result (shape {}) overlaps an input (shape {}){}", op, to_string(out.shape()),
                          to_string(in.shape()), in_place_allowed ? " without being exactly that input" : ""));
}

void refuse_repeated(std::string_view op, const ConstView& out) {
  // Sorted by stride, each dimension must step over everything below it.
  std::int64_t sizes[kMaxRank], steps[kMaxRank];
  int n = 0;
  if (out.elements() == 0) return;
  for (int d = 0; d < out.rank(); ++d) {
    if (out.shape()[d] == 1) continue;
    int at = n++;
    for (; at > 0 && steps[at - 1] > out.strides()[d]; --at) {
      steps[at] = steps[at - 1];
      sizes[at] = sizes[at - 1];
    }
    steps[at] = out.strides()[d];
    sizes[at] = out.shape()[d];
  }
  std::int64_t below = 0;
  for (int i = 0; i < n; ++i) {
    if (steps[i] <= below)
      throw Error(Code::invalid_argument, fmt::format("{}: the result's strides {} reach an element of shape {} twice",
                                                      op, to_string(out.strides()), to_string(out.shape())));
    below += (sizes[i] - 1) * steps[i];
  }
}

void require_view(std::string_view op, std::string_view operand, const ConstView& view) {
  if (view.rank() == 0 && view.elements() == 0)
    throw Error(Code::invalid_argument, fmt::format("{}: {} is an empty view, without shape or memory", op, operand));
}

void refuse_unknown(std::string_view op, std::string_view what, int value) {
  throw Error(Code::invalid_argument, fmt::format("{}: {} {} is unknown", op, what, value));
}

void require_dtype(std::string_view op, std::string_view operand, const ConstView& view, DType dtype) {
  require_view(op, operand, view);
  if (view.dtype() != dtype)
    throw Error(Code::invalid_argument,
                fmt::format("{}: {} is {}, only {} is supported", op, operand, name(view.dtype()), name(dtype)));
}

void check_axis(std::string_view op, int axis, const Shape& shape) {
  if (axis < -shape.rank() || axis >= shape.rank())
    throw Error(Code::invalid_argument,
                fmt::format("{}: axis {} is not a dimension of shape {}", op, axis, to_string(shape)));
}

int normalized_axis(std::string_view op, int axis, const ConstView& view) {
  check_axis(op, axis, view.shape());
  return axis < 0 ? axis + view.rank() : axis;
}

Dims without(const Dims& dims, int axis) {
  Dims out;
  for (int d = 0; d < dims.rank(); ++d)
    if (d != axis) out.push_back(dims[d]);
  return out;
}

std::optional<int> axis_option(std::string_view op, std::string_view text, const std::string& option) {
  if (!option.starts_with("axis=")) return std::nullopt;
  int axis = 0;
  const char* last = option.data() + option.size();
  const auto [at, error] = std::from_chars(option.data() + 5, last, axis);
  if (error != std::errc() || at != last)
    throw Error(Code::invalid_argument, fmt::format("{} '{}': '{}' is no axis", op, text, option));
  return axis;
}

std::optional<int> parse_axis(std::string_view op, std::string_view text, const std::vector<std::string>& options) {
  std::optional<int> axis;
  for (const std::string& option : options) {
    axis = axis_option(op, text, option);
    if (!axis)
      throw Error(Code::invalid_argument,
                  fmt::format("{} '{}': unknown option '{}'; only axis=N is known", op, text, option));
  }
  return axis;
}

namespace {

/// A number >= 0, and nothing else.
std::optional<std::int64_t> parse_size(std::string_view text) {
  std::int64_t value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || at != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace

ProblemText parse_problem_text(std::string_view op, std::string_view text, std::string_view form) {
  const auto fail = [&](std::string_view why) {
    return Error(Code::invalid_argument, fmt::format("{} '{}': {}; write {}", op, text, why, form));
  };
  ProblemText out;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) throw fail("no ':' after the dtype");
  out.dtype = parse_dtype(text.substr(0, colon));
  std::string_view rest = text.substr(colon + 1);
  const std::string_view sizes = rest.substr(0, rest.find(','));
  const std::size_t star = std::min(sizes.find('*'), sizes.size());
  for (std::size_t begin = 0; begin <= star;) {
    const std::size_t end = std::min(sizes.find('x', begin), star);
    const std::optional<std::int64_t> size = parse_size(sizes.substr(begin, end - begin));
    if (!size) throw fail("sizes are numbers >= 0 joined by x");
    out.sizes.push_back(*size);
    begin = end + 1;
  }
  if (star < sizes.size()) {
    if (form.find(kBatchForm) == std::string_view::npos) throw fail("there are no batches of it");
    out.batch = parse_size(sizes.substr(star + 1));
    if (!out.batch) throw fail("a batch is a number >= 0");
  }
  rest.remove_prefix(std::min(rest.size(), sizes.size()));
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::size_t end = std::min(rest.find(','), rest.size());
    if (end == 0) throw fail("an option is empty");
    out.options.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  if (out.sizes.size() > kMaxRank) throw fail("more sizes than a tensor has dimensions");
  return out;
}

}  // namespace tandem
