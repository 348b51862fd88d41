"""Sizes of images, and whether those of masks are the same."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from .errors import UserError, file_error, read_bytes
from .images import header_size
from .json_text import is_count, is_number, parse, stringify
from .masks import MaskFile, MaskSource, Regions, mask_name
from .samples import Report, Sample

OnSizeMismatch = Literal["resize", "skip", "stop"]
"""What to do with a mask of another size than its image; by default, it is a bad sample."""

_HINT = (
    "--on-size-mismatch resize would resize each by itself, "
    "--on-size-mismatch skip would leave the sample out"
)

_CACHE = ".crobc-sizes.json"
"""crobc's cache of sizes, which is read and written in its own format."""

_CACHE_VERSION = 2
_MOST_CACHE = 2**28

Size = tuple[int, int] | UserError
"""Width and height after turning, or what is wrong with the file."""


class SizeChecked(NamedTuple):
    samples: list[Sample]
    mismatched: str | None
    """A note on the masks of another size, where these are resized or skipped."""


def size_fault(
    source: MaskSource, image: tuple[int, int], mask: tuple[int, int]
) -> str | None:
    """The message for a mask whose width and height differ from its image."""
    if image == mask:
        return None
    return (
        f"{mask_name(source)} has {mask[0]} × {mask[1]} pixels, "
        f"and its image {image[0]} × {image[1]}"
    )


def check_sizes(
    samples: list[Sample],
    folders: Sequence[str],
    on_mismatch: OnSizeMismatch | None,
    report: Report,
) -> SizeChecked:
    """Returns the samples whose image and mask can be read, and have the same size unless they
    are resized; reports the others. Of `folders`, the first is that of the data set; a cache of
    sizes is written into the first that can be written."""
    files = {sample.image: None for sample in samples}
    for sample in samples:
        if isinstance(sample.mask, MaskFile):
            files[sample.mask.path] = None
    sizes = _image_sizes(files, folders)
    different: list[Sample] = []
    usable: list[Sample] = []
    for sample in samples:
        image, mask = sizes[sample.image], _mask_size(sample.mask, sizes)
        wrong = next((one for one in (image, mask) if isinstance(one, UserError)), None)
        if wrong is not None:
            report(sample.file, sample.line, str(wrong))
            continue
        fault = None
        if isinstance(image, tuple) and isinstance(mask, tuple):
            fault = size_fault(sample.mask, image, mask)
        if fault is None or on_mismatch == "resize":
            usable.append(sample)
        if fault is None:
            continue
        if on_mismatch == "stop":
            raise UserError(f"{sample.file}:{sample.line}: {fault} ({_HINT})")
        if on_mismatch is None:
            report(sample.file, sample.line, fault, _HINT)
        else:
            different.append(sample)
    if not different:
        return SizeChecked(usable, None)
    done = "are left out" if on_mismatch == "skip" else "are resized by themselves"
    note = (
        f"{len(different)} of {len(samples)} masks have another size than their images "
        f"and {done}: {different[0].file}:{different[0].line} is the first"
    )
    return SizeChecked(usable, note)


def _mask_size(source: MaskSource, sizes: Mapping[str, Size]) -> Size | None:
    """None for a phrase without a target."""
    if isinstance(source, MaskFile):
        return sizes[source.path]
    return (source.width, source.height) if isinstance(source, Regions) else None


def _image_sizes(paths: Iterable[str], folders: Sequence[str]) -> dict[str, Size]:
    """Reads sizes from headers, or from the cache while a file's length and modification time
    do not change."""
    caches = [os.path.join(folder, _CACHE) for folder in folders]
    known: dict[str, list[Any]] = {}
    for cache in caches:
        known.update(_read_cache(cache))
    entries = dict(known)
    found: dict[str, Size] = {}
    for path in paths:
        name = os.path.relpath(path, folders[0])
        try:
            status = os.stat(path)
        except OSError as error:
            found[path] = file_error(path, error)
            continue
        # As JavaScript computes the milliseconds.
        seconds, rest = divmod(status.st_mtime_ns, 1_000_000_000)
        stamp = [status.st_size, seconds * 1000 + rest / 1e6]
        held = known.get(name)
        if held is not None and held[:2] == stamp:
            found[path] = (held[2], held[3])
            continue
        try:
            width, height = header_size(path)
        except UserError as error:
            found[path] = error
            continue
        found[path] = (width, height)
        entries[name] = [*stamp, width, height]
    if entries != known:
        any(_write_cache(cache, entries) for cache in caches)
    return found


def _read_cache(path: str) -> dict[str, list[Any]]:
    """Nothing if the cache is missing or damaged: sizes are then read again."""
    try:
        json = parse(read_bytes(path, _MOST_CACHE, "a cache").decode())
        files, version, checksum = json["files"], json["version"], json["sha256"]
        if version != _CACHE_VERSION or checksum != _checksum(files):
            return {}
        for entry in files.values():
            if len(entry) != 4 or not all(map(is_number, entry)):
                return {}
            if not is_count(entry[2]) or not is_count(entry[3]):
                return {}
        return dict(files)
    except (UserError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _checksum(files: Mapping[str, list[Any]]) -> str:
    text = stringify(dict(files))
    return hashlib.sha256(text.encode()).hexdigest()


def _write_cache(path: str, files: Mapping[str, list[Any]]) -> bool:
    """Whether it could be written. If not, sizes are read again next time."""
    content = {
        "version": _CACHE_VERSION,
        "files": dict(files),
        "sha256": _checksum(files),
    }
    aside = f"{path}.{os.getpid()}.part"
    try:
        with open(aside, "x", encoding="utf-8") as file:
            file.write(f"{stringify(content)}\n")
        os.replace(aside, path)
        return True
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(aside)
        return False
