"""Data sets with random changes, of which both have to say the same: their hash and samples, or
what is wrong with them."""

import random
import re
import shutil
from pathlib import Path

inserted = [
    *(b'"mask":', b"null", b"1e999", b"-0", b"1.5e3", b'"\\ud800"', b"\\u0000", b"NaN", b"true"),
    *(b'{"size":[1,2],"counts":"0"}', b'"category": "x"', b'"attributes": {"2":"a","1":"b"}'),
    *(b"\xef\xbb\xbf", b"\r", b"\n\n", b"\xc2\xa0", b"\xe2\x80\xa8", b"\x1c", b"\x85", b"\xc2\x85"),
    *(b",", b'"', b"}", b"[", b"0.1", b"1e-7", b"1e21", b"../", b"\xff", b" ", b"\t", b"abc"),
    *(b"123456789012345678901234567890", b'"id":1', b"[[1,2,3,4,5,6]]", b'"segmentation":[]'),
]
numbers = [
    *(b"0", b"1e3", b"1E2", b"4.0", b"00", b"9007199254740993", b"1.7976931348623157e308"),
    *(b"5e-324", b"0.000001", b"1e-7", b"123456.789e-2", b"-3", b"2640"),
]


def mutated(data, draw):
    data = bytearray(data)
    for _ in range(draw.choice([1, 1, 2, 3, 8])):
        kind, at = draw.random(), draw.randrange(len(data) + 1)
        found = list(re.finditer(rb"\d+(\.\d+)?", bytes(data)))
        if kind < 0.35:
            data[at:at] = draw.choice(inserted)
        elif kind < 0.55 and at < len(data):
            data[at] = draw.randrange(256)
        elif kind < 0.7:
            del data[at : at + draw.randrange(1, 12)]
        elif kind < 0.8:
            start = draw.randrange(len(data) + 1)
            data[at:at] = data[start : start + draw.randrange(1, 40)]
        elif found:
            one = draw.choice(found)
            data[one.start() : one.end()] = draw.choice(numbers)
    return bytes(data)


def write_mutated(work, count):
    draw = random.Random(3)
    # The files of a data set, the one that is changed, and folders that it shares with others.
    sources = {
        "lines": ("samples_train.jsonl", [], ["images", "masks"]),
        "kinds": ("output_phrase_train.txt", ["attributes_train.jsonl"], ["img_rgb", "mask"]),
        "attributes": ("attributes_train.jsonl", ["output_phrase_train.txt"], ["img_rgb", "mask"]),
        "turned": ("output_phrase_val.txt", [], ["images", "masks"]),
        "rrsis-d": ("rrsisd/instances.json", ["rrsisd/refs(unc).p"], ["images"]),
    }
    cases = []
    for i in range(count):
        name, (changed, kept, shared) = draw.choice(list(sources.items()))
        source = work / ("kinds" if name == "attributes" else name)
        path = Path(work) / "mutated" / str(i)
        shutil.rmtree(path, ignore_errors=True)
        (path / changed).parent.mkdir(parents=True)
        for one in shared:
            (path / one).symlink_to(source / one)
        for one in kept:
            shutil.copy(source / one, path / one)
        data = (source / changed).read_bytes()
        if name == "lines":
            lines = data.split(b"\n")
            data = b"\n".join(draw.sample(lines, draw.randrange(1, 5)))
        elif name == "turned":
            data = data[: draw.randrange(20, 400)]
        (path / changed).write_bytes(mutated(data, draw))
        split = "val" if name == "turned" else "train"
        on_bad = draw.choice(["skip", "skip", "stop"])
        mismatch = "resize" if name == "rrsis-d" else None
        case = {"dir": str(path), "split": split, "onBad": on_bad, "onSizeMismatch": mismatch}
        cases.append({**case, "batches": False})
    return cases
