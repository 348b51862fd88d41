"""Writes checkpoints/: small files in the formats of published weights, by PyTorch, numpy and Python's own pickle.

Run by hand: needs torch, numpy, safetensors. The tests read them without Python. expected.safetensors has the values of every tensor.
"""

import argparse
import base64
import collections
import datetime
import io
import json
import os
import pathlib
import pickle
import zipfile

import numpy as np
import torch
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent / "checkpoints"
here.mkdir(exist_ok=True)
generator = torch.Generator().manual_seed(1)


def drawn(*shape):
    return torch.randn(*shape, generator=generator)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(3, 4)
        self.norm = torch.nn.BatchNorm1d(4)

    def forward(self, x):
        return self.norm(self.fc(x))


torch.manual_seed(0)
net = Net()
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
schedule = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=10)
net(drawn(5, 3)).square().mean().backward()
optimizer.step()
args = argparse.Namespace(
    model="lavt", lr=5e-5, window12=True, img_size=480, splits=["train", "val"], out=pathlib.PurePosixPath("runs/a"), seed=None
)
checkpoint = {
    "model": collections.OrderedDict(("module." + name, value) for name, value in net.state_dict().items()),
    "optimizer": optimizer.state_dict(),
    "lr_scheduler": schedule.state_dict(),
    "epoch": 39,
    "best": np.float64(0.75),
    "args": args,
    "when": datetime.datetime(2024, 5, 6),
    "tags": {"a"},
}
torch.save(checkpoint, here / "training.pth")
torch.save(checkpoint, here / "training-legacy.pth", _use_new_zipfile_serialization=False)
for protocol in [3, 4, 5]:
    torch.save(net.state_dict(), here / f"protocol-{protocol}.bin", pickle_protocol=protocol)
torch.save({"model": net.state_dict(), "bert_model": {"a.weight": drawn(2)}}, here / "two.pth")

base = drawn(6, 4)
types = {
    "f32": drawn(2, 3),
    "f64": drawn(3).double(),
    "f16": drawn(3).half(),
    "bf16": drawn(5).bfloat16(),
    "i64": torch.tensor([[1, -2], [3, 1 << 30]]),
    "i32": torch.tensor([7, -8], dtype=torch.int32),
    "i16": torch.tensor([7, -8], dtype=torch.int16),
    "i8": torch.tensor([7, -8], dtype=torch.int8),
    "u8": torch.tensor([0, 255], dtype=torch.uint8),
    "u16": torch.tensor([0, 65535], dtype=torch.uint16),
    "bool": torch.tensor([True, False, True]),
    "scalar": torch.tensor(4.0),
    "empty": torch.zeros(0, 3),
    "transposed": drawn(3, 5).t(),
    "permuted": drawn(2, 3, 4).permute(2, 0, 1),
    "permuted half": drawn(2, 3, 4).half().permute(1, 2, 0),
    "repeated": drawn(1, 3).expand(4, 3),
    "rows": base[2:5],
    "columns": base[:, 1::2],
    "whole": base,
    "parameter": torch.nn.Parameter(drawn(2)),
    "channels last": drawn(1, 3, 2, 2).to(memory_format=torch.channels_last),
}
torch.save(types, here / "types.pt")
torch.save(
    {name: value for name, value in types.items() if name != "u16"},
    here / "types-legacy.pt",
    _use_new_zipfile_serialization=False,
)
expected = {name: value.detach().contiguous().clone() for name, value in types.items()}
expected |= {f"net.{name}": value.detach().contiguous().clone() for name, value in net.state_dict().items()}

arrays = {
    "f32": types["f32"].numpy(),
    "f64": types["f64"].numpy(),
    "f16": types["f16"].numpy(),
    "i64": types["i64"].numpy(),
    "u8": types["u8"].numpy(),
    "bool": types["bool"].numpy(),
    "scalar": types["scalar"].numpy(),
    "empty": types["empty"].numpy(),
    "layer/permuted": np.asfortranarray(types["permuted"].numpy()),
}
expected["layer/permuted"] = expected["permuted"].clone()
np.savez(here / "arrays.npz", **arrays)
np.savez_compressed(here / "arrays-packed.npz", **arrays, large=np.zeros((64, 1024), np.float32))
np.savez(here / "objects.npz", objects=np.array([{"a": 1}], dtype=object))

names = list(net.state_dict())
for kind, end in [("safetensors", "model"), ("bin", "pytorch_model")]:
    weights = {}
    for i, part in enumerate([names[:3], names[3:]]):
        file = f"{end}-0000{i + 1}-of-00002.{kind}"
        tensors = {name: net.state_dict()[name] for name in part}
        save_file(tensors, here / file, metadata={"format": "pt"}) if kind == "safetensors" else torch.save(tensors, here / file)
        weights |= {name: file for name in part}
    index = {"metadata": {"total_size": 100}, "weight_map": weights}
    (here / f"{end}.{kind}.index.json").write_text(json.dumps(index, indent=2) + "\n")

torch.jit.script(Net()).save(str(here / "script.pt"))
torch.save(Net(), here / "module.pt")
torch.save({"a": torch.zeros(2, dtype=torch.complex64)}, here / "complex.pt")
torch.save({"a": torch.zeros(2, 2).to_sparse()}, here / "sparse.pt")
torch.save([torch.zeros(2)], here / "list.pt")
save_file(expected, here / "expected.safetensors")


class Calls:
    """Pickled as a call that Python's pickle would make."""

    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


data = {
    "none": None,
    "flags": [True, False],
    "numbers": [0, 1, -1, 255, 256, 65535, 65536, -(1 << 31), 1 << 31, 1 << 53, 1 << 64, -(1 << 100), 0.5, -1e300, float("inf")],
    "texts": ["", "plain", "ünï ☃ 𝄞", "a\nb\\u0041'\"", "x" * 300],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
    "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
    "bytes": [b"", b"abc\xff", bytes(300)],
    "set": {7},
    "nested": [[[{"a": {"b": [1]}}]]],
    "same": [args] * 2,
}
bad = {
    "os.system": Calls(os.system, "echo harm"),
    "eval": Calls(eval, "1 + 1"),
    "getattr": Calls(getattr, "a", "upper"),
    "nested reduce": {"model": [Calls(collections.OrderedDict, [("a", Calls(os.system, "echo harm"))])]},
    "exec in state": {"args": Calls(exec, "harm = 1")},
    "import": Calls(__import__, "os"),
    "load from bytes": Calls(torch.storage._load_from_bytes, b"abc"),
    "numpy load": Calls(np.load, "a.npy"),
}
text = lambda value, protocol: base64.b64encode(pickle.dumps(value, protocol)).decode()
pickles = {
    "shown": {str(p): {name: text(value, p) for name, value in data.items()} for p in range(6)},
    "bad": {name: {str(p): text(value, p) for p in [0, 2, 4]} for name, value in bad.items()},
}
(here / "pickles.json").write_text(json.dumps(pickles, indent=1) + "\n")

# Tables of relative positions at other windows, as microsoft/Swin-Transformer resizes them when it loads.
tables = {}
for window, into, heads in [(7, 12, 3), (12, 7, 2), (3, 4, 1)]:
    table = drawn((2 * window - 1) ** 2, heads)
    square = table.permute(1, 0).view(1, heads, 2 * window - 1, 2 * window - 1)
    wider = torch.nn.functional.interpolate(square, size=(2 * into - 1, 2 * into - 1), mode="bicubic", align_corners=False)
    tables |= {f"{window}": table, f"{window} to {into}": wider.view(heads, -1).permute(1, 0).contiguous()}
save_file(tables, here / "windows.safetensors")

# As in archives of more than 4 GiB: every size and offset is in the 64-bit fields.
limit, zipfile.ZIP64_LIMIT = zipfile.ZIP64_LIMIT, 0
np.savez(here / "arrays-64-bit.npz", **arrays)
zipfile.ZIP64_LIMIT = limit
# Without checksums, PyTorch writes 0 or others instead.
torch.serialization.set_crc32_options(False)
torch.save(net.state_dict(), here / "unchecked.pth")
