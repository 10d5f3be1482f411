// A few vectors that are worked on in step, so that their chains of dependent instructions overlap; one vector's chain
// of some 70 cycles would leave most issue slots empty. Operations are Highway's, applied to each vector; an operand
// that is a single vector stands for all.
#if defined(TANDEM_CPU_SIMD_BATCH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_CPU_SIMD_BATCH_INL_H_
#undef TANDEM_CPU_SIMD_BATCH_INL_H_
#else
#define TANDEM_CPU_SIMD_BATCH_INL_H_
#endif

#include <cstddef>
#include <utility>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D, int kCount>
struct Batch {
  hn::Vec<D> v[kCount];
};

template <class D, int kCount>
HWY_INLINE hn::Vec<D> vector_of(const Batch<D, kCount>& batch, size_t i) {
  return batch.v[i];
}
template <class V>
HWY_INLINE V vector_of(V vector, size_t) {
  return vector;
}

// Lambdas do not inherit the target of the code around them.
#undef TANDEM_LAMBDA
#define TANDEM_LAMBDA HWY_ATTR __attribute__((always_inline))

template <class F, class A, class... Operands>
HWY_INLINE auto each_at(size_t i, F f, const A& a, const Operands&... b) {
  return f(vector_of(a, i), vector_of(b, i)...);
}
template <class F, class D, int kCount, size_t... I, class... Operands>
HWY_INLINE Batch<D, kCount> each_of(std::index_sequence<I...>, F f, const Batch<D, kCount>& a, const Operands&... b) {
  return {{each_at(I, f, a, b...)...}};
}
// f of the i-th vectors of all operands, for each i. Written out rather than as a loop: compilers keep an array in
// registers only when they see constant indices early.
template <class F, class D, int kCount, class... Operands>
HWY_INLINE Batch<D, kCount> each(F f, const Batch<D, kCount>& a, const Operands&... b) {
  return each_of(std::make_index_sequence<kCount>(), f, a, b...);
}

#define TANDEM_BATCH_OP1(name, op)                                  \
  template <class D, int kCount>                                    \
  HWY_INLINE Batch<D, kCount> name(const Batch<D, kCount>& a) {     \
    return each([](auto x) TANDEM_LAMBDA { return hn::op(x); }, a); \
  }
#define TANDEM_BATCH_OP2(name, op)                                                \
  template <class D, int kCount, class B>                                         \
  HWY_INLINE Batch<D, kCount> name(const Batch<D, kCount>& a, const B& b) {       \
    return each([](auto x, auto y) TANDEM_LAMBDA { return hn::op(x, y); }, a, b); \
  }
#define TANDEM_BATCH_OP3(name, op)                                                              \
  template <class D, int kCount, class B, class C>                                              \
  HWY_INLINE Batch<D, kCount> name(const Batch<D, kCount>& a, const B& b, const C& c) {         \
    return each([](auto x, auto y, auto z) TANDEM_LAMBDA { return hn::op(x, y, z); }, a, b, c); \
  }

TANDEM_BATCH_OP1(abs, Abs)
TANDEM_BATCH_OP2(add, Add)
TANDEM_BATCH_OP2(sub, Sub)
TANDEM_BATCH_OP2(mul, Mul)
TANDEM_BATCH_OP2(div, Div)
TANDEM_BATCH_OP2(bit_or, Or)
TANDEM_BATCH_OP2(bit_and, And)
TANDEM_BATCH_OP2(copy_sign_to_abs, CopySignToAbs)
TANDEM_BATCH_OP3(mul_add, MulAdd)         // a b + c
TANDEM_BATCH_OP3(mul_sub, MulSub)         // a b - c
TANDEM_BATCH_OP3(neg_mul_add, NegMulAdd)  // c - a b

#undef TANDEM_BATCH_OP1
#undef TANDEM_BATCH_OP2
#undef TANDEM_BATCH_OP3

// Every NaN as the positive quiet one. Which of two NaN an addition hands on depends on the order in which a compiler
// names its operands, and so on which of several loops took an element: on where the share of a thread begins.
template <class D, int kCount>
HWY_INLINE Batch<D, kCount> one_nan(D d, const Batch<D, kCount>& a) {
  return each([d](auto v) TANDEM_LAMBDA { return hn::IfThenElse(hn::IsNaN(v), hn::NaN(d), v); }, a);
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();
#endif
