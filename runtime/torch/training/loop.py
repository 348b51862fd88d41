"""The loop of a run: steps, evaluations, checkpoints and the end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from .checkpoint_files import Best, Last, Progress
from .checkpoints import CheckpointStore, StoredTensor
from .errors import UserError
from .evaluation import Scores
from .logs import Events, MetricsLog, rounded
from .plan import Plan
from .report import Reporter
from .settings import Batch
from .step import StepResult, Trainer
from .stopping import Stop

MOST_SECONDS = 300
"""Between checkpoints, for long epochs."""


@dataclass(frozen=True)
class Saving:
    """The files of a run, which its first process writes."""

    store: CheckpointStore
    metrics: MetricsLog
    events: Events | None


@dataclass(frozen=True)
class LoopParts:
    trainer: Trainer
    plan: Plan
    batches: Callable[[int], Iterator[list[Batch]]]
    """The micro-batches of a step (from 1) and of all later ones, without end."""
    evaluate: Callable[[int], Scores | None] | None
    """None without validation data. Returns None if a stop is requested."""
    metric: str
    early_stop: int | None
    least_seconds: float
    """Between the checkpoints that the plan schedules."""
    start: Progress
    identity: Mapping[str, Any]
    stored: Sequence[StoredTensor]
    saving: Saving | None
    """None in all processes but the first."""
    stop: Stop
    report: Reporter
    alone: bool
    """Whether the run has one process."""
    draws: Callable[[int], int] | None
    """The seed of PyTorch's draws in a step; None if they are crob's."""


class NonFiniteError(UserError):
    """A loss, a gradient or a weight is NaN or infinite."""


class Loop:
    """Trains to the end of the plan, a stop or an early stop, and writes a final checkpoint.

    Every step depends only on the state and on its number. On an error of the data or the
    disk, first writes a checkpoint of the steps before it, unless other processes would have
    to take part.
    """

    def __init__(self, parts: LoopParts) -> None:
        self._parts = parts
        self.progress = parts.start
        self._saved = parts.start
        self._saved_at = self._clock = time.monotonic()

    def run(self) -> str:
        """How the run ended: done, early stop, or the name of a signal."""
        parts = self._parts
        try:
            # An evaluation that a stop or a kill interrupted.
            if self._evaluation_due():
                self._evaluate()
                self._checkpoint()
            if not self._ended():
                self._train()
        except NonFiniteError:
            raise
        except UserError:
            if parts.alone:
                self._checkpoint()
            raise
        self._checkpoint()
        if not self._ended() or self._evaluation_due():
            return parts.stop.name
        return "done" if self.progress.step >= parts.plan.steps else "early stop"

    def _train(self) -> None:
        parts = self._parts
        feed = parts.batches(self.progress.step + 1)
        try:
            parts.stop.agree()
            while not parts.stop.agreed and not self._ended():
                self._step(next(feed))
                save = parts.stop.agree(self._checkpoint_due())
                if self._evaluation_due() and not parts.stop.agreed:
                    self._evaluate()
                if save and not self._ended() and not parts.stop.agreed:
                    self._checkpoint()
        finally:
            close = getattr(feed, "close", None)
            if close is not None:
                close()

    def _step(self, batches: list[Batch]) -> None:
        parts = self._parts
        step = self.progress.step + 1
        if parts.draws is not None:
            torch.manual_seed(parts.draws(step))
        result = parts.trainer.step(batches, step)
        if not math.isfinite(result.loss):
            raise NonFiniteError(f"step {step}: the loss is {_shown(result.loss)}")
        if not math.isfinite(result.gradient_norm) and not result.skipped:
            norm = _shown(result.gradient_norm)
            raise NonFiniteError(f"step {step}: the norm of the gradients is {norm}")
        speed = parts.plan.per_step / self._pass_seconds()
        last = Last(result.loss, result.learning_rate)
        self.progress = replace(self.progress, step=step, last=last)
        self._log_step(step, result, speed)
        parts.report.step(step, result, speed)

    def _log_step(self, step: int, result: StepResult, speed: float) -> None:
        saving = self._parts.saving
        if saving is None:
            return
        saving.metrics.append(
            {
                "step": step,
                "epoch": self._epoch(step),
                "loss": result.loss,
                "lr": result.learning_rate,
                "seconds": rounded(self.progress.seconds),
                "gradient_norm": result.gradient_norm,
                "samples_per_second": rounded(speed),
                "terms": result.terms,
            }
        )
        if saving.events is None:
            return
        scalars = {
            "train/loss": result.loss,
            **{f"train/{name}": value for name, value in result.terms.items()},
            "train/learning_rate": result.learning_rate,
            "train/gradient_norm": result.gradient_norm,
            "speed/samples_per_second": speed,
        }
        for name, value in scalars.items():
            saving.events.add_scalar(name, value, step)

    def _evaluate(self) -> None:
        parts = self._parts
        step, best = self.progress.step, self.progress.best
        scores = parts.evaluate(step) if parts.evaluate else None
        if scores is None:
            return
        self._pass_seconds()
        score = scores.figures[parts.metric]
        better = math.isfinite(score) and (best is None or score > best.score)
        self.progress = replace(
            self.progress,
            evaluated=step,
            best=Best(step, score) if better else best,
            worse=0 if better else self.progress.worse + 1,
        )
        self._log_scores(step, scores.figures)
        parts.report.evaluated(step, score, scores.figures, better)
        # The best weights are always stored in a checkpoint.
        if better:
            self._checkpoint()

    def _log_scores(self, step: int, figures: Mapping[str, float]) -> None:
        saving, last = self._parts.saving, self.progress.last
        if saving is None:
            return
        known = {} if last is None else {"loss": last.loss, "lr": last.lr}
        saving.metrics.append(
            {
                "step": step,
                "epoch": self._epoch(step),
                **known,
                "seconds": rounded(self.progress.seconds),
                **figures,
            }
        )
        if saving.events is not None:
            for name, value in figures.items():
                saving.events.add_scalar(f"evaluation/{name}", value, step)
            saving.events.flush()

    def _evaluation_due(self) -> bool:
        plan, progress = self._parts.plan, self.progress
        if self._parts.evaluate is None or progress.step <= progress.evaluated:
            return False
        return progress.step > 0 and plan.is_due(plan.evaluate_every, progress.step)

    def _checkpoint_due(self) -> bool:
        """Only the first process's clock counts."""
        if self._parts.saving is None:
            return False
        seconds = time.monotonic() - self._saved_at
        if seconds > MOST_SECONDS:
            return True
        plan = self._parts.plan
        due = plan.is_due(plan.checkpoint_every, self.progress.step)
        return seconds >= self._parts.least_seconds and due

    def _checkpoint(self) -> None:
        parts, progress = self._parts, self.progress
        if progress == self._saved or progress.step == 0:
            return
        state = parts.trainer.state()
        if parts.saving is not None:
            _require_finite(state, progress.step)
            parts.saving.metrics.sync()
            if parts.saving.events is not None:
                parts.saving.events.flush()
            stored = [*parts.stored, *_further(state, parts.stored)]
            parts.saving.store.save(progress, parts.identity, state, stored)
        self._saved = progress
        self._saved_at = time.monotonic()

    def _ended(self) -> bool:
        early = self._parts.early_stop
        stale = early is not None and 0 < early <= self.progress.worse
        return self.progress.step >= self._parts.plan.steps or stale

    def _epoch(self, step: int) -> float:
        return rounded(step / self._parts.plan.steps_per_epoch)

    def _pass_seconds(self) -> float:
        """The seconds since the last call, which are added to the training time."""
        now = time.monotonic()
        took, self._clock = now - self._clock, now
        seconds = self.progress.seconds + took
        self.progress = replace(self.progress, seconds=seconds)
        return took


def _further(
    state: Mapping[str, Tensor], stored: Sequence[StoredTensor]
) -> list[StoredTensor]:
    """State that crobc does not have, such as the scale of losses in f16."""
    known = {one.name for one in stored}
    kind: Literal["state"] = "state"
    return [
        StoredTensor(name, kind, name, tuple(value.shape))
        for name, value in state.items()
        if name not in known
    ]


def _require_finite(state: Mapping[str, Tensor], step: int) -> None:
    for name, value in state.items():
        if not bool(torch.isfinite(value).all()):
            raise NonFiniteError(f"step {step}: {name} is not finite after the update")


def _shown(value: float) -> str:
    return "NaN" if math.isnan(value) else "infinite"
