#!/usr/bin/env python3
"""Writes the files of npy/ with NumPy, so that the reader is tested against files it did not write itself.

Element i in C order (of every file that holds plain numbers) has the value first + i * step; the tests know first
and step of each file. The committed files were made with numpy 1.24.2; files of other versions may differ in the padding of the header.
"""
import os

import numpy as np

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "npy")


def numbers(dtype, shape, first, step):
    count = int(np.prod(shape, dtype=np.int64))
    return (first + step * np.arange(count)).reshape(shape).astype(dtype)


def save(name, array, version=None):
    with open(os.path.join(HERE, name + ".npy"), "wb") as file:
        np.lib.format.write_array(file, array, version=version, allow_pickle=True)


def main():
    os.makedirs(HERE, exist_ok=True)
    # Files to be read.
    save("f32_3x4", numbers("<f4", (3, 4), -1.0, 0.5))
    save("f32_3x4_fortran", np.asfortranarray(numbers("<f4", (3, 4), -1.0, 0.5)))
    save("f32_2x3x4_fortran", np.asfortranarray(numbers("<f4", (2, 3, 4), 1.0, 0.25)))
    save("f32_scalar", numbers("<f4", (), 2.5, 0.0))
    save("f32_0x3", numbers("<f4", (0, 3), 0.0, 1.0))
    save("f32_rank8", numbers("<f4", (1, 2, 1, 2, 1, 2, 1, 2), 0.0, 1.0))
    save("f16_5", numbers("<f2", (5,), -1.0, 0.5))
    save("s8_2x3", numbers("|i1", (2, 3), -128, 51))
    save("u8_6", numbers("|u1", (6,), 0, 51))
    save("s32_2x2x2", numbers("<i4", (2, 2, 2), -(2**31), 2**29))
    save("f32_7_version2", numbers("<f4", (7,), 0.0, 1.0), version=(2, 0))
    save("f32_7_version3", numbers("<f4", (7,), 0.0, 1.0), version=(3, 0))
    # Files to be refused.
    save("big_endian_f32", numbers(">f4", (3,), 0, 1))
    save("big_endian_s32", numbers(">i4", (3,), 0, 1))
    save("f64", numbers("<f8", (3,), 0, 1))
    save("s64", numbers("<i8", (3,), 0, 1))
    save("bool", np.array([True, False]))
    save("complex", numbers("<c8", (3,), 0, 1))
    save("text", np.array(["a", "bc"]))
    save("object", np.array([{"a": 1}, None], dtype=object))
    save("structured", np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f4")]))
    save("rank9", numbers("<f4", (1,) * 9, 0, 1))


if __name__ == "__main__":
    main()
