// Whole calls through the public interface: operands on any device and in any layout, and the check of a result.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <tandem/tandem.h>

#include "tests/support/fill.h"
#include "tests/support/verify.h"

namespace tandem::test {

/// The Error that a call throws; code ok when it throws none.
template <class Call>
Error error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return Error(Code::ok, "nothing was thrown");
}

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A host tensor of random contents.
inline Tensor filled(const Shape& shape, Fill what, std::uint64_t seed, std::int64_t terms = 4096) {
  Tensor t = Tensor::empty(shape);
  fill(t.view(), what, 0, terms, seed);
  return t;
}

/// Memory on a device for a view of any strides, and the view.
class Placed {
 public:
  Placed(Context& ctx, const Tensor& host, const Strides& strides, Device device)
      : memory_(Tensor::empty(ctx, {ConstView(&strides, host.dtype(), host.shape(), strides).extent()}, host.dtype(),
                              device)),
        view_(memory_.view().data(), host.dtype(), host.shape(), strides, device) {
    // Gaps hold NaN: whoever reads them is found out. Built on the host, then moved as a whole.
    Tensor image = Tensor::full(memory_.shape(), std::numeric_limits<float>::quiet_NaN());
    const View target(image.view().data(), host.dtype(), host.shape(), strides);
    walk<2>(0, host.elements(), host.shape(), {host.strides(), strides}, [&](std::int64_t, const std::int64_t(&at)[2]) {
      static_cast<float*>(target.data())[at[1]] = host.data<float>()[at[0]];
    });
    memory_ = image.to(ctx, device);
    view_ = View(memory_.view().data(), host.dtype(), host.shape(), strides, device);
  }
  const View& view() const { return view_; }
  /// The whole memory on the host, gaps included.
  Tensor memory(Context& ctx) const { return memory_.to(ctx, Device::cpu()); }

 private:
  Tensor memory_;
  View view_;
};

/// Empty when `result` (on the host) is what the operands, on the host too, should give.
template <class Op>
std::string judged(const typename Op::Attributes& attributes, std::vector<View> operands, const ConstView& result,
                   bool exact = false) {
  const Oracle<Op> oracle(attributes, operands);
  std::vector<Expected> expected(static_cast<std::size_t>(oracle.elements()));
  oracle.expect(0, oracle.elements(), expected.data());
  Check check;
  const Expected* e = expected.data();
  walk<1>(0, result.elements(), result.shape(), {result.strides()}, [&](std::int64_t i, const std::int64_t(&at)[1]) {
    compare(check, {e->value, exact ? 0 : e->bound}, Oracle<Op>::actual(result, at[0]),
            [&] { return element_name(i, result.shape()); });
    ++e;
  });
  return check.complaint;
}

inline View as_operand(const ConstView& v) {
  return View(const_cast<void*>(v.data()), v.dtype(), v.shape(), v.strides(), v.device());
}

}  // namespace tandem::test
