"""Data sets of images, phrases and masks, read as crobc reads them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .errors import UserError, file_error
from .json_text import quoted
from .phrase_files import open_phrase_files
from .rrsis_d import open_rrsis_d
from .sample_lines import open_sample_lines
from .samples import Layout, OnBad, Problems, Sample, to_stderr
from .sizes import OnSizeMismatch, check_sizes

__all__ = [
    "DataOptions",
    "Dataset",
    "OnBad",
    "OnSizeMismatch",
    "Sample",
    "data_hash",
    "open_dataset",
    "splits",
]

_FIRST_SPLITS = ("train", "val", "test")


@dataclass
class Dataset:
    """A split of a data set, whose lines and sizes of images have been checked."""

    folder: Path
    split: str
    samples: list[Sample]
    lines: int
    """Of the file, those that give no sample among them."""
    hash: str
    """SHA-256 of the content of all lines, equal to crobc's; a resumed run must find the
    same."""
    resized: bool
    """Whether an image and its mask may have different sizes, each of which is then resized by
    itself."""
    undecodable: set[int] = field(default_factory=set)
    """Indices of samples whose files turned out to be damaged."""


@dataclass(frozen=True)
class DataOptions:
    on_bad: OnBad = "stop"
    on_size_mismatch: OnSizeMismatch | None = None
    report: Callable[[str], None] = to_stderr
    """Takes notes and bad samples of one line."""
    cache: Path | None = None
    """A folder for sizes of images, if that of the data set cannot be written."""


def splits(folder: Path) -> list[str]:
    """The splits that have samples, train, val and test first. Raises UserError if the folder
    is no data set."""
    return list(_open_layout(os.fspath(folder)).splits)


def open_dataset(
    folder: Path, split: str, options: DataOptions | None = None
) -> Dataset:
    """Opens a split in any layout that crobc reads: phrase files (RISBench, RefSegRS),
    samples_{split}.jsonl, RRSIS-D. Checks lines, files and sizes; does not read pixels.
    Raises UserError."""
    options = options or DataOptions()
    problems = Problems(options.on_bad, options.report)
    layout = _open_layout(os.fspath(folder))
    if split not in layout.splits:
        known = ", ".join(layout.splits)
        raise UserError(f"{folder} has no split {quoted(split)}: it has {known}")
    read = layout.read(split, problems.add)
    file = layout.file(split)
    if read.lines == 0:
        raise UserError(f"{file} is empty: put phrases into it, or remove it")
    caches = [layout.folder] + ([] if options.cache is None else [str(options.cache)])
    checked = check_sizes(read.samples, caches, options.on_size_mismatch, problems.add)
    problems.finish()
    if checked.mismatched is not None:
        options.report(checked.mismatched)
    if not checked.samples:
        raise UserError(f"{file} has no sample that can be used")
    resized = options.on_size_mismatch == "resize"
    return Dataset(Path(folder), split, checked.samples, read.lines, read.hash, resized)


def _open_layout(folder: str) -> Layout:
    """Recognises the layout. Raises UserError that names what is missing."""
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise file_error(folder, error) from None
    openers = (open_rrsis_d, open_sample_lines, open_phrase_files)
    found = [layout for one in openers if (layout := one(folder, names)) is not None]
    if not found:
        raise UserError(
            f"{folder} is no data set: it has none of output_phrase_train.txt (RISBench, "
            "RefSegRS), samples_train.jsonl and rrsisd/refs(unc).p (RRSIS-D)"
        )
    if len(found) > 1:
        files = " and ".join(one.file(one.splits[0]) for one in found)
        raise UserError(
            f"{folder} has the samples of more than one layout: {files}; remove or rename one"
        )
    (layout,) = found
    ranks = {name: rank for rank, name in enumerate(_FIRST_SPLITS)}
    ordered = sorted(layout.splits, key=lambda one: (ranks.get(one, len(ranks)), one))
    return Layout(layout.folder, tuple(ordered), layout.file, layout.read)


def data_hash(train: Dataset, val: Dataset | None) -> str:
    """What a run's identity has about its data."""
    return f"{train.hash} {val.hash if val else 'none'}"
