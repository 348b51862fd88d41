"""Writes training.json and training.safetensors: what PyTorch's autograd and optimizers make of models in training, in float64.

Run by hand: python test/goldens/make-training.py. Weights and batches are drawn by a formula that test/training/formula.ts
repeats to the last bit, so that nothing large need be stored. Two cases:

`CroBIM_micro` (whose rates of dropout and drop path are 0, so that nothing is random): loss terms, the gradient of every
weight, and ten steps of AdamW with and without clipping.

`Regularised` of training.crob, with batch norm, dropout and drop path: the uniform numbers are given, and each element whose
number is below the rate is dropped; three steps of SGD with momentum.
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

import twin
from formula import uniform, words_of

HERE = Path(__file__).parent
B, H, W, T = 2, 64, 96, 7
TOPK, STEPS, DECAY, POWER, EMA = 2, 10, 0.01, 0.9, 0.9
# Learning rate, steps of warm-up, and the norm that gradients are clipped to: as in the recipe `micro`, and through the whole schedule.
RUNS = [(1e-3, 50, None), (1e-4, 3, 1.0)]
ENTRIES = 16


def start(name, shape):
    """Scales about 1, biases small, matrices of gain 1/2; offsets of samples wide, off the pixels' centres, where bilinear
    interpolation has no derivative; the last matrix small, so that logits are and ten steps do not amplify rounding."""
    if len(shape) == 1:
        centre, spread = (1.0, 0.2) if name.endswith("weight") else (0.0, 2.0 if name.endswith("sampling_offsets.bias") else 0.1)
    else:
        centre, spread = 0.0, (0.05 if name == "mid.out.weight" else 0.5) * math.sqrt(3 / math.prod(shape[1:]))
    return (centre + spread * (2 * uniform(name, shape) - 1)).float().double()


def draw(module_parameters):
    return {name: start(name, (sum(len(p) for p in parts), *parts[0].shape[1:])) for name, parts in module_parameters.items()}


def batch(step):
    image = (3 * uniform(f"image {step}", (B, 3, H, W)) - 1.5).float().double()
    mask = torch.arange(T)[None] < torch.tensor([[T - b] for b in range(B)])
    tokens = (1 + (uniform(f"tokens {step}", (B, T)) * 2000).floor().long()) * mask
    cells = (uniform(f"target {step}", (B, 1, H // 8, W // 8)) < 0.3).double()
    return {"image": image, "tokens": tokens, "mask": mask}, cells.repeat_interleave(8, 2).repeat_interleave(8, 3)


def positions(name, count):
    """Up to ENTRIES places in a weight; all of a small one."""
    return torch.arange(count) if count <= ENTRIES else torch.from_numpy(words_of(f"entries {name}", ENTRIES).astype(np.int64)) % count


def summary(name, tensor):
    """Norm, sum, largest magnitude, then entries."""
    flat = tensor.flatten()
    return torch.cat([torch.stack([flat.norm(), flat.sum(), flat.abs().max()]), flat[positions(name, len(flat))]])


def movement(start, end):
    """Norms of a weight's end and of its way there, and the way's largest step."""
    return torch.stack([end.norm(), (end - start).norm(), (end - start).abs().max()])


def run(model, step):
    given, target = batch(step)
    found = twin.terms(model(**given), target, **model.loss)
    return found, sum(found.values())


def margin(model, step):
    """How clearly the regions that are compensated were chosen: float32 must choose the same."""
    compensation, seen = model.lgfa.compensation[0], []
    scores = compensation.scores
    compensation.scores = lambda v, s: seen.append(scores(v, s)) or seen[-1]
    with torch.no_grad():
        model(**batch(step)[0])
    del compensation.scores
    best = seen[0].sort(1, descending=True).values
    return (best[:, TOPK - 1] - best[:, TOPK]).min().item()


def gradients():
    model = twin.micro(TOPK)
    twin.load(model, draw(twin.parameters(model))).train()
    found, loss = run(model, 0)
    loss.backward()
    whole = {name: twin.joined([p.grad for p in parts]) for name, parts in twin.parameters(model).items()}
    print(f"gradients: loss {loss.item():.6f}, {len(whole)} weights, margin {margin(model, 0):.1e}")
    result = {
        "loss": loss.item(),
        "terms": {name: term.item() for name, term in found.items()},
        "norm": math.sqrt(sum(g.square().sum().item() for g in whole.values() if g is not None)),
        "none": [name for name, g in whole.items() if g is None],
    }
    return result, {f"gradient:{name}": summary(name, g) for name, g in whole.items() if g is not None}


def training(lr, warmup, clip):
    model = twin.micro(TOPK)
    weights = draw(twin.parameters(model))
    twin.load(model, weights).train()
    optimizer = twin.adamw(model, lr, DECAY)
    factor = lambda i: (i + 1) / warmup if i < warmup else (1 - (i - warmup) / (STEPS - warmup)) ** POWER
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    steps = []
    for step in range(1, STEPS + 1):
        found, loss = run(model, step)
        optimizer.zero_grad()
        loss.backward()
        trained = [p for group in optimizer.param_groups for p in group["params"]]
        norm = nn.utils.clip_grad_norm_(trained, clip or math.inf).item()
        terms = {name: term.item() for name, term in found.items()}
        steps.append({"learning_rate": schedule.get_last_lr()[0], "loss": loss.item(), "terms": terms, "gradient_norm": norm})
        print(f"  {step}: loss {loss.item():.6f}, norm {norm:.4f}, margin {margin(model, step):.1e}")
        optimizer.step()
        schedule.step()
    after = {name: twin.joined(parts) for name, parts in twin.parameters(model).items()}
    moved = {name: movement(weights[name], w) for name, w in after.items()}
    return {"lr": lr, "warmup": warmup, "clip": clip, "steps": steps}, moved


class Regularised(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.out = nn.Conv2d(8, 1, 1)

    def forward(self, image, elements, samples):
        x = torch.relu(self.norm(self.conv(image)))
        dropped = torch.where(elements < 0.3, 0, x / 0.7)
        return self.out(x + dropped * ((samples >= 0.4) / 0.6)[:, None, None, None])


def regularised():
    model = Regularised()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(start(name, weight.shape))
    spared = [p for p in model.parameters() if p.ndim == 1]
    groups = [{"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": DECAY}, {"params": spared}]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9, weight_decay=0.0)
    average = {name: p.detach().clone() for name, p in model.named_parameters()}
    losses = []
    for step in range(1, 4):
        image = (3 * uniform(f"small image {step}", (3, 3, 6, 5)) - 1.5).float().double()
        target = (uniform(f"small target {step}", (3, 1, 6, 5)) < 0.4).double()
        logits = model(image, uniform(f"elements {step}", (3, 8, 6, 5)), uniform(f"samples {step}", (3,)))
        loss = F.binary_cross_entropy_with_logits(logits, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for name, p in model.named_parameters():
            average[name].lerp_(p.detach(), 1 - EMA)
        losses.append(loss.item())
    print("regularised:", losses)
    weights = {f"weight:{name}": p.detach() for name, p in model.named_parameters()}
    buffers = {f"buffer:{name}": b for name, b in model.named_buffers() if b.is_floating_point()}
    return {"losses": losses}, {**weights, **buffers, **{f"average:{name}": a for name, a in average.items()}}


first, tensors = gradients()
runs = []
for settings in RUNS:
    print("learning rate, warm-up, clip:", *settings)
    result, moved = training(*settings)
    tensors.update({f"moved:{len(runs)}:{name}": value for name, value in moved.items()})
    runs.append(result)
small, values = regularised()
tensors.update({f"regularised:{name}": value for name, value in values.items()})
sizes = {"B": B, "H": H, "W": W, "T": T, "topk": TOPK}
golden = {"sizes": sizes, "gradients": first, "runs": runs, "regularised": small}
(HERE / "training.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, HERE / "training.safetensors")
for file in ["training.json", "training.safetensors"]:
    print(f"{file}: {(HERE / file).stat().st_size / 1024:.0f} KiB")
