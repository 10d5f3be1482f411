// sgemm of three libraries through the C interface of BLAS, with integers of 32 bits.
#include <algorithm>
#include <cstdint>
#include <limits>

#include "bench/peers/peer_kernel.h"
#include "bench/peers/shared_library.h"

namespace tandem::peers {
namespace {

// Of the CBLAS standard.
constexpr int kRowMajor = 101, kNoTrans = 111, kTrans = 112;
using Sgemm = void(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float* a, int lda,
                   const float* b, int ldb, float beta, float* c, int ldc);

struct OpenBlas {
  SharedLibrary library{"libopenblas.so.0", "libopenblas.so"};
  void (*set_threads)(int) = nullptr;
  OpenBlas() { library.take(set_threads, "openblas_set_num_threads"); }
};

struct Blis {
  SharedLibrary library{"libblis.so.4", "libblis.so.5", "libblis.so"};
  void (*set_count)(std::int64_t) = nullptr;  // dim_t
  Blis() { library.take(set_count, "bli_thread_set_num_threads"); }
  void set_threads(int threads) const { set_count(threads); }
};

struct Mkl {
  SharedLibrary library{"libmkl_rt.so.3", "libmkl_rt.so.2", "libmkl_rt.so.1", "libmkl_rt.so"};
  void (*set_threads)(int) = nullptr;
  Mkl() { library.take(set_threads, "MKL_Set_Num_Threads"); }
};

/// A library with its sgemm, loaded at first use.
template <class Library>
struct Blas : Library {
  Sgemm* sgemm = nullptr;
  int threads = 0;
  Blas() { this->library.take(sgemm, "cblas_sgemm"); }
  static Blas& get() {
    static Blas blas;
    return blas;
  }
};

/// The leading dimension of a matrix of `rows` x `cols`, stored by rows (or by columns: transposed).
template <class Matrix>
int leading(const Matrix& matrix, std::int64_t rows, std::int64_t cols) {
  const bool by_rows = matrix.col == 1;
  return static_cast<int>(std::max<std::int64_t>(by_rows ? matrix.row : matrix.col, by_rows ? cols : rows));
}

template <class Library>
Code run(const MatmulArgs& args, const Queue& queue, Workspace) {
  Blas<Library>& blas = Blas<Library>::get();
  if (blas.threads != queue.machine->cpu.threads) blas.set_threads(blas.threads = queue.machine->cpu.threads);
  const int m = static_cast<int>(args.m), n = static_cast<int>(args.n), k = static_cast<int>(args.k);
  for (std::int64_t item = 0; item < args.batch.elements; ++item) {
    std::int64_t at[3];
    args.batch.offsets(item, args.batch.rank, at);
    blas.sgemm(kRowMajor, args.a.col == 1 ? kNoTrans : kTrans, args.b.col == 1 ? kNoTrans : kTrans, m, n, k, args.alpha,
               static_cast<const float*>(args.a.data) + at[0], leading(args.a, args.m, args.k),
               static_cast<const float*>(args.b.data) + at[1], leading(args.b, args.k, args.n), args.beta,
               static_cast<float*>(args.c.data) + at[2], leading(args.c, args.m, args.n));
  }
  return Code::ok;
}

template <class Library>
Refusal supports(const MatmulProblem& problem, const Machine&) {
  if (const std::string& missing = Blas<Library>::get().library.missing(); !missing.empty()) return missing.c_str();
  if (const Refusal reason = plain_f32(problem)) return reason;
  return std::max({problem.m, problem.n, problem.k}) > std::numeric_limits<int>::max() ? "needs sizes below 2^31"
                                                                                       : nullptr;
}

template <class Library>
const Kernel<Matmul> kSgemm = {{}, {}, supports<Library>, unknown_cost<Matmul>, no_workspace<Matmul>, run<Library>};

}  // namespace

void add_blas(profile::MoreRows& more) {
  more.of<Matmul>().push_back({"peer.openblas.sgemm", Backend::cpu, &kSgemm<OpenBlas>});
  more.of<Matmul>().push_back({"peer.blis.sgemm", Backend::cpu, &kSgemm<Blis>});
  more.of<Matmul>().push_back({"peer.mkl.sgemm", Backend::cpu, &kSgemm<Mkl>});
}

}  // namespace tandem::peers
