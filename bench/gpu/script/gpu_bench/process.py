"""A process that measures the cases of a job, and says so line by line: see worker.ts for the lines."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Event:
    """What a process prints: a JSON object, or its end, with the exit code."""

    source: "Process"
    message: dict[str, Any] | None
    code: int | None = None


class Process:
    def __init__(
        self, command: list[str], job_file: Path, log: Path, env: dict[str, str], folder: Path, events: "queue.Queue[Event]"
    ) -> None:
        """`folder` is that in which it runs. Raises OSError if the program cannot be started."""
        self._log = log
        self._events = events
        with open(log, "ab") as messages:
            self._process = subprocess.Popen(
                [*command, str(job_file)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=messages,
                env=env,
                cwd=folder,
                # A group of its own, which ends as a whole: compilers start further processes.
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        threading.Thread(target=self._wait, daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            # Libraries print other things.
            at = line.find(b"@@{")
            if at < 0:
                continue
            try:
                self._events.put(Event(self, json.loads(line[at + 2 :])))
            except ValueError:
                continue

    def _wait(self) -> None:
        code = self._process.wait()
        # What it has started may live on, hold memory of the device, and keep its output open.
        self.kill()
        self._reader.join(3)
        self._events.put(Event(self, None, code))

    def go(self) -> None:
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(b"\n")
            self._process.stdin.flush()
        except OSError:
            pass  # It has ended, which its event says.

    def kill(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except OSError:
            pass

    def last_words(self) -> str:
        """The last line of its messages that names an error, else the last line."""
        try:
            text = self._log.read_bytes()[-4000:].decode("utf-8", "replace")
        except OSError:
            return ""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b", line)]
        return (errors or lines or [""])[-1][:200]


def ended_with(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"
    return f"exit code {code}"
