"""Writes what the tests of data sets read: pickles of every protocol, masks of pycocotools, a small RRSIS-D, and the
scores of a plain evaluation of it.

    python -m venv venv && venv/bin/pip install numpy==2.4.6 pillow==13.0.0 pycocotools==2.0.11
    venv/bin/python test/goldens/make-data-sets.py
"""

import base64
import json
import pickle
import random
import shutil
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as coco

here = Path(__file__).parent


def pickles():
    shared = ["a", "b"]
    value = [
        {"text": "ship", "long": "é" * 300, "beyond": "\U0001f6f3 \u4e2d", "lines": "a\nb'\"\\c"},
        {"numbers": [0, 1, -1, 255, 256, 65535, 65536, -(2**31), 2**31, 2**53 - 1, 2**70, -(2**70)]},
        {"floats": [0.5, -1e-300, 1e300, float("inf")], "truth": [True, False, None]},
        {"tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)], "again": [shared, shared], 7: "a number", None: "none"},
        {"many": list(range(1100))},
    ]
    found = {
        "json": [
            {"text": "ship", "long": "é" * 300, "beyond": "\U0001f6f3 \u4e2d", "lines": "a\nb'\"\\c"},
            {"numbers": [str(n) for n in value[1]["numbers"]]},
            {"floats": [0.5, -1e-300, 1e300, "inf"], "truth": [True, False, None]},
            {"tuples": [[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]], "again": [shared, shared]},
            {"many": list(range(1100))},
        ],
        "pickles": [base64.b64encode(pickle.dumps(value, protocol=p)).decode() for p in range(6)],
    }
    (here / "pickles.json").write_text(json.dumps(found) + "\n")


def runs_of(mask):
    flat = mask.flatten(order="F")
    runs, last, count = [], 0, 0
    for v in flat:
        if v != last:
            runs.append(count)
            count, last = 0, v
        count += 1
    return [int(n) for n in [*runs, count]]


def masks():
    draw = random.Random(1)
    cases = []
    for n in range(120):
        h, w = draw.randint(1, 24), draw.randint(1, 24)
        kind = n % 4

        def corner(size):
            if kind == 0:
                return draw.randint(-3, size + 3)
            if kind == 1:
                return draw.randint(-6, 2 * size + 6) / 2
            return round(draw.uniform(-5, size + 5), 3)

        points = [[corner(w), corner(h)] for _ in range(draw.randint(3, 8))]
        # Closed polygons, and corners that are there twice.
        if n % 3 == 0:
            points.append(points[0])
        if n % 7 == 0:
            points.insert(0, points[0])
        polygon = [v for point in points for v in point]
        runs = coco.frPyObjects([polygon], h, w)[0]
        mask = coco.decode(runs)
        cases.append(
            {
                "height": h,
                "width": w,
                "polygon": polygon,
                "compressed": runs["counts"].decode(),
                "runs": runs_of(mask),
                "mask": "".join(map(str, mask.flatten())),
            }
        )
    (here / "coco-masks.json").write_text(json.dumps(cases) + "\n")


SIZE = 480
colours = [(90, 110, 70), (60, 80, 120), (150, 140, 120), (40, 60, 50)]
# Width and height: the published images have masks of 800 × 800, whatever their own sizes are.
sizes = [(800, 800), (800, 801), (800, 787), (800, 800)]


def rectangle(x0, y0, x1, y1, side=800):
    mask = np.zeros((side, side), dtype=np.uint8, order="F")
    mask[y0:y1, x0:x1] = 1
    return mask


def compressed(mask):
    runs = coco.encode(np.asfortranarray(mask))
    return {"size": [int(n) for n in runs["size"]], "counts": runs["counts"].decode()}


def rrsis_d():
    root = here / "rrsis-d"
    shutil.rmtree(root, ignore_errors=True)
    folder = root / "images" / "rrsisd" / "JPEGImages"
    folder.mkdir(parents=True)
    (root / "rrsisd").mkdir()
    for i, (size, colour) in enumerate(zip(sizes, colours)):
        Image.new("RGB", size, colour).save(folder / f"{i + 1:05d}.jpg", quality=30, subsampling=2, optimize=True)
    segmentations = [
        [compressed(rectangle(100, 100, 300, 250))],
        [compressed(rectangle(401, 11, 790, 333))],
        # Two parts that overlap: pixels in both are off.
        [compressed(rectangle(200, 200, 500, 500)), compressed(rectangle(400, 400, 700, 700))],
        [{"size": [800, 800], "counts": runs_of(rectangle(10, 600, 222, 777))}],
        [[100.5, 50.25, 700, 120, 640.75, 500, 90, 333.3], [10, 700, 90, 700, 50, 790]],
        compressed(rectangle(0, 0, 800, 40)),
    ]
    pictures = [1, 2, 3, 4, 1, 2]
    categories = [{"id": 1, "name": "airplane"}, {"id": 4, "name": "storage tank"}]
    instances = {
        "info": {"description": "made by make-data-sets.py"},
        "images": [
            {"id": i + 1, "file_name": f"{i + 1:05d}.jpg", "width": 800, "height": 800} for i in range(len(sizes))
        ],
        "annotations": [
            {"id": 11 + i, "image_id": image, "category_id": 1 if i % 2 == 0 else 4, "segmentation": s, "iscrowd": 0}
            for i, (image, s) in enumerate(zip(pictures, segmentations))
        ],
        "categories": categories,
    }
    texts = [
        [" The airplane on the left "],
        ["A storage tank at the top right"],
        ["the two airplanes", "airplanes that overlap"],
        ["The tank at the bottom"],
        ["An airplane of many corners"],
        ["the strip along the top"],
    ]
    refs, number = [], 0
    splits = ["train", "train", "test", "val", "test", "test"]
    for i, (split, image, sentences) in enumerate(zip(splits, pictures, texts)):
        ids = [number + k for k in range(len(sentences))]
        number += len(sentences)
        refs.append(
            {
                "ref_id": i,
                "ann_id": 11 + i,
                "image_id": image,
                "category_id": 1 if i % 2 == 0 else 4,
                "split": split,
                "file_name": f"{image:05d}.jpg",
                "sent_ids": ids,
                "sentences": [
                    {"raw": text, "sent": text.strip().lower(), "sent_id": k, "tokens": text.lower().split()}
                    for k, text in zip(ids, sentences)
                ],
            }
        )
    (root / "rrsisd" / "instances.json").write_text(json.dumps(instances) + "\n")
    (root / "rrsisd" / "refs(unc).p").write_bytes(pickle.dumps(refs, protocol=2))

    # Predictions at the model's size, as rectangles: x0, y0, x1, y1 of each test sentence.
    predictions = [[110, 110, 300, 300], [0, 0, 0, 0], [60, 40, 410, 290], [0, 0, 480, 25]]
    evaluate(root, refs, instances, predictions)


def truth(annotation):
    """The mask as the readers of LAVT and RMSIN make it."""
    s = annotation["segmentation"]
    parts = s if isinstance(s, list) else [s]
    if isinstance(parts[0], list):
        runs = coco.frPyObjects(parts, 800, 800)
    else:
        runs = [coco.frPyObjects(p, 800, 800) if isinstance(p["counts"], list) else p for p in parts]
    total = np.sum(coco.decode(runs), axis=2).astype(np.uint8)
    annot = np.zeros(total.shape)
    annot[total == 1] = 1
    return np.array(Image.fromarray(annot.astype(np.uint8)).resize((SIZE, SIZE), Image.NEAREST))


def evaluate(root, refs, instances, predictions):
    annotations = {a["id"]: a for a in instances["annotations"]}
    names = {c["id"]: c["name"] for c in instances["categories"]}
    rows = []
    for ref in refs:
        if ref["split"] != "test":
            continue
        for sentence in ref["sentences"]:
            x0, y0, x1, y1 = predictions[len(rows)]
            guess = np.zeros((SIZE, SIZE), dtype=np.uint8)
            guess[y0:y1, x0:x1] = 1
            target = truth(annotations[ref["ann_id"]])
            rows.append(
                {
                    "phrase": sentence["raw"].strip(),
                    "category": names[ref["category_id"]],
                    "intersection": int(np.logical_and(guess, target).sum()),
                    "union": int(np.logical_or(guess, target).sum()),
                }
            )
    (here / "rrsis-d.json").write_text(
        json.dumps({"predictions": predictions, "each": rows, "lavt": lavt(rows)}, indent=1) + "\n"
    )


def lavt(rows):
    """The arithmetic of LAVT's and RMSIN's test.py, without numpy's order of summation."""
    total_i, total_u, total_iou = 0, 0, 0.0
    correct = {t: 0 for t in (0.5, 0.6, 0.7, 0.8, 0.9)}
    for row in rows:
        i, u = row["intersection"], row["union"]
        iou = 0.0 if u == 0 else i * 1.0 / u
        total_i += i
        total_u += u
        total_iou += iou
        for t in correct:
            correct[t] += iou >= t
    return {
        "oIoU": total_i / total_u,
        "mIoU": total_iou / len(rows),
        "precision": {str(t): n / len(rows) for t, n in correct.items()},
    }


pickles()
masks()
rrsis_d()
