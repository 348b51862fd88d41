"""metrics.jsonl and TensorBoard events of a run."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from .errors import UserError
from .json_output import json_text


def rounded(value: float) -> float:
    """A number to four places, as in crobc's logs."""
    return math.floor(value * 1e4 + 0.5) / 1e4


class MetricsLog:
    """metrics.jsonl: one JSON object per line, append-only."""

    def __init__(self, path: Path, step: int, evaluated: int) -> None:
        """Opens a log to continue from a checkpoint. Drops what the checkpoint does not include
        (lines of later steps, later evaluations, an incomplete last line), so that the file is
        the same as that of an unbroken run. Raises UserError if it is not writable."""
        self.path = path
        try:
            self._file = open(path, "a+b")  # noqa: SIM115, closed by close
            self._file.seek(0)
            text = self._file.read()
            self._file.truncate(_length_up_to(text, step, evaluated))
            self._file.seek(0, os.SEEK_END)
        except OSError as error:
            raise self._failed(error) from error

    def append(self, line: Mapping[str, Any]) -> None:
        """Adds a line; NaN and infinity become null."""
        try:
            self._file.write(json_text(dict(line)).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise self._failed(error) from error

    def sync(self) -> None:
        """Flushes all lines to disk."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        self._file.close()

    def _failed(self, error: OSError) -> UserError:
        return UserError(f"cannot write {self.path}: {error.strerror}")


def _length_up_to(text: bytes, step: int, evaluated: int) -> int:
    """The length of the complete lines up to and including a step. A step's line precedes that
    of its evaluation."""
    at = last = 0
    while (end := text.find(b"\n", at)) >= 0:
        found = _step_of(text[at:end])
        if found is None or found > step:
            break
        if found == last and found > evaluated:
            break
        last = found
        at = end + 1
    return at


def _step_of(line: bytes) -> int | None:
    try:
        step = json.loads(line)["step"]
    except (ValueError, KeyError, TypeError):
        return None
    return step if isinstance(step, int) else None


class Events(Protocol):
    """A log for TensorBoard."""

    def add_scalar(self, tag: str, value: float, step: int) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


def open_events(folder: Path, step: int) -> Events | None:
    """Continues a log for TensorBoard behind a step; None if the package tensorboard is not
    installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    # TensorBoard then drops the records of an interrupted run from this step on.
    purge = step + 1 if step > 0 else None
    writer: Events = SummaryWriter(str(folder), purge_step=purge)
    return writer
