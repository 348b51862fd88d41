"""Batches of a data set, made by processes of PyTorch's DataLoader."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch.utils.data import DataLoader

from .data import Dataset
from .errors import UserError
from .loading import (
    EpochSamples,
    InputSizes,
    LoadedBatch,
    Loading,
    OrderedSamples,
    Samples,
)
from .phrases import Tokenizer
from .samples import OnBad, Problems, to_stderr
from .settings import Batch, Recipe

__all__ = [
    "Feeding",
    "InputSizes",
    "ordered_batches",
    "sizes_of",
    "step_batches",
]

_AHEAD = 2
"""Batches that each process makes in advance."""


class Steps(Protocol):
    """The part of a plan that is read here."""

    @property
    def steps_per_epoch(self) -> int: ...


def sizes_of(recipe: Recipe) -> InputSizes:
    """The sizes that a recipe binds by the names B, H, W and T."""
    words = recipe.dims["T"] if "tokens" in recipe.inputs else None
    return InputSizes(recipe.dims["B"], recipe.dims["H"], recipe.dims["W"], words)


@dataclass(frozen=True)
class Feeding:
    """How samples are loaded."""

    tokenizer: Tokenizer | None
    """None for a model that reads only images."""
    workers: int = 2
    """Processes that decode; with 0, this process does."""
    on_bad: OnBad = "stop"
    blank: bool = False
    """Replaces every phrase by an empty one."""
    report: Callable[[str], None] = to_stderr
    """Takes bad samples of one line."""
    pin_memory: bool = False
    """Whether batches are in memory that a GPU copies from faster."""


def step_batches(
    dataset: Dataset,
    first_step: int,
    plan: Steps,
    recipe: Recipe,
    feeding: Feeding,
    *,
    seed: int | None = None,
    sizes: InputSizes | None = None,
    rank: int = 0,
    world: int = 1,
) -> Iterator[list[Batch]]:
    """Yields the micro-batches of step `first_step` (from 1) and of all later ones, over all
    epochs; of each, this process's share of the samples. They do not depend on the first
    step. `seed` is by default the recipe's. Close the iterator to end the processes. Raises
    UserError for a bad sample, and if the batch does not divide by `world`."""
    sizes = sizes or sizes_of(recipe)
    if sizes.batch % world != 0:
        raise UserError(
            f"a batch of {sizes.batch} does not divide among {world} processes: "
            f"take a multiple, as by --set B={-(-sizes.batch // world) * world}"
        )
    loading = Loading(dataset, sizes, feeding.tokenizer, feeding.blank)
    chosen = recipe.seed if seed is None else seed
    samples = EpochSamples(loading, chosen, recipe.augment)
    places = _StepPlaces(
        first_step, plan.steps_per_epoch, recipe.accumulate, sizes.batch, rank, world
    )
    return _grouped(dataset, samples, places, feeding)


def _grouped(
    dataset: Dataset,
    samples: Samples,
    places: _StepPlaces,
    feeding: Feeding,
) -> Iterator[list[Batch]]:
    problems = Problems(feeding.on_bad, feeding.report)
    micro: list[Batch] = []
    step = places.first_step
    for loaded in _loaded(samples, places, feeding):
        _note_bad(dataset, loaded, problems)
        if loaded.batch is None:
            raise UserError(f"{dataset.folder} has no sample that can be used")
        micro.append(loaded.batch)
        if len(micro) < places.accumulate:
            continue
        yield micro
        micro = []
        if step % places.steps_per_epoch == 0:
            # Each epoch reports ten bad samples, and the number of the others.
            problems.finish()
            problems = Problems(feeding.on_bad, feeding.report)
        step += 1


@dataclass(frozen=True)
class _StepPlaces:
    """The places of each micro-batch of one process, without an end."""

    first_step: int
    steps_per_epoch: int
    accumulate: int
    batch: int
    rank: int
    world: int

    def __iter__(self) -> Iterator[tuple[int, range]]:
        share = self.batch // self.world
        step = self.first_step - 1
        while True:
            epoch, at = divmod(step, self.steps_per_epoch)
            for micro in range(at * self.accumulate, (at + 1) * self.accumulate):
                start = micro * self.batch + self.rank * share
                yield epoch, range(start, start + share)
            step += 1


def ordered_batches(
    dataset: Dataset,
    order: Sequence[int],
    sizes: InputSizes,
    feeding: Feeding,
    *,
    rank: int = 0,
    world: int = 1,
) -> Iterator[tuple[Batch | None, list[int]]]:
    """Yields the samples of `order` in batches with their indices, without bad ones; of the
    batches, every world-th from `rank` on. An incomplete batch repeats its first sample, and
    the list has only the real ones. A batch without any sample is None."""
    problems = Problems(feeding.on_bad, feeding.report)
    loading = Loading(dataset, sizes, feeding.tokenizer, feeding.blank)
    parts = [
        order[start : start + sizes.batch]
        for start in range(0, len(order), sizes.batch)
    ]
    for loaded in _loaded(OrderedSamples(loading), parts[rank::world], feeding):
        _note_bad(dataset, loaded, problems)
        yield loaded.batch, loaded.indices
    problems.finish()


def _loaded(samples: Samples, parts: Any, feeding: Feeding) -> Iterator[LoadedBatch]:
    loader: DataLoader[Any] = DataLoader(
        samples,
        batch_size=None,
        sampler=parts,
        collate_fn=_as_it_is,
        num_workers=feeding.workers,
        prefetch_factor=_AHEAD if feeding.workers > 0 else None,
        worker_init_fn=_ignore_interrupt if feeding.workers > 0 else None,
        pin_memory=feeding.pin_memory,
    )
    try:
        yield from loader
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        why = str(error).partition("\n")[0]
        raise UserError(
            f"a process that loads samples has died ({why}): memory may be short, or shared "
            "memory (/dev/shm); --workers 0 loads samples in the process that trains"
        ) from None


def _as_it_is(loaded: Any) -> Any:
    return loaded


def _ignore_interrupt(worker: int) -> None:
    # Control-C reaches every process; the main one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _note_bad(dataset: Dataset, loaded: LoadedBatch, problems: Problems) -> None:
    """Reports each bad sample once, whichever processes found it. Raises UserError for the
    first one with on_bad stop."""
    for index, text in loaded.bad:
        if index not in dataset.undecodable:
            dataset.undecodable.add(index)
            sample = dataset.samples[index]
            problems.add(sample.file, sample.line, text)
