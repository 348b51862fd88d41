"""The command line of train.py."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from .data import OnBad, OnSizeMismatch
from .phrases import Truncation
from .settings import Program
from .step import Precision


@dataclass(frozen=True)
class Arguments:
    data: Path
    out: Path
    resume: bool
    weights: Path | None
    device: str | None
    """None for CUDA if it works, else the CPU."""
    precision: Precision | None
    fsdp: bool
    crob_draws: bool
    compile: bool
    threads: int | None
    workers: int | None
    tokenizer: Path | None
    truncation: Truncation | None
    blank: bool
    on_bad: OnBad
    on_size_mismatch: OnSizeMismatch | None
    lines: bool
    """Whether crobc runs the program: it has the lock, and reads JSON lines."""


def parse_arguments(program: Program, words: Sequence[str] | None) -> Arguments:
    """Reads the command line; prints a message and ends the process if it is wrong."""
    recipe = program.recipe
    parser = argparse.ArgumentParser(
        prog="train.py",
        description=f"Trains {recipe.model} by the recipe {recipe.name}, as crobc train does.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("-d", "--data", type=Path, required=True, help="the folder of a data set")
    add("-o", "--out", type=Path, default=Path("out"), help="folder to write to (out)")
    add("--resume", action="store_true", help="continue from the last checkpoint")
    add(
        "-w",
        "--weights",
        type=Path,
        help="safetensors to start from; by default, those of the package",
    )
    add("--device", help="cpu, cuda or cuda:N; by default, CUDA if it works")
    add(
        "--precision",
        choices=get_args(Precision),
        help="the type in which the model computes; by default, that of the recipe, or f32",
    )
    add("--fsdp", action="store_true", help="shard weights and state over processes")
    add(
        "--crob-draws",
        action="store_true",
        help="draw dropout as crobc does, which gives the same losses",
    )
    add("--compile", action="store_true", help="compile the model by torch.compile")
    add("--threads", type=_count, help="threads of an operator on the CPU")
    add("--workers", type=_whole, help="processes that decode images (2)")
    if "tokens" in recipe.inputs:
        add(
            "--tokenizer",
            type=Path,
            help="vocab.txt or tokenizer.json; by default, that of the data",
        )
        add("--truncation", choices=get_args(Truncation), help="how phrases are cut")
        add("--no-phrases", dest="blank", action="store_true", help="blank all phrases")
    add(
        "--on-bad",
        choices=get_args(OnBad),
        default="stop",
        help="what to do with a sample that cannot be used (stop)",
    )
    add(
        "--on-size-mismatch",
        choices=get_args(OnSizeMismatch),
        help="what to do with a mask of another size than its image",
    )
    add("--lines", action="store_true", help=argparse.SUPPRESS)
    found = vars(parser.parse_args(words))
    without_words = {"tokenizer": None, "truncation": None, "blank": False}
    return Arguments(**{**without_words, **found})


def _whole(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError
    return value


def _count(text: str) -> int:
    if int(text) < 1:
        raise ValueError
    return int(text)
