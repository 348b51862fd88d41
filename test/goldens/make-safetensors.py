"""Writes small.safetensors with Python's safetensors, for the reader's test. Run by hand: needs torch, safetensors."""

from pathlib import Path

import torch
from safetensors.torch import save_file

here = Path(__file__).parent
tensors = {
    "f32": torch.tensor([[1.5, -2.25, 3e-30], [0.0, -0.0, float("inf")]]),
    "f64": torch.tensor([1 / 3, -1e300], dtype=torch.float64),
    "f16": torch.tensor([1.5, -65504.0, 2.0**-24, float("inf")], dtype=torch.float16),
    "bf16": torch.tensor([1.5, -3.0e38, 2.0**-120], dtype=torch.bfloat16),
    "i64": torch.tensor([[1, -2], [3, 1 << 30]], dtype=torch.int64),
    "i32": torch.tensor([7, -8], dtype=torch.int32),
    "u8": torch.tensor([0, 255], dtype=torch.uint8),
    "bool": torch.tensor([True, False, True]),
    "scalar": torch.tensor(4.0),
    "empty": torch.zeros(0, 3),
    "ünï.côde": torch.tensor([1.0]),
}
save_file(tensors, here / "small.safetensors", metadata={"format": "pt", "note": "a \"quoted\" line\n"})
