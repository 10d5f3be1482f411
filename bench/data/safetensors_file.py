"""Reading and writing safetensors files with numpy alone, for the scripts of this folder."""
import json

import numpy as np


def save(path, tensors, metadata):
    """f32 tensors in the order of their names; the same input gives the same bytes."""
    header = {"__metadata__": metadata}
    at = 0
    for name in sorted(tensors):
        assert tensors[name].dtype == "<f4", f"{name} is {tensors[name].dtype}"
        end = at + tensors[name].nbytes
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in sorted(tensors):
            file.write(np.ascontiguousarray(tensors[name]).tobytes())


def load(path):
    """The f32 tensors of a file, by name; others are left out."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    header.pop("__metadata__", None)
    return {name: np.frombuffer(data[e["data_offsets"][0] : e["data_offsets"][1]], "<f4").reshape(e["shape"])
            for name, e in header.items() if e["dtype"] == "F32"}


def model_metadata(name, layers):
    """The metadata that makes a file a model for tandem-model (docs/model-format.md)."""
    return {"tandem.model": json.dumps({"version": 1, "name": name, "layers": layers}, separators=(",", ":"))}
