#!/usr/bin/env python3
"""Writes the files of safetensors/ with the safetensors package, so that the reader is tested against files it did not
write itself, and the writer against the package's bytes.

Element i in C order of every tensor has the value first + i * step; the tests know first and step of each. The
committed files were made with safetensors 0.8.0 and numpy 2.4.6 (pip install safetensors numpy). At most one metadata
key a file: the package writes several in an order that changes from run to run.
"""
import os

import numpy as np
from safetensors import TensorSpec, serialize

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "safetensors")


def numbers(dtype, shape, first, step):
    count = int(np.prod(shape, dtype=np.int64))
    return (first + step * np.arange(count)).reshape(shape).astype(dtype)


def bfloat16(shape, first, step):
    bits = numbers("<f4", shape, first, step).view("<u4")
    assert not (bits & 0xFFFF).any(), "not exact in bfloat16"
    return (bits >> 16).astype("<u2")


NAMES = {"f4": "float32", "f2": "float16", "i1": "int8", "u1": "uint8", "i4": "int32", "f8": "float64", "i8": "int64",
         "b1": "bool", "u2": "bfloat16"}


def save(name, tensors, metadata=None):
    specs = {key: TensorSpec(dtype=NAMES[a.dtype.str[1:]], shape=list(a.shape), data_ptr=a.ctypes.data, data_len=a.nbytes)
             for key, a in tensors.items()}
    with open(os.path.join(HERE, name + ".safetensors"), "wb") as file:
        file.write(serialize(specs, metadata))


def main():
    os.makedirs(HERE, exist_ok=True)
    # Files to be read.
    save("dtypes", {
        "a.f32": numbers("<f4", (3, 4), -1.0, 0.5),
        "b.bf16": bfloat16((2, 3), -1.0, 0.5),
        "c.f16": numbers("<f2", (5,), -1.0, 0.5),
        "d.s8": numbers("|i1", (2, 3), -128, 51),
        "e.u8": numbers("|u1", (6,), 0, 51),
        "f.s32": numbers("<i4", (2, 2, 2), -(2**31), 2**29),
    }, {"format": "pt"})
    save("shapes", {
        "scalar": numbers("<f4", (), 2.5, 0.0),
        "empty": numbers("<f4", (0, 3), 0.0, 1.0),
        "rank8": numbers("<f4", (1, 2, 1, 2, 1, 2, 1, 2), 0.0, 1.0),
        "bytes": numbers("|u1", (3,), 7, 1),
    })
    save("names", {
        "quote \" and \\ \x01\n\x7f": numbers("<f4", (1,), 1.0, 0.0),
        "\u00e9\u20ac\U0001f600": numbers("<f4", (1,), 2.0, 0.0),
        "": numbers("<f4", (1,), 3.0, 0.0),
    }, {"note \u20ac": "line\nline"})
    save("nothing", {})
    # Files to be refused.
    save("f64", {"w": numbers("<f8", (3,), 0, 1)})
    save("s64", {"w": numbers("<i8", (3,), 0, 1)})
    save("bool", {"w": np.array([True, False])})
    save("rank9", {"w": numbers("<f4", (1,) * 9, 0, 1)})


if __name__ == "__main__":
    main()
