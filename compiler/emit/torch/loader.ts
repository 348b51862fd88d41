/** The package's `weights.py`: reads crob's files of weights. */
export const weightsModule = `"""Weights by the names that they have in crob's files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn


def named_parts(
    module: nn.Module, path: str = "", met: set[int] | None = None
) -> Iterator[tuple[str, nn.Module]]:
    """A module and all modules in it, each with the path of its weights in crob's files.

    A module's \`paths\` are the names of members that have other names there: {i} is the
    position in a list, and any other name in braces is an attribute of the module. A part
    that several modules share has the path of the first.
    """
    met = set() if met is None else met
    if id(module) in met:
        return
    met.add(id(module))
    yield path, module
    paths: dict[str, str] = getattr(module, "paths", {})
    for name, child in module.named_children():
        template = paths.get(name, name)
        if not isinstance(child, nn.ModuleList):
            place = _joined(path, _filled(module, template))
            yield from named_parts(child, place, met)
            continue
        for i, item in enumerate(child):
            if "{i}" in template:
                place = _filled(module, template.replace("{i}", str(i)))
            else:
                place = _joined(_filled(module, template), str(i))
            yield from named_parts(item, _joined(path, place), met)


def named_weights(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """The parameters and buffers of a module, each with its name in crob's files."""
    for path, part in named_parts(module):
        paths: dict[str, str] = getattr(part, "paths", {})
        for name, tensor in [*part._parameters.items(), *part._buffers.items()]:
            if tensor is not None and name != "num_batches_tracked":
                yield _joined(path, _filled(part, paths.get(name, name))), tensor


def load_weights(model: nn.Module, file: str | Path) -> list[str]:
    """Reads a safetensors file of the model's weights, as crobc writes it.

    Returns the names of weights that the file lacks; only training reads these. Parameters
    that nothing in the model reads are in no file and stay as they are.
    """
    listed: dict[str, dict[str, Any]] = json.loads(
        (Path(__file__).parent / "weights.json").read_text(encoding="utf-8")
    )
    found = load_file(file)
    own = dict(named_weights(model))
    for name, weight in listed.items():
        if name not in own:
            raise ValueError(f"the model has no weight {name}: it is another variant")
        if weight["needed"] and name not in found:
            raise ValueError(f"{file} lacks the weight {name}")
    with torch.no_grad():
        for name, value in found.items():
            if name not in own:
                raise ValueError(f"{file} has {name}, which is no weight of the model")
            if value.shape != own[name].shape:
                shapes = f"{list(value.shape)}, not {list(own[name].shape)}"
                raise ValueError(f"{name} of {file} has the shape {shapes}")
            own[name].copy_(value)
    return [name for name in listed if name not in found]


def _filled(module: nn.Module, template: str) -> str:
    names = [part.split("}")[0] for part in template.split("{")[1:]]
    for name in names:
        template = template.replace("{" + name + "}", str(getattr(module, name)))
    return template


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name
`;
