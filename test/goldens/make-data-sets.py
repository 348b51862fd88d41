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


def rect(box, width, height):
    mask = np.zeros((height, width), dtype=bool)
    if box:
        x0, y0, x1, y1 = box
        mask[y0:y1, x0:x1] = True
    return mask


def protocols():
    """Plain evaluations of drawn boxes under each protocol, with phrases that have no target."""
    draw = random.Random(5)
    width, height = 40, 30
    samples = []
    for i in range(37):
        def box(least):
            x0, y0 = draw.randint(0, width - least), draw.randint(0, height - least)
            return [x0, y0, draw.randint(x0 + least, width), draw.randint(y0 + least, height)]

        target = None if i % 5 == 2 else box(3)
        near = [target[0], target[1], max(target[0] + 1, target[2] - i % 4), target[3]] if target else None
        guess = near if target and i % 3 != 0 else box(3) if i % 10 != 7 else None
        # Small answers, which GRES clears.
        if i in (4, 12, 22):
            guess = [5, 5, 10, 12]
        samples.append({"image": i // 2, "category": ["ship", "tank", "court"][i % 3], "target": target, "guess": guess})
    found = {"width": width, "height": height, "samples": samples}
    for name, least in (("lavt", 0), ("rrsis", 0), ("caris", 0), ("gres", 50)):
        rows = []
        for s in samples:
            guess, target = rect(s["guess"], width, height), rect(s["target"], width, height)
            if guess.sum() < least:
                guess[:] = False
            rows.append(
                {
                    "category": s["category"],
                    "intersection": int(np.logical_and(guess, target).sum()),
                    "union": int(np.logical_or(guess, target).sum()),
                    "predicted": int(guess.sum()),
                    "target": s["target"] is not None,
                }
            )
        by_class = {c: scores(name, [row for row in rows if row["category"] == c]) for c in ("court", "ship", "tank")}
        means = {"classes": 3}
        for metric in ("oIoU", "mIoU"):
            values = [one[metric] for one in by_class.values()]
            means[metric] = None if None in values else mean(values)
        means["precision"] = {
            t: mean([one["precision"][t] for one in by_class.values()]) for t in ("0.5", "0.6", "0.7", "0.8", "0.9")
        }
        found[name] = {**scores(name, rows), "noTarget": gres(rows), "classMeans": means}
    (here / "protocols.json").write_text(json.dumps(found) + "\n")


def mean(values):
    total = 0.0
    for v in values:
        total += v
    return total / len(values)


def scores(protocol, rows):
    if protocol != "gres":
        found = lavt(rows)
        if protocol == "caris" and any(row["union"] == 0 for row in rows):
            # 0 / 0 makes the mean no number, which JSON has not.
            found = {**found, "mIoU": None}
        # zhu-xlab/rrsis prints (cum_I * 100. / cum_U) - 1.
        return {**found, "oIoU": found["oIoU"] - 0.01} if protocol == "rrsis" else found
    total_i, total_u, total_iou, targets = 0, 0, 0.0, 0
    correct = {t: 0 for t in (0.5, 0.6, 0.7, 0.8, 0.9)}
    for row in rows:
        i, u = row["intersection"], row["union"]
        if not row["target"]:
            iou = 1.0 if row["predicted"] == 0 else 0.0
        else:
            targets += 1
            iou = 0.0 if u == 0 else float(i) / float(u)
            for t in correct:
                correct[t] += iou >= t
        total_i += i
        total_u += u
        total_iou += iou
    return {
        "oIoU": total_i / total_u,
        "mIoU": total_iou / len(rows),
        "precision": {str(t): n / targets for t, n in correct.items()},
    }


def gres(rows):
    """The counts of ReferEvaluator in ReLA: a true positive is a phrase without a target that is answered so."""
    tp = tn = fp = fn = 0
    total_i, total_u, total_iou = 0, 0, 0.0
    for row in rows:
        i, u, none = row["intersection"], row["union"], row["predicted"] == 0
        if not row["target"]:
            if none:
                tp += 1
                total_iou += 1
            else:
                fn += 1
                total_u += u
        else:
            if none:
                fp += 1
            else:
                tn += 1
            total_iou += 0.0 if u == 0 else float(i) / float(u)
            total_i += i
            total_u += u
    return {
        "samples": tp + fn,
        "gIoU": total_iou / len(rows),
        "cIoU": total_i / total_u,
        "nAcc": tp / (tp + fn),
        "tAcc": tn / (tn + fp),
    }


pickles()
masks()
rrsis_d()
protocols()
