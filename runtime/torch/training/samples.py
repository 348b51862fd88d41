"""Samples of a data set, and problems with them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from .errors import UserError
from .masks import MaskSource

OnBad = Literal["stop", "skip"]
"""Whether the first bad sample ends the run, or bad samples are skipped and counted."""


@dataclass(frozen=True)
class Sample:
    """A phrase about an image, with the mask of the object that it names."""

    image: str
    """Path of the file."""
    mask: MaskSource
    phrase: str
    file: str
    """The file that has the phrase."""
    line: int
    """From 1. In a pickle, the number of the phrase among those of its split."""
    category: str | None = None
    attributes: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Phrases:
    """The samples of a split whose phrase, image and mask exist."""

    samples: list[Sample]
    lines: int
    """Those that give no sample among them."""
    hash: str
    """SHA-256 of the content of all lines, whether or not their images exist."""


class Report(Protocol):
    """Takes a problem with a line of a file."""

    def __call__(
        self, file: str, line: int, text: str, hint: str | None = None
    ) -> None: ...


@dataclass(frozen=True)
class Layout:
    """A data set on disk."""

    folder: str
    splits: tuple[str, ...]
    file: Callable[[str], str]
    """The file that has the phrases of a split."""
    read: Callable[[str, Report], Phrases]


def to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class Problems:
    """Reports problems: `stop` raises the first one as a UserError, `skip` reports ten."""

    _SHOWN = 10

    def __init__(self, on_bad: OnBad, report: Callable[[str], None]) -> None:
        self.on_bad = on_bad
        self.report = report
        self.count = 0

    def add(self, file: str, line: int, text: str, hint: str | None = None) -> None:
        shown = f"{file}:{line}: {text}"
        if self.on_bad == "stop":
            advice = hint or "--on-bad skip would go on without it"
            raise UserError(f"{shown} ({advice})")
        self.count += 1
        if self.count <= self._SHOWN:
            self.report(str(UserError(shown)))

    def finish(self) -> None:
        """Reports the number of problems beyond the first ten. Call it once at the end."""
        if self.count > self._SHOWN:
            self.report(f"and {self.count - self._SHOWN} more problems like these")
