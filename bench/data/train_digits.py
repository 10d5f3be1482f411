#!/usr/bin/env python3
"""Makes the .npy files of this folder: the UCI optical digits and a trained 64-128-64-10 network.

    train_digits.py           train, write the eight files, print the accuracy and the sha256 sums
    train_digits.py --check   write nothing: read the files back, compare images and labels with their
                              source, run the forward pass in f32 and compare with the stated accuracy

Needs numpy, and sklearn.datasets for the images (Debian: python3-sklearn).

The same files come out on every machine. Training runs in f64, and after each step the parameters are
rounded to multiples of 2^-20. BLAS libraries and vector units differ in the last bits of a sum (about
1e-16 here), which the rounding (1e-6) removes before it can grow. With |w| < 8 such multiples are exact in f32.
"""
import argparse
import hashlib
import os
import sys

import numpy as np
from sklearn.datasets import load_digits

HERE = os.path.dirname(os.path.abspath(__file__))
LAYERS = (64, 128, 64, 10)
SEED = 20240607
EPOCHS = 120
BATCH = 32
LEARNING_RATE = 0.05
MOMENTUM = 0.9
WEIGHT_DECAY = 2e-4
GRID = 2.0**20

# Correct answers of the committed weights: (correct, images).
STATED = {"train": (1198, 1198), "test": (584, 599), "all": (1782, 1797)}


def load_source():
    """Images (1797 x 64, pixel / 16, so multiples of 1/16 in [0, 1]) and labels (1797, 0..9)."""
    digits = load_digits()
    return (digits.data / 16.0).astype("<f4"), digits.target.astype("<i4")


def split(count):
    """Row i is a test image where i % 3 == 2, otherwise a training image."""
    test = np.arange(count) % 3 == 2
    return ~test, test


def snap(values):
    return np.rint(values * GRID) / GRID


def initial_parameters(rng):
    """He initialisation (uniform), biases zero: [w1, b1, w2, b2, w3, b3], w stored k x n."""
    parameters = []
    for k, n in zip(LAYERS[:-1], LAYERS[1:]):
        limit = np.sqrt(6.0 / k)
        parameters += [snap(rng.uniform(-limit, limit, (k, n))), np.zeros(n)]
    return parameters


def forward(parameters, x):
    """The inputs of each layer and the logits: relu after the two hidden layers, none after the last."""
    w1, b1, w2, b2, w3, b3 = parameters
    h1 = np.maximum(x @ w1 + b1, 0)
    h2 = np.maximum(h1 @ w2 + b2, 0)
    return h1, h2, h2 @ w3 + b3


def gradients(parameters, x, y):
    """Gradients of the mean cross-entropy, in the order of the parameters."""
    _, _, w2, _, w3, _ = parameters
    h1, h2, logits = forward(parameters, x)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    d3 = p / p.sum(axis=1, keepdims=True)
    d3[np.arange(len(y)), y] -= 1
    d3 /= len(y)
    d2 = (d3 @ w3.T) * (h2 > 0)
    d1 = (d2 @ w2.T) * (h1 > 0)
    return [x.T @ d1, d1.sum(axis=0), h1.T @ d2, d2.sum(axis=0), h2.T @ d3, d3.sum(axis=0)]


def train(x, y):
    """Stochastic gradient descent with momentum, weight decay and a step that falls linearly to zero."""
    rng = np.random.RandomState(SEED)  # its streams are frozen across numpy versions
    parameters = initial_parameters(rng)
    velocity = [np.zeros_like(p) for p in parameters]
    for epoch in range(EPOCHS):
        rate = LEARNING_RATE * (1.0 - epoch / EPOCHS)
        order = rng.permutation(len(y))
        for start in range(0, len(y), BATCH):
            rows = order[start : start + BATCH]
            for i, g in enumerate(gradients(parameters, x[rows], y[rows])):
                decay = WEIGHT_DECAY * parameters[i] if parameters[i].ndim == 2 else 0.0
                velocity[i] = MOMENTUM * velocity[i] - rate * (g + decay)
                parameters[i] = snap(parameters[i] + velocity[i])
    return parameters


def correct_counts(parameters, images, labels):
    predicted = forward(parameters, images)[-1].argmax(axis=1)
    hit = predicted == labels
    rows_train, rows_test = split(len(labels))
    return {
        "train": (int(hit[rows_train].sum()), int(rows_train.sum())),
        "test": (int(hit[rows_test].sum()), int(rows_test.sum())),
        "all": (int(hit.sum()), len(hit)),
    }


def print_counts(counts):
    for name, (correct, total) in counts.items():
        print(f"{name:5} {correct:4} of {total:4}  {100.0 * correct / total:.2f} %")


NAMES = ("digits_images", "digits_labels", "w1", "b1", "w2", "b2", "w3", "b3")


def path_of(name):
    return os.path.join(HERE, name + ".npy")


def write():
    images, labels = load_source()
    rows_train, _ = split(len(labels))
    trained = train(images[rows_train].astype(np.float64), labels[rows_train])
    if max(np.abs(p).max() for p in trained) >= 8:
        sys.exit("a parameter reached 8: not exact in f32")
    parameters = [p.astype("<f4") for p in trained]
    for name, array in zip(NAMES, [images, labels] + parameters):
        np.save(path_of(name), np.ascontiguousarray(array))
    print_counts(correct_counts(parameters, images, labels))
    for name in NAMES:
        with open(path_of(name), "rb") as file:
            print(hashlib.sha256(file.read()).hexdigest(), name + ".npy")


def check():
    arrays = [np.load(path_of(name), allow_pickle=False) for name in NAMES]
    images, labels, parameters = arrays[0], arrays[1], arrays[2:]
    source_images, source_labels = load_source()
    shapes = [shape for k, n in zip(LAYERS[:-1], LAYERS[1:]) for shape in ((k, n), (n,))]
    problems = []
    if images.dtype != "<f4" or not np.array_equal(images, source_images):
        problems.append("digits_images.npy differs from the source")
    if labels.dtype != "<i4" or not np.array_equal(labels, source_labels):
        problems.append("digits_labels.npy differs from the source")
    for name, p, shape in zip(NAMES[2:], parameters, shapes):
        if p.dtype != "<f4" or p.shape != shape or not p.flags.c_contiguous:
            problems.append(f"{name}.npy is {p.dtype} {p.shape}, wanted f32 {shape} in C order")
    if not problems:
        counts = correct_counts(parameters, images, labels)
        print_counts(counts)
        problems += [f"{k}: {counts[k]} correct, stated {STATED[k]}" for k in STATED if counts[k] != STATED[k]]
    sys.exit("\n".join(problems) if problems else 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare the files with the source and the stated accuracy")
    check() if parser.parse_args().check else write()


if __name__ == "__main__":
    main()
