"""Writes mixed.json: losses and norms of gradients of ten steps of mixed.crob by PyTorch on the CPU, in f32 and by autocast in
bfloat16 and float16, the latter with torch.amp.GradScaler.

Run by hand: python test/goldens/make-mixed.py. Weights and batches are drawn by the formula of formula.py, which
test/training/formula.ts repeats.
"""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from formula import uniform
from torch import nn

torch.set_num_threads(1)
HERE = Path(__file__).parent
B, T, D, STEPS = 4, 8, 16, 10


def start(name, shape):
    if len(shape) == 1:
        centre, spread = (1.0, 0.2) if name.endswith("weight") else (0.0, 0.1)
    else:
        centre, spread = 0.0, 0.5 * math.sqrt(3 / math.prod(shape[1:]))
    return (centre + spread * (2 * uniform(name, shape) - 1)).float()


class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(D)
        self.q, self.k, self.v = nn.Linear(D, D), nn.Linear(D, D), nn.Linear(D, D)
        self.widen, self.narrow, self.head = nn.Linear(D, 2 * D), nn.Linear(2 * D, D), nn.Linear(D, 1)

    def forward(self, x):
        n = self.norm(x)
        a = torch.softmax(self.q(n) @ self.k(n).transpose(1, 2) * 0.25, -1)
        y = x + a @ self.v(n)
        return self.head(y + self.narrow(F.gelu(self.widen(y))))


def run(dtype, scale=2.0**16):
    model = Mixed()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(start(name, tuple(parameter.shape)))
    decays = [p for n, p in model.named_parameters() if p.dim() > 1]
    others = [p for n, p in model.named_parameters() if p.dim() == 1]
    groups = [{"params": decays, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=0.003)
    scaler = torch.amp.GradScaler("cpu", enabled=dtype == torch.float16, init_scale=scale)
    steps = []
    for step in range(STEPS):
        x = (3 * uniform(f"x {step}", (B, T, D)) - 1.5).float()
        target = (uniform(f"target {step}", (B, T, 1)) < 0.3).float()
        with torch.autocast("cpu", dtype or torch.bfloat16, enabled=dtype is not None):
            z = model(x)
        z = z.float()
        loss = (F.softplus(z) - z * target).mean()
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        before = scaler.get_scale()
        scaler.step(optimizer)
        scaler.update()
        steps.append({"loss": loss.item(), "norm": norm.item() if torch.isfinite(norm) else None, "scale": before})
    return steps


found = {
    "f32": run(None),
    "bf16": run(torch.bfloat16),
    "f16": run(torch.float16),
    # A scale so large that gradients overflow until it has been halved some times.
    "f16 from 2^22": run(torch.float16, 2.0**22),
}
(HERE / "mixed.json").write_text(json.dumps(found, indent=1) + "\n")
for name, steps in found.items():
    print(name, [round(s["loss"], 6) for s in steps], [s["norm"] is None for s in steps])
