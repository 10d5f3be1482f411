// Idea:    CUB's reductions over a transformed range, so that products and differences never exist in memory: the
//          device together for one output, a block an output for many. Rows below 1024 elements get a warp each
//          instead.
// Limits:  contiguous rows, as far apart in a as in b, outputs side by side; other problems with contiguous rows run
//          with a block an output. Partial sums are combined in an order that depends on the device alone.
// Expect:  time on a device: not measured.
#include <cstddef>
#include <iterator>

#include <thrust/iterator/counting_iterator.h>
#include <thrust/iterator/transform_iterator.h>

#include <cub/device/device_reduce.cuh>
#include <cub/device/device_segmented_reduce.cuh>

#include "common/dispatch/kernel.h"
#include "common/ops/reduce.h"
#include "cuda/prior.h"
#include "cuda/reduction.cuh"

namespace tandem::cuda::reduce_f32_cub {
namespace {

constexpr std::int64_t kShortRow = 1024;

template <ReduceFn kFn>
struct Term {
  const float* a;
  const float* b;
  __device__ typename Reduction<kFn>::Partial operator()(std::int64_t i) const {
    return Reduction<kFn>::term(a[i], Reduction<kFn>::kTakesTwo ? b[i] : 0.0f);
  }
};
template <ReduceFn kFn>
struct Join {
  using Partial = typename Reduction<kFn>::Partial;
  __host__ __device__ Partial operator()(const Partial& x, const Partial& y) const {
    return Reduction<kFn>::join(x, y);
  }
};
/// Where CUB writes: the last step is applied on the way to memory. (A transform_output_iterator has the type of what
/// it stores, and CUB would take that for the type to add up in.)
template <ReduceFn kFn>
struct Results {
  struct Place {
    float* at;
    __device__ void operator=(const typename Reduction<kFn>::Partial& x) const { *at = Reduction<kFn>::finish(x); }
  };
  using value_type = typename Reduction<kFn>::Partial;
  using reference = Place;
  using pointer = void;
  using difference_type = std::ptrdiff_t;
  using iterator_category = std::random_access_iterator_tag;

  float* out;
  __host__ __device__ Place operator*() const { return {out}; }
  __host__ __device__ Place operator[](difference_type i) const { return {out + i}; }
  __host__ __device__ Results operator+(difference_type i) const { return {out + i}; }
};
struct RowStart {
  std::int64_t pitch;
  std::int64_t add;
  __host__ __device__ std::int64_t operator()(std::int64_t row) const { return row * pitch + add; }
};

template <ReduceFn kFn>
Code reduce_all(const ReduceArgs& args, const Queue& queue, Workspace workspace) {
  const auto terms =
      thrust::make_transform_iterator(thrust::counting_iterator<std::int64_t>(0),
                                      Term<kFn>{static_cast<const float*>(args.a), static_cast<const float*>(args.b)});
  const Results<kFn> out = {static_cast<float*>(args.out)};
  const auto call = [&](void* data, std::size_t& bytes) {
    return cub::DeviceReduce::Reduce(data, bytes, terms, out, args.inner.elements, Join<kFn>(),
                                     Reduction<kFn>::nothing(), static_cast<cudaStream_t>(queue.stream));
  };
  std::size_t bytes = 0;
  const cudaError_t error = call(nullptr, bytes);
  if (error != cudaSuccess) return to_code(error);
  if (bytes > workspace.bytes) return Code::internal;
  return to_code(call(workspace.data, bytes));
}

template <ReduceFn kFn>
Code reduce_rows(const ReduceArgs& args, std::int64_t pitch, const Queue& queue, Workspace workspace) {
  const thrust::counting_iterator<std::int64_t> count(0);
  const auto terms = thrust::make_transform_iterator(
      count, Term<kFn>{static_cast<const float*>(args.a), static_cast<const float*>(args.b)});
  const Results<kFn> out = {static_cast<float*>(args.out)};
  const auto begins = thrust::make_transform_iterator(count, RowStart{pitch, 0});
  const auto ends = thrust::make_transform_iterator(count, RowStart{pitch, args.inner.elements});
  const auto call = [&](void* data, std::size_t& bytes) {
    return cub::DeviceSegmentedReduce::Reduce(data, bytes, terms, out, args.outer.elements, begins, ends, Join<kFn>(),
                                              Reduction<kFn>::nothing(), static_cast<cudaStream_t>(queue.stream));
  };
  std::size_t bytes = 0;
  const cudaError_t error = call(nullptr, bytes);
  if (error != cudaSuccess) return to_code(error);
  if (bytes > workspace.bytes) return Code::internal;
  return to_code(call(workspace.data, bytes));
}

template <ReduceFn kFn>
Code run_fn(const ReduceArgs& args, const Queue& queue, Workspace workspace) {
  const Loops<3>& outer = args.outer;
  if (args.inner.elements < kShortRow) return launch_strided<kFn, 32>(args, queue);
  if (!args.inner.contiguous()) return launch_strided<kFn, kReduceThreads>(args, queue);
  if (outer.elements == 1) return reduce_all<kFn>(args, queue, workspace);
  const bool regular = outer.rank == 1 && outer.strides[2][0] == 1 && outer.elements <= kMaxGridX &&
                       (!Reduction<kFn>::kTakesTwo || outer.strides[0][0] == outer.strides[1][0]);
  if (!regular) return launch_strided<kFn, kReduceThreads>(args, queue);
  return reduce_rows<kFn>(args, outer.strides[0][0], queue, workspace);
}

Code run(const ReduceArgs& args, const Queue& queue, Workspace workspace) {
  if (args.outer.elements == 0) return Code::ok;
  forget_last_error();
  return with_reduction(args.fn, [&]<ReduceFn kFn>() { return run_fn<kFn>(args, queue, workspace); });
}

Refusal supports(const ReduceProblem& p, const Machine& machine) {
  if (!p.contiguous) return "needs contiguous elements within each output";
  return f32_only<Reduce>(p, machine);
}

// One partial result a block of CUB's grid, which is at most 5 times what the device holds at once, and alignment.
// `run` compares with what CUB asks for.
std::size_t workspace(const ReduceProblem& p, const Machine& machine) {
  if (p.length < kShortRow) return 0;
  return static_cast<std::size_t>(multiprocessors(machine)) * 32 * 5 * sizeof(Products) + 1024;
}

// Efficiency: prior, not measured. A single output takes two launches, one of them of a single block.
double cost(const ReduceProblem& p, const Machine& machine) {
  const double second = p.outputs == 1 ? 3e-6 : 0.0;
  return second + seconds_for_bytes(Reduce::bytes(p), p.length < kShortRow ? 0.6 : 0.85, machine);
}

}  // namespace

extern const Kernel<Reduce> kKernel;
const Kernel<Reduce> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {},
    .supports = supports,
    .cost = cost,
    .workspace = workspace,
    .run = run,
};

}  // namespace tandem::cuda::reduce_f32_cub
