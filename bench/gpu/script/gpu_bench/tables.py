"""The results as Markdown tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .results import number, size

Row = dict[str, Any]
PRECISIONS = ["tf32", "f32", "bf16", "f16"]

WAYS: list[tuple[str, dict[str, Any]]] = [
    ("crobc, CUDA graph", {"kind": "infer", "graph": True}),
    ("crobc", {"kind": "infer", "graph": False}),
    ("torch.onnx.export, CUDA graph", {"kind": "exported", "graph": True}),
    ("torch.onnx.export", {"kind": "exported", "graph": False}),
    ("PyTorch eager, transformers", {"kind": "eager", "mode": "eager", "source": "reference"}),
    ("PyTorch eager, crobc's package", {"kind": "eager", "mode": "eager", "source": "package"}),
    ("PyTorch in a CUDA graph, crobc's package", {"kind": "eager", "mode": "cuda-graph"}),
    ("torch.compile, default", {"kind": "eager", "mode": "default"}),
    ("torch.compile, reduce-overhead", {"kind": "eager", "mode": "reduce-overhead"}),
]
TRAINERS: list[tuple[str, dict[str, Any]]] = [
    ("crobc", {"side": "crobc"}),
    ("PyTorch eager", {"side": "torch", "compiled": False}),
    ("torch.compile", {"side": "torch", "compiled": True}),
]


def find(rows: list[Row], **wanted: Any) -> Row | None:
    """The last row that has these values and was measured."""
    found = [row for row in rows if "failed" not in row and all(row.get(key) == value for key, value in wanted.items())]
    return found[-1] if found else None


def median(rows: list[Row], **wanted: Any) -> float | None:
    row = find(rows, **wanted)
    return row.get("median") if row else None


def tables(rows: list[Row], table: dict[str, Any]) -> list[str]:
    makers: list[Callable[[], list[str]]] = [
        lambda: forms(rows),
        lambda: profiles(rows),
        lambda: inference(rows, table["models"]),
        lambda: [agreement(rows, table["models"])],
        lambda: [training(rows, table["trainings"])],
        lambda: [failures(rows)],
    ]
    found: list[str] = []
    for maker in makers:
        # What one table cannot show must not take the others with it.
        try:
            found += [text for text in maker() if text]
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            found.append(f"A table is left out: {type(error).__name__}: {error}")
    return found


def inference(rows: list[Row], models: dict[str, Any]) -> list[str]:
    """Milliseconds of a run, a table for each batch of each model."""
    made = []
    for name, one in models.items():
        batches = sorted({row["batch"] for row in rows if row.get("name") == name and "batch" in row})
        for batch in batches:
            lines = []
            for way, wanted in WAYS:
                times = [median(rows, name=name, batch=batch, precision=precision, **wanted) for precision in PRECISIONS]
                if any(time is not None for time in times):
                    lines.append([way, *(ms(time) for time in times)])
            made.append(markdown(f"Inference, {one['title']}, batch {batch}: median ms", ["", *PRECISIONS], lines))
    return made


def agreement(rows: list[Row], models: dict[str, Any]) -> str:
    lines = []
    for name, one in models.items():
        for way, wanted in WAYS:
            held = [find(rows, name=name, batch=1, precision=precision, **wanted) for precision in PRECISIONS]
            off = [row.get("difference") if row else None for row in held]
            if any(value is not None for value in off):
                lines.append([one["title"], way, *("" if value is None else size(value) for value in off)])
    title = "Largest difference from onnxruntime on the CPU in f32, as a part of the largest output"
    return markdown(title, ["", "", *PRECISIONS], lines)


def training(rows: list[Row], trainings: dict[str, Any]) -> str:
    lines = []
    for name, one in trainings.items():
        for who, wanted in TRAINERS:
            for precision in PRECISIONS:
                row = find(rows, kind="train", training=name, precision=precision, **wanted)
                if row:
                    # Of a device whose memory is not told apart by process, what others took meanwhile counts too.
                    peak = ("≤ " if row.get("peakBy") == "device" else "") + gib(row.get("peak"))
                    cells = [ms(row["median"]), peak, gib(row.get("reserved"))]
                    cells += [seconds(row.get("openSeconds")), seconds(row.get("firstSeconds"))]
                    lines.append([one["title"], who, precision, *cells, percent(row.get("busy")), number(row["losses"][0])])
    columns = ["", "", "precision", "median ms", "peak memory", "reserved by PyTorch", "opening", "first step", "busy", "first loss"]
    return markdown("Training steps", columns, lines)


def forms(rows: list[Row]) -> list[str]:
    """Milliseconds of each form, without what a run costs by itself, and how fast memory would be if nothing else took time."""
    held = [row for row in rows if row.get("kind") == "form" and "median" in row]
    base = next((row for row in held if row["what"] == "a run"), {})
    by: dict[str, list[list[str]]] = {}

    def per_form(row: Row, key: str) -> float | None:
        time = row.get(key)
        if time is None or row is base:
            return time
        return max(0.0, time - (base.get(key) or 0.0)) / row["times"]

    for row in held:
        alone, graph = per_form(row, "median"), per_form(row, "graphMedian")
        best = min(time for time in (alone, graph) if time is not None)
        rate = f"{row['bytes'] / best / 1e9:.0f}" if best > 0 else ""
        cells = [row["size"], row["how"], fine(alone), fine(graph), rate]
        by.setdefault(row["what"], []).append(cells)
    columns = ["", "", "ms", "ms, CUDA graph", "GB/s"]
    return [markdown(f"Forms: {what}", columns, lines) for what, lines in by.items()]


def fine(seconds: float | None) -> str:
    return "" if seconds is None else f"{1000 * seconds:.4f}"


def profiles(rows: list[Row]) -> list[str]:
    made = []
    for row in rows:
        if "rows" not in row:
            continue
        lines = [[one["name"].replace("|", "\\|"), ms(one["seconds"]), f"{one['count']:.0f}"] for one in row["rows"]]
        wall = "" if row.get("wall") is None else f"; a run takes {ms(row['wall'])} ms"
        title = f"{row['id']}: {ms(row['seconds'])} ms in {row['count']:.0f} a run{wall}"
        made.append(markdown(title, ["", "ms", "count"], lines))
    return made


def failures(rows: list[Row]) -> str:
    """By reason. results.jsonl has all names."""
    by: dict[str, list[str]] = {}
    for row in rows:
        if "failed" in row:
            by.setdefault(row["failed"], []).append(row["id"])
    lines = [f"- {why[:300]}: {some(names)}" for why, names in by.items()]
    return "\n".join(["### Not measured", "", *lines]) if lines else ""


def some(names: list[str]) -> str:
    rest = len(names) - 8
    return "; ".join(names[:8]) + (f"; and {rest} more" if rest > 0 else "")


def markdown(title: str, columns: list[str], lines: list[list[str]]) -> str:
    if not lines:
        return ""
    texts = sum(1 for column in columns if column in ("", "precision"))
    rule = ["---"] * texts + ["---:"] * (len(columns) - texts)
    rows = [columns, rule, *lines]
    return "\n".join([f"### {title}", "", *(f"| {' | '.join(row)} |" for row in rows)])


def ms(seconds: float | None) -> str:
    return "" if seconds is None else f"{1000 * seconds:.2f}"


def seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"


def percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.0f} %"


def gib(size: int | None) -> str:
    return "" if size is None else f"{size / 2**30:.2f} GiB"
