"""Resampling of logits, with the rounding of crobc's float64 arithmetic."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating[Any]]
"""[height, width]."""


class _Axis(NamedTuple):
    """Output i is the sum of weights[i, k] × input[first[i] + k]."""

    first: NDArray[np.int64]
    weights: NDArray[np.float64]
    """[outputs, taps]."""


def resize_aligned(plane: Plane, to: tuple[int, int]) -> NDArray[np.float64]:
    """Bilinear with aligned corners: F.interpolate(mode="bilinear", align_corners=True)."""

    def axis(length: int, wanted: int) -> _Axis:
        step = 0.0 if wanted == 1 else (length - 1) / (wanted - 1)
        # Guards against rounding beyond the last pixel.
        at = np.minimum(np.arange(wanted) * step, length - 1)
        fraction = at - np.floor(at)
        weights = np.stack([1 - fraction, fraction], axis=1)
        return _Axis(np.floor(at).astype(np.int64), weights)

    return _separable(plane, axis(plane.shape[0], to[0]), axis(plane.shape[1], to[1]))


_CUBIC = -0.75
_STEPS = 32
"""OpenCV's coefficient of cubic interpolation, and its number of positions in a pixel."""


def warp_cubic(plane: Plane, to: tuple[int, int]) -> NDArray[np.float64]:
    """Bicubic, sampling output i at i × from / to, with zeros outside: cv2.warpAffine with a
    scaling matrix, by which CRIS maps a prediction back to the image."""

    def axis(length: int, wanted: int) -> _Axis:
        at = np.floor(np.arange(wanted) * length * _STEPS / wanted + 0.5) / _STEPS
        x = at - np.floor(at)
        weights = np.stack([_far(1 + x), _near(x), _near(1 - x), _far(2 - x)], axis=1)
        return _Axis(np.floor(at).astype(np.int64) - 1, weights)

    return _separable(plane, axis(plane.shape[0], to[0]), axis(plane.shape[1], to[1]))


def _near(d: NDArray[np.float64]) -> NDArray[np.float64]:
    return ((_CUBIC + 2) * d - (_CUBIC + 3)) * d * d + 1


def _far(d: NDArray[np.float64]) -> NDArray[np.float64]:
    return ((_CUBIC * d - 5 * _CUBIC) * d + 8 * _CUBIC) * d - 4 * _CUBIC


def _separable(plane: Plane, rows: _Axis, columns: _Axis) -> NDArray[np.float64]:
    """Resamples rows, then columns. Pixels outside the plane are 0."""
    wide = _along_last(plane.astype(np.float64), columns)
    return np.ascontiguousarray(_along_last(wide.T, rows).T)


def _along_last(plane: NDArray[np.float64], axis: _Axis) -> NDArray[np.float64]:
    length = plane.shape[1]
    out = np.zeros((plane.shape[0], len(axis.first)))
    # One tap after the other, as the order of a sum decides its rounding.
    for tap in range(axis.weights.shape[1]):
        at = axis.first + tap
        weight = np.where((at >= 0) & (at < length), axis.weights[:, tap], 0.0)
        out += weight * plane[:, np.clip(at, 0, length - 1)]
    return out


def resize_plane(plane: Plane, to: tuple[int, int]) -> NDArray[np.float32]:
    """Bilinear without antialiasing: F.interpolate(mode="bilinear", align_corners=False)."""
    if plane.shape == to:
        return plane.astype(np.float32)
    rows = _interpolation(plane.shape[0], to[0])
    columns = _interpolation(plane.shape[1], to[1])
    exact = plane.astype(np.float64)
    left, right = exact[:, columns.low], exact[:, columns.high]
    wide = left * (1 - columns.fraction) + right * columns.fraction
    down = rows.fraction[:, None]
    out = wide[rows.low] * (1 - down) + wide[rows.high] * down
    return out.astype(np.float32)


class _Interpolation(NamedTuple):
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    fraction: NDArray[np.float64]


def _interpolation(length: int, wanted: int) -> _Interpolation:
    at = np.maximum(0.0, (np.arange(wanted) + 0.5) * length / wanted - 0.5)
    low = np.minimum(length - 1, at.astype(np.int64))
    return _Interpolation(low, np.minimum(length - 1, low + 1), at - low)
