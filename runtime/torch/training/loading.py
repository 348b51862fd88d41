"""One sample as numbers: decoding, resizing, mirroring and encoding, in any process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset
from torch.utils.data import default_collate

from .data import Dataset
from .errors import UserError
from .images import image_tensor, read_picture
from .masks import mask_name, mask_target, read_mask
from .mirror import mirror_phrase
from .order import epoch_samples, is_mirrored
from .phrases import Encoded, Tokenizer
from .samples import Sample
from .settings import Batch
from .sizes import size_fault


@dataclass(frozen=True)
class InputSizes:
    """Sizes of a model's inputs."""

    batch: int
    height: int
    width: int
    words: int | None
    """Tokens of a phrase, with [CLS] and [SEP]; None for a model that reads only images."""


class Loaded(NamedTuple):
    """A sample as inputs of a model."""

    image: NDArray[np.float32]
    """[3, height, width]."""
    target: NDArray[np.float32]
    """[height, width], 0 and 1."""
    encoded: Encoded | None


class BadSample(NamedTuple):
    """A sample that could not be read."""

    sample: int
    """Its index."""
    text: str


class LoadedBatch(NamedTuple):
    """What a process of the DataLoader returns: plain data, as errors would lose their text."""

    batch: Batch | None
    """None if no sample of it can be used."""
    indices: list[int]
    """Of the samples without repetitions."""
    bad: list[BadSample]


@dataclass(frozen=True)
class Loading:
    """How samples become numbers."""

    dataset: Dataset
    sizes: InputSizes
    tokenizer: Tokenizer | None
    blank: bool
    """Replaces every phrase by an empty one."""

    def load(self, sample: Sample, mirrored: str | None) -> Loaded:
        """`mirrored` is the phrase of the mirrored image, None for the image as it is. Raises
        UserError for a bad file, and for a mask of another size or orientation."""
        height, width = self.sizes.height, self.sizes.width
        encoded = self._encoded(sample.phrase if mirrored is None else mirrored)
        picture = read_picture(sample.image)
        mask = read_mask(sample.mask)
        if mask is not None:
            name = mask_name(sample.mask)
            if mask.orientation != picture.orientation:
                raise UserError(
                    f"{name} has the EXIF orientation {mask.orientation}, and its image "
                    f"{picture.orientation}: save both turned and without it"
                )
            size = (mask.on.shape[1], mask.on.shape[0])
            fault = size_fault(sample.mask, picture.image.size, size)
            if fault is not None and not self.dataset.resized:
                raise UserError(fault)
            target = mask_target(mask, height, width, mirrored is not None)
        else:
            target = np.zeros((height, width), np.float32)
        image = image_tensor(picture.image, height, width, mirrored is not None)
        return Loaded(image, target, encoded)

    def _encoded(self, phrase: str) -> Encoded | None:
        if self.tokenizer is None or self.sizes.words is None:
            return None
        if self.blank:
            return self.tokenizer.blank(self.sizes.words)
        return self.tokenizer.encode(phrase, self.sizes.words)


class Samples(TorchDataset[Any]):
    """Samples by index, for one process after the other; remembers the bad ones."""

    def __init__(self, loading: Loading) -> None:
        self.loading = loading
        self.bad = set(loading.dataset.undecodable)
        self.found: list[BadSample] = []

    def at(self, index: int, mirror: Callable[[Sample], bool]) -> Loaded | None:
        """The sample at an index; None if it is bad."""
        if index in self.bad:
            return None
        sample = self.loading.dataset.samples[index]
        mirrored = mirror_phrase(sample.phrase) if mirror(sample) else None
        try:
            return self.loading.load(sample, mirrored)
        except UserError as error:
            self.bad.add(index)
            self.found.append(BadSample(index, str(error)))
            return None

    def taken_bad(self) -> list[BadSample]:
        """The bad samples that were found since the last call."""
        found, self.found = self.found, []
        return found


class OrderedSamples(Samples):
    """Batches of given indices, without bad samples."""

    def __getitem__(self, indices: Sequence[int]) -> LoadedBatch:
        loaded = [(index, self.at(index, _never)) for index in indices]
        good = [(index, one) for index, one in loaded if one is not None]
        batch = None
        if good:
            filled = [one for _, one in good]
            missing = self.loading.sizes.batch - len(filled)
            batch = assembled(filled + filled[:1] * missing)
        return LoadedBatch(batch, [index for index, _ in good], self.taken_bad())


class EpochSamples(Samples):
    """Batches of places of an epoch. A bad sample is replaced by the next good one of the
    order, so that the other samples and the number of batches do not change."""

    def __init__(self, loading: Loading, seed: int, augment: bool) -> None:
        super().__init__(loading)
        self.seed = seed
        self.augment = augment
        self._lines = [sample.line for sample in loading.dataset.samples]
        self._order: tuple[int, list[int]] | None = None

    def __getitem__(self, places: tuple[int, range]) -> LoadedBatch:
        epoch, wanted = places
        order = self._order_of(epoch)
        good = [self._next_good(order, place, epoch) for place in wanted]
        indices = [index for index, one in good if one is not None]
        loaded = [one for _, one in good if one is not None]
        batch = assembled(loaded) if len(loaded) == len(wanted) else None
        return LoadedBatch(batch, indices, self.taken_bad())

    def _order_of(self, epoch: int) -> list[int]:
        if self._order is None or self._order[0] != epoch:
            lines = self.loading.dataset.lines
            order = epoch_samples(self._lines, lines, self.seed, epoch)
            self._order = (epoch, order)
        return self._order[1]

    def _next_good(
        self, order: list[int], place: int, epoch: int
    ) -> tuple[int, Loaded | None]:
        def mirror(sample: Sample) -> bool:
            # Decided by the line, which does not change when other samples are skipped.
            return self.augment and is_mirrored(sample.line - 1, self.seed, epoch)

        for step in range(len(order)):
            index = order[(place + step) % len(order)]
            loaded = self.at(index, mirror)
            if loaded is not None:
                return index, loaded
        return -1, None


def _never(sample: Sample) -> bool:
    return False


def assembled(samples: Sequence[Loaded]) -> Batch:
    """The tensors of a batch; tokens and mask if the phrases are encoded."""
    # In a process of the DataLoader, default_collate writes into shared memory at once.
    batch: dict[str, Tensor] = {
        "image": default_collate([torch.from_numpy(one.image) for one in samples]),
        "target": default_collate(
            [torch.from_numpy(one.target[None]) for one in samples]
        ),
    }
    encoded = [one.encoded for one in samples if one.encoded is not None]
    if encoded:
        ids = np.array([one.ids for one in encoded], np.int64)
        lengths = np.array([[one.length] for one in encoded])
        batch["tokens"] = torch.from_numpy(ids)
        batch["mask"] = torch.from_numpy(np.arange(ids.shape[1])[None] < lengths)
    return batch
