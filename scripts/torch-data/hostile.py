"""Pickles that would run something, need much memory, or are damaged."""

import os
import pickle
import struct
from pathlib import Path


class Call:
    """Runs a command where a reader carries out what a pickle says."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return (os.system, (f"touch {self.file}",))


def hostile_pickles(file):
    """Yields names and pickles; whoever carries them out makes the file."""
    yield "call", pickle.dumps([{"split": Call(file)}])
    yield "call, protocol 0", pickle.dumps([{"split": Call(file)}], protocol=0)
    yield "class", pickle.dumps([{"split": Path}], protocol=4)
    yield "set", pickle.dumps([{"split": {1}}])
    yield "bytes", pickle.dumps([{"split": b"x"}], protocol=4)
    yield "large memo", b"\x80\x02]r\xff\xff\xff\xff."
    yield "large text", b"\x80\x04\x8d" + struct.pack("<Q", 2**60) + b"x."
    yield "no memo", b"\x80\x02h\x05."
    yield "cut", pickle.dumps([{"split": "train"}])[:-4]
    yield "nothing", b""
    yield "text", b"hello\n"
    yield "extension", b"\x80\x02\x82\x01."
    yield "persistent", b"Pabc\n."
    yield "deep", b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."
    yield "number", pickle.dumps(3)
    yield "empty", pickle.dumps([])
    yield "no split", pickle.dumps([{"split": "a/b"}])
    yield "long number", pickle.dumps([{"split": "train", "ref_id": 10**400}], protocol=2)
