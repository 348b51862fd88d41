"""Data sets with one fault each."""

from drawn import folder, mask, picture


def write_broken(work):
    cases = []

    def one(name, phrases, split="train", more=None, on_bad="stop", mismatch=None):
        path = folder(work, f"broken-{name}")
        picture(20, 16).save(path / "img_rgb" / "a.png")
        mask(20, 16).save(path / "mask" / "a.png")
        picture(20, 16).save(path / "img_rgb" / "b.png")
        mask(22, 16).save(path / "mask" / "b.png")
        data = phrases if isinstance(phrases, bytes) else phrases.encode()
        (path / f"output_phrase_{split}.txt").write_bytes(data)
        if more:
            more(path)
        cases.append(
            {
                "dir": str(path),
                "split": "train",
                "onBad": on_bad,
                "onSizeMismatch": mismatch,
                "batches": False,
            }
        )

    one("phrase", "a.png\n")
    one("name", "../a.png the ship\n")
    one("missing", "a.png the ship\nc.png the tank\n")
    one("empty-line", "a.png the ship\n\na.png the tank\n")
    one("utf8", b"a.png the ship\n\xff\xfea.png x\n"[0:15] + b"a.png \xff\n")
    one("long", "a.png " + "x" * 5000 + "\n")
    one("empty", "")
    one("split", "a.png the ship\n", split="val")
    one("size", "b.png the ship\n")
    one("size-stop", "b.png the ship\n", mismatch="stop")
    one("size-skip", "a.png x\nb.png the ship\n", mismatch="skip")
    one("size-resize", "a.png x\nb.png the ship\n", mismatch="resize")
    one("none-left", "b.png the ship\n", mismatch="skip")
    many = "".join(f"c{i}.png the ship\n" for i in range(14))
    one("many", f"{many}a.png the ship\n", on_bad="skip")
    one(
        "attributes",
        "a.png x\na.png y\n",
        more=lambda p: (p / "attributes_train.jsonl").write_text(
            '{"category": 3}\n{"attributes": {"a": 1}}\n'
        ),
        on_bad="skip",
    )
    one(
        "attributes-count",
        "a.png x\na.png y\n",
        more=lambda p: (p / "attributes_train.jsonl").write_text("{}\n"),
        on_bad="skip",
    )
    one("text", "a.png the ship\n", more=lambda p: (p / "img_rgb" / "a.png").write_text("no image"))
    one(
        "directory",
        "a.png the ship\n",
        more=lambda p: ((p / "mask" / "a.png").unlink(), (p / "mask" / "a.png").mkdir()),
    )
    one(
        "two-layouts",
        "a.png the ship\n",
        more=lambda p: (p / "samples_train.jsonl").write_text("{}\n"),
    )
    one(
        "masks-gone",
        "a.png the ship\n",
        more=lambda p: [(p / "mask" / x).unlink() for x in ("a.png", "b.png")]
        and (p / "mask").rmdir(),
    )
    (work / "broken-nothing").mkdir(exist_ok=True)
    for name in ("broken-nothing", "broken-absent"):
        cases.append({"dir": str(work / name), "split": "train", "onBad": "stop", "batches": False})

    def cut(path, name="img_rgb"):
        file = path / name / "a.png"
        file.write_bytes(file.read_bytes()[:-60])

    for place in ("img_rgb", "mask"):
        one(f"cut-{place}", "a.png x\na.png y\n" * 4, more=lambda p, at=place: cut(p, at))
    # A bad sample among good ones is replaced in training and left out in evaluation.
    path = folder(work, "damaged")
    lines = []
    for i in range(11):
        picture(30 + i, 40).save(path / "img_rgb" / f"{i}.png")
        mask(30 + i, 40).save(path / "mask" / f"{i}.png")
        lines.append(f"{i}.png the ship in the top left corner\n")
    for i in (2, 7):
        file = path / "img_rgb" / f"{i}.png"
        file.write_bytes(file.read_bytes()[:-200])
    (path / "output_phrase_train.txt").write_text("".join(lines))
    return cases
