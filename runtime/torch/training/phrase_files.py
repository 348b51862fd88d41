"""The layout of RISBench and RefSegRS: phrase files, a folder of images and one of masks."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .attributes import Attributes, read_attributes
from .errors import UserError
from .folders import (
    IMAGE_FOLDERS,
    MASK_FOLDERS,
    PictureFolder,
    name_fault,
    picture_folder,
)
from .json_text import SPACE, stringify, trim
from .lines import MOST_LINES, read_lines
from .masks import MaskFile
from .samples import Layout, Phrases, Report, Sample

_SPLIT = re.compile(r"output_phrase_([\w-]+)\.txt", re.ASCII)
_PARTS = re.compile(f"([^{SPACE}]+)[{SPACE}]*(.*)", re.DOTALL)
_TIFF = re.compile(r"\.tiff?\Z", re.IGNORECASE)

_MOST_BYTES = 4096
"""A longer line is not a phrase."""


def open_phrase_files(folder: str, names: Sequence[str]) -> Layout | None:
    """Returns None if the folder has no phrase file. Raises UserError if it has one and a
    folder of images or masks is missing."""
    splits = tuple(found[1] for name in names if (found := _SPLIT.fullmatch(name)))
    if not splits:
        return None
    images = picture_folder(folder, names, IMAGE_FOLDERS)
    masks = picture_folder(folder, names, MASK_FOLDERS)

    def file(split: str) -> str:
        return os.path.join(folder, f"output_phrase_{split}.txt")

    def read(split: str, report: Report) -> Phrases:
        attributes = os.path.join(folder, f"attributes_{split}.jsonl")
        return _read_samples(file(split), attributes, images, masks, report)

    return Layout(folder, splits, file, read)


def has_words(phrase: str) -> bool:
    """Whether a phrase has a visible character."""
    return any(unicodedata.category(one)[0] not in "CZM" for one in phrase)


class _PhraseLine(NamedTuple):
    line: int
    name: str
    """Empty if the line gives no phrase."""
    phrase: str


def _phrase_lines(file: str, report: Report) -> Iterator[_PhraseLine]:
    """Yields every line that counts, and reports bad ones."""
    blank = 0
    for number, text, fault in read_lines(file, _MOST_BYTES):
        if number > MOST_LINES:
            raise UserError(f"{file} has more than {MOST_LINES:,} lines")
        stripped = None if text is None else trim(text)
        if stripped == "":
            blank += 1
            continue
        # Empty lines are errors only if another line follows.
        for line in range(number - blank, number):
            report(file, line, "the line is empty")
            yield _PhraseLine(line, "", "")
        blank = 0
        wrong, name, phrase = fault, "", ""
        if stripped is not None and (found := _PARTS.fullmatch(stripped)):
            name, phrase = found[1], found[2]
            wrong = name_fault(name) or ""
            if not wrong and not has_words(phrase):
                wrong = f"there is no phrase behind {name}"
        if wrong:
            report(file, number, wrong)
        yield _PhraseLine(number, "" if wrong else name, phrase)


def _read_samples(
    file: str,
    attributes_file: str,
    images: PictureFolder,
    masks: PictureFolder,
    report: Report,
) -> Phrases:
    attributes = read_attributes(attributes_file)
    samples: list[Sample] = []
    digest = hashlib.sha256()
    lines = 0
    for line, name, phrase in _phrase_lines(file, report):
        lines = line
        if name == "":
            continue
        digest.update(f"{stringify([line, name, phrase])}\n".encode())
        image, mask = images.image(name), masks.mask(name)
        if image is None:
            report(file, line, f"there is no image {name} in {images.path}")
        elif mask is None:
            report(file, line, f"there is no mask {name} in {masks.path}")
        else:
            known: Attributes | str = Attributes(None, None)
            if attributes is not None and line <= len(attributes):
                known = attributes[line - 1]
            if isinstance(known, str):
                report(attributes_file, line, known)
                known = Attributes(None, None)
            # RefSegRS has values up to 50 around its masks.
            above = 50 if _TIFF.search(mask) else 0
            samples.append(
                Sample(image, MaskFile(mask, above), phrase, file, line, *known)
            )
    digest.update(f"{lines}".encode())
    if attributes is not None and len(attributes) != lines and lines > 0:
        # It is then unknown which line belongs to which phrase.
        text = (
            f"{len(attributes)} lines for the {lines} of {file}: "
            "categories and attributes are left out"
        )
        report(attributes_file, min(len(attributes), lines) + 1, text)
        samples = [
            Sample(one.image, one.mask, one.phrase, one.file, one.line)
            for one in samples
        ]
    return Phrases(samples, lines, digest.hexdigest())
