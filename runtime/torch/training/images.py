"""Images as inputs of a model, by Pillow, with the numbers that crobc gives."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from .errors import UserError, file_error, read_bytes, regular_file

MOST_PIXELS = 100_000_000
"""Checked before decoding."""

_MOST_SIDE = 65_535
_MOST_BYTES = 2**31 - 1
_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP")
_PNG_HEADER = bytes.fromhex("89504e470d0a1a0a0000000d49484452")

_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
"""Of ImageNet, for values in 0…1."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By EXIF orientation."""

_ORIENTATION = 0x0112

_INSTEAD = (
    "other back ends of crobc train read it, or save it as RGB or grey with 8 bits"
)


class Header(NamedTuple):
    """What a file says of its image."""

    image: Image.Image
    """Not decoded, and not turned."""
    orientation: int
    """The EXIF orientation, 1 if there is none."""
    width: int
    """After turning."""
    height: int
    deep: bool
    """Whether it has more than 8 bits a sample, of which Pillow may keep only 8."""
    signed: bool
    """Whether a TIFF has signed samples."""


class Picture(NamedTuple):
    """An image as RGB, turned by its EXIF orientation."""

    image: Image.Image
    orientation: int


def open_header(path: str) -> Header:
    """Reads a file and its header. Raises UserError if it is no PNG, JPEG, TIFF or WebP image,
    or is larger than crobc reads."""
    return _header(read_bytes(path, _MOST_BYTES, "an image"), path)


def _header(data: bytes, path: str) -> Header:
    if not data:
        raise UserError(f"cannot read {path}: it is empty")
    try:
        with _quietly():
            image = Image.open(BytesIO(data), formats=_FORMATS)
            header = _described(image, data)
    except UnidentifiedImageError:
        raise UserError(
            f"cannot read {path}: it is not a PNG, JPEG, TIFF or WebP image"
        ) from None
    except Image.DecompressionBombError:
        raise UserError(
            f"cannot read {path}: its pixels are over the limit of {MOST_PIXELS}"
        ) from None
    except Exception as error:  # noqa: BLE001 Readers raise nearly anything.
        raise damaged(path, error) from None
    _check_pixels(header, path)
    return header


@contextmanager
def _quietly() -> Iterator[None]:
    """Without Pillow's warnings: of sizes that are within the limit here, of metadata."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _described(image: Image.Image, data: bytes) -> Header:
    width, height = image.size
    deep = signed = False
    orientation = 1
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tags = image.tag_v2
        # Pillow exchanges the sides of a turned TIFF in some versions.
        width, height = tags[256], tags[257]
        orientation = tags.get(_ORIENTATION, 1)
        deep = max(tags.get(258, (1,))) > 8
        signed = max(tags.get(339, (1,))) == 2
    else:
        exif = image.info.get("exif")
        if isinstance(exif, bytes):
            orientation = _exif_orientation(exif)
        deep = data[:16] == _PNG_HEADER and data[24] > 8
    if orientation not in _TURNS:
        orientation = 1
    if orientation >= 5:
        width, height = height, width
    return Header(image, orientation, width, height, deep, signed)


def _exif_orientation(data: bytes) -> int:
    exif = Image.Exif()
    try:
        exif.load(data)
        found = exif.get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 Damaged EXIF data say nothing.
        return 1
    return found if isinstance(found, int) else 1


def _check_pixels(header: Header, path: str) -> None:
    shown = f"{header.width} × {header.height} pixels"
    if header.width * header.height > MOST_PIXELS:
        raise UserError(
            f"cannot read {path}: {shown} are over the limit of {MOST_PIXELS}"
        )
    if max(header.width, header.height) > _MOST_SIDE:
        raise UserError(
            f"cannot read {path}: {shown}: a side has {_MOST_SIDE:,} at most"
        )


def damaged(path: str, error: Exception) -> UserError:
    detail = ascii(str(error).partition("\n")[0])[1:-1][:80]
    shown = f" ({detail})" if detail else ""
    return UserError(f"cannot read {path}: the image is truncated or damaged{shown}")


def decoded(header: Header, path: str, mode: str | None = None) -> Image.Image:
    """The pixels, turned by the EXIF orientation, of another mode if one is given. Raises
    UserError for a damaged file."""
    image = header.image
    is_tiff = isinstance(image, TiffImagePlugin.TiffImageFile)
    try:
        with _quietly():
            image.load()
        if mode is not None:
            image = image.convert(mode)
        # Pillow turns a TIFF itself.
        if header.orientation != 1 and not is_tiff:
            image = image.transpose(_TURNS[header.orientation])
    except Exception as error:  # noqa: BLE001 Decoders raise nearly anything.
        raise damaged(path, error) from None
    return image


def read_picture(path: str) -> Picture:
    """Reads an image as RGB: without alpha, grey in all channels, a palette by its colours.
    Raises UserError for a damaged file, and for what Pillow does not read as crobc does:
    other than 8 bits a sample, bands that are no colours, colours of print."""
    header = open_header(path)
    fault = _colour_fault(header)
    if fault is not None:
        raise UserError(f"cannot read {path}: {fault}; {_INSTEAD}")
    return Picture(decoded(header, path, "RGB"), header.orientation)


def _colour_fault(header: Header) -> str | None:
    image = header.image
    if header.deep:
        return "it has more than 8 bits a sample"
    if header.signed:
        return "its samples are signed"
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tags = image.tag_v2
        bands = tags.get(277, 1)
        photometric = tags.get(262, 0)
        alphas = sum(kind in (1, 2) for kind in tags.get(338, ()))
        colours = {0: 1, 1: 1, 2: 3, 3: 1, 6: 3}.get(photometric)
        if colours is None or bands - alphas != colours or alphas > 1:
            return f"it has {bands} bands that are not colours by its own word"
    known = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "YCbCr")
    return (
        None if image.mode in known else f"its pixels are of Pillow's mode {image.mode}"
    )


def header_size(path: str) -> tuple[int, int]:
    """Width and height after turning, without decoding. Raises UserError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as file:
            regular_file(path, os.fstat(descriptor), _MOST_BYTES, "an image")
            start = file.read(24)
            # EXIF orientation does not change the size of a square.
            if start[:16] == _PNG_HEADER and start[16:20] == start[20:24]:
                side = int.from_bytes(start[16:20], "big")
                return side, side
    except OSError as error:
        raise file_error(path, error) from None
    try:
        header = open_header(path)
    except UserError as error:
        if "pixels" in str(error):
            raise
        raise UserError(
            f"cannot read {path}: it is not a PNG, JPEG, TIFF or WebP image"
        ) from None
    return header.width, header.height


def _resized(image: Image.Image, width: int, height: int) -> Image.Image:
    """Bilinear with antialiasing: first all rows, then all columns, with bytes between, as in
    every version of Pillow before 13, which may begin with the columns."""
    rows = image.resize((width, image.height), Image.Resampling.BILINEAR)
    return rows.resize((width, height), Image.Resampling.BILINEAR)


_TABLE = (
    (np.arange(256, dtype=np.float64) / 255).astype(np.float32)[None, :]
    - _MEAN[:, None]
) / _DEVIATION[:, None]
"""Of each channel and byte, with the rounding of torchvision's float32 steps."""


def image_tensor(
    image: Image.Image, height: int, width: int, mirrored: bool = False
) -> NDArray[np.float32]:
    """The input of a model of an RGB image: resized and normalised, [3, height, width]; with
    `mirrored`, left and right are exchanged."""
    pixels = np.asarray(_resized(image, width, height))
    if mirrored:
        pixels = pixels[:, ::-1]
    out = np.empty((3, height, width), np.float32)
    for channel in range(3):
        # Other modes than `raise` write to `out` without a copy; bytes are never outside.
        np.take(_TABLE[channel], pixels[:, :, channel], out=out[channel], mode="clip")
    return out
