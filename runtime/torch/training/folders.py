"""Images and masks in folders, by the names that lines give."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from .errors import UserError, file_error
from .json_text import quoted

IMAGE_FOLDERS = ("img_rgb", "images")
MASK_FOLDERS = ("mask", "masks")

_ENDINGS = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".webp")
"""In the order in which they are tried for a name without one."""

_LONGEST_NAME = 255
"""Bytes, on all common file systems."""

_LONGEST_PATH = 500
"""Characters of a path in the folder."""

_OUTSIDE = re.compile(r"[\\\0:]")
_EXTENSION = re.compile(r"\.(png|tiff?|jpe?g|webp|bmp|gif|jp2)\Z", re.IGNORECASE)


def name_fault(name: str) -> str | None:
    """Why a name from a file is refused: it points out of the folder, or is too long."""
    parts = name.split("/")
    if _OUTSIDE.search(name) or any(part in ("", ".", "..") for part in parts):
        return f"{quoted(name)} is no name of a file in the folder"
    characters = len(name.encode("utf-16-le", "surrogatepass")) // 2
    longest = max(len(part.encode("utf-8", "surrogatepass")) for part in parts)
    if characters > _LONGEST_PATH or longest > _LONGEST_NAME:
        return f"{quoted(name)} is longer than the name of a file can be"
    return None


class PictureFolder:
    """The images in a folder. Each folder is listed once, since a `stat` for each of tens of
    thousands of files is slow."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._listed: dict[str, frozenset[str]] = {}

    def image(self, name: str) -> str | None:
        """The path of a file; extensions are tried for a name that does not match as it is."""
        return self._first(name, [name, *(name + ending for ending in _ENDINGS)])

    def mask(self, name: str) -> str | None:
        """Like `image`; if no mask has that name, another extension replaces the image's."""
        found = self.image(name)
        stem = _EXTENSION.sub("", name)
        if found is not None or stem == name:
            return found
        return self._first(stem, [stem + ending for ending in _ENDINGS])

    def _first(self, name: str, candidates: Sequence[str]) -> str | None:
        at = name.rfind("/")
        names = self._list(name[: max(0, at)])
        for one in candidates:
            if one[at + 1 :] in names:
                return os.path.join(self.path, *one.split("/"))
        return None

    def _list(self, below: str) -> frozenset[str]:
        listed = self._listed.get(below)
        if listed is None:
            path = os.path.join(self.path, *below.split("/")) if below else self.path
            try:
                listed = frozenset(os.listdir(path))
            except (FileNotFoundError, NotADirectoryError) as error:
                if below == "":
                    raise file_error(path, error) from None
                # The sample then reports its missing file.
                listed = frozenset()
            except UnicodeEncodeError:
                listed = frozenset()
            except OSError as error:
                raise file_error(path, error) from None
            self._listed[below] = listed
        return listed


def picture_folder(
    folder: str, names: Sequence[str], candidates: Sequence[str]
) -> PictureFolder:
    """The first of the folders that is there. Raises UserError if none is."""
    for one in candidates:
        if one in names:
            return PictureFolder(os.path.join(folder, one))
    needed = " or ".join(candidates)
    raise UserError(
        f"{folder} is not laid out as RISBench is: it has no folder {needed}"
    )
