"""Samples in JSON lines, with a mask of its own for each phrase."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .attributes import Attributes, attribute_members
from .coco_parts import read_polygon, read_runs, read_size
from .errors import UserError
from .folders import (
    IMAGE_FOLDERS,
    MASK_FOLDERS,
    PictureFolder,
    name_fault,
    picture_folder,
)
from .json_text import MISSING, parse, quoted, shown, stringify, trim
from .lines import MOST_LINES, read_lines
from .masks import MaskFile, MaskSource, NoTarget, Outline, Regions, Runs
from .phrase_files import has_words
from .samples import Layout, Phrases, Report, Sample

_SPLIT = re.compile(r"samples_([\w-]+)\.jsonl", re.ASCII)

_MOST_BYTES = 1 << 24
"""Most of a line is a mask."""

_MEMBERS = ("image", "phrase", "mask", "category", "attributes")


class _Line(NamedTuple):
    image: str
    phrase: str
    mask: str | Regions | NoTarget
    """The name of a file, or the mask itself."""
    attributes: Attributes


def open_sample_lines(folder: str, names: Sequence[str]) -> Layout | None:
    """Returns None if the folder has no samples_{split}.jsonl."""
    splits = tuple(found[1] for name in names if (found := _SPLIT.fullmatch(name)))
    if not splits:
        return None
    images = picture_folder(folder, names, IMAGE_FOLDERS)
    # Masks may all be in the lines; a name of a mask then needs the folder.
    has_masks = any(one in names for one in MASK_FOLDERS)
    masks = picture_folder(folder, names, MASK_FOLDERS) if has_masks else None

    def file(split: str) -> str:
        return os.path.join(folder, f"samples_{split}.jsonl")

    def read(split: str, report: Report) -> Phrases:
        return _read_samples(file(split), images, masks, report)

    return Layout(folder, splits, file, read)


def _read_samples(
    file: str, images: PictureFolder, masks: PictureFolder | None, report: Report
) -> Phrases:
    samples: list[Sample] = []
    digest = hashlib.sha256()
    lines = 0
    for line, read in _sample_lines(file):
        lines = line
        if isinstance(read, str):
            report(file, line, read)
            continue
        digest.update(f"{stringify([line, _hashed(read)])}\n".encode())
        image = images.image(read.image)
        mask = _mask_file(read.mask, masks) if isinstance(read.mask, str) else read.mask
        if image is None:
            report(file, line, f"there is no image {read.image} in {images.path}")
        elif isinstance(mask, str):
            report(file, line, mask)
        else:
            samples.append(
                Sample(image, mask, read.phrase, file, line, *read.attributes)
            )
    digest.update(f"{lines}".encode())
    return Phrases(samples, lines, digest.hexdigest())


def _hashed(read: _Line) -> dict[str, Any]:
    """A line as crobc hashes it."""
    mask: dict[str, Any]
    if isinstance(read.mask, str):
        mask = {"kind": "name", "name": read.mask}
    elif isinstance(read.mask, NoTarget):
        mask = {"kind": "nothing"}
    else:
        parts = [_hashed_part(one) for one in read.mask.parts]
        height, width, on = read.mask.height, read.mask.width, read.mask.on
        mask = {
            "kind": "regions",
            "parts": parts,
            "height": height,
            "width": width,
            "on": on,
        }
    found = {"image": read.image, "phrase": read.phrase, "mask": mask}
    named = read.attributes._asdict()
    return found | {name: one for name, one in named.items() if one is not None}


def _hashed_part(part: Runs | Outline) -> dict[str, Any]:
    if isinstance(part, Outline):
        return {"kind": "polygon", "corners": part.corners}
    kind = "compressed" if isinstance(part.counts, str) else "runs"
    return {"kind": kind, "counts": part.counts}


def _mask_file(name: str, masks: PictureFolder | None) -> MaskSource | str:
    if masks is None:
        needed = " or ".join(MASK_FOLDERS)
        return f"there is no mask {name}: the data set has no folder {needed}"
    path = masks.image(name)
    return (
        f"there is no mask {name} in {masks.path}"
        if path is None
        else MaskFile(path, 0)
    )


def _sample_lines(file: str) -> Iterator[tuple[int, _Line | str]]:
    """Yields each line as a sample, or as what is wrong with it. Empty lines at the end are
    ignored."""
    blank = 0
    for number, text, fault in read_lines(file, _MOST_BYTES):
        if number > MOST_LINES:
            raise UserError(f"{file} has more than {MOST_LINES:,} lines")
        if text is not None and trim(text) == "":
            blank += 1
            continue
        for line in range(number - blank, number):
            yield line, "the line is empty"
        blank = 0
        yield number, fault if text is None else _read_line(text)


def _read_line(text: str) -> _Line | str:
    try:
        json = parse(text)
    except ValueError:
        return "the line is not JSON"
    if not isinstance(json, dict):
        return "the line is not a JSON object"
    for name in json:
        if name not in _MEMBERS:
            known = ", ".join(_MEMBERS)
            return f"{quoted(name)} is no member of a sample, which has {known}"
    image, phrase = json.get("image", MISSING), json.get("phrase", MISSING)
    if not isinstance(image, str):
        return f'"image" is {shown(image)}, and not a name'
    fault = name_fault(image)
    if fault is not None:
        return fault
    if not isinstance(phrase, str) or not has_words(phrase):
        return f'"phrase" is {shown(phrase)}, and has no words'
    mask = _read_mask(json.get("mask", MISSING))
    if isinstance(mask, _Fault):
        return mask.why
    attributes = attribute_members(json)
    if isinstance(attributes, str):
        return attributes
    return _Line(image, trim(phrase), mask, attributes)


class _Fault(NamedTuple):
    """What is wrong with a mask, as the name of one is a text as well."""

    why: str


def _read_mask(value: Any) -> str | Regions | NoTarget | _Fault:
    """A name, null, run lengths, a list of these, or polygons with their size."""
    if value is MISSING:
        advice = "give null if the phrase describes nothing in the image"
        return _Fault(f'"mask" is missing: {advice}')
    if value is None:
        return NoTarget()
    if isinstance(value, str):
        fault = name_fault(value)
        return value if fault is None else _Fault(fault)
    if isinstance(value, dict) and "polygons" in value:
        return _polygons(value)
    parts: list[Runs] = []
    sizes: list[tuple[int, int]] = []
    for one in value if isinstance(value, list) else [value]:
        read = read_runs(one)
        if isinstance(read, str):
            return _Fault(f'"mask": {read}')
        parts.append(read[0])
        sizes.append(read[1])
    if not parts:
        advice = "give null if the phrase describes nothing in the image"
        return _Fault(f'"mask" is empty: {advice}')
    if any(size != sizes[0] for size in sizes):
        return _Fault('"mask" has parts of different sizes')
    return Regions(tuple(parts), *sizes[0], on="any")


def _polygons(value: dict[str, Any]) -> Regions | _Fault:
    size = read_size(value.get("size", MISSING))
    if isinstance(size, str):
        return _Fault(f'"mask": {size}')
    polygons = value["polygons"]
    if not isinstance(polygons, list) or not polygons:
        return _Fault(f'"polygons" is {shown(polygons)}, and not a list of polygons')
    parts: list[Outline] = []
    for one in polygons:
        read = read_polygon(one)
        if isinstance(read, str):
            return _Fault(f'"mask": {read}')
        parts.append(read)
    return Regions(tuple(parts), *size, on="any")
