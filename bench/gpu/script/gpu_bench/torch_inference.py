"""Inference in PyTorch: eager, compiled, and exported to ONNX."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .torch_common import DTYPES, first_run, lowered, peak, set_precision, timed
from .torch_models import difference, inputs, load


@torch.no_grad()
def infer(job: dict[str, Any], case: dict[str, Any], ready: Any) -> dict[str, Any]:
    folder, mode, precision = Path(job["folder"]), case["mode"], case["precision"]
    set_precision(job, precision)
    model, note = load(folder, case)
    compiled = mode not in ("eager", "cuda-graph")
    if not compiled:
        ready()
    else:
        # Compiling is a matter of the processor, and takes long: it does not wait for the device.
        torch._dynamo.reset()
    model.to(job["device"])
    given = inputs(folder, case, job["device"])
    candidates = ["f32"] if precision in ("f32", "tf32") else ["whole", "autocast"]
    forward = torch.compile(model, mode=mode) if compiled else model
    chosen, run, problem = "", None, None
    for how in candidates:
        try:
            run, seconds = prepared(job, model, forward, given, precision, how)
            chosen = how
            break
        except (RuntimeError, TypeError, ValueError) as error:
            problem = error
            model.float()
    if run is None:
        raise problem or RuntimeError("nothing runs")
    if mode == "cuda-graph":
        run = captured(job, run)
    for _ in range(3):
        run()
    if compiled:
        ready()
        run()
    found = timed(job, run)
    off = difference(folder, case, run())
    notes = [one for one in (note, "autocast" if chosen == "autocast" else None) if one]
    return {
        **found,
        "firstSeconds": seconds,
        **peak(job),
        **({} if off is None or note else {"difference": off if math.isfinite(off) else str(off)}),
        **({"note": "; ".join(notes)} if notes else {}),
    }


def captured(job: dict[str, Any], run: Any) -> Any:
    """Replays of one run, captured as PyTorch's documentation says. Unlike torch.compile, it needs no compiler."""
    if job["device"] != "cuda":
        raise RuntimeError("CUDA graphs are of CUDA")
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        outputs = run()

    def replay() -> Any:
        graph.replay()
        return outputs

    return replay


def prepared(
    job: dict[str, Any], model: nn.Module, forward: Any, given: dict[str, Any], precision: str, how: str
) -> tuple[Any, float]:
    """A run in a precision: the whole model in it, which is fastest, or by autocast. The seconds are those of the first."""
    if how == "whole":
        model.to(DTYPES[precision])
        given = {name: one.to(DTYPES[precision]) if one.is_floating_point() else one for name, one in given.items()}

    def run() -> Any:
        if how == "autocast":
            with lowered(job, precision):
                return forward(**given)
        return forward(**given)

    return run, first_run(job, run)


@torch.no_grad()
def export(job: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    """Writes NAME.export.onnx, with its weights inside: torch.onnx.export of the model of transformers, on the CPU."""
    import onnx  # noqa: F401  Says early that it is missing.
    import onnxscript  # noqa: F401

    import reference as models

    folder = Path(job["folder"])
    # One of several processes.
    torch.set_num_threads(2)
    model, note = load(folder, {**case, "source": "reference"})
    _, _, outputs = models.CASES[case["name"]]
    given = inputs(folder, case, "cpu")
    start = time.perf_counter()
    program = torch.onnx.export(
        model, kwargs=given, input_names=list(given), output_names=outputs, dynamo=True, verbose=False
    )
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    program.save(str(folder / f"{case['name']}.export.onnx"), external_data=False)
    return {
        "seconds": time.perf_counter() - start,
        "nodes": len(list(program.model.graph)),
        "opset": program.model.opset_imports[""],
        **({"note": note} if note else {}),
    }
