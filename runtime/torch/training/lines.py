"""Lines of text files."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from .errors import file_error, regular_file

MOST_LINES = 5_000_000
"""Bounds the memory."""

_MOST_BYTES = 2**36
_CHUNK = 1 << 16
_END = re.compile(rb"\r\n|\r|\n")


class Line(NamedTuple):
    """A line without its end (LF, CRLF or CR)."""

    number: int
    """From 1."""
    text: str | None
    """None if the line is too long or not UTF-8."""
    fault: str
    """The reason, if there is no text."""


def read_lines(path: str, limit: int) -> Iterator[Line]:
    """Yields the lines of a file in UTF-8, or in UTF-16 with a byte order mark. Those of more
    than `limit` bytes of UTF-8 or with invalid text are faults. Raises UserError."""
    held: list[bytes] = []
    size = number = 0

    def take(part: bytes) -> None:
        nonlocal size
        size += len(part)
        # The bytes of a line that is too long are counted and not kept.
        if size <= limit:
            held.append(part)

    def finish() -> Line:
        nonlocal size, number
        number += 1
        data, length = b"".join(held), size
        held.clear()
        size = 0
        if length > limit:
            fault = f"the line has {length} bytes, over {limit}"
            return Line(number, None, fault)
        try:
            return Line(number, data.decode().removeprefix("\ufeff"), "")
        except UnicodeDecodeError:
            return Line(number, None, "the line is not UTF-8")

    after_cr = False
    for chunk in _utf8_parts(path):
        if after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
            after_cr = False
        if not chunk:
            continue
        *ended, last = _END.split(chunk)
        for part in ended:
            take(part)
            yield finish()
        take(last)
        after_cr = chunk.endswith(b"\r")
    if size > 0:
        yield finish()


def _utf8_parts(path: str) -> Iterator[bytes]:
    """The parts of a file; UTF-16 with a byte order mark becomes UTF-8."""
    decoder: codecs.IncrementalDecoder | None = None
    first = True
    for part in _parts(path):
        if first and part[:2] in (b"\xff\xfe", b"\xfe\xff"):
            name = "utf-16-le" if part[:2] == b"\xff\xfe" else "utf-16-be"
            decoder = codecs.getincrementaldecoder(name)("replace")
            part = part[2:]
        first = False
        yield decoder.decode(part).encode() if decoder else part
    if decoder:
        yield decoder.decode(b"", True).encode()


def _parts(path: str) -> Iterator[bytes]:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as file:
            regular_file(path, os.fstat(descriptor), _MOST_BYTES, "a text")
            while part := file.read(_CHUNK):
                yield part
    except OSError as error:
        raise file_error(path, error) from None
