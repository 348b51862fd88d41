"""What crobc has to reach on a GPU, against what was measured."""

from __future__ import annotations

from typing import Any

from .tables import Row, median, ms


def eager(rows: list[Row], **wanted: Any) -> float | None:
    """PyTorch eager: of the models with the backbones of transformers, else of crobc's packages."""
    first = median(rows, kind="eager", mode="eager", source="reference", **wanted)
    return first if first is not None else median(rows, kind="eager", mode="eager", source="package", **wanted)


def step(rows: list[Row], side: str, precision: str) -> float | None:
    more = {} if side == "crobc" else {"compiled": False}
    return median(rows, kind="train", training="crobim", side=side, precision=precision, **more)


def crobc(rows: list[Row], name: str, precision: str, batch: int, graph: bool | None = None) -> float | None:
    """With `graph` None, the faster of both."""
    ways = [True, False] if graph is None else [graph]
    times = [median(rows, kind="infer", name=name, precision=precision, batch=batch, graph=way) for way in ways]
    return min((time for time in times if time is not None), default=None)


def exported(rows: list[Row], name: str) -> float | None:
    times = [median(rows, kind="exported", name=name, precision="tf32", batch=1, graph=way) for way in (True, False)]
    return min((time for time in times if time is not None), default=None)


def reached(rows: list[Row]) -> list[tuple[str, float | None, float | None, float]]:
    """Each mark: what it says, crobc's time, the other's time, and the ratio that is allowed."""
    tf32 = {"name": "crobim", "precision": "tf32", "batch": 1}
    graph = crobc(rows, "crobim", "tf32", 1, True)
    overhead = median(rows, kind="eager", mode="reduce-overhead", **tf32)
    return [
        ("a training step of CroBIM, tf32, against PyTorch eager", step(rows, "crobc", "tf32"), step(rows, "torch", "tf32"), 1.0),
        ("a training step of CroBIM, bf16, against PyTorch eager", step(rows, "crobc", "bf16"), step(rows, "torch", "bf16"), 1.0),
        ("CroBIM, tf32, batch 1, CUDA graph, against PyTorch eager", graph, eager(rows, **tf32), 0.32),
        ("CroBIM, tf32, batch 1, CUDA graph, against torch.compile reduce-overhead", graph, overhead, 1.0),
        ("CroBIM, f16, batch 8, against crobc in tf32", crobc(rows, "crobim", "f16", 8), crobc(rows, "crobim", "tf32", 8), 1 / 1.8),
        ("CroBIM, f16, batch 8, against crobc in f32", crobc(rows, "crobim", "f16", 8), crobc(rows, "crobim", "f32", 8), 1 / 1.8),
        ("Swin-B, tf32, batch 1, against torch.onnx.export", crobc(rows, "swin-b", "tf32", 1), exported(rows, "swin-b"), 0.9),
    ]


def marks(rows: list[Row]) -> str:
    lines = []
    for what, ours, other, allowed in reached(rows):
        if ours is None or other is None:
            lacking = "crobc" if ours is None else "the other"
            lines.append(f"| {what} | {ms(ours)} | {ms(other)} | {allowed:.2f} | | not measured ({lacking}) |")
            continue
        ratio = ours / other
        verdict = "pass" if ratio <= allowed else f"falls short by {ratio / allowed:.2f}"
        lines.append(f"| {what} | {ms(ours)} | {ms(other)} | {allowed:.2f} | {ratio:.2f} | {verdict} |")
    head = ["| | crobc, ms | the other, ms | at most | ratio | |", "| --- | ---: | ---: | ---: | ---: | --- |"]
    return "\n".join(["### Marks", "", *head, *lines])
