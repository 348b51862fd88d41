"""Makes small data sets of every layout, vocabularies and cases.json, for test-torch-data.mjs.

python sets.py FOLDER GOLDENS VOCABULARY MUTATIONS
"""

import json
import pickle
import sys
from pathlib import Path

import numpy as np
from broken import write_broken
from drawn import draw, folder, mask, picture
from mutated import write_mutated
from PIL import Image, ImageDraw
from vocabularies import write_vocabularies

work, goldens, aerial = (Path(one) for one in sys.argv[1:4])


def write_kinds():
    """Images and masks of all kinds that both read, in RISBench's layout."""
    path = folder(work, "kinds")
    images = {
        "rgb.png": lambda p: picture(64, 48).save(p),
        "grey.png": lambda p: picture(50, 60).convert("L").save(p),
        "rgba.png": lambda p: picture(33, 77).convert("RGBA").save(p),
        "la.png": lambda p: picture(40, 40).convert("LA").save(p),
        "one.png": lambda p: picture(41, 43).convert("1").save(p),
        "palette.png": lambda p: picture(70, 30)
        .convert("P", palette=Image.Palette.ADAPTIVE, colors=9)
        .save(p),
        "clear.png": lambda p: picture(30, 31).quantize(20).save(p, transparency=3),
        "photo.jpg": lambda p: picture(65, 47).save(p, quality=85),
        "fine.jpeg": lambda p: picture(61, 47).save(p, quality=95, subsampling=0),
        "greyphoto.jpg": lambda p: picture(45, 47).convert("L").save(p),
        "late.jpg": lambda p: picture(45, 47).save(p, progressive=True),
        "tiff.tif": lambda p: picture(37, 29).save(p, compression="tiff_lzw"),
        "greytiff.tiff": lambda p: picture(37, 29).convert("L").save(p),
        "lossless.webp": lambda p: picture(52, 37).save(p, lossless=True),
        "lossy.webp": lambda p: picture(52, 37).save(p, quality=80),
        "large.png": lambda p: picture(300, 211).save(p),
        "thin.png": lambda p: picture(5, 160).save(p),
        "dot.png": lambda p: picture(1, 1).save(p),
    }
    masks = [
        lambda size, p: mask(*size).save(p),
        lambda size, p: mask(*size, value=1).save(p),
        lambda size, p: mask(*size, value=3).quantize(4).save(p),
        lambda size, p: mask(*size).convert("1").save(p),
        lambda size, p: mask(*size).convert("RGB").save(p),
        lambda size, p: mask(*size).convert("LA").save(p),
        lambda size, p: Image.fromarray(np.asarray(mask(*size)).astype(np.uint16) * 3).save(p),
    ]
    lines = []
    for i, (name, save) in enumerate(images.items()):
        save(path / "img_rgb" / name)
        with Image.open(path / "img_rgb" / name) as image:
            size = image.size
        masks[i % len(masks)](size, path / "mask" / f"{Path(name).stem}.png")
        lines.append(
            f"{name} the small {draw.choice(['left', 'red', 'right-hand'])} ship number {'abcdefg'[i % 7]}"
        )
    (path / "output_phrase_train.txt").write_text("\r\n".join(lines) + "\r\n\r\n")
    attributes = [
        {"category": f"kind {i % 3}", "attributes": {"10": "x", "b": "y", "2": "ä"}}
        for i in range(len(lines))
    ]
    (path / "attributes_train.jsonl").write_text(
        "".join(json.dumps(one) + "\n" for one in attributes)
    )


def write_turned():
    """Images and masks with an EXIF orientation, and TIFF masks as those of RefSegRS."""
    path = folder(work, "turned", "images", "masks")
    lines = []
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[274] = orientation
        for ending in ("jpg", "png", "webp", "tif"):
            name = f"t{orientation}.{ending}"
            picture(47, 33).save(path / "images" / name, exif=exif)
            kind = "tif" if ending == "tif" else "png"
            # Values up to 50 are off in the TIFF masks of this layout.
            image = mask(47, 33, value=51)
            ImageDraw.Draw(image).rectangle([0, 0, 12, 9], fill=50)
            image.save(path / "masks" / f"t{orientation}.{ending}.{kind}", exif=exif)
            lines.append(f"{name} the plane on the left")
    (path / "output_phrase_val.txt").write_bytes(("\n".join(lines)).encode("utf-16"))
    for value in ("float", "deep", "signed"):
        picture(20, 30).save(path / "images" / f"{value}.png")
    plain = np.asarray(mask(20, 30)) > 0
    Image.fromarray(plain.astype(np.float32) * 0.25 - 0.1).save(path / "masks" / "float.tif")
    Image.fromarray(plain.astype(np.uint16) * 7).save(path / "masks" / "deep.tif")
    Image.fromarray(plain.astype(np.int32) * 2 - 1).save(path / "masks" / "signed.tif")
    rest = "".join(f"{one} east of the wide road\n" for one in ("float", "deep", "signed"))
    (path / "output_phrase_test.txt").write_text(rest)


def runs_of(image):
    """Run lengths down the columns."""
    flat = (np.asarray(image) > 0).T.reshape(-1)
    edges = np.flatnonzero(np.diff(flat.astype(np.int8))) + 1
    counts = np.diff([0, *edges, flat.size]).tolist()
    return [0, *counts] if flat[0] else counts


def write_lines():
    """JSON lines with masks of every form."""
    path = folder(work, "lines", "images", "masks")
    coco = json.loads((goldens / "coco-masks.json").read_text())[0]
    names = []
    for i in range(4):
        picture(60, 44).save(path / "images" / f"p{i}.png")
        mask(60, 44).save(path / "masks" / f"m{i}.png")
        names.append(f"p{i}.png")
    size = [44, 60]
    polygon = [10, 10, 50, 10.5, 50, 40, 1e0, 30]
    masks = [
        "m0.png",
        None,
        {"size": size, "counts": runs_of(mask(60, 44))},
        [{"size": size, "counts": runs_of(mask(60, 44))}, {"size": size, "counts": [2640]}],
        {"size": size, "polygons": [polygon, [3.25, 4, 20, 4, 20, 22.75, -7, 100]]},
        {"size": size, "polygons": [[0.1, 0.7, 59.9, 1e-7, 33.3, 43.2]]},
        "m1",
    ]
    samples = [
        {"image": names[i % 4], "phrase": f"  the {word} ship \u2028 at the left  ", "mask": one}
        for i, (one, word) in enumerate(
            zip(masks * 2, ["red", "größte", "\ud83d\ude00", "blue", "big", "old", "new"] * 2)
        )
    ]
    picture(coco["width"], coco["height"]).save(path / "images" / "coco.png")
    compressed = {"size": [coco["height"], coco["width"]], "counts": coco["compressed"]}
    samples.append({"image": "coco", "phrase": "the compressed mask", "mask": compressed})
    samples[2]["category"] = "ship \ud800"
    samples[3]["attributes"] = {"z": "1", "1": "z", "01": "q", "__proto__": "p"}
    samples[4]["category"] = "a"
    text = "".join(json.dumps(one) + "\n" for one in samples)
    raw = '{"image":"p1.png","phrase":"numbers","mask":{"size":[44,6e1],"polygons":[[1e1,1.0,50.50,1,5e-7,12345678901234567890e-18,-0,33]]}}\n'
    (path / "samples_train.jsonl").write_text(f"\ufeff{text}{raw}\n\n", encoding="utf-8")
    (path / "samples_val.jsonl").write_text(text.replace('"p2.png"', '"gone.png"'))
    (path / "samples_bad.jsonl").write_text(
        '{"image": "../p1.png"}\nno\n[]\n\n{"image": "p1.png", "phrase": " \\u0301"}\n{"image": 3}\n'
        + text
    )


def write_references():
    """RRSIS-D by other protocols, with parts that overlap and a bad reference."""
    with open(goldens / "rrsis-d" / "rrsisd" / "refs(unc).p", "rb") as file:
        references = pickle.load(file)
    for protocol in (0, 1, 4, 5):
        path = work / f"rrsis-{protocol}"
        (path / "rrsisd").mkdir(parents=True, exist_ok=True)
        (path / "images").mkdir(exist_ok=True)
        link = path / "images" / "rrsisd"
        if not link.exists():
            link.symlink_to(goldens / "rrsis-d" / "images" / "rrsisd")
        (path / "rrsisd" / "instances.json").write_bytes(
            (goldens / "rrsis-d" / "rrsisd" / "instances.json").read_bytes()
        )
        extra = {
            "ref_id": 99,
            "ann_id": 1,
            "image_id": 4,
            "category_id": 1.0,
            "split": "train",
            "sentences": [{"raw": " "}, {"raw": " é x "}],
        }
        with open(path / "rrsisd" / "refs(unc).p", "wb") as file:
            pickle.dump([*references, extra], file, protocol=protocol)


def main():
    write_kinds()
    write_turned()
    write_lines()
    write_references()
    broken = write_broken(work)
    changed = write_mutated(work, int(sys.argv[4]))
    datasets = [
        {
            "dir": str(work / name),
            "split": split,
            "onBad": on_bad,
            "onSizeMismatch": mismatch,
            "batches": True,
        }
        for name, split, on_bad, mismatch in [
            ("synth", "train", "stop", None),
            ("synth", "val", "stop", None),
            ("kinds", "train", "stop", None),
            ("turned", "val", "stop", None),
            ("turned", "test", "stop", None),
            ("lines", "train", "stop", None),
            ("lines", "val", "skip", None),
            ("lines", "bad", "skip", None),
            ("rrsis-d", "train", "skip", "resize"),
            ("rrsis-d", "test", "stop", "resize"),
            ("rrsis-0", "train", "skip", "resize"),
            ("rrsis-1", "test", "skip", "resize"),
            ("rrsis-4", "train", "skip", "resize"),
            ("rrsis-5", "test", "stop", "resize"),
            ("damaged", "train", "skip", None),
        ]
    ]
    evaluations = [
        {"dir": str(work / name), "split": split, "protocol": protocol, "at": at}
        for name, split in [("synth", "val"), ("kinds", "train"), ("lines", "train")]
        for protocol in ("lavt", "caris", "cris", "rrsis", "gres")
        for at in (None, "model", "original")
        if protocol != "cris" or at != "model"
    ]
    cases = {
        "orders": [
            {"places": places, "seed": seed, "epoch": epoch}
            for places, seed, epoch in [
                (1, 0, 0),
                (2, 1, 3),
                (17, 2**40 + 3, 1),
                (9000, 7, 0),
                (9000, 2**53 - 1, 12),
            ]
        ],
        "phrases": [
            "the ship on the left",
            "Left",
            "the tank that was left",
            "right next to the road",
            "what is left over",
            "RIGHTMOST ship",
            "the Upper-Left corner",
            "T-shaped pier",
            "t-shapedx pier",
            "the north east\u00a0corner",
            "port side of it",
            "clockwise",
            "leftmost, eastern; west.",
            "ship 3",
            "größte",
            "",
            " ",
            "\u0301",
            "left  behind",
            "the left hand side",
            "the left ship",
            "on the left ship",
            "\ud800 half",
            "\ud83d\ude00 smile",
            "a\u2028b\ufeffc\u0085d",
            "ΑΣ ΟΔΟΣ",
            "x" * 101,
            "x" * 100,
            "…—“storage tank” Red car",
            "$100 ^ ~ `|+<=>",
        ],
        "vocabularies": write_vocabularies(work, goldens, aerial),
        "words": [3, 4, 8, 20],
        "datasets": [*datasets, *broken, *changed],
        "evaluations": evaluations,
    }
    (work / "cases.json").write_text(json.dumps(cases))


main()
