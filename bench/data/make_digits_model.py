#!/usr/bin/env python3
"""Writes digits.safetensors, the network of w1.npy to b3.npy as a model for tandem-model. Needs numpy.

    make_digits_model.py           write the file
    make_digits_model.py --check   write nothing: compare the file with the .npy files
"""
import argparse
import os
import sys

import numpy as np

import safetensors_file

HERE = os.path.dirname(os.path.abspath(__file__))
PATH = os.path.join(HERE, "digits.safetensors")


def tensors():
    names = [f"{kind}{layer}" for layer in (1, 2, 3) for kind in "wb"]
    return {name: np.load(os.path.join(HERE, name + ".npy"), allow_pickle=False) for name in names}


def layers():
    return [{"weight": f"w{i}", "bias": f"b{i}", **({"activation": "relu"} if i < 3 else {})} for i in (1, 2, 3)]


def check():
    stored, wanted = safetensors_file.load(PATH), tensors()
    same = stored.keys() == wanted.keys() and all(np.array_equal(stored[name], wanted[name]) for name in wanted)
    sys.exit(0 if same else "digits.safetensors differs from the .npy files")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare the file with the .npy files")
    if parser.parse_args().check:
        check()
    safetensors_file.save(PATH, tensors(), safetensors_file.model_metadata("digits", layers()))


if __name__ == "__main__":
    main()
