"""Compares generated PyTorch packages with ONNX files of the same model and weights.

python test-torch.py FOLDER...: each folder has torch/ (the package), MODEL.onnx and
case.json: the model's name, sizes of dims, ranges of whole numbers.
"""

import importlib
import json
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch

limit = 1e-5


def inputs_of(session, dims, draw):
    """Random inputs: normal numbers, tokens, and masks whose first element is true."""
    values = {}
    for one in session.get_inputs():
        shape = [size if isinstance(size, int) else dims[size] for size in one.shape]
        if one.type == "tensor(float)":
            values[one.name] = draw.standard_normal(shape).astype(np.float32)
        elif one.type == "tensor(bool)":
            mask = draw.random(shape) < 0.7
            mask[..., 0] = True
            values[one.name] = mask
        elif one.type in ("tensor(int64)", "tensor(int32)"):
            dtype = np.int64 if one.type == "tensor(int64)" else np.int32
            values[one.name] = draw.integers(0, dims["tokens"], shape).astype(dtype)
        else:
            raise ValueError(f"{one.name} is a {one.type}")
    return values


def flat(results):
    if isinstance(results, torch.Tensor):
        return [results]
    return [x for one in results if one is not None for x in flat(one)]


def difference(expected, found):
    """The largest difference, as a part of the largest expected value."""
    scale = max(float(np.abs(expected).max()), 1e-30)
    return float(np.abs(expected - found.detach().numpy()).max()) / scale


def compare(folder, mode):
    case = json.loads((folder / "case.json").read_text())
    sys.path.insert(0, str(folder))
    for name in [one for one in sys.modules if one == "torch_model" or one.startswith("torch_model.")]:
        del sys.modules[name]
    package = importlib.import_module("torch_model")
    sys.path.remove(str(folder))
    name = case["model"]
    model = getattr(package, name)()
    lacking = package.load_weights(model, folder / "torch_model" / f"{name}.safetensors")
    if lacking:
        raise ValueError(f"{name}: the file lacks {lacking}")
    model.eval()
    session = ort.InferenceSession(folder / f"{name}.onnx", providers=["CPUExecutionProvider"])
    draw = np.random.default_rng(7)
    worst = 0.0
    for dims in case["dims"]:
        values = inputs_of(session, dims, draw)
        tensors = [torch.from_numpy(values[one.name]) for one in session.get_inputs()]
        expected = session.run(None, values)
        with torch.no_grad():
            found = flat(model(*tensors))
        if len(found) != len(expected):
            raise ValueError(f"{name} has {len(found)} results, and ONNX has {len(expected)}")
        worst = max([worst, *(difference(a, b) for a, b in zip(expected, found, strict=True))])
    if worst > limit or not np.isfinite(worst):
        raise ValueError(f"{name}: results differ by {worst:.1e} of the largest")
    print(f"{name}: {worst:.1e}", end="", flush=True)
    if "compile" in mode:
        compiled = torch.compile(model, fullgraph=True, dynamic=None)
        with torch.no_grad():
            again = flat(compiled(*tensors))
        off = max(difference(a.numpy(), b) for a, b in zip(found, again, strict=True))
        if off > 1e-4:
            raise ValueError(f"{name}: compiled, results differ by {off:.1e}")
        print(f", compiled {off:.1e}", end="", flush=True)
    if "export" in mode:
        exported = torch.export.export(model, tuple(tensors))
        with torch.no_grad():
            again = flat(exported.module()(*tensors))
        off = max(difference(a.numpy(), b) for a, b in zip(found, again, strict=True))
        if off > 1e-4:
            raise ValueError(f"{name}: exported, results differ by {off:.1e}")
        print(f", exported {off:.1e}", end="", flush=True)


def main():
    modes = [one.removeprefix("--") for one in sys.argv[1:] if one.startswith("--")]
    failed = []
    for folder in [Path(one) for one in sys.argv[1:] if not one.startswith("--")]:
        started = time.monotonic()
        try:
            compare(folder, modes)
            print(f"  ({time.monotonic() - started:.1f} s)", flush=True)
        except Exception as error:
            failed.append(folder.name)
            print(f"\nFAILED {folder.name}: {type(error).__name__}: {error}", flush=True)
            if "trace" in modes:
                raise
    if failed:
        raise SystemExit(f"{len(failed)} failed: {', '.join(failed)}")


main()
