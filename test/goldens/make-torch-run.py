"""Writes a run's folder as train.py does, for a test that crobc reads it:
python test/goldens/make-torch-run.py
Needs torch, numpy and safetensors.
"""

import shutil
import sys
from pathlib import Path

import torch

root = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "runtime" / "torch"))

from training.checkpoint_files import Best, Last, Progress  # noqa: E402
from training.checkpoints import CheckpointStore, StoredTensor  # noqa: E402

identity = {
    "model": "Toy",
    "seed": 1,
    "recipe": {"lr": 1e-7, "clip": 1e21, "groups": [], "name": "émile \u2028 \x7f"},
    "hashes": {"model": "m", "loss": "l", "data": "d", "vocabulary": "v"},
    "surroundings": {
        "crobc": "0",
        "backend": "torch",
        "device": "cpu",
        "threads": None,
        "recompute": [],
    },
}
stored = [
    StoredTensor("average:w", "weights", "w", (2, 2)),
    StoredTensor("weight:w", "state", "weight:w", (2, 2)),
    StoredTensor("moment:w", "state", "moment:w", (2, 2)),
    StoredTensor("buffer:s", "weights", "s", ()),
]
state = {
    "average:w": torch.tensor([[1.0, -0.0], [1e-40, 3.5]]),
    "weight:w": torch.tensor([[2.0, -0.0], [1e-40, 3.5]]),
    "moment:w": torch.tensor([[3.0, -0.0], [1e-40, 3.5]]),
    "buffer:s": torch.tensor(7.0),
}

folder = Path(__file__).parent / "torch-run"
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir()
store = CheckpointStore(folder, {"crobc.trained": '{"x":"é"}'})
progress = Progress(7, 12.125, Last(1 / 3, 1e-5), Best(7, 0.5), 0, 7)
store.save(progress, identity, state, stored)
for name in ["best.safetensors", "last.safetensors"]:
    (folder / name).unlink()
