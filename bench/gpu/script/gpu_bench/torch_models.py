"""Models of PyTorch: those of bench/reference.py, with the backbones of transformers, and the packages that crobc writes."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .torch_common import read_tensors

PACK = Path(__file__).resolve().parent.parent
for folder in ["reference/bench", "programs"]:
    sys.path.insert(0, str(PACK / folder))


def load(folder: Path, case: dict[str, Any]) -> tuple[nn.Module, str | None]:
    """A model in eval() on the CPU, with the weights of the folder, and what is to be said about it."""
    return (reference if case.get("source") == "reference" else package)(folder, case)


def package(folder: Path, case: dict[str, Any]) -> tuple[nn.Module, str | None]:
    made = importlib.import_module(case["package"])
    model: nn.Module = getattr(made, case["model"])()
    file = folder / f"{case['name']}.safetensors"
    if not file.exists():
        return model.eval(), "own random weights"
    made.load_weights(model, file)
    return model.eval(), None


def reference(folder: Path, case: dict[str, Any]) -> tuple[nn.Module, str | None]:
    import reference as models

    make, _, _ = models.CASES[case["name"]]
    model, _ = make()
    file = folder / f"{case['name']}.safetensors"
    if not file.exists():
        return model.eval(), "own random weights"
    try:
        write(case["name"], model, read_tensors(file))
    except (KeyError, ValueError, RuntimeError) as error:
        # Names of parameters differ between versions of transformers; times do not depend on weights.
        lines = str(error).splitlines() or [""]
        return model.eval(), f"own random weights, as this transformers has other names ({lines[0][:80]})"
    return model.eval(), None


def write(name: str, model: Any, weights: dict[str, Tensor]) -> None:
    """Sets the weights by crob's names. Raises KeyError or ValueError if they do not fit."""
    import published
    import twin

    if name.startswith("crobim"):
        twin.load(model, weights)
        return
    if name.startswith("swin"):
        parts = published.swin_parts(model.backbone.named_parameters())
    elif name.startswith("convnext"):
        parts = {key: [one] for key, one in published.convnext_weights(model.backbone).items()}
    else:
        parts = {key: [one] for key, one in published.bert_weights(model.text).items()}
    with torch.no_grad():
        for key, tensors in parts.items():
            whole = weights[key]
            for tensor, piece in zip(tensors, whole.split([len(one) for one in tensors]), strict=True):
                tensor.copy_(piece)


def inputs(folder: Path, case: dict[str, Any], device: str) -> dict[str, Tensor]:
    """The first samples of the inputs that crobc has as well, on the device."""
    file = folder / f"{case['name']}.inputs.safetensors"
    held = read_tensors(file) if file.exists() else drawn(case)
    return {name: held[name][: case["batch"]].to(device) for name in sorted(held)}


def drawn(case: dict[str, Any]) -> dict[str, Tensor]:
    """Where crobc made none."""
    sizes, batch = case["sizes"], case["batch"]
    found = {}
    if "H" in sizes:
        found["image"] = torch.randn(batch, 3, sizes["H"], sizes["W"])
    if "T" in sizes:
        found["tokens"] = torch.randint(1, 2000, (batch, sizes["T"]))
        found["mask"] = torch.ones(batch, sizes["T"], dtype=torch.bool)
    return found


def flat(outputs: Any) -> list[Tensor]:
    """The outputs of a model in their order."""
    return [outputs] if isinstance(outputs, Tensor) else [one for one in outputs if isinstance(one, Tensor)]


def difference(folder: Path, case: dict[str, Any], outputs: Any) -> float | None:
    """The largest difference from what onnxruntime computes on the CPU, as a part of the largest output."""
    file = folder / f"{case['name']}.outputs.safetensors"
    if not file.exists() or case["batch"] != 1:
        return None
    expected = read_tensors(file)
    found = flat(outputs)
    if len(found) != len(expected):
        return None
    worst = 0.0
    # Names such as map0, map1 are in the order of the outputs.
    for name, one in zip(sorted(expected), found, strict=True):
        held = expected[name]
        off = (one.detach().float().cpu().reshape(held.shape) - held).abs().max() / held.abs().max()
        worst = max(worst, float(off)) if not torch.isnan(off) else float("nan")
    return worst
