#!/usr/bin/env python3
"""Checks the counters that the CUDA emulator wrote for the problems of counters_test.cpp.

usage: check_counters.py COUNTS.json...

For every kernel: 32-byte sectors that its loads and stores touch against the least possible, and wavefronts of shared
memory against the least possible (more are bank conflicts).
"""
import json
import re
import sys

# part of a kernel's name -> percent of the ideal at least: sectors of loads, of stores, wavefronts of shared memory.
# None: makes no such accesses (that is checked too).
# ANY: whatever there is, since such accesses are few.
ANY = object()
LIMITS = {
    "matmul_tiled": (95, 95, 100),
    "matmul_regtiled": (95, 95, 100),
    "quantized_tiled": (95, 95, 100),
    "quantized_mma": (95, 95, 100),
    "bf16_mma": (95, 95, 100),
    "quantized_wgmma": (94, 95, 100),  # scales and zero points are read in fours
    "quantized_wgmma_ring": (ANY, 95, 100),  # scales and zero points alone; the copy engine reads the operands
    "bf16_wgmma_ring": (ANY, 95, 100),
    "pack_k_major": (95, 95, 100),
    "quantized_mmasp": (95, 95, 100),
    "bf16_mmasp": (95, 95, 100),
    "unary_vector": (95, 95, None),
    "binary_vector": (95, 95, None),
    "binary_rows": (95, 95, None),
    "softmax_lanes": (95, 95, None),
    "softmax_block": (95, 95, 100),
    "softmax_long": (95, 95, 100),
    "softmax_columns": (95, 95, 100),
    "transpose_tiled": (95, 95, 100),
    "scaled_run": (95, 95, None),
    "scaled_rows": (95, 95, None),
    "dynamic_quantize_fused": (95, 95, ANY),
    "spmm_rowsplit": (95, 95, 100),
    "ranges_of_parts": (95, 95, 100),
    "ranges_of_columns": (95, 95, 100),
    "scales_of_ranges": (ANY, ANY, None),
}
# Kernels that must be there: both shapes, both ways of reading, each layout of the operands.
VARIANTS = {"matmul_tiled": 1, "matmul_regtiled": 8, "quantized_mma": 8, "bf16_mma": 8, "quantized_wgmma": 1,
            "quantized_wgmma_ring": 2, "bf16_wgmma_ring": 2, "pack_k_major": 2, "softmax_lanes": 3,
            "scaled_run": 6, "scaled_rows": 9, "dynamic_quantize_fused": 7, "spmm_rowsplit": 4}


def short(name):
    name = re.sub(r"\(anonymous namespace\)::|tandem::cuda::|tandem::", "", name)
    return re.sub(r"\([A-Z][A-Za-z]*Args.*$", "", name)


def percent(counter, ideal, real):
    return 100.0 * counter[ideal] / counter[real] if counter[real] else None


def main():
    kernels = []
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8") as file:
            kernels += json.load(file)["kernels"]
    failures = []
    seen = dict.fromkeys(LIMITS, 0)
    for kernel in kernels:
        key = next((key for key in LIMITS if re.search(rf"\b{key}\b", kernel["name"])), None)
        if key is None:
            continue
        seen[key] += 1
        figures = (percent(kernel["global_load"], "ideal_sectors", "sectors"),
                   percent(kernel["global_store"], "ideal_sectors", "sectors"),
                   percent(kernel["shared"], "ideal_wavefronts", "wavefronts"))
        shown = ["none" if f is None else f"{f:.1f} %" for f in figures]
        print(f"{short(kernel['name'])}: loads {shown[0]}, stores {shown[1]}, shared {shown[2]} of the ideal")
        for what, figure, limit in zip(("loads", "stores", "shared memory"), figures, LIMITS[key]):
            if limit is ANY:
                continue
            if (figure is None) != (limit is None) or (limit is not None and figure < limit):
                failures.append(f"{short(kernel['name'])}: {what} {figure}, wanted {limit}")
    for key, count in seen.items():
        if count < VARIANTS.get(key, 1):
            failures.append(f"{key}: {count} variants ran, {VARIANTS.get(key, 1)} wanted")
    for failure in failures:
        print("FAILED", failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
