"""Compares what runtime/torch/training reads with what crobc does, for test-torch-data.mjs.

python test-torch-data.py FOLDER GOLDENS: the folder has cases.json, reference.json and tensors.
"""

import json
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent / "torch-data"))

from comparison import (
    aerial,
    cases,
    counts,
    failed,
    feeding,
    goldens,
    opened,
    or_error,
    reference,
    same,
    sizes,
    work,
)
from hostile import hostile_pickles
from processes import Plan, compare_copies, end_process, recipe_of
from scores import compare_evaluations
from training.batches import Feeding, ordered_batches, step_batches
from training.coco_masks import polygon_plane, runs_plane
from training.data import open_dataset, splits
from training.mirror import mirror_phrase
from training.order import epoch_order, epoch_samples, is_mirrored
from training.phrases import cut_note, open_tokenizer


def compare_order():
    for case, expected in zip(cases["orders"], reference["orders"], strict=True):
        same(f"order: {case}", expected, epoch_order(**case))
    for phrase, expected in zip(cases["phrases"], reference["mirrored"], strict=True):
        same(f"mirrored phrase: {phrase!r}", expected, mirror_phrase(phrase))
    found = [is_mirrored(place, feeding["seed"], place % 5) for place in range(64)]
    same("mirrored place", reference["mirrors"], found)


def encoded_by(tokenizer, phrase, words):
    return vars(tokenizer.encode(phrase, words))


def compare_tokens():
    for path, expected in zip(cases["vocabularies"], reference["tokens"], strict=True):
        name = Path(path).name
        if "error" in expected:
            same(f"bad vocabulary: {name}", expected, or_error(open_tokenizer, Path(path)))
            continue
        for one in expected["of"]:
            tokenizer = open_tokenizer(Path(path), one["truncation"])
            known = [one["hash"], one["pieces"], one["vocabularySize"]]
            same(
                f"vocabulary: {name}",
                known,
                [tokenizer.hash, tokenizer.pieces, tokenizer.vocabulary_size],
            )
            for phrase, encoded in zip(cases["phrases"], one["encoded"], strict=True):
                for words, of in zip(cases["words"], encoded, strict=True):
                    found = or_error(encoded_by, tokenizer, phrase, words)
                    same(f"tokens: {name}, {one['truncation']}, {words}, {phrase!r}", of, found)


def compare_coco():
    """With pycocotools, whose results the golden file has."""
    for case in json.loads((goldens / "coco-masks.json").read_text()):
        height, width = case["height"], case["width"]
        expected = case["mask"]
        drawn = (
            {"polygon": polygon_plane(case["polygon"], height, width)}
            if case.get("polygon")
            else {}
        )
        drawn |= {name: runs_plane(case[name], height, width) for name in ("compressed", "runs")}
        for name, plane in drawn.items():
            found = "".join(map(str, plane.astype(int).reshape(-1)))
            same(f"mask of COCO: {name}", expected, found)


def tensors(path, name, dtype):
    return np.frombuffer(Path(f"{path}.{name}").read_bytes(), dtype)


largest = {"image": 0.0, "exact images": 0, "images": 0}


def compare_batches(what, path, batches):
    """Images to the rounding of float32 or, of lossy files, one step of a byte; the rest exactly."""
    for name, dtype in (
        ("target", np.float32),
        ("tokens", np.int64),
        ("mask", np.bool_),
        ("image", np.float32),
    ):
        expected = tensors(path, name, dtype)
        parts = [batch[name].numpy().reshape(-1) for batch in batches]
        found = np.concatenate(parts) if parts else np.empty(0, dtype)
        if name != "image":
            same(f"{name}: {what}", expected.tobytes(), found.tobytes())
            continue
        same(f"image sizes: {what}", expected.shape, found.shape)
        if expected.shape != found.shape or found.size == 0:
            continue
        off = np.abs(expected - found).reshape(-1, 3 * sizes.height * sizes.width).max(axis=1)
        largest["images"] += len(off)
        largest["exact images"] += int((off == 0).sum())
        largest["image"] = max(largest["image"], float(off.max()))
        same(f"image: {what}", True, bool(off.max() <= 1e-6))


def described(case, notes):
    data = opened(case, notes)
    samples = [
        {
            "image": one.image,
            "phrase": one.phrase,
            "line": one.line,
            "category": one.category,
            "attributes": None if one.attributes is None else dict(one.attributes),
        }
        for one in data.samples
    ]
    lines = [one.line for one in data.samples]
    orders = [epoch_samples(lines, data.lines, feeding["seed"], epoch) for epoch in (0, 1)]
    return {
        "splits": splits(Path(case["dir"])),
        "hash": data.hash,
        "lines": data.lines,
        "samples": samples,
        "orders": orders,
        "opening": notes[:],
    }


def without_cause(message):
    """A message without what the decoder says, which is libvips's or Pillow's."""
    if not isinstance(message, str) or "truncated or damaged" not in message:
        return message
    return message.partition("truncated or damaged")[0]


def compare_datasets():
    for i, (case, expected) in enumerate(
        zip(cases["datasets"], reference["datasets"], strict=True)
    ):
        what = f"{Path(case['dir']).relative_to(work)} {case['split']}"
        notes = []
        found = or_error(described, case, notes)
        if "error" in expected or "error" in found:
            same(
                f"bad data set: {what}",
                without_cause(expected.get("error")),
                without_cause(found.get("error")),
            )
            continue
        for name, value in found.items():
            same(f"data set: {name} of {what}", expected[name], value)
        if case["batches"]:
            compare_loading(what, case, expected, work / f"dataset-{i}")


def compare_loading(what, case, expected, path):
    note = cut_note(opened(case, []), open_tokenizer(aerial), sizes.words)
    same(f"cut phrases: {what}", expected["cut"], note)
    for workers in (0, 2):
        notes = []
        data = opened(case, [])
        how = Feeding(
            open_tokenizer(aerial), workers=workers, on_bad=case["onBad"], report=notes.append
        )
        loaded = list(ordered_batches(data, range(len(data.samples)), sizes, how))
        name = f"{what}, {workers} workers"
        compare_batches(name, f"{path}.all", [batch for batch, _ in loaded if batch is not None])
        same(f"held: {name}", expected["held"], [len(held) for _, held in loaded if held])
        same(
            f"notes: {name}",
            [without_cause(one) for one in expected["loading"]],
            [without_cause(one) for one in notes],
        )
        if expected["stepsPerEpoch"] is None:
            continue
        plan, first, steps = Plan(expected["stepsPerEpoch"]), feeding["first"], feeding["steps"]
        for world in (1, 3):
            shares = []
            for rank in range(world):
                source = step_batches(
                    opened(case, []),
                    first,
                    plan,
                    recipe_of(),
                    how,
                    sizes=sizes,
                    rank=rank,
                    world=world,
                )
                shares.append([batch for micro in islice(source, steps) for batch in micro])
                source.close()
            joined = [
                {name: torch.cat([one[name] for one in of]) for name in of[0]}
                for of in zip(*shares, strict=True)
            ]
            compare_batches(f"steps of {name}, {world} processes", f"{path}.steps", joined)


def compare_caches():
    """crobc has written the cache of sizes; Python takes it as it is, and writes the same."""
    for name, known in {"kinds": ["train"], "turned": ["val", "test"]}.items():
        cache = work / name / ".crobc-sizes.json"
        before = cache.read_bytes()
        open_dataset(work / name, known[0])
        same(f"cache of sizes: {name}, read", before, cache.read_bytes())
        cache.unlink()
        for one in known:
            open_dataset(work / name, one)
        found = json.loads(cache.read_text())
        expected = json.loads(before)
        same(f"cache of sizes: {name}, written", expected["files"], found["files"])
        same(f"cache of sizes: {name}, form", list(expected), list(found))


def refuse_pickles():
    folder = work / "hostile"
    (folder / "rrsisd").mkdir(parents=True, exist_ok=True)
    for name, data in hostile_pickles(work / "executed"):
        (folder / "rrsisd" / "refs(unc).p").write_bytes(data)
        found = or_error(open_dataset, folder, "train")
        same(f"hostile pickle: {name}", True, isinstance(found, dict) and len(found["error"]) < 400)
    same("hostile pickle: nothing ran", False, (work / "executed").exists())


def main():
    torch.set_num_threads(1)
    compare_order()
    compare_tokens()
    compare_coco()
    compare_datasets()
    compare_evaluations()
    compare_copies()
    end_process()
    compare_caches()
    refuse_pickles()
    for kind, count in counts.items():
        print(f"{kind}: {count} compared")
    print(
        f"images: {largest['exact images']} of {largest['images']} equal to the bit, "
        f"largest difference {largest['image']:.1e}"
    )
    if failed:
        raise SystemExit(f"{len(failed)} differ: {', '.join(failed[:20])}")


if __name__ == "__main__":
    main()
