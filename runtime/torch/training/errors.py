"""Errors that a user can mend."""

from __future__ import annotations

import errno
import os
import re
import stat

_REASONS = {
    errno.ENOENT: "no such file or folder",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EISDIR: "it is a folder",
    errno.ENOTDIR: "a part of the path is not a folder",
    errno.ENOSPC: "the disk is full",
    errno.EROFS: "the file system is read-only",
    errno.ENAMETOOLONG: "the name is too long",
}

_HALF = re.compile("[\ud800-\udfff]")


class UserError(Exception):
    """A message of one line about a file or a value, without a stack trace."""

    def __init__(self, message: str) -> None:
        # Half a surrogate pair, from a file, could not be printed.
        super().__init__(_HALF.sub("\ufffd", message))


def reason_of(error: OSError) -> str:
    """Why a file operation failed, in a few words."""
    known = _REASONS.get(error.errno or 0)
    if known is not None:
        return known
    return os.strerror(error.errno) if error.errno else str(error)


def file_error(path: str | os.PathLike[str], error: OSError) -> UserError:
    """The error for a file that could not be read."""
    return UserError(f"cannot read {os.fspath(path)}: {reason_of(error)}")


def read_bytes(path: str, most: int, what: str) -> bytes:
    """Reads a regular file of at most `most` bytes; `what` names its kind. Raises UserError."""
    try:
        # Opening a pipe would otherwise wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as file:
            regular_file(path, os.fstat(descriptor), most, what)
            data = file.read(most + 1)
    except OSError as error:
        raise file_error(path, error) from None
    if len(data) > most:
        raise UserError(f"cannot read {path}: {what} has {most:,} bytes at most")
    return data


def regular_file(path: str, status: os.stat_result, most: int, what: str) -> None:
    """Raises UserError for a folder, a device, and a file of more than `most` bytes."""

    if stat.S_ISDIR(status.st_mode):
        raise UserError(f"cannot read {path}: it is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise UserError(f"cannot read {path}: it is not a regular file")
    if status.st_size > most:
        raise UserError(
            f"cannot read {path}: it has {status.st_size:,} bytes, and {what} {most:,} at most"
        )
