"""Quantises a model built by crobc and compares it with the original; scripts/quantise.mjs runs this for each model.

python quantise.py MODEL.onnx [--open H=64,W=96 …] [--calibrate N]: prints one JSON object.
"""

import argparse
import json
import os
import warnings

import numpy as np
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process


def preprocess_known(model, prepared):
    quant_pre_process(model, prepared)


def preprocess_open(model, prepared):
    quant_pre_process(model, prepared, skip_symbolic_shape=True, save_as_external_data=True)


class Samples(CalibrationDataReader):
    """Provides given inputs for calibration."""

    def __init__(self, samples):
        self.samples = iter(samples)

    def get_next(self):
        return next(self.samples, None)


def draw(inputs, sizes, random):
    """Draws all inputs: images around 0, token ids, and a mask whose last quarter is padding."""
    feeds = {}
    for given in inputs:
        shape = [size if isinstance(size, int) else sizes[size] for size in given.shape]
        if given.type == "tensor(float)":
            feeds[given.name] = random.standard_normal(shape, dtype=np.float32)
        elif given.type == "tensor(int64)":
            feeds[given.name] = random.integers(0, 100, shape)
        else:
            feeds[given.name] = np.broadcast_to(np.arange(shape[-1]) < max(1, shape[-1] * 3 // 4), shape).copy()
    return feeds


def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def difference(found, wanted):
    """Returns the mean absolute error relative to the mean result, and whether all numbers are finite."""
    return {
        "error": float(np.abs(found - wanted).mean() / np.abs(wanted).mean()),
        "finite": bool(np.isfinite(found).all()) and found.shape == wanted.shape,
    }


def bytes_of(path):
    return sum(os.path.getsize(file) for file in (path, f"{path}.data") if os.path.exists(file))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("model")
    arguments.add_argument("--open", default="")
    arguments.add_argument("--calibrate", type=int, default=0)
    given = arguments.parse_args()
    warnings.simplefilter("ignore")
    stem = given.model.removesuffix(".onnx")
    prepared, dynamic, static = f"{stem}.pre.onnx", f"{stem}.dynamic.onnx", f"{stem}.static.onnx"

    (preprocess_open if given.open else preprocess_known)(given.model, prepared)
    quantize_dynamic(prepared, dynamic)

    sizes = {name: int(size) for name, size in (pair.split("=") for pair in given.open.split(",") if pair)}
    whole = session(given.model)
    random = np.random.default_rng(0)
    feeds = draw(whole.get_inputs(), sizes, random)
    [wanted] = whole.run(None, feeds)
    compared = {"prepared": prepared, "dynamic": dynamic}
    if given.calibrate > 0:
        samples = [draw(whole.get_inputs(), sizes, random) for _ in range(given.calibrate)]
        quantize_static(prepared, static, Samples(samples))
        compared["static"] = static
    results = {name: difference(session(path).run(None, feeds)[0], wanted) for name, path in compared.items()}
    print(json.dumps({**results, "bytes": bytes_of(given.model), "dynamicBytes": bytes_of(dynamic)}))


if __name__ == "__main__":
    main()
