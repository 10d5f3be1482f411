#include "cpu/gemm/int_gemm.h"

#include <algorithm>

#include "cpu/gemm/int_dots.h"
#include "cpu/gemm/plan.h"

namespace tandem::cpu {

std::size_t int_gemm_workspace(const GemmSet& set, std::int64_t m, std::int64_t n, std::int64_t k,
                               const Machine& machine) {
  return std::max(gemm_workspace(set, m, n, k, machine), int_dots_workspace(set.int_dots, m, n, k));
}

void int_gemm(const GemmSet& set, std::int32_t shift, const QuantizedMatmulArgs& args, const Queue& queue,
              Workspace workspace) {
  if (args.m == 0 || args.n == 0) return;
  if (takes_int_dots(set.int_dots, {args.m, args.n, args.k, args.a.col == 1, args.b.row == 1,
                                    has_panels(set, args.packed_b, args.packed_panel)}))
    return int_dots(set.int_dots, set.store, args, queue, workspace);
  MatmulArgs product;
  product.m = args.m;
  product.n = args.n;
  product.k = args.k;
  product.result = args.result;
  product.a = {args.a.data, args.a.row, args.a.col};
  product.b = {args.b.data, args.b.row, args.b.col};
  product.c = {args.c.data, args.c.row, args.c.col};
  product.packed_b = args.packed_b;
  product.packed_panel = args.packed_panel;
  const IntStoreArgs fused{&args, shift};
  GemmCall call;
  call.fused = &fused;
  call.row_sums = args.zb.data != nullptr;
  call.column_sums = args.za.data != nullptr || shift != 0;
  gemm(set, product, call, queue, workspace);
}

}  // namespace tandem::cpu
