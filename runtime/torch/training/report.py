"""What a run shows: lines for people, or JSON lines for crobc."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from .checkpoint_files import Progress
from .json_output import json_text
from .plan import Plan
from .step import StepResult


@dataclass(frozen=True)
class Start:
    """A run before its first step."""

    model: str
    recipe: str
    device: str
    metric: str
    vocabulary: str | None
    """The name of the vocabulary; None for a model that reads only images."""
    plan: Plan
    progress: Progress


class Reporter:
    """Shows nothing: that of all processes but the first."""

    reader_left = False
    """Whether nobody reads the output any more."""

    def note(self, text: str) -> None:
        pass

    def start(self, start: Start) -> None:
        pass

    def step(self, step: int, result: StepResult, speed: float) -> None:
        """`speed` is in samples per second."""

    def evaluating(self, done: int, of: int) -> None:
        pass

    def evaluated(
        self, step: int, score: float, figures: Mapping[str, float], best: bool
    ) -> None:
        pass

    def end(
        self, how: str, progress: Progress, files: Mapping[str, Path | None]
    ) -> None:
        """`how` is done, early stop, or the name of a signal."""

    def error(self, text: str) -> None:
        """Every process reports its errors: the others wait for it in vain."""
        print(f"train.py: {text}", file=sys.stderr, flush=True)


class Terminal(Reporter):
    """Results on standard output, the rest on standard error."""

    def __init__(self) -> None:
        self._start: Start | None = None
        self._line = ""
        self._scored = ""

    def note(self, text: str) -> None:
        self._clear()
        print(text, file=sys.stderr, flush=True)

    def start(self, start: Start) -> None:
        self._start = start

    def step(self, step: int, result: StepResult, speed: float) -> None:
        if self._start is None:
            return
        epoch = -(-step // self._start.plan.steps_per_epoch)
        self._show(
            f"step {step}/{self._start.plan.steps}  epoch {epoch}  "
            f"loss {result.loss:.4f}{self._scored}  {speed:.3g} samples/s  "
            f"lr {result.learning_rate:.3g}"
        )

    def evaluating(self, done: int, of: int) -> None:
        self._show(f"evaluating {done}/{of}")

    def evaluated(
        self, step: int, score: float, figures: Mapping[str, float], best: bool
    ) -> None:
        metric = self._start.metric if self._start else ""
        self._scored = f"  {metric} {score:.4f}"
        self.note(
            f"step {step}: {metric} {score:.4f}{', the best so far' if best else ''}"
        )

    def end(
        self, how: str, progress: Progress, files: Mapping[str, Path | None]
    ) -> None:
        self._clear()
        if self._start is None:
            return
        start = self._start
        ends = {"done": "done", "early stop": f"no better {start.metric} for a while"}
        print(
            f"{start.model} with recipe {start.recipe} on {start.device}: "
            f"{ends.get(how, 'stopped')} after step {progress.step} of "
            f"{start.plan.steps}, {progress.seconds:.0f} s"
        )
        if progress.last is not None:
            print(f"  loss        {progress.last.loss:.4f}")
        if progress.best is not None:
            best = progress.best
            print(f"  best score  {start.metric} {best.score:.4f} at step {best.step}")
        for name, path in files.items():
            if path is not None:
                print(f"  {name:<10}  {path}")

    def error(self, text: str) -> None:
        self._clear()
        super().error(text)

    def _show(self, line: str) -> None:
        if sys.stderr.isatty():
            self._clear()
            print(line, end="", file=sys.stderr, flush=True)
            self._line = line

    def _clear(self) -> None:
        if self._line:
            print("\r\033[2K", end="", file=sys.stderr, flush=True)
            self._line = ""


class Lines(Reporter):
    """One JSON object per line on standard output, for crobc train --backend torch."""

    def __init__(self, first: bool, stream: TextIO = sys.stdout) -> None:
        self._first = first
        self._stream = stream

    def note(self, text: str) -> None:
        self._send("note", {"text": text})

    def start(self, start: Start) -> None:
        plan = start.plan
        self._send(
            "start",
            {
                "pid": os.getpid(),
                "device": start.device,
                "metric": start.metric,
                "plan": {
                    "perStep": plan.per_step,
                    "stepsPerEpoch": plan.steps_per_epoch,
                    "steps": plan.steps,
                    "evaluateEvery": plan.evaluate_every,
                    "checkpointEvery": plan.checkpoint_every,
                },
                "progress": asdict(start.progress),
                "vocabulary": start.vocabulary,
            },
        )

    def step(self, step: int, result: StepResult, speed: float) -> None:
        self._send(
            "step",
            {
                "step": step,
                "loss": result.loss,
                "terms": result.terms,
                "gradientNorm": result.gradient_norm,
                "learningRate": result.learning_rate,
                "samplesPerSecond": speed,
            },
        )

    def evaluating(self, done: int, of: int) -> None:
        self._send("evaluating", {"done": done, "of": of})

    def evaluated(
        self, step: int, score: float, figures: Mapping[str, float], best: bool
    ) -> None:
        line = {"step": step, "score": score, "figures": dict(figures)}
        self._send("evaluated", line)

    def end(
        self, how: str, progress: Progress, files: Mapping[str, Path | None]
    ) -> None:
        self._send("end", {"end": how, "progress": asdict(progress)})

    def error(self, text: str) -> None:
        self._write("error", {"text": text})

    def _send(self, event: str, fields: Mapping[str, Any]) -> None:
        if self._first:
            self._write(event, fields)

    def _write(self, event: str, fields: Mapping[str, Any]) -> None:
        if self.reader_left:
            return
        try:
            self._stream.write(json_text({"event": event, **fields}) + "\n")
            self._stream.flush()
        except BrokenPipeError:
            self.reader_left = True
            # Otherwise Python fails again when it flushes the stream at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


def open_report(lines: bool, first: bool) -> Reporter:
    if lines:
        return Lines(first)
    return Terminal() if first else Reporter()
