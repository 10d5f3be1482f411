#include "cpu/gemm/int_gemm.h"

namespace tandem::cpu {

void int_gemm(const GemmSet& set, std::int32_t shift, const QuantizedMatmulArgs& args, const Queue& queue,
              Workspace workspace) {
  if (args.m == 0 || args.n == 0) return;
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
