"""Vocabularies of both formats, right and wrong ones."""

import json


def tokenizer_file(work, name, golden, **changes):
    value = json.loads(json.dumps(golden))
    for key, change in changes.items():
        if key == "model":
            value["model"].update(change)
        else:
            value[key] = change
    path = work / f"{name}.json"
    path.write_text(json.dumps(value))
    return str(path)


def write_vocabularies(work, goldens, aerial):
    golden = json.loads((goldens / "tokenizer.json").read_text())["cases"]
    found = [str(aerial), str(work / "synth" / "vocab.txt")]
    for name in ("cased", "uncased"):
        path = work / f"{name}.txt"
        path.write_text("\r\n".join(golden[name]["vocabulary"]) + "\n", newline="")
        found.append(str(path))
        found.append(tokenizer_file(work, f"tokenizer-{name}", golden[name]["tokenizer"]))
    base = golden["uncased"]["tokenizer"]
    sequence = [
        {"type": "NFD"},
        {"type": "Lowercase"},
        {"type": "StripAccents"},
        {"type": "Strip", "strip_left": True, "strip_right": False},
    ]
    replace = {"type": "Replace", "pattern": {"String": "a"}, "content": "$& e"}
    splits = [
        {"type": "WhitespaceSplit"},
        {"type": "Punctuation", "behavior": "Isolated"},
        {"type": "Digits", "individual_digits": True},
    ]
    added = [
        *base["added_tokens"],
        {
            "id": 29000,
            "content": "storage tank",
            "lstrip": True,
            "rstrip": True,
            "normalized": True,
        },
        {
            "id": 29001,
            "content": "Red",
            "normalized": False,
            "lstrip": False,
            "rstrip": True,
            "single_word": False,
            "special": False,
        },
    ]
    found += [
        tokenizer_file(
            work,
            "sequence",
            base,
            normalizer={"type": "Sequence", "normalizers": [*sequence, replace]},
            pre_tokenizer={"type": "Sequence", "pretokenizers": splits},
        ),
        tokenizer_file(
            work,
            "plain",
            base,
            normalizer=None,
            pre_tokenizer={"type": "Whitespace"},
            post_processor=None,
        ),
        tokenizer_file(work, "unsplit", base, normalizer={"type": "NFKC"}, pre_tokenizer=None),
        tokenizer_file(work, "added", base, added_tokens=added),
        tokenizer_file(
            work,
            "digits",
            base,
            pre_tokenizer={"type": "Digits", "individual_digits": False},
            normalizer={
                "type": "BertNormalizer",
                "clean_text": False,
                "handle_chinese_chars": False,
                "strip_accents": False,
                "lowercase": True,
            },
        ),
    ]
    for i, (behavior, invert) in enumerate(
        [("Removed", False), ("Isolated", False), ("Removed", True), ("removed", None)]
    ):
        split = {"type": "Split", "pattern": {"String": "e"}, "behavior": behavior}
        found.append(
            tokenizer_file(
                work,
                f"split-{i}",
                base,
                pre_tokenizer=split | ({} if invert is None else {"invert": invert}),
            )
        )
    # Vocabularies that are refused.
    bad = {
        "no-sep": "[PAD]\n[UNK]\n[CLS]\n",
        "twice": "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\na\n",
        "half": "{",
        "list": '{"model": []}',
    }
    for name, text in bad.items():
        (work / f"bad-{name}.txt").write_text(text)
        found.append(str(work / f"bad-{name}.txt"))
    (work / "bad-bytes.txt").write_bytes(b"[PAD]\n\xff\n")
    found += [str(work / "bad-bytes.txt"), str(work / "bad-absent.txt")]
    found += [
        tokenizer_file(work, "bad-type", base, model={"type": "BPE"}),
        tokenizer_file(work, "bad-step", base, normalizer={"type": "Precompiled"}),
        tokenizer_file(work, "bad-setting", base, normalizer={"type": "Lowercase", "x": 1}),
        tokenizer_file(work, "bad-post", base, post_processor={"type": "ByteLevel"}),
        tokenizer_file(work, "bad-longest", base, model={"max_input_chars_per_word": 1e9}),
        tokenizer_file(
            work,
            "bad-growth",
            base,
            normalizer={"type": "Replace", "pattern": {"String": "a"}, "content": "b" * 1000},
            added_tokens=[{"id": -1}],
        ),
    ]
    return found
