"""Where the time goes, by PyTorch's profiler, which sees the kernels of the whole process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from .ort import Ort
from .torch_common import read_tensors, set_precision, timed, wait
from .torch_models import PACK, inputs, load

RUNS = 3
MOST = 24


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

    def run() -> None:
        model(**given)

    return {**kernels(job, run), "wall": wall(job, run)}


def training(job: dict[str, Any], case: dict[str, Any], ready: Any) -> dict[str, Any]:
    from .torch_training import trainer

    ready()
    made, batch = trainer(job, case)
    steps = [0]

    def run() -> None:
        steps[0] += 1
        made.step([batch], steps[0])

    return {**kernels(job, run), "wall": wall(job, run)}


def of_crobc(job: dict[str, Any], case: dict[str, Any], ready: Any) -> dict[str, Any]:
    """The kernels of crobc's model in crobc's onnxruntime."""
    folder = Path(job["folder"])
    path = written(folder / f"{case['name']}.profiled.onnx")
    given = inputs(folder, case, job["device"])
    run = Ort(library(folder)).run(path, given, job["device"], plan_memory=True)
    ready()
    return {**kernels(job, run), "wall": wall(job, run)}


def of_step(job: dict[str, Any], case: dict[str, Any], ready: Any) -> dict[str, Any]:
    """The kernels of crobc's training step, each started by itself, on a state of small random numbers."""
    folder, device = Path(job["folder"]), job["device"]
    path = written(folder / f"{case['name']}.step.onnx")
    batch = read_tensors(folder / f"{case['name']}.batch.safetensors")
    torch.manual_seed(1)
    given = {one["name"]: step_input(one, batch).to(device) for one in json.loads((folder / f"{case['name']}.step.json").read_text())}
    run = Ort(library(folder)).run(path, given, device, plan_memory=False)
    ready()
    return {**kernels(job, run), "wall": wall(job, run)}


def step_input(one: dict[str, Any], batch: dict[str, torch.Tensor]) -> torch.Tensor:
    shape, kind = one["shape"], one["kind"]
    if kind == "batch":
        # In the type that the step reads, such as 32-bit words.
        return batch[one["name"]].to(STEP_TYPES[one["dtype"]]).contiguous()
    if kind == "number":
        return torch.full(shape, one["number"], dtype=STEP_TYPES[one["dtype"]])
    return torch.rand(shape) if kind == "drawn" else 0.02 * torch.randn(shape)


STEP_TYPES = {"f32": torch.float32, "i32": torch.int32, "i64": torch.int64, "bool": torch.bool, "u8": torch.uint8}


def written(path: Path) -> Path:
    if not path.exists():
        raise RuntimeError("crobc wrote no model")
    return path


def library(folder: Path) -> Path:
    """crobc's onnxruntime with its provider of CUDA, which it looks for beside itself."""
    made = folder / "ort"
    made.mkdir(exist_ok=True)
    for source in [*PACK.glob("crobc/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1"), *folder.glob("data/crobc/*/*.so")]:
        link = made / source.name
        if not link.is_symlink():
            link.symlink_to(source.resolve())
    return made / "libonnxruntime.so.1"


def wall(job: dict[str, Any], run: Any) -> float:
    """Seconds of a run without the profiler. The kernels take less if the device waits for launches."""
    return float(timed({**job, "runs": 10, "fewest": 3}, run)["median"])


KINDS = {"profile": eager, "profile-train": training, "kernels": of_crobc, "kernels-step": of_step}
