"""The command line of run.py."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

PARTS = {
    "infer": "crobc's models and PyTorch eager, by precision, batch and CUDA graph",
    "export": "torch.onnx.export of the same models, in the same onnxruntime",
    "train": "training steps of crobc and of PyTorch, with peak memory",
    "compile": "torch.compile, default and reduce-overhead, of models and of training steps",
    "forms": "graphs that compute the same by different operators, each alone, in onnxruntime",
    "profile": "where the time goes, by kernel and by operator",
}


@dataclass(frozen=True)
class Options:
    only: tuple[str, ...]
    models: tuple[str, ...]
    """All if empty."""
    minutes: float
    out: Path
    device: str
    quick: bool
    list: bool
    wheel: Path | None
    node: str | None
    keep: bool


def read_options(args: list[str]) -> Options:
    parts = "; ".join(f"{name}: {what}" for name, what in PARTS.items())
    parser = argparse.ArgumentParser(
        prog="run.py",
        description="Measures crobc and PyTorch on this machine's GPU, unattended, and prints tables. "
        "What fails is said in one line, and the rest goes on.",
    )
    parser.add_argument("--only", default="", metavar="PARTS", help=f"of {parts}")
    parser.add_argument("--models", default="", metavar="NAMES", help="only these models; --list names them")
    parser.add_argument("--minutes", type=float, default=8.0, help="everything ends after these (8)")
    parser.add_argument("--out", type=Path, default=Path("gpu-bench-results"), help="folder for results.jsonl, tables and logs")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda", help="cpu tries the script without a GPU")
    parser.add_argument("--quick", action="store_true", help="the micro model alone, few runs")
    parser.add_argument("--list", action="store_true", help="print what would run, and with which limits")
    parser.add_argument("--wheel", type=Path, help="a wheel of onnxruntime-gpu, for crobc's CUDA")
    parser.add_argument("--node", help="the Node.js that runs crobc; by default that of the pack, or of PATH")
    parser.add_argument("--keep", action="store_true", help="leave weights and models, several GB, in OUT/work")
    given = parser.parse_args(args)
    only = tuple(name for name in given.only.split(",") if name)
    for name in only:
        if name not in PARTS:
            parser.error(f"--only: {name} is none of {', '.join(PARTS)}")
    if given.minutes <= 0:
        parser.error("--minutes: a number above 0")
    return Options(
        only=only or tuple(PARTS),
        models=tuple(name for name in given.models.split(",") if name),
        minutes=given.minutes,
        out=given.out.resolve(),
        device=given.device,
        quick=given.quick,
        list=given.list,
        wheel=given.wheel.resolve() if given.wheel else None,
        node=given.node,
        keep=given.keep,
    )
