"""Where the time goes, by PyTorch's profiler, which sees the kernels of the whole process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from .torch_common import set_precision, wait
from .torch_models import inputs, load

RUNS = 3
MOST = 12


def kernels(job: dict[str, Any], run: Any) -> dict[str, Any]:
    """Seconds and counts of a run by kernel; on the CPU, by operator."""
    from torch.profiler import ProfilerActivity, profile

    on_gpu = job["device"] == "cuda"
    activities = [ProfilerActivity.CUDA] if on_gpu else [ProfilerActivity.CPU]
    for _ in range(3):
        run()
    wait(job)
    with profile(activities=activities) as seen:
        for _ in range(RUNS):
            run()
        wait(job)
    rows = []
    for event in seen.key_averages():
        # Named by what it is called in each version of PyTorch.
        micro = getattr(event, "self_device_time_total", getattr(event, "self_cuda_time_total", 0)) if on_gpu else event.self_cpu_time_total
        if micro > 0:
            rows.append({"name": event.key[:110], "seconds": micro / 1e6 / RUNS, "count": event.count / RUNS})
    rows.sort(key=lambda row: -row["seconds"])
    return {
        "seconds": sum(row["seconds"] for row in rows),
        "count": sum(row["count"] for row in rows),
        "rows": rows[:MOST],
    }


@torch.no_grad()
def eager(job: dict[str, Any], case: dict[str, Any], ready: Any) -> dict[str, Any]:
    set_precision(job, case["precision"])
    folder = Path(job["folder"])
    try:
        model, _ = load(folder, {**case, "source": "reference"})
    except ModuleNotFoundError:
        model, _ = load(folder, {**case, "source": "package"})
    ready()
    model.to(job["device"])
    given = inputs(folder, case, job["device"])
    return kernels(job, lambda: model(**given))


def training(job: dict[str, Any], case: dict[str, Any], ready: Any) -> dict[str, Any]:
    from .torch_training import trainer

    ready()
    made, batch = trainer(job, case)
    steps = [0]

    def run() -> None:
        steps[0] += 1
        made.step([batch], steps[0])

    return kernels(job, run)


def of_crobc(job: dict[str, Any], case: dict[str, Any], ready: Any) -> dict[str, Any]:
    """The kernels of crobc's model, run by onnxruntime in this process: only onnxruntime-gpu has CUDA."""
    # PyTorch loads CUDA's libraries, which the provider then finds.
    import onnxruntime

    wanted = "CUDAExecutionProvider" if job["device"] == "cuda" else "CPUExecutionProvider"
    if wanted not in onnxruntime.get_available_providers():
        raise RuntimeError(f"the onnxruntime of this Python has no {wanted}: onnxruntime-gpu has it")
    path = Path(job["folder"]) / f"{case['name']}.profiled.onnx"
    if not path.exists():
        raise RuntimeError("crobc wrote no model")
    ready()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=[wanted])
    if wanted not in session.get_providers():
        raise RuntimeError("onnxruntime does not load its provider of CUDA")
    given = {name: one.numpy() for name, one in inputs(Path(job["folder"]), case, "cpu").items()}
    if job["device"] != "cuda":
        raise RuntimeError("PyTorch's profiler sees no kernels of onnxruntime on the CPU")
    return kernels(job, lambda: session.run(None, given))


KINDS = {"profile": eager, "profile-train": training, "kernels": of_crobc}
