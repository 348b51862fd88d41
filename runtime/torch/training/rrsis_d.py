"""RRSIS-D: phrases in a pickle, annotations in COCO's JSON."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .coco_parts import read_polygon, read_runs
from .errors import UserError, read_bytes
from .folders import PictureFolder, name_fault
from .json_text import MISSING, is_count, parse, shown, stringify, trim
from .masks import Outline, Regions, Runs
from .phrase_files import has_words
from .plain_pickle import PickleFault, read_plain_pickle
from .samples import Layout, Phrases, Report, Sample

_REFERENCES = ("rrsisd", "refs(unc).p")
_INSTANCES = ("rrsisd", "instances.json")
_IMAGES = ("images", "rrsisd", "JPEGImages")

_MOST_BYTES = 2**28
"""Of a file that is held in memory."""

_SPLIT = re.compile(r"[\w-]+", re.ASCII)


class _Reference(NamedTuple):
    """A phrase about an annotation."""

    id: int
    annotation: int
    image: int
    category: int
    phrase: str


class _Instances(NamedTuple):
    images: Mapping[int, Mapping[str, Any]]
    annotations: Mapping[int, Mapping[str, Any]]
    categories: Mapping[int, str]


def open_rrsis_d(folder: str, names: Sequence[str]) -> Layout | None:
    """Returns None if the folder has no references. Raises UserError if a file is missing or
    is not what it should be. Every sentence of a reference is a sample, with the text `raw`.
    """
    file = os.path.join(folder, *_REFERENCES)
    if _REFERENCES[0] not in names or not os.path.exists(file):
        return None
    by_split = _read_references(file)
    held: list[_Instances] = []

    def read(split: str, report: Report) -> Phrases:
        # Annotations are read when the first split is.
        if not held:
            held.append(_read_instances(os.path.join(folder, *_INSTANCES)))
        images = PictureFolder(os.path.join(folder, *_IMAGES))
        return _samples_of(by_split.get(split, []), held[0], images, file, report)

    return Layout(folder, tuple(by_split), lambda split: file, read)


def _read_references(file: str) -> dict[str, list[_Reference | str]]:
    """The references of each split, or what is wrong with one."""

    def refuse(why: str) -> UserError:
        return UserError(f"{file} is not a file of references: {why}")

    try:
        value = read_plain_pickle(
            read_bytes(file, _MOST_BYTES, "a file of annotations")
        )
    except PickleFault as fault:
        raise refuse(str(fault)) from None
    if not isinstance(value, (list, tuple)):
        raise refuse("it is not a list")
    splits: dict[str, list[_Reference | str]] = {}
    for i, reference in enumerate(value):
        if not isinstance(reference, dict):
            raise refuse(f"item {i} is not a dict")
        split = reference.get("split")
        if not isinstance(split, str) or not _SPLIT.fullmatch(split):
            raise refuse(f"item {i} has no split")
        splits.setdefault(split, []).extend(_sentences_of(reference, i))
    if not splits:
        raise refuse("it is empty")
    return splits


def _whole(value: object) -> int | None:
    """A number of a pickle, as JavaScript counts: 3.0 is 3."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and is_count(value) else None


def _sentences_of(reference: dict[Any, Any], place: int) -> list[_Reference | str]:
    number = _whole(reference.get("ref_id"))
    if number is None:
        return [f"item {place} has no number ref_id"]
    annotation, image, category = (
        _whole(reference.get(name)) for name in ("ann_id", "image_id", "category_id")
    )
    if annotation is None or image is None or category is None:
        return [
            f"reference {number} lacks one of the numbers ann_id, image_id and category_id"
        ]
    sentences = reference.get("sentences")
    if not isinstance(sentences, (list, tuple)) or not sentences:
        return [f"reference {number} has no sentences"]
    found: list[_Reference | str] = []
    for i, sentence in enumerate(sentences):
        raw = sentence.get("raw") if isinstance(sentence, dict) else None
        if isinstance(raw, str) and has_words(raw):
            found.append(_Reference(number, annotation, image, category, trim(raw)))
        else:
            found.append(f'sentence {i + 1} of reference {number} has no text "raw"')
    return found


def _read_instances(path: str) -> _Instances:
    def refuse(why: str) -> UserError:
        return UserError(f"{path} is not a file of annotations: {why}")

    data = read_bytes(path, _MOST_BYTES, "a file of annotations")
    try:
        json = parse(data.decode("utf-8-sig"))
    except ValueError:
        raise UserError(f"cannot read {path}: it is not JSON") from None
    if not isinstance(json, dict):
        raise refuse("it is not an object")

    def by_id(name: str) -> dict[int, Mapping[str, Any]]:
        items = json.get(name, MISSING)
        if not isinstance(items, list):
            raise refuse(f'"{name}" is {shown(items)}, not a list')
        found: dict[int, Mapping[str, Any]] = {}
        for i, item in enumerate(items):
            if not isinstance(item, dict) or not is_count(item.get("id")):
                raise refuse(f'item {i} of "{name}" has no number "id"')
            if item["id"] in found:
                raise refuse(f'"{name}" has two items with the id {item["id"]}')
            found[item["id"]] = item
        return found

    categories: dict[int, str] = {}
    for number, item in by_id("categories").items():
        if not isinstance(item.get("name"), str):
            raise refuse(f"the category {number} has no name")
        categories[number] = item["name"]
    return _Instances(by_id("images"), by_id("annotations"), categories)


def _samples_of(
    references: Sequence[_Reference | str],
    instances: _Instances,
    folder: PictureFolder,
    file: str,
    report: Report,
) -> Phrases:
    samples: list[Sample] = []
    digest = hashlib.sha256()
    for line, reference in enumerate(references, start=1):
        if isinstance(reference, str):
            report(file, line, reference)
            continue
        image = instances.images.get(reference.image, {})
        annotation = instances.annotations.get(reference.annotation, {})
        content = [
            line,
            image.get("file_name"),
            reference.phrase,
            annotation.get("segmentation"),
        ]
        digest.update(f"{stringify(content)}\n".encode())
        found = _sample_of(reference, instances, folder, file, line)
        if isinstance(found, str):
            report(file, line, f"reference {reference.id}: {found}")
        else:
            samples.append(found)
    digest.update(f"{len(references)}".encode())
    return Phrases(samples, len(references), digest.hexdigest())


def _sample_of(
    reference: _Reference,
    instances: _Instances,
    folder: PictureFolder,
    file: str,
    line: int,
) -> Sample | str:
    """The sample, or what is wrong with the reference."""
    image = instances.images.get(reference.image, {})
    annotation = instances.annotations.get(reference.annotation)
    name = image.get("file_name")
    if annotation is None:
        return f"instances.json has no annotation {reference.annotation}"
    if not isinstance(name, str):
        return f"instances.json has no image {reference.image} with a file_name"
    other = annotation.get("image_id", MISSING)
    if not is_count(other) or other != reference.image:
        return (
            f"its image is {reference.image}, and that of its annotation {shown(other)}"
        )
    fault = name_fault(name)
    if fault is not None:
        return fault
    path = folder.image(name)
    mask = _segmentation(annotation.get("segmentation", MISSING), image)
    category = instances.categories.get(reference.category)
    if path is None:
        return f"there is no image {name} in {folder.path}"
    if isinstance(mask, str):
        return f"annotation {reference.annotation}: {mask}"
    if category is None:
        return f"instances.json has no category {reference.category}"
    return Sample(path, mask, reference.phrase, file, line, category)


def _segmentation(value: Any, image: Mapping[str, Any]) -> Regions | str:
    """Run lengths, a list of these, or a list of polygons in an image of the given size. Where
    parts overlap, pixels are off: the published readers keep the sums that are exactly 1.
    """
    parts = value if isinstance(value, list) else [value]
    if not parts:
        return "its segmentation is empty"
    if all(isinstance(part, list) for part in parts):
        height, width = image.get("height"), image.get("width")
        if not is_count(height) or not is_count(width) or not height or not width:
            return "its image has no height and width for polygons"
        polygons: list[Outline] = []
        for part in parts:
            polygon = read_polygon(part)
            if isinstance(polygon, str):
                return polygon
            polygons.append(polygon)
        return Regions(tuple(polygons), height, width, on="exactly-one")
    runs: list[tuple[Runs, tuple[int, int]]] = []
    for part in parts:
        read = read_runs(part)
        if isinstance(read, str):
            return read
        runs.append(read)
    height, width = runs[0][1]
    for _, (other_height, other_width) in runs:
        if (other_height, other_width) != (height, width):
            other = f"{other_width} × {other_height}"
            return f"it has parts of {width} × {height} and {other} pixels"
    return Regions(tuple(part for part, _ in runs), height, width, on="exactly-one")
