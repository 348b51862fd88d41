"""The files of a checkpoint, with the same bytes as crobc's."""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .errors import UserError
from .json_output import json_text

FORMAT = "crobc checkpoint 2"
JSON_NAME = "checkpoint.json"
WEIGHTS, STATE = "weights.safetensors", "state.safetensors"
FILES = {"weights": WEIGHTS, "state": STATE}


class CheckpointError(UserError):
    """A checkpoint that cannot be written, read or used."""


@dataclass(frozen=True)
class Best:
    """The best evaluation so far."""

    step: int
    score: float


@dataclass(frozen=True)
class Last:
    """Values of the last step."""

    loss: float
    lr: float


@dataclass(frozen=True)
class Progress:
    """The progress of a run after `step` steps. Its place in the data follows from the step.

    seconds: training time, including that before a resume. worse: number of evaluations
    since the best one. evaluated: last evaluated step; 0 if there is none.
    """

    step: int = 0
    seconds: float = 0
    last: Last | None = None
    best: Best | None = None
    worse: int = 0
    evaluated: int = 0


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> None:
    """Writes f32 tensors as a safetensors file, with the same bytes as crobc.

    The safetensors package writes its metadata in an order that changes from run to run.
    """
    header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))}
    end = 0
    names = sorted(tensors, key=lambda name: name.encode())
    for name in names:
        begin, end = end, end + 4 * tensors[name].numel()
        shape = list(tensors[name].shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}
    text = json_text(header).encode()
    # Trailing spaces align the data to 8 bytes.
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in names:
            value = tensors[name].detach().to("cpu", torch.float32).contiguous()
            file.write(np.asarray(value.numpy(), dtype="<f4").tobytes())
        file.flush()
        os.fsync(file.fileno())


def sealed(
    progress: Progress, identity: Mapping[str, Any], files: Mapping[str, Any]
) -> str:
    """The JSON with a checksum of all other members as its last member."""
    return _seal(
        {
            "format": FORMAT,
            "progress": asdict(progress),
            "identity": dict(identity),
            "files": dict(files),
        }
    )


def _seal(body: dict[str, Any]) -> str:
    digest = hashlib.sha256(json_text(body, 2).encode()).hexdigest()
    return json_text({**body, "sha256": digest}, 2) + "\n"


def verified(path: Path) -> dict[str, Any]:
    """The JSON of a checkpoint whose files are intact. Raises a CheckpointError."""

    def damaged(what: str) -> CheckpointError:
        return CheckpointError(f"the checkpoint {path} is damaged ({what})")

    try:
        text = (path / JSON_NAME).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise damaged(f"cannot read {JSON_NAME}: {error.strerror}") from error
    try:
        held = json.loads(text)
    except ValueError as error:
        raise damaged(f"{JSON_NAME} is no JSON") from error
    if not isinstance(held, dict) or held.get("format") != FORMAT:
        raise damaged(f"{JSON_NAME} is of another kind")
    body = {key: value for key, value in held.items() if key != "sha256"}
    if _seal(body) != text:
        raise damaged(f"{JSON_NAME} was changed")
    if set(body) != {"format", "progress", "identity", "files"}:
        raise damaged(f"{JSON_NAME} does not have what a checkpoint has")
    for name in FILES.values():
        wanted = body["files"][name]
        if not (path / name).exists():
            raise damaged(f"{name} is missing")
        size = (path / name).stat().st_size
        if size != wanted["bytes"]:
            raise damaged(f"{name} has {size} bytes of {wanted['bytes']}")
        if checksum(path / name)["sha256"] != wanted["sha256"]:
            raise damaged(f"{name} was changed")
    return body


def progress_of(held: Mapping[str, Any]) -> Progress:
    """The progress in the JSON of a checkpoint."""
    last, best = held["last"], held["best"]
    return Progress(
        **{
            **held,
            "last": None if last is None else Last(**last),
            "best": None if best is None else Best(**best),
        }
    )


def whole_files(path: Path) -> dict[str, Any] | None:
    """The checksums of a checkpoint if it exists and is intact."""
    if not path.exists():
        return None
    try:
        files: dict[str, Any] = verified(path)["files"]
        return files
    except CheckpointError:
        return None


def checksum(path: Path) -> dict[str, Any]:
    """The size and the SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
        return {"bytes": file.tell(), "sha256": digest.hexdigest()}


def write_text(path: Path, text: str) -> None:
    """Writes a file beside its place, flushes it and renames it."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    with open(aside, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def flush_folder(path: Path) -> None:
    """Flushes the names in a folder to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
