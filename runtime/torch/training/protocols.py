"""How published code turns logits into scores. The repositories differ in details that change
results, so scores are comparable only under the same protocol."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .resampling import Plane, resize_aligned, resize_plane, warp_cubic

ComparisonSize = Literal["model", "original"]
"""That of the model's input, or that of the mask."""

Size = tuple[int, int]
"""Height and width."""


@dataclass(frozen=True)
class Protocol:
    sizes: tuple[ComparisonSize, ...]
    """Those at which masks can be compared; the first is the default."""
    foreground: Callable[[Plane, Size], NDArray[np.bool_]]
    """Logits [height, width] as a mask of a size."""
    iou: Callable[[int, int, bool], float]
    """Of the areas of intersection and union, and whether the phrase has a target."""
    overall: Callable[[int, int], float]
    """oIoU of the sums of all areas."""
    reaches: Callable[[float, float], bool]
    """Whether an IoU counts for Pr@threshold."""
    least_pixels: int = 0
    """A prediction with fewer pixels is cleared."""
    of_targets: bool = False
    """Whether Pr@X is a share of the samples with a target only."""


def ratio(a: float, b: float) -> float:
    """a / b, where 0 / 0 is NaN, as in JavaScript."""
    if b == 0:
        return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a)
    return a / b


_CRIS_THRESHOLD = 0.35
"""CRIS compares probabilities with it after warping them."""

_PRINTED_LOWER = 0.01
"""One point, as a fraction."""


def _aligned(logits: Plane, to: Size) -> Plane:
    return logits if logits.shape == to else resize_aligned(logits, to)


def _argmax(logits: Plane, to: Size) -> NDArray[np.bool_]:
    """Class 1 is the larger of two logits."""
    return np.asarray(_aligned(logits, to) > 0)


def _half(logits: Plane, to: Size) -> NDArray[np.bool_]:
    return np.asarray(_aligned(logits, to) >= 0)


def _warped(logits: Plane, to: Size) -> NDArray[np.bool_]:
    # For very negative logits, exp is infinite and the probability 0.
    with np.errstate(over="ignore"):
        probability = 1 / (1 + np.exp(-logits.astype(np.float64)))
    if logits.shape != to:
        probability = warp_cubic(probability, to)
    return np.asarray(probability > _CRIS_THRESHOLD)


def _resized(logits: Plane, to: Size) -> NDArray[np.bool_]:
    return np.asarray(resize_plane(logits, to) > 0)


def _at_least(iou: float, threshold: float) -> bool:
    return iou >= threshold


def _above(iou: float, threshold: float) -> bool:
    return iou > threshold


def _zero_if_empty(intersection: int, union: int, target: bool) -> float:
    return 0.0 if union == 0 else intersection / union


def _none_if_empty(intersection: int, union: int, target: bool) -> float:
    return ratio(intersection, union)


def _never_empty(intersection: int, union: int, target: bool) -> float:
    return intersection / (union + 1e-6)


def _one_if_right(intersection: int, union: int, target: bool) -> float:
    return (0.0 if target else 1.0) if union == 0 else intersection / union


def _printed(intersections: int, unions: int) -> float:
    return ratio(intersections, unions) - _PRINTED_LOWER


PROTOCOLS: dict[str, Protocol] = {
    # LAVT and RMSIN.
    "lavt": Protocol(("model", "original"), _argmax, _zero_if_empty, ratio, _at_least),
    # CARIS: an empty union gives no number, which makes the mean NaN.
    "caris": Protocol(("model", "original"), _half, _none_if_empty, ratio, _at_least),
    "cris": Protocol(("original",), _warped, _never_empty, ratio, _above),
    # LGCE, which prints the overall IoU minus one point.
    "rrsis": Protocol(
        ("model", "original"), _argmax, _zero_if_empty, _printed, _at_least
    ),
    "gres": Protocol(
        ("original", "model"),
        _resized,
        _one_if_right,
        ratio,
        _at_least,
        least_pixels=50,
        of_targets=True,
    ),
}
"""By the names of recipes."""
