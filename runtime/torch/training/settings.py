"""How a model is trained, as data. ../recipe.py has the values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

Batch = dict[str, Tensor]
"""A micro-batch by input: image f32[B, 3, H, W], tokens i64[B, T], mask bool[B, T] and
target f32[B, 1, H, W]."""

Losses = Callable[[Any, Mapping[str, Tensor]], dict[str, Tensor]]
"""Returns the terms of the loss, f32[] each, of the model's outputs and a batch."""


@dataclass(frozen=True)
class AdamW:
    lr: float
    weight_decay: float
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8


@dataclass(frozen=True)
class SGD:
    lr: float
    momentum: float
    weight_decay: float


@dataclass(frozen=True)
class Warmup:
    """Rises linearly to the initial factor of the next part."""

    steps: int


@dataclass(frozen=True)
class Poly:
    """end + (1 - end) (1 - t)^power, for t from 0 to 1."""

    power: float
    end: float = 0.0


@dataclass(frozen=True)
class Cosine:
    """end + (1 - end) (1 + cos(pi t)) / 2, for t from 0 to 1."""

    end: float = 0.0


@dataclass(frozen=True)
class Constant:
    factor: float = 1.0


SchedulePart = Warmup | Poly | Cosine | Constant


@dataclass(frozen=True)
class Times:
    """A factor of the optimizer's own value."""

    factor: float


@dataclass(frozen=True)
class Selection:
    """The weights that a path of a recipe selects."""

    pattern: str
    """As in the source: backbone.*"""
    roots: tuple[str, ...]
    """Paths of weights, and of modules with everything below them, by their names in
    weights files."""

    def selects(self, path: str) -> bool:
        """Whether a weight or a module is selected."""
        return any(
            root == "" or path == root or path.startswith(f"{root}.")
            for root in self.roots
        )


@dataclass(frozen=True)
class Group(Selection):
    """Weights with settings of their own; the first group that selects a weight applies."""

    lr: float | Times | None = None
    weight_decay: float | Times | None = None


@dataclass(frozen=True)
class Recipe:
    name: str
    model: str
    dims: Mapping[str, int]
    """Every size of the model, with the batch B."""
    inputs: tuple[str, ...]
    """Of the model, in the order of its arguments."""
    terms: Mapping[str, str]
    """The terms of the loss by name, as in the source."""
    batched: tuple[str, ...]
    """The outputs whose first axis is the batch."""
    optimizer: AdamW | SGD
    coupled: tuple[str, ...] = ()
    """The outputs that relate samples to each other, so that processes cannot join them."""
    schedule: tuple[SchedulePart, ...] = (Constant(),)
    epochs: float | None = None
    """The length of a run; either this or steps."""
    steps: int | None = None
    accumulate: int = 1
    """Micro-batches of a step."""
    clip: float | None = None
    """The limit on the norm of all gradients together."""
    ema: float | None = None
    """The decay of the moving average of the weights."""
    evaluate_every: float = 1
    """In the unit of the length."""
    early_stop: int | None = None
    """Evaluations without a better one after which a run ends."""
    checkpoint_every: float | None = None
    """In the unit of the length."""
    protocol: str = "lavt"
    metric: str = "mIoU"
    seed: int = 0
    augment: bool = False
    groups: tuple[Group, ...] = ()
    trained: tuple[Selection, ...] | None = None
    """The weights that are trained, before the fixed ones are left out; None for all."""
    untrained: tuple[Selection, ...] = ()
    """The weights of `train all except`."""
    fixed: tuple[Selection, ...] = ()
    evaluated: tuple[Selection, ...] = ()
    """Modules that stay in eval()."""

    def is_frozen(self, path: str) -> bool:
        """Whether a weight is excluded from training."""
        if self.trained is not None and not any(
            one.selects(path) for one in self.trained
        ):
            return True
        return any(one.selects(path) for one in (*self.untrained, *self.fixed))

    def rates(self, path: str, decays: bool) -> tuple[float, float]:
        """The factor of the learning rate and the weight decay of a weight. `decays` is False
        for a weight that is exempt from weight decay."""
        group = next((one for one in self.groups if one.selects(path)), None)
        lr, weight_decay = self.optimizer.lr, self.optimizer.weight_decay
        own_lr = _applied(group.lr if group else None, lr)
        factor = own_lr / lr if lr != 0 else 1.0
        own_decay = _applied(group.weight_decay if group else None, weight_decay)
        return factor, own_decay if decays else 0.0


def _applied(rate: float | Times | None, base: float) -> float:
    if rate is None:
        return base
    return rate.factor * base if isinstance(rate, Times) else rate


@dataclass(frozen=True)
class Program:
    """A generated package, for run.main."""

    folder: Path
    """The folder of the package, with MODEL.safetensors, weights.json and recipe.json."""
    model: Callable[[], nn.Module]
    recipe: Recipe
    losses: Losses
