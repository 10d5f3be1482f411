// One product by cuBLASLt, as fast as it can do it.
#pragma once

#include <cublasLt.h>

#include <cstdint>
#include <stdexcept>
#include <vector>

#include <tandem/tensor.h>

#include "bench/peers/rounds.h"

namespace tandem::peers {

/// Row-major c [m, n] = a [m, k] @ b, b stored as [n, k]: column-major c^T = (b^T)^T a^T. All algorithms that are
/// proposed are tried once, and the fastest is kept.
class LtProduct {
 public:
  LtProduct(Size size, DType dtype, const Tensor& a, const Tensor& b, Tensor& c) : integers_(dtype == DType::s8) {
    const cudaDataType_t in = integers_ ? CUDA_R_8I : CUDA_R_16BF, out = integers_ ? CUDA_R_32I : CUDA_R_16BF;
    const auto m = static_cast<std::uint64_t>(size.m), n = static_cast<std::uint64_t>(size.n),
               k = static_cast<std::uint64_t>(size.k);
    const auto ld = [](std::uint64_t rows) { return static_cast<std::int64_t>(rows); };
    check(cublasLtCreate(&handle_), "cublasLtCreate");
    check(cublasLtMatmulDescCreate(&operation_, integers_ ? CUBLAS_COMPUTE_32I : CUBLAS_COMPUTE_32F,
                                   integers_ ? CUDA_R_32I : CUDA_R_32F),
          "cublasLtMatmulDescCreate");
    const cublasOperation_t transposed = CUBLAS_OP_T;
    check(cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof transposed),
          "cublasLtMatmulDescSetAttribute");
    check(cublasLtMatrixLayoutCreate(&b_, in, k, n, ld(k)), "cublasLtMatrixLayoutCreate");
    check(cublasLtMatrixLayoutCreate(&a_, in, k, m, ld(k)), "cublasLtMatrixLayoutCreate");
    check(cublasLtMatrixLayoutCreate(&c_, out, n, m, ld(n)), "cublasLtMatrixLayoutCreate");
    check(cudaMalloc(&workspace_, kWorkspace), "cudaMalloc");
    pointers_ = {a.view().data(), b.view().data(), c.view().data()};
    choose();
  }
  ~LtProduct() {
    cudaFree(workspace_);
    for (const cublasLtMatrixLayout_t layout : {a_, b_, c_}) cublasLtMatrixLayoutDestroy(layout);
    cublasLtMatmulDescDestroy(operation_);
    cublasLtDestroy(handle_);
  }
  LtProduct(const LtProduct&) = delete;
  LtProduct& operator=(const LtProduct&) = delete;

  void enqueue() const { check(run(best_), "cublasLtMatmul"); }
  int proposed() const { return proposed_; }

 private:
  static constexpr std::size_t kWorkspace = 64 << 20;

  cublasStatus_t run(const cublasLtMatmulAlgo_t& algorithm) const {
    const float one = 1.0f, zero = 0.0f;
    const std::int32_t int_one = 1, int_zero = 0;
    const void* alpha = integers_ ? static_cast<const void*>(&int_one) : &one;
    const void* beta = integers_ ? static_cast<const void*>(&int_zero) : &zero;
    return cublasLtMatmul(handle_, operation_, alpha, pointers_.b, b_, pointers_.a, a_, beta, pointers_.c, c_,
                          pointers_.c, c_, &algorithm, workspace_, kWorkspace, nullptr);
  }

  void choose() {
    cublasLtMatmulPreference_t preference = nullptr;
    check(cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate");
    const std::size_t bytes = kWorkspace;
    check(cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes,
                                               sizeof bytes),
          "cublasLtMatmulPreferenceSetAttribute");
    std::vector<cublasLtMatmulHeuristicResult_t> all(64);
    const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(handle_, operation_, b_, a_, c_, c_, preference,
                                                                 static_cast<int>(all.size()), all.data(), &proposed_);
    cublasLtMatmulPreferenceDestroy(preference);
    check(status, "cublasLtMatmulAlgoGetHeuristic");
    double least = 0;
    bool found = false;
    for (int i = 0; i < proposed_; ++i) {
      const cublasLtMatmulAlgo_t& algorithm = all[static_cast<std::size_t>(i)].algo;
      if (run(algorithm) != CUBLAS_STATUS_SUCCESS) continue;
      const Runner trial{"", [&] { run(algorithm); }, {}, 5};
      const double seconds = seconds_of(trial);
      if (found && seconds >= least) continue;
      found = true;
      least = seconds;
      best_ = algorithm;
    }
    if (!found) throw std::runtime_error("cuBLASLt proposes no algorithm that runs");
  }

  struct Pointers {
    const void* a;
    const void* b;
    void* c;
  };
  bool integers_;
  cublasLtHandle_t handle_ = nullptr;
  cublasLtMatmulDesc_t operation_ = nullptr;
  cublasLtMatrixLayout_t a_ = nullptr, b_ = nullptr, c_ = nullptr;
  void* workspace_ = nullptr;
  Pointers pointers_ = {};
  cublasLtMatmulAlgo_t best_ = {};
  int proposed_ = 0;
};

}  // namespace tandem::peers
