"""Scores of a model on a split, by the protocols of published code, equal to crobc's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .batches import Feeding, InputSizes, ordered_batches
from .data import Dataset
from .errors import UserError
from .images import header_size
from .masks import NoTarget, read_mask
from .order import spread
from .protocols import PROTOCOLS, ComparisonSize, Protocol, ratio
from .resampling import Plane
from .samples import Sample
from .settings import Batch

__all__ = ["METRICS", "ComparisonSize", "Result", "Scores", "evaluate", "scores_of"]

_THRESHOLDS = ("0.5", "0.6", "0.7", "0.8", "0.9")

METRICS = ("mIoU", "oIoU", *(f"Pr@{one}" for one in _THRESHOLDS))
"""The figures by which a recipe can select the best weights."""

Predict = Callable[[Batch], Tensor]


class Result(NamedTuple):
    """The result of one sample; areas are in pixels."""

    sample: int
    """Its index."""
    has_target: bool
    iou: float
    intersection: int
    union: int
    predicted: int
    """Area of the prediction."""


@dataclass(frozen=True)
class Scores:
    """Fractions of 1; NaN after a division by zero."""

    protocol: str
    samples: int
    skipped: int
    """Samples that could not be read, with on_bad skip."""
    figures: dict[str, float]
    """By the names of METRICS, in their order."""


def evaluate(
    predict: Predict,
    dataset: Dataset,
    sizes: InputSizes,
    feeding: Feeding,
    *,
    protocol: str = "lavt",
    at: ComparisonSize | None = None,
    limit: int | None = None,
    rank: int = 0,
    world: int = 1,
    gather: Callable[[Any], Sequence[Any]] | None = None,
    on_result: Callable[[int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Scores | None:
    """Runs a model over a split. `predict` takes a batch of `sizes.batch` samples without the
    target, on the CPU, and gives logits [B, 1, H, W]. With more than one process, each
    predicts every world-th batch, all equally often, and `gather` (a list of what each process
    gives) makes the scores of all, the same in every process. `on_result` is called with the
    number of samples that this process has done. If `stop` returns true, which it has to do in
    all processes at the same time, the result is None. Raises UserError for bad samples, and
    for logits that are NaN or infinite."""
    rules = PROTOCOLS[protocol]
    size = at or rules.sizes[0]
    if size not in rules.sizes:
        known = " or the ".join(rules.sizes)
        raise UserError(
            f"the protocol {protocol} compares masks at the {known} size only"
        )
    order = spread(len(dataset.samples), limit)
    results: list[Result] = []
    rounds = len(range(0, len(order), sizes.batch * world))
    own = ordered_batches(dataset, order, sizes, feeding, rank=rank, world=world)
    for _ in range(rounds):
        batch, indices = next(own, (None, []))
        if stop is not None and stop():
            return None
        if batch is None and world == 1:
            continue
        # Processes that share a model predict equally often.
        given = _empty_batch(sizes) if batch is None else batch
        logits = _predicted(predict, given, sizes)
        for row, index in enumerate(indices):
            plane = logits[row, 0]
            _check_finite(plane, dataset.samples[index])
            truth = _truth(dataset.samples[index], given["target"][row, 0], size)
            results.append(_result(index, dataset.samples[index], plane, truth, rules))
            if on_result is not None:
                on_result(len(results))
    # Behind the last batch, bad samples beyond the first ten are reported.
    next(own, None)
    if gather is not None:
        results = [Result(*one) for part in gather(results) for one in part]
    results.sort(key=lambda one: one.sample)
    if not results:
        raise UserError(f"no sample of {dataset.folder} could be read")
    return scores_of(results, protocol, skipped=len(order) - len(results))


def _empty_batch(sizes: InputSizes) -> Batch:
    shape = (sizes.batch, 3, sizes.height, sizes.width)
    batch = {"image": torch.zeros(shape)}
    if sizes.words is not None:
        batch["tokens"] = torch.zeros((sizes.batch, sizes.words), dtype=torch.int64)
        batch["mask"] = torch.ones((sizes.batch, sizes.words), dtype=torch.bool)
    return batch


def _predicted(
    predict: Predict, batch: Batch, sizes: InputSizes
) -> NDArray[np.float32]:
    inputs = {name: one for name, one in batch.items() if name != "target"}
    logits = predict(inputs).detach().float().cpu()
    expected = [sizes.batch, 1, sizes.height, sizes.width]
    if list(logits.shape) != expected:
        raise UserError(
            f"the model gave {list(logits.shape)}, and logits of images are {expected}"
        )
    return logits.numpy()


def _check_finite(plane: Plane, sample: Sample) -> None:
    if not np.isfinite(plane).all():
        raise UserError(
            f"{sample.file}:{sample.line}: the model gave logits that are not numbers: "
            "its weights or its input are damaged"
        )


def _truth(sample: Sample, target: Tensor, size: ComparisonSize) -> NDArray[np.bool_]:
    """The mask to compare with; without a target, an empty one."""
    if size == "model":
        return np.asarray(target.numpy() > 0)
    mask = read_mask(sample.mask)
    if mask is not None:
        return mask.on
    width, height = header_size(sample.image)
    return np.zeros((height, width), np.bool_)


def _result(
    index: int,
    sample: Sample,
    logits: Plane,
    truth: NDArray[np.bool_],
    protocol: Protocol,
) -> Result:
    prediction = protocol.foreground(logits, (truth.shape[0], truth.shape[1]))
    predicted = int(np.count_nonzero(prediction))
    if predicted < protocol.least_pixels:
        prediction, predicted = np.zeros_like(prediction), 0
    intersection = int(np.count_nonzero(prediction & truth))
    union = int(np.count_nonzero(prediction | truth))
    target = not isinstance(sample.mask, NoTarget)
    iou = protocol.iou(intersection, union, target)
    return Result(index, target, iou, intersection, union, predicted)


def scores_of(results: Sequence[Result], protocol: str, skipped: int = 0) -> Scores:
    """Sums are in the order of the samples, so that scores do not depend on the batch."""
    rules = PROTOCOLS[protocol]
    intersections = sum(one.intersection for one in results)
    unions = sum(one.union for one in results)
    total = 0.0
    for one in results:
        total += one.iou
    counted = [one for one in results if one.has_target or not rules.of_targets]
    figures = {
        "mIoU": ratio(total, len(results)),
        "oIoU": rules.overall(intersections, unions),
    }
    for threshold in _THRESHOLDS:
        limit = float(threshold)
        reached = sum(rules.reaches(one.iou, limit) for one in counted)
        figures[f"Pr@{threshold}"] = ratio(reached, len(counted))
    return Scores(protocol, len(results), skipped, figures)
