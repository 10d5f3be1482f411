#!/usr/bin/env python3
"""Compiles CUDA kernels and checks what the compiler made of them; needs nvcc, no GPU.

usage: check_cubin.py [--nvcc NVCC] [--archs 80,90a] [--list]

For every kernel file and architecture: no spills, no stack where none is expected, registers within the limit, and for
the register-tiled product the number of multiply-adds for each shared-memory read, counted from the machine code of the
whole kernel. Products on tensor cores, or with dot products of bytes, must hold the instructions they are made
of. Exit status 1 when a check fails, 77 when there is no nvcc.
"""
import argparse
import collections
import concurrent.futures
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
KERNELS = ROOT / "cuda" / "kernels"

# Low 12 bits of a 16-byte instruction of compute capability 7.0 to 9.0.
FFMA, LDS, LDL, STL = 0x223, 0x984, 0x983, 0x387
IDP, IMMA, HMMA, LDSM, LDGSTS = 0x226, 0x237, 0x23C, 0x83B, 0xFAE
HGMMA, IGMMA, UTMALDG = 0x9F0, 0x9F1, 0x5B4
IDP_FORM = 0x1FF  # the bits above tell where the second operand of IDP is: register, constant, immediate, uniform
NAMES = {IDP: "IDP", IMMA: "IMMA", HMMA: "HMMA", LDSM: "LDSM", LDGSTS: "LDGSTS", HGMMA: "HGMMA", IGMMA: "IGMMA", UTMALDG: "UTMALDG"}

# file -> registers at most
LIMITS = {
    "matmul_f32_naive.cu": 64,
    "matmul_f32_tiled.cu": 64,
    "matmul_f32_regtiled.cu": 128,
    "matmul_f32_dense24.cu": 64,
    "matmul_bf16_naive.cu": 64,
    "matmul_bf16_mma.cu": 232,
    "matmul_bf16_mmasp.cu": 224,
    "matmul_bf16_wgmma.cu": 255,
    "quantized_matmul_s8_naive.cu": 64,
    "quantized_matmul_s8_tiled.cu": 128,
    "quantized_matmul_s8_mma.cu": 240,
    "quantized_matmul_s8_mmasp.cu": 224,
    "quantized_matmul_s8_wgmma.cu": 255,
    "unary_f32_naive.cu": 64,
    "unary_f32_vector.cu": 64,
    "binary_f32_naive.cu": 64,
    "binary_f32_vector.cu": 64,
    "softmax_f32_naive.cu": 64,
    "softmax_f32_vector.cu": 128,
    "reduce_f32_naive.cu": 64,
    "transpose_f32_naive.cu": 64,
    "transpose_f32_tiled.cu": 64,
    "convert_bf16_naive.cu": 64,
    "convert_bf16_vector.cu": 64,
    "convert_f16_naive.cu": 64,
    "convert_f16_vector.cu": 64,
    "quantize_f32_naive.cu": 64,
    "quantize_f32_vector.cu": 64,
    "dequantize_s8_naive.cu": 64,
    "dequantize_s8_vector.cu": 64,
    "requantize_s32_naive.cu": 64,
    "requantize_s32_vector.cu": 64,
    "quantized_relu_s8_naive.cu": 64,
    "quantized_relu_s8_vector.cu": 64,
    "spmm_csr_naive.cu": 64,
    "spmm_csr_rowsplit.cu": 96,
    "dynamic_quantize_f32_naive.cu": 64,
    "dynamic_quantize_f32_vector.cu": 96,
}
# Without asynchronous copies (7.5) what is on its way to shared memory is kept in registers.
LIMITS_75 = {"matmul_f32_regtiled.cu": 168, "quantized_matmul_s8_mma.cu": 232}
# Empty of what they are about elsewhere, and not chosen there: file -> architectures.
ONLY = {
    "matmul_bf16_mma.cu": ("80", "86", "89", "90a"),
    "matmul_bf16_mmasp.cu": ("80", "86", "89"),
    "quantized_matmul_s8_mmasp.cu": ("80", "86", "89"),
    "matmul_bf16_wgmma.cu": ("90a",),
    "quantized_matmul_s8_wgmma.cu": ("90a",),
}
# part of a kernel's name -> instructions that it must hold, and how many at least
MUST_HOLD = {
    "quantized_tiled": {IDP: 128},
    "quantized_mmaI": {IMMA: 32, LDSM: 16, IDP: 64},
    "quantized_mmaspI": {IMMA: 16, LDSM: 12, IDP: 48},
    "bf16_mmaI": {HMMA: 32, LDSM: 16},
    "bf16_mmaspI": {HMMA: 16, LDSM: 12},
    "_mma.*3WayE0": {LDGSTS: 12},
    "quantized_wgmmaI": {IGMMA: 4, IDP: 32},
    "bf16_wgmmaI": {HGMMA: 4},
    "quantized_wgmma_ringI": {IGMMA: 4, UTMALDG: 2},
    "bf16_wgmma_ringI": {HGMMA: 4, UTMALDG: 2},
    "_wgmma.*3WayE0": {LDGSTS: 12},
}
# part of a kernel's name -> FFMA for each LDS at least
RATIOS = {"matmul_regtiledINS0_10BlockShapeILi128E": 14, "matmul_regtiledINS0_10BlockShapeILi64E": 10}


def histogram(cubin):
    """Opcode counts of every kernel of an ELF file."""
    data = cubin.read_bytes()
    (table,) = struct.unpack_from("<Q", data, 0x28)
    count, names_at = struct.unpack_from("<HH", data, 0x3C)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, table + 64 * i) for i in range(count)]
    names = sections[names_at][4]
    result = {}
    for section in sections:
        start = names + section[0]
        name = data[start:data.index(b"\0", start)].decode()
        if name.startswith(".text."):
            first, size = section[4], section[5]
            codes = (struct.unpack_from("<H", data, first + i)[0] & 0xFFF for i in range(0, size, 16))
            result[name[6:]] = collections.Counter(IDP if code & IDP_FORM == IDP & IDP_FORM else code for code in codes)
    return result


def short(name):
    """A mangled kernel name without what all have in common."""
    name = re.sub(r"^_ZN6tandem4cuda\d+_GLOBAL__N__[0-9a-f]+_\d+_\w+?_cu_[0-9a-f]{8}(_\d+)?", "", name)
    return re.sub(r"^\d+", "", name)


def compile_one(nvcc, source, arch, folder):
    cubin = folder / f"{source.stem}.{arch}.cubin"
    command = [nvcc, "-std=c++20", "--fmad=false", "-O3", f"-I{ROOT}", f"-I{ROOT}/common/include", "-Xptxas", "-v", "-cubin",
               "-gencode", f"arch=compute_{arch},code=sm_{arch}", "-o", str(cubin), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None, done.stderr
    serialised = re.findall(r"wgmma\.mma_async instructions are serialized.*", done.stderr)
    if serialised:
        return None, serialised[0]
    kernels = []
    for block in done.stderr.split("Compiling entry function '")[1:]:
        name = block.split("'")[0]
        kernels.append({
            "name": name,
            "registers": int(re.search(r"Used (\d+) registers", block).group(1)),
            "stack": int(re.search(r"(\d+) bytes stack frame", block).group(1)),
            "spills": sum(int(v) for v in re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", block).groups()),
        })
    counts = histogram(cubin)
    for kernel in kernels:
        kernel["codes"] = counts.get(kernel["name"], collections.Counter())
    return kernels, ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nvcc", default=shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc")
    parser.add_argument("--archs", default="80,90a")
    parser.add_argument("--only", default="", help="part of the file names to check")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="print every kernel, not only the failures")
    options = parser.parse_args()
    if not shutil.which(options.nvcc):
        print("skipped: no nvcc")
        return 77
    missing = [path.name for path in KERNELS.glob("*.cu")
               if path.name not in LIMITS and not path.name.endswith(("_thrust.cu", "_cub.cu"))]
    failures = [f"{name}: no limits stated in check_cubin.py" for name in missing]
    jobs = [(KERNELS / name, arch) for name in LIMITS if options.only in name for arch in options.archs.split(",")]
    total = 0
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = pool.map(lambda job: compile_one(options.nvcc, job[0], job[1], pathlib.Path(folder)), jobs)
        for (source, arch), (kernels, error) in zip(jobs, results):
            if kernels is None:
                failures.append(f"{source.name} for {arch}: does not compile as it should\n{error}")
                continue
            limit = LIMITS_75.get(source.name, LIMITS[source.name]) if arch == "75" else LIMITS[source.name]
            for kernel in kernels:
                total += 1
                codes = kernel["codes"]
                local = codes[LDL] + codes[STL]
                ratio = codes[FFMA] / codes[LDS] if codes[LDS] else 0.0
                where = f"{source.name} for {arch}: {short(kernel['name'])}"
                if options.list:
                    print(f"{where}: {kernel['registers']} registers, {kernel['spills']} bytes spilled, {codes[FFMA]} FFMA, "
                          f"{codes[IDP]} IDP, {codes[IMMA]} IMMA, {codes[HMMA]} HMMA, {codes[IGMMA]} IGMMA, {codes[HGMMA]} HGMMA, {codes[LDSM]} LDSM, {codes[LDGSTS]} LDGSTS, "
                          f"{codes[LDS]} LDS, {local} local accesses, {sum(codes.values())} instructions")
                if kernel["registers"] > limit:
                    failures.append(f"{where}: {kernel['registers']} registers, limit {limit}")
                if kernel["spills"] or local:
                    failures.append(f"{where}: {kernel['spills']} bytes spilled, {local} local accesses")
                for part, wanted in MUST_HOLD.items():
                    if not re.search(part, kernel["name"]) or arch not in ONLY.get(source.name, (arch,)):
                        continue
                    for code, least in wanted.items():
                        if codes[code] < least and not (arch == "75" and code == LDGSTS):
                            failures.append(f"{where}: {codes[code]} {NAMES[code]}, at least {least} wanted")
                for part, wanted in RATIOS.items():
                    if part in kernel["name"] and ratio < wanted:
                        failures.append(f"{where}: {ratio:.1f} FFMA for each LDS, at least {wanted} wanted")
    for failure in failures:
        print("FAILED", failure)
    print(f"{total} kernels checked, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
