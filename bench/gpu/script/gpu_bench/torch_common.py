"""What the cases of PyTorch share: files, precision and time."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

DTYPES = {"f32": torch.float32, "tf32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
TYPES = {"F32": torch.float32, "I64": torch.int64, "BOOL": torch.bool}


def read_tensors(path: Path) -> dict[str, Tensor]:
    """A safetensors file, without its package."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = bytearray(file.read())
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        held = torch.frombuffer(data, dtype=torch.uint8, offset=begin, count=end - begin)
        # Offsets need not be multiples of the elements' size.
        found[name] = held.clone().view(TYPES[entry["dtype"]]).reshape(entry["shape"])
    return found


def set_precision(job: dict[str, Any], precision: str) -> None:
    """TF32 is for f32 alone; in half precision it has no effect on products of half matrices."""
    if "threads" in job:
        torch.set_num_threads(job["threads"])
    if job["device"] == "cuda":
        if not torch.cuda.is_available():
            raise RuntimeError(f"PyTorch {torch.__version__} sees no GPU here")
        torch.backends.cuda.matmul.allow_tf32 = precision != "f32"
        torch.backends.cudnn.allow_tf32 = precision != "f32"


def lowered(job: dict[str, Any], precision: str) -> AbstractContextManager[Any]:
    """Autocast to half precision."""
    if precision in ("f32", "tf32"):
        return nullcontext()
    return torch.autocast(job["device"], DTYPES[precision])


def wait(job: dict[str, Any]) -> None:
    if job["device"] == "cuda":
        torch.cuda.synchronize()


def timed(job: dict[str, Any], run: Callable[[], Any]) -> dict[str, Any]:
    """As timing.ts: each run is waited for."""
    samples: list[float] = []
    end = time.perf_counter() + job["seconds"]
    while len(samples) < job["fewest"] or (len(samples) < job["runs"] and time.perf_counter() < end):
        start = time.perf_counter()
        run()
        wait(job)
        samples.append(time.perf_counter() - start)
    ordered = sorted(samples)

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    return {
        "median": statistics.median(ordered),
        "low": ordered[0],
        "p10": at(0.1),
        "p90": at(0.9),
        "runs": len(ordered),
    }


def first_run(job: dict[str, Any], run: Callable[[], Any]) -> float:
    """Seconds of the first run, in which kernels are chosen and compiled."""
    start = time.perf_counter()
    run()
    wait(job)
    return time.perf_counter() - start


def probe(job: dict[str, Any]) -> dict[str, Any]:
    """Whether the device can be used at all."""
    start = time.perf_counter()
    set_precision(job, "tf32")
    (torch.ones(8, 8, device=job["device"]) @ torch.ones(8, 8, device=job["device"])).sum().item()
    return {"seconds": time.perf_counter() - start}


def peak(job: dict[str, Any]) -> dict[str, Any]:
    if job["device"] != "cuda":
        return {}
    return {"allocated": torch.cuda.max_memory_allocated(), "reserved": torch.cuda.max_memory_reserved()}
