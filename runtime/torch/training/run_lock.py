"""A lock on the folder of a run against other runs, the same as crobc's."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import UserError
from .json_output import json_text

_NAME = ".lock"


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Locks a folder. Takes over a lock of a process that no longer exists. Raises UserError
    that names the process that holds the lock.

    A lock is a hard link to a file of its contender, so it appears with its complete text,
    and for only one contender. The right to remove a stale lock is itself a lock, whose name
    is derived from the stale text, so that no later lock is removed.
    """
    identity = str(uuid.uuid4())
    own = {
        "pid": os.getpid(),
        "started": _started(os.getpid()) or "",
        "host": socket.gethostname(),
        "id": identity,
    }
    text = json_text(own) + "\n"
    contender = folder / f"{_NAME}.{identity}"
    lock = folder / _NAME
    try:
        contender.write_text(text, encoding="utf-8")
        holder = _acquire(lock, contender)
    except OSError as error:
        raise UserError(f"cannot write {lock}: {error.strerror}") from error
    finally:
        contender.unlink(missing_ok=True)
    if holder is not None:
        raise UserError(_busy(folder, lock, holder))
    try:
        yield
    finally:
        if _read(lock) == text:
            lock.unlink(missing_ok=True)


def _acquire(path: Path, contender: Path) -> dict[str, Any] | None:
    """Takes the lock at a path, or returns the process that holds it."""
    while True:
        try:
            os.link(contender, path)
            return None
        except FileExistsError:
            pass
        found = _read(path)
        if found is None:
            continue
        holder = _holder(found)
        if holder is not None and _is_alive(holder):
            return holder
        digest = hashlib.sha256(found.encode()).hexdigest()[:16]
        right = path.with_name(f"{path.name}.{digest}")
        other = _acquire(right, contender)
        if other is not None:
            return other
        try:
            if _read(path) == found:
                path.unlink()
        finally:
            right.unlink()


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _holder(text: str) -> dict[str, Any] | None:
    try:
        held = json.loads(text)
    except ValueError:
        return None
    wanted = {"pid": int, "started": str, "host": str}
    if not isinstance(held, dict):
        return None
    whole = all(isinstance(held.get(key), kind) for key, kind in wanted.items())
    return held if whole else None


def _is_alive(holder: dict[str, Any]) -> bool:
    """Whether the holder still runs. One on another machine counts as alive, since this cannot
    be checked."""
    if holder["host"] != socket.gethostname():
        return True
    try:
        os.kill(holder["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    now = _started(holder["pid"])
    return now is None or holder["started"] in ("", now)


def _started(pid: int) -> str | None:
    """The start time of a process in ticks since the machine started, if the system has it."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return None
    # The second field, the name in parentheses, may contain anything.
    return text[text.rindex(")") + 2 :].split(" ")[19]


def _busy(folder: Path, lock: Path, holder: dict[str, Any]) -> str:
    here = holder["host"] == socket.gethostname()
    where = "" if here else f" on {holder['host']}"
    advice = "" if here else f"; where that machine or container is gone, delete {lock}"
    return (
        f"{folder} is in use by another run (process {holder['pid']}{where}): wait for it, "
        f"or choose another -o{advice}"
    )
