"""Masks: files, and regions of COCO. A mask is a map of labels and not a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .coco_masks import MaskPartFault, polygon_plane, runs_plane
from .errors import UserError
from .images import MOST_PIXELS, decoded, open_header


@dataclass(frozen=True)
class MaskFile:
    path: str
    above: int
    """The value above which pixels of 8 bits are on."""


@dataclass(frozen=True)
class Runs:
    """Run lengths down the columns, which begin with 0: counts, or COCO's compressed text."""

    counts: tuple[int, ...] | str


@dataclass(frozen=True)
class Outline:
    """x and y of each corner in pixels, in turn."""

    corners: tuple[float, ...]


@dataclass(frozen=True)
class Regions:
    """Run lengths and polygons in the file of the samples."""

    parts: tuple[Runs | Outline, ...]
    height: int
    width: int
    on: Literal["any", "exactly-one"]
    """Which pixels are on where parts overlap."""


@dataclass(frozen=True)
class NoTarget:
    """The phrase describes nothing that is in the image."""


MaskSource = MaskFile | Regions | NoTarget


class Mask(NamedTuple):
    on: NDArray[np.bool_]
    """[height, width]."""
    orientation: int
    """The EXIF orientation by which it was turned, 1 if it was not."""


def mask_name(source: MaskSource) -> str:
    """The name of a mask in messages."""
    return f"the mask {source.path}" if isinstance(source, MaskFile) else "the mask"


def read_mask(source: MaskSource) -> Mask | None:
    """Reads or draws a mask; None for a phrase without a target, whose mask is empty and of
    any size. Raises UserError."""
    if isinstance(source, MaskFile):
        return _read_file(source.path, source.above)
    return Mask(_drawn(source), 1) if isinstance(source, Regions) else None


def _read_file(path: str, above: int) -> Mask:
    """Each pixel counts by the value that is stored, in its own depth, and one with a palette
    by its index. A pixel is on if a value is above 0 (with several channels, any of them;
    alpha does not count). `above` is another limit for grey and RGB of 8 bits."""
    header = open_header(path)
    mode = header.image.mode
    fault = None
    if mode not in ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "YCbCr", "I", "F") and (
        not mode.startswith("I;16")
    ):
        fault = f"its pixels are of Pillow's mode {mode}"
    elif header.deep and mode in ("LA", "RGB", "RGBA", "YCbCr"):
        fault = "it has several channels of more than 8 bits"
    elif header.signed and mode == "L":
        fault = "its samples are signed, with 8 bits"
    if fault is not None:
        instead = "other back ends of crobc train read it, or save it as grey with 8 or 16 bits"
        raise UserError(f"cannot read {path}: {fault}; {instead}")
    image = decoded(header, path, "RGB" if mode == "YCbCr" else None)
    values = np.asarray(image)
    if values.ndim == 3:
        # Alpha is the last channel.
        values = values[:, :, : 1 if mode in ("LA", "PA") else 3]
    on: NDArray[np.bool_]
    if mode == "1":
        on = values
    elif mode in ("L", "LA", "RGB", "RGBA", "YCbCr"):
        on = values > above
    elif mode == "I" and not header.signed:
        # Pillow has unsigned 32 bits as signed ones.
        on = values != 0
    else:
        on = values > 0
    if on.ndim == 3:
        on = np.asarray(on.any(axis=2))
    return Mask(on, header.orientation)


def _drawn(source: Regions) -> NDArray[np.bool_]:
    height, width = source.height, source.width
    if height * width > MOST_PIXELS:
        size = f"{width} × {height} pixels"
        raise UserError(
            f"the mask has {size}, which are over the limit of {MOST_PIXELS}"
        )
    count = np.zeros((height, width), np.uint8)
    for i, part in enumerate(source.parts):
        try:
            if isinstance(part, Runs):
                plane = runs_plane(part.counts, height, width)
            else:
                plane = polygon_plane(part.corners, height, width)
        except MaskPartFault as fault:
            raise UserError(f"part {i + 1} of the mask is damaged: {fault}") from None
        # More than two parts are the same as two.
        count = np.minimum(count + plane, 2).astype(np.uint8)
    return count > 0 if source.on == "any" else count == 1


def mask_target(
    mask: Mask, height: int, width: int, mirrored: bool = False
) -> NDArray[np.float32]:
    """The mask of 0 and 1 that a model is to predict, [height, width]: the nearest pixel for
    each, as Pillow's NEAREST; with `mirrored`, left and right are exchanged."""
    columns = _nearest(mask.on.shape[1], width)
    if mirrored:
        columns = columns[::-1]
    rows = _nearest(mask.on.shape[0], height)
    return mask.on.take(rows, axis=0).take(columns, axis=1).astype(np.float32)


def _nearest(size: int, to: int) -> NDArray[np.int64]:
    """The index of the nearest of `size` samples for each of `to`. The scale is added again and
    again as Pillow does: on exact ties, its rounding decides."""
    scale = size / to
    steps = np.full(to, scale)
    steps[0] = scale * 0.5
    return np.minimum(size - 1, np.add.accumulate(steps).astype(np.int64))
