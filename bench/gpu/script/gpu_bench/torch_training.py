"""Training steps of the packages that crobc writes: the recipe, the optimizer and the random numbers of PyTorch."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import torch

from .torch_common import first_run, peak, read_tensors, set_precision, timed
from .torch_models import PACK  # noqa: F401  Packages can be imported.


def trainer(job: dict[str, Any], case: dict[str, Any]) -> tuple[Any, dict[str, torch.Tensor]]:
    """A Trainer on the device, and its batch on the host."""
    folder, package = Path(job["folder"]), case["package"]
    for needed in ["batch.safetensors", "safetensors"]:
        if not (folder / f"{case['name']}.{needed}").exists():
            raise RuntimeError("crobc made no weights and no batch for it")
    program = importlib.import_module(f"{package}.recipe").PROGRAM
    step = importlib.import_module(f"{package}.training.step")
    processes = importlib.import_module(f"{package}.training.distributed").Processes
    precision = case["precision"]
    set_precision(job, precision)
    made = step.Trainer(
        program,
        processes=processes(0, 1, torch.device(job["device"])),
        # Of the schedule: so long that the rate stays.
        steps=1_000_000,
        precision="f32" if precision == "tf32" else precision,
        compiled=case.get("compiled", False),
    )
    made.load_weights(folder / f"{case['name']}.safetensors")
    return made, read_tensors(folder / f"{case['name']}.batch.safetensors")


def train(job: dict[str, Any], case: dict[str, Any], ready: Any) -> dict[str, Any]:
    compiled = case["compiled"]
    if not compiled:
        ready()
    made, batch = trainer(job, case)
    if job["device"] == "cuda":
        batch = {name: one.pin_memory() for name, one in batch.items()}
    losses: list[float] = []

    def run() -> None:
        losses.append(made.step([batch], len(losses) + 1).loss)

    seconds = first_run(job, run)
    for _ in range(2):
        run()
    if compiled:
        ready()
        run()
    found = timed(job, run)
    return {**found, "firstSeconds": seconds, "losses": losses[:5], **peak(job)}
