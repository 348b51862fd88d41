"""The tensors of a training by crobc's names: weight:PATH, buffer:PATH, moment:PATH,
variance:PATH and average:PATH."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor

from ..weights import named_weights
from .draws import Draw
from .settings import AdamW, Recipe


@dataclass(frozen=True)
class Weight:
    shape: tuple[int, ...]
    is_buffer: bool
    decays: bool
    """False for a weight that is exempt from weight decay."""
    learned: bool
    """Whether the losses depend on it."""


@dataclass(frozen=True)
class StepFacts:
    """What crobc found of a training step."""

    weights: dict[str, Weight]
    draws: list[Draw]
    needs: str | None
    """Why all weights must be given before a training; None if they need not."""

    @staticmethod
    def read(folder: Path) -> StepFacts:
        """Reads training.json of a package."""
        held = json.loads((folder / "training.json").read_text(encoding="utf-8"))
        weights = {
            path: Weight(
                tuple(one["shape"]),
                one["role"] == "buffer",
                one["decays"],
                one["learned"],
            )
            for path, one in held["weights"].items()
        }
        draws = [Draw(one["key"], tuple(one["shape"])) for one in held["draws"]]
        return StepFacts(weights, draws, held["needs"])


def optimizer_of(
    recipe: Recipe, weights: dict[str, Weight], parameters: dict[str, nn.Parameter]
) -> torch.optim.Optimizer:
    """PyTorch's optimizer, with a group for each factor and weight decay. The factor of a
    group is its item `factor`."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for path, parameter in parameters.items():
        rates = recipe.rates(path, weights[path].decays)
        groups.setdefault(rates, []).append(parameter)
    listed = [
        {"params": params, "factor": factor, "weight_decay": decay}
        for (factor, decay), params in groups.items()
    ]
    own = recipe.optimizer
    if isinstance(own, AdamW):
        return torch.optim.AdamW(listed, own.lr, (own.beta1, own.beta2), own.eps)
    return torch.optim.SGD(listed, own.lr, own.momentum)


def moment_names(recipe: Recipe) -> dict[str, str]:
    """The kinds of state that the optimizer keeps for each weight, by PyTorch's names."""
    own = recipe.optimizer
    if isinstance(own, AdamW):
        return {"exp_avg": "moment", "exp_avg_sq": "variance"}
    return {"momentum_buffer": "moment"} if own.momentum > 0 else {}


class WeightState:
    """The weights of a model by path, and what a training keeps for each that it trains."""

    def __init__(self, model: nn.Module, recipe: Recipe, facts: StepFacts) -> None:
        """Raises ValueError if the model lacks a weight, or if nothing is trained."""
        self.facts = facts
        self.recipe = recipe
        self.refresh(model)
        lacking = [path for path in facts.weights if path not in self.tensors]
        if lacking:
            raise ValueError(
                f"the model has no weight {lacking[0]}: it is another variant"
            )
        self.learning = [
            path
            for path, weight in facts.weights.items()
            if weight.learned and not weight.is_buffer and not recipe.is_frozen(path)
        ]
        if not self.learning:
            raise ValueError(f"recipe {recipe.name} trains nothing")
        wanted = {id(self.tensors[path]) for path in self.learning}
        for parameter in model.parameters():
            parameter.requires_grad_(id(parameter) in wanted)

    def refresh(self, model: nn.Module) -> None:
        """Finds the tensors again, which a strategy may have replaced."""
        self.tensors = dict(named_weights(model))

    def begin(self) -> None:
        """Makes the optimizer and the averages for the tensors as they are."""
        parameters: dict[str, nn.Parameter] = {}
        for path in self.learning:
            tensor = self.tensors[path]
            if not isinstance(tensor, nn.Parameter):
                raise TypeError(f"{path} is no parameter")
            parameters[path] = tensor
        self.parameters = parameters
        self.optimizer = optimizer_of(self.recipe, self.facts.weights, parameters)
        self.averages: dict[str, Tensor] = {}
        if self.recipe.ema is not None:
            self.averages = {p: w.detach().clone() for p, w in parameters.items()}

    @torch.no_grad()
    def average(self) -> None:
        """Moves the averages towards the weights."""
        if self.recipe.ema is None:
            return
        for path, average in self.averages.items():
            average.mul_(self.recipe.ema).add_(
                self.parameters[path].detach(), alpha=1 - self.recipe.ema
            )

    @torch.no_grad()
    def exchange(self) -> None:
        """Exchanges the weights and their averages, in place."""
        for path, average in self.averages.items():
            weight = self.parameters[path]
            held = weight.detach().clone()
            weight.copy_(average)
            average.copy_(held)

    def read(self) -> dict[str, Tensor]:
        """All tensors, f32 on the CPU. All processes must call it, as each has a part of a
        tensor that is sharded."""
        out: dict[str, Tensor] = {}
        for path, weight in self.facts.weights.items():
            out[self._name(path, weight)] = _whole(self.tensors[path])
        moments = moment_names(self.recipe)
        for path in self.learning:
            held = self.optimizer.state.get(self.parameters[path], {})
            for name, kind in moments.items():
                value = held.get(name)
                zeros = torch.zeros(self.facts.weights[path].shape)
                out[f"{kind}:{path}"] = zeros if value is None else _whole(value)
            if path in self.averages:
                out[f"average:{path}"] = _whole(self.averages[path])
        return out

    @torch.no_grad()
    def write(self, state: dict[str, Tensor], step: int) -> None:
        """Takes the tensors of the state behind a step. Raises ValueError if one is missing
        or has another shape."""
        moments = moment_names(self.recipe)
        for path, weight in self.facts.weights.items():
            _put(self.tensors[path], self._of(state, self._name(path, weight), path))
        for path, parameter in self.parameters.items():
            if path in self.averages:
                _put(self.averages[path], self._of(state, f"average:{path}", path))
            if step == 0 or not moments:
                continue
            held = self.optimizer.state[parameter]
            for name, kind in moments.items():
                held[name] = torch.zeros_like(parameter)
                _put(held[name], self._of(state, f"{kind}:{path}", path))
            held["step"] = torch.tensor(float(step))

    @torch.no_grad()
    def write_weights(self, values: dict[str, Tensor]) -> None:
        """Takes all weights by path; averages begin with them. Raises ValueError as `write`,
        and for a tensor that is no weight."""
        for path in values:
            if path not in self.facts.weights:
                raise ValueError(f"{path} is no weight of the model")
        for path in self.facts.weights:
            _put(self.tensors[path], self._of(values, path, path))
        for path, average in self.averages.items():
            average.copy_(self.parameters[path].detach())

    def at_step(self, step: int) -> None:
        """Sets the number of steps before this one, which corrects the moments of AdamW."""
        for held in self.optimizer.state.values():
            if "step" in held:
                held["step"].fill_(float(step - 1))

    def ungraded(self) -> Iterator[str]:
        """The trained weights that have no gradient."""
        for path, parameter in self.parameters.items():
            if parameter.grad is None:
                yield path

    @staticmethod
    def _name(path: str, weight: Weight) -> str:
        return f"{'buffer' if weight.is_buffer else 'weight'}:{path}"

    def _of(self, values: dict[str, Tensor], name: str, path: str) -> Tensor:
        value = values.get(name)
        if value is None:
            raise ValueError(f"{name} is missing")
        if tuple(value.shape) != self.facts.weights[path].shape:
            shape = list(self.facts.weights[path].shape)
            raise ValueError(f"{name} has the shape {list(value.shape)}, not {shape}")
        return value


def _whole(value: Tensor) -> Tensor:
    own = value.detach()
    whole = own.full_tensor() if isinstance(own, DTensor) else own
    return whole.to("cpu", torch.float32, copy=True)


def _put(target: Tensor, value: Tensor) -> None:
    if isinstance(target, DTensor):
        source = value.to(target.device, target.dtype)
        target.copy_(distribute_tensor(source, target.device_mesh, target.placements))
    else:
        target.copy_(value)
