"""What was measured: printed at once, and kept as JSON lines at once, so that a stop loses nothing."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any


# Of the time, for what is written at the end: who starts the script may stop it after as many minutes.
LAST_SECONDS = 8.0


class Results:
    def __init__(self, out: Path, minutes: float) -> None:
        self.begun = time.monotonic()
        self.minutes = minutes
        self.rows: list[dict[str, Any]] = []
        self.out = self._folder(out)
        self.work = self.out / "work"
        self.logs = self.out / "logs"
        for folder in (self.work, self.logs):
            folder.mkdir(parents=True, exist_ok=True)
        self._stopped_writing = False
        self._file = open(self.out / "results.jsonl", "a", encoding="utf-8")

    def _folder(self, out: Path) -> Path:
        try:
            out.mkdir(parents=True, exist_ok=True)
            probe = out / ".probe"
            probe.write_text("")
            probe.unlink()
            return out
        except OSError as error:
            other = temporary_folder()
            print(f"cannot write to {out} ({error.strerror}): results are in {other}", flush=True)
            return other

    @property
    def passed(self) -> float:
        return time.monotonic() - self.begun

    @property
    def left(self) -> float:
        """Seconds in which something is measured."""
        return self.minutes * 60 - min(LAST_SECONDS, 6 * self.minutes) - self.passed

    def say(self, text: str) -> None:
        self.show(f"{self.passed:6.1f} s  {text}")

    def show(self, text: str) -> None:
        try:
            print(text, flush=True)
        except OSError:
            pass  # The terminal is gone; the file is not.

    def add(self, row: dict[str, Any]) -> None:
        self.rows.append(row)
        self.say(summary(row))
        self.write(row)

    def write(self, row: dict[str, Any]) -> None:
        if self._stopped_writing:
            return
        try:
            self._file.write(json.dumps(row) + "\n")
            self._file.flush()
        except OSError as error:
            self._stopped_writing = True
            self.show(f"results.jsonl: {error.strerror}; what follows is only printed")

    def write_text(self, name: str, text: str) -> None:
        try:
            (self.out / name).write_text(text, encoding="utf-8")
        except OSError as error:
            self.show(f"{name}: {error.strerror}")

    def close(self, keep: bool) -> None:
        try:
            self._file.close()
        except OSError:
            pass
        if not keep:
            shutil.rmtree(self.work, ignore_errors=True)


def temporary_folder() -> Path:
    """Where something can be written, also without the usual folders. Raises OSError if nowhere."""
    try:
        return Path(tempfile.mkdtemp(prefix="gpu-bench-"))
    except OSError:
        return Path(tempfile.mkdtemp(prefix="gpu-bench-", dir="/dev/shm"))


def summary(row: dict[str, Any]) -> str:
    """One line of a result."""
    if "failed" in row:
        return f"{row['id']}: FAILED: {row['failed']}"
    facts = []
    if "median" in row:
        facts.append(f"{1000 * row['median']:.2f} ms (p10 {1000 * row['p10']:.2f}, p90 {1000 * row['p90']:.2f}, {row['runs']} runs)")
    if "graphMedian" in row:
        facts.append(f"{1000 * row['graphMedian']:.3f} ms as a CUDA graph")
    for key, text in {
        "parameters": "{:,} parameters",
        "nodes": "{:,.0f} nodes",
        "difference": "differs from the CPU by {}",
        "peak": "peak {:.2f} GiB",
        "seconds": "{:.3f} s",
        "cpuSeconds": "{:.2f} s on the CPU",
        "wall": "{:.4f} s a run",
        "note": "{}",
    }.items():
        if row.get(key) is not None:
            value = row[key]
            facts.append(text.format(size(value) if key == "difference" else value / 2**30 if key == "peak" else value))
    if row.get("losses"):
        facts.append(f"loss {number(row['losses'][0])}")
    return f"{row['id']}: {', '.join(facts) or 'done'}"


def number(value: "float | str | None") -> str:
    """What is not finite comes as text or, from JavaScript, not at all."""
    return f"{value:.4f}" if isinstance(value, (int, float)) else str(value)


def size(difference: "float | str") -> str:
    """A difference: not a number comes as text."""
    return difference if isinstance(difference, str) else f"{difference:.1e}"
