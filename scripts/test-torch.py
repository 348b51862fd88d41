"""Compares generated PyTorch packages with ONNX files of the same model and weights.

python test-torch.py FOLDER...: each folder has torch_model/ (the package), MODEL.onnx,
case.json (the model's name, sizes of dims, ranges of whole numbers) and perhaps
gradients.onnx, the gradients of a training step.
"""

import importlib
import json
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from safetensors.numpy import load_file

limit = 1e-5
gradient_limit = 1e-4
initial_limit = 3.0


def inputs_of(session, dims, draw, known):
    """Known inputs, and random ones: normal numbers, tokens, and masks whose first element
    is true."""
    values = {}
    for one in session.get_inputs():
        if one.name in known:
            values[one.name] = known[one.name].detach().numpy()
            continue
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


def layer_of(name):
    return name.rpartition(".")[0]


def compare_gradients(path, model, weights, dims):
    """The largest difference between the gradients of both in training, as a part of the
    largest gradient in the same layer: the gradient of a bias may be zero but for rounding.

    Weights are moved a little, because offsets of samples are whole numbers at first, where
    interpolation has no derivative.
    """
    # At other points, a ReLU may be so near to 0 that rounding decides on which side it is.
    draw = np.random.default_rng(12)
    with torch.no_grad():
        for _, one in weights:
            one.add_(torch.from_numpy(draw.standard_normal(one.shape).astype(np.float32)), alpha=0.02)
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    known = {f"{kind}:{name}": one for name, one in weights for kind in ("weight", "buffer")}
    values = inputs_of(session, dims, draw, known)
    names = [one.name for one in session.get_outputs()]
    expected = dict(zip(names, session.run(None, values), strict=True))
    model.train()
    model.zero_grad()
    given = [torch.from_numpy(one) for name, one in values.items() if name not in known]
    *inputs, target = given
    loss = (flat(model(*inputs))[0] * target).mean()
    loss.backward()
    model.eval()
    off = {"step:loss": difference(expected["step:loss"], loss)}
    scales: dict[str, float] = {}
    for name, slope in expected.items():
        if name.startswith("d:"):
            largest = float(np.abs(slope).max())
            scales[layer_of(name)] = max(scales.get(layer_of(name), 0.0), largest)
    for name, tensor in weights:
        slope = expected.pop(f"d:{name}", None)
        if slope is None or tensor.grad is None:
            if slope is not None or tensor.grad is not None:
                raise ValueError(f"{name}: only one of both has a gradient")
            continue
        off[name] = float(np.abs(slope - tensor.grad.numpy()).max()) / scales[layer_of(f"d:{name}")]
    left = [name for name in expected if name != "step:loss" and not name.startswith("term:")]
    if left:
        raise ValueError(f"not compared: {', '.join(left)}")
    # Unlike Python's max, argmax finds a NaN.
    where = int(np.argmax(list(off.values())))
    return list(off.values())[where], list(off)[where], len(off) - 1


def compare_initial(named_weights, path):
    """The largest distance between the distributions of the weights of a new model and of
    crobc's initial ones (Kolmogorov and Smirnov), in units of its deviation if both are the
    same: a weight of n numbers exceeds 3 once in 10^7 times.
    """
    own = {name: one.detach().numpy().ravel() for name, one in named_weights}
    worst, where = 0.0, ""
    for name, drawn in load_file(path).items():
        a, b = np.sort(own[name]), np.sort(drawn.ravel())
        # A single number is drawn, too, unless it is 0 or 1.
        is_constant = b[0] == b[-1] and (len(b) > 1 or b[0] in (0.0, 1.0))
        if is_constant or name.endswith("sampling_offsets.bias"):
            if not np.allclose(own[name], drawn.ravel(), rtol=1e-6, atol=1e-6):
                raise ValueError(f"{name} starts with other values")
            continue
        both = np.concatenate([a, b])
        shares = [np.searchsorted(one, both, side="right") / len(one) for one in (a, b)]
        distance = float(np.abs(shares[0] - shares[1]).max()) * (len(a) / 2) ** 0.5
        if distance > worst:
            worst, where = distance, name
    return worst, where


def exported_off(model, session, case, tensors):
    """Exports with a free batch, and with free sizes of images in multiples of a number, if
    the case has one; the largest difference at other sizes.
    """
    dims, multiple = case["dims"][0], case.get("multiple")
    free = {"B": torch.export.Dim("B", min=2, max=64)}
    own, other = dims, {**dims, "B": dims["B"] + 1}
    if multiple:
        # The program holds for each map of Swin whether it has several windows, and whether these are
        # padded: both are alike for these sizes.
        own, other = own | {"H": 7 * multiple, "W": 9 * multiple}, other | {"H": 11 * multiple, "W": 5 * multiple}
        for axis in ("H", "W"):
            free[axis] = multiple * torch.export.Dim(axis.lower(), min=5, max=64)
    shapes = tuple(
        {i: free[size] for i, size in enumerate(one.shape) if size in free}
        for one in session.get_inputs()
    )
    if dims["B"] < 2:
        raise ValueError("export needs a batch of 2 or more")
    def tensors_of(sizes):
        values = inputs_of(session, sizes, np.random.default_rng(5), {})
        return [torch.from_numpy(values[one.name]) for one in session.get_inputs()]

    if multiple:
        tensors = tensors_of(own)
    exported = torch.export.export(model, tuple(tensors), dynamic_shapes=shapes).module()
    again = tensors_of(other)
    with torch.no_grad():
        pairs = [*zip(flat(model(*tensors)), flat(exported(*tensors)), strict=True)]
        pairs += [*zip(flat(model(*again)), flat(exported(*again)), strict=True)]
    return max(difference(a.numpy(), b) for a, b in pairs)


def in_turns(ways, turns=30):
    """The median, smallest and largest time of each way in ms, measured in turns."""
    took = {name: [] for name in ways}
    with torch.no_grad():
        for turn in range(turns + 3):
            for name, way in ways.items():
                started = time.perf_counter()
                way()
                if turn >= 3:
                    took[name].append((time.perf_counter() - started) * 1000)
    return {name: (float(np.median(one)), min(one), max(one)) for name, one in took.items()}


def compare(folder, mode):
    case = json.loads((folder / "case.json").read_text())
    sys.path.insert(0, str(folder))
    for name in [one for one in sys.modules if one == "torch_model" or one.startswith("torch_model.")]:
        del sys.modules[name]
    package = importlib.import_module("torch_model")
    sys.path.remove(str(folder))
    name = case["model"]
    torch.manual_seed(3)
    model = getattr(package, name)()
    initial, where = compare_initial(
        package.named_weights(model), folder / "torch_model" / f"{name}.safetensors"
    )
    if initial > initial_limit:
        raise ValueError(f"{name}: initial values of {where} are drawn otherwise: {initial:.1f}")
    lacking = package.load_weights(model, folder / "torch_model" / f"{name}.safetensors")
    if lacking:
        raise ValueError(f"{name}: the file lacks {lacking}")
    model.eval()
    options = ort.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = ort.InferenceSession(
        folder / f"{name}.onnx", options, providers=["CPUExecutionProvider"]
    )
    draw = np.random.default_rng(7)
    worst = 0.0
    for dims in case["dims"]:
        values = inputs_of(session, dims, draw, {})
        tensors = [torch.from_numpy(values[one.name]) for one in session.get_inputs()]
        expected = session.run(None, values)
        with torch.no_grad():
            found = flat(model(*tensors))
        if len(found) != len(expected):
            raise ValueError(f"{name} has {len(found)} results, and ONNX has {len(expected)}")
        worst = max([worst, *(difference(a, b) for a, b in zip(expected, found, strict=True))])
    if worst > limit or not np.isfinite(worst):
        raise ValueError(f"{name}: results differ by {worst:.1e} of the largest")
    print(f"{name}: {worst:.1e}, initial values {initial:.1f}", end="", flush=True)
    if "compile" in mode or "time" in mode:
        started = time.monotonic()
        compiled = torch.compile(model, fullgraph=True, dynamic=None)
        with torch.no_grad():
            again = flat(compiled(*tensors))
        took = time.monotonic() - started
        off = max(difference(a.numpy(), b) for a, b in zip(found, again, strict=True))
        if off > 1e-4:
            raise ValueError(f"{name}: compiled, results differ by {off:.1e}")
        print(f", compiled {off:.1e} in {took:.0f} s", end="", flush=True)
    if "time" in mode:
        ways = {
            "eager": lambda: model(*tensors),
            "compiled": lambda: compiled(*tensors),
            "onnxruntime": lambda: session.run(None, values),
        }
        for way, (median, low, high) in in_turns(ways).items():
            print(f"\n  {way}: {median:.1f} ms ({low:.1f} to {high:.1f})", end="", flush=True)
    if "export" in mode:
        off = exported_off(model, session, case, tensors)
        if off > 1e-4:
            raise ValueError(f"{name}: exported, results differ by {off:.1e}")
        print(f", exported {off:.1e}", end="", flush=True)
    path = folder / "gradients.onnx"
    if path.exists():
        weights = list(package.named_weights(model))
        off, where, count = compare_gradients(path, model, weights, case["dims"][0])
        if not off <= gradient_limit:
            raise ValueError(f"{name}: gradients of {where} differ by {off:.1e} of the largest")
        print(f", {count} gradients {off:.1e}", end="", flush=True)


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
