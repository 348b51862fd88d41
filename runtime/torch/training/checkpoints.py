"""Checkpoints of a run, in crobc's format: each program continues the runs of the other."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import safe_open
from torch import Tensor

from .checkpoint_files import (
    FILES,
    JSON_NAME,
    WEIGHTS,
    Best,
    CheckpointError,
    Progress,
    checksum,
    flush_folder,
    progress_of,
    sealed,
    verified,
    whole_files,
    write_tensors,
    write_text,
)

SCALER = "scaler:"
"""How the names of the state of the loss scale begin, which only runs in f16 have."""


@dataclass(frozen=True)
class StoredTensor:
    """A state tensor, the file in which it is stored (weights or state), and its name there."""

    name: str
    file: str
    stored_as: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Checkpoint:
    path: Path
    progress: Progress
    identity: dict[str, Any]


class CheckpointStore:
    """Folders `checkpoints/step-00000120` with the weights for predictions, the rest of the
    state, and JSON with their checksums.

    A folder is written under a temporary name, flushed and then renamed, so it exists
    completely or not at all. `last.safetensors` and `best.safetensors` beside them are links
    to these files, or copies of them, under fixed names.
    """

    def __init__(self, folder: Path, metadata: Mapping[str, str]) -> None:
        self.folder = folder
        self._checkpoints = folder / "checkpoints"
        self._metadata = metadata

    def steps(self) -> list[int]:
        """The steps of the complete checkpoints, latest first."""
        found = [re.fullmatch(r"step-(\d+)", name) for name in self._names()]
        return sorted((int(one[1]) for one in found if one), reverse=True)

    def path_of(self, step: int) -> Path:
        return self._checkpoints / f"step-{step:08d}"

    def clear_unfinished(self) -> None:
        """Removes incomplete checkpoints that a killed run left behind."""
        for name in self._names():
            if name.endswith(".part"):
                shutil.rmtree(self._checkpoints / name, ignore_errors=True)

    def save(
        self,
        progress: Progress,
        identity: Mapping[str, Any],
        state: Mapping[str, Tensor],
        stored: Sequence[StoredTensor],
    ) -> Path:
        """Writes a checkpoint and removes older ones except the previous and the best.

        Raises a CheckpointError; older ones then remain.
        """
        path = self.path_of(progress.step)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            # The checkpoint exists if a stop interrupted the evaluation after this step; its
            # tensors are the same.
            files = whole_files(path)
            if files is None:
                self._write(part, progress, identity, state, stored)
                part.rename(path)
                flush_folder(self._checkpoints)
            else:
                write_text(path / JSON_NAME, sealed(progress, identity, files))
            self.expose(progress)
            self._prune(progress.best)
        except OSError as error:
            shutil.rmtree(part, ignore_errors=True)
            raise CheckpointError(f"cannot write {path}: {error.strerror}") from error
        return path

    def _write(
        self,
        part: Path,
        progress: Progress,
        identity: Mapping[str, Any],
        state: Mapping[str, Tensor],
        stored: Sequence[StoredTensor],
    ) -> None:
        part.mkdir(parents=True, exist_ok=True)
        files = {}
        for kind, name in FILES.items():
            own = self._metadata if kind == "weights" else {}
            tensors = {
                one.stored_as: state[one.name] for one in stored if one.file == kind
            }
            if kind == "state":
                tensors |= {k: v for k, v in state.items() if k.startswith(SCALER)}
            metadata = {**own, "format": "pt", "step": str(progress.step)}
            write_tensors(part / name, tensors, metadata)
            files[name] = checksum(part / name)
        write_text(part / JSON_NAME, sealed(progress, identity, files))
        flush_folder(part)

    def expose(self, progress: Progress) -> None:
        """Updates `last.safetensors` and `best.safetensors` to this progress."""
        self._link_weights(progress.step, "last.safetensors")
        if progress.best is not None:
            self._link_weights(progress.best.step, "best.safetensors")
        else:
            (self.folder / "best.safetensors").unlink(missing_ok=True)

    def latest(self, report: Callable[[str], None]) -> Checkpoint | None:
        """The latest intact checkpoint. Damaged ones are renamed, with a message for each."""
        for step in self.steps():
            path = self.path_of(step)
            try:
                held = verified(path)
            except CheckpointError as error:
                aside = path.with_name(f"{path.name}.damaged")
                shutil.rmtree(aside, ignore_errors=True)
                path.rename(aside)
                report(f"{error}; it is now {aside}")
                continue
            return Checkpoint(path, progress_of(held["progress"]), held["identity"])
        return None

    def load(
        self, checkpoint: Checkpoint, stored: Sequence[StoredTensor]
    ) -> dict[str, Tensor]:
        """The tensors of a checkpoint by state name. Raises a CheckpointError if they do not
        match.
        """
        values = {}
        for kind, name in FILES.items():
            path = checkpoint.path / name
            with safe_open(path, framework="pt") as file:
                known = set(file.keys())
                for one in stored:
                    if one.file != kind:
                        continue
                    tensor = (
                        file.get_tensor(one.stored_as)
                        if one.stored_as in known
                        else None
                    )
                    if tensor is None or tuple(tensor.shape) != one.shape:
                        raise CheckpointError(
                            f"{path} has no {one.stored_as} of shape {list(one.shape)}: "
                            "it is of another model or recipe"
                        )
                    values[one.name] = tensor
                values |= {k: file.get_tensor(k) for k in known if k.startswith(SCALER)}
        return values

    def _names(self) -> list[str]:
        return os.listdir(self._checkpoints) if self._checkpoints.is_dir() else []

    def _link_weights(self, step: int, name: str) -> None:
        source = self.path_of(step) / WEIGHTS
        if not source.exists():
            return
        temporary = self.folder / f".{name}.{os.getpid()}.part"
        temporary.unlink(missing_ok=True)
        try:
            try:
                # A hard link if the file system supports it, else a copy.
                os.link(source, temporary)
            except OSError:
                shutil.copyfile(source, temporary)
            temporary.replace(self.folder / name)
        finally:
            # A rename between two links to the same file has no effect, so the temporary link
            # may still exist.
            temporary.unlink(missing_ok=True)

    def _prune(self, best: Best | None) -> None:
        for step in self.steps()[2:]:
            if best is not None and step == best.step:
                continue
            # Renamed first, so that a partly removed folder does not look like a checkpoint.
            doomed = self.path_of(step).with_name(f"{self.path_of(step).name}.part")
            shutil.rmtree(doomed, ignore_errors=True)
            self.path_of(step).rename(doomed)
            shutil.rmtree(doomed, ignore_errors=True)
