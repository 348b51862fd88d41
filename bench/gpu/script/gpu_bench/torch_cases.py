"""The cases of PyTorch, one after the other."""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

Job = dict[str, Any]
Case = dict[str, Any]
Ready = Callable[[], None]


def main(path: str) -> None:
    job: Job = json.loads(Path(path).read_text(encoding="utf-8"))
    # Standard output is for events alone: what libraries print goes to the log.
    events = sys.stdout
    sys.stdout = sys.stderr

    def say(event: dict[str, Any]) -> None:
        events.write(f"@@{json.dumps(event)}\n")
        events.flush()

    for case in job["cases"]:
        name = case["id"]
        say({"begin": name})

        def ready() -> None:
            say({"ready": name})
            if not sys.stdin.readline():
                raise SystemExit("the script has ended")

        try:
            say({"result": name, **measured(job, case, ready)})
        except Exception as error:
            traceback.print_exc()
            say({"failed": name, "why": reason(error)})
            # What it held can be freed only without the traceback.
            del error
        if not is_usable(job):
            # It is started again for the cases that are left. Nothing is released, as that may not return.
            os._exit(1)


def measured(job: Job, case: Case, ready: Ready) -> dict[str, Any]:
    kind = case["kind"]
    if kind == "probe":
        from .torch_common import probe

        return probe(job)
    if kind == "eager":
        from .torch_inference import infer

        return infer(job, case, ready)
    if kind == "export":
        from .torch_inference import export

        return export(job, case)
    if kind == "train":
        from .torch_training import train

        return train(job, case, ready)
    from . import torch_profile

    return torch_profile.KINDS[kind](job, case, ready)


def reason(error: Exception) -> str:
    """One line: a module that is missing, or the first line of the message."""
    if isinstance(error, ModuleNotFoundError):
        return f"{error.name} is missing here"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:240] if lines else ''}".rstrip(": ")


def is_usable(job: Job) -> bool:
    """Frees the memory of a case. Whether the device does further work: after some failures all calls of this process fail."""
    gc.collect()
    if job["device"] != "cuda" or "torch" not in sys.modules:
        return True
    cuda = sys.modules["torch"].cuda
    try:
        if cuda.is_initialized():
            cuda.synchronize()
            cuda.empty_cache()
    except Exception:
        traceback.print_exc()
        return False
    return True
