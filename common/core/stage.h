// Moving operands to where a kernel runs, and the result back.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <tandem/context.h>
#include <tandem/ops.h>
#include <tandem/tensor.h>

#include "common/dispatch/copies.h"

namespace tandem {

/// Operations have at most this many operands.
inline constexpr int kMaxOperands = 10;

bool all_on(Backend backend, std::span<const View> operands);
inline bool on_host(std::span<const View> operands) { return all_on(Backend::cpu, operands); }

/// Operands from where `backend` reaches them without a copy, as far as there are twins: inputs that have one there are
/// replaced by it. Throws Error(invalid_argument) for a twin of another dtype or shape.
class NearViews {
 public:
  NearViews(Backend backend, std::span<const View> operands, std::span<const Twin> twins, std::size_t results,
            const char* op);
  NearViews(const NearViews&) = delete;
  NearViews& operator=(const NearViews&) = delete;
  std::span<const View> span() const { return span_; }

 private:
  std::array<View, kMaxOperands> views_;
  std::span<const View> span_;  // the operands themselves where no twin is nearer
};

/// Operands as a kernel of `backend` will see them (without pointers where they are elsewhere): those that must be
/// moved keep their order of dimensions and their repetitions, and lose their gaps.
struct ArrivalViews {
  std::array<View, kMaxOperands> views;
  std::size_t count = 0;
  std::span<const View> span() const { return {views.data(), count}; }
};
ArrivalViews arrival_views(Backend backend, std::span<const View> operands);

/// What must be moved to run on `backend`. The last `results` operands are written. Inputs other than `changing` serve
/// `reuse` calls once they were brought.
Copies copies_to(Backend backend, std::span<const View> operands, std::size_t results, bool reads_result,
                 std::size_t changing = 0, float reuse = 1);

/// Copies of the operands on another backend, for the time of one call.
class Staged {
 public:
  /// Brings what `backend` lacks. Throws Error(out_of_memory) or Error(device_error), with nothing leaked.
  Staged(Context::Impl& ctx, Backend backend, std::span<const View> operands, std::size_t results, bool reads_result,
         const char* op);
  ~Staged();
  Staged(const Staged&) = delete;
  Staged& operator=(const Staged&) = delete;

  std::span<const View> views() const { return {views_.data(), count_}; }
  /// Copies the results to their owner: a result on the host is complete on return.
  void bring_back();

 private:
  View bring(const View& operand, bool copy);

  Context::Impl& ctx_;
  Backend backend_;
  const char* op_;
  std::array<View, kMaxOperands> views_;
  std::size_t count_ = 0;
  std::span<const View> owners_;
  std::size_t results_;
  std::vector<std::shared_ptr<void>> memory_;
};

/// Host to host, any strides; shapes and dtypes must be equal.
void copy_strided(const View& to, const ConstView& from);

/// Device memory to host memory or back, or within a device, or on the host, for any strides. Shapes and dtypes must be
/// equal. Throws Error(unavailable) for a GPU that is not the context's.
void copy_across(Context::Impl& ctx, const View& to, const ConstView& from, const char* op);

}  // namespace tandem
