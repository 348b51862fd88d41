"""Runs a training: opens data and state, trains, evaluates, and writes what crobc writes."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from .arguments import Arguments, parse_arguments
from .batches import step_batches
from .checkpoint_files import Progress
from .checkpoints import CheckpointStore
from .distributed import Processes, join_processes, leave_processes
from .errors import UserError
from .evaluation import Scores, evaluate
from .identity import changed_surroundings, record_metadata
from .logs import MetricsLog, open_events
from .loop import Loop, LoopParts, Saving
from .opening import Opening, RunData
from .plan import Plan, plan_run
from .report import Reporter, Start, open_report
from .run_lock import run_lock
from .settings import Batch, Program
from .step import Trainer
from .stopping import Stop

LEAST_SECONDS = 15
"""Between checkpoints, for short epochs in recipes without checkpoint_every."""


def main(program: Program, words: Sequence[str] | None = None) -> int:
    """Trains as the command line says; returns the exit code: 0, 1 for an error that the user
    can mend, or 128 plus the number of a signal that stopped the run."""
    args = parse_arguments(program, words)
    report: Reporter = open_report(args.lines, first=True)
    try:
        processes = _joined(args)
        try:
            report = open_report(args.lines, processes.is_first)
            return _guarded(program, args, processes, report)
        finally:
            leave_processes()
    except UserError as error:
        report.error(str(error))
    except torch.OutOfMemoryError as error:
        reason = str(error).split(".")[0]
        report.error(f"{reason}: take fewer samples in a batch, or --precision bf16")
    return 1


def _joined(args: Arguments) -> Processes:
    try:
        return join_processes(args.device)
    except (ValueError, RuntimeError) as error:
        raise UserError(str(error).splitlines()[0]) from error


def _guarded(
    program: Program, args: Arguments, processes: Processes, report: Reporter
) -> int:
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    stop = Stop(processes, report)
    with contextlib.ExitStack() as held:
        if processes.is_first:
            _make_folder(args.out)
            # crobc holds the lock where it runs the program.
            if not args.lines:
                held.enter_context(run_lock(args.out))
        how = _Run(program, args, processes, report, stop).run()
    numbers = {one.name: int(one) for one in (signal.SIGINT, signal.SIGTERM)}
    # torchrun would report the exit codes of a stop as errors, and crobc has the last line.
    quiet = args.lines or "TORCHELASTIC_RUN_ID" in os.environ
    return 128 + numbers[how] if how in numbers and not quiet else 0


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write {folder}: {error.strerror}") from error


@dataclass(frozen=True)
class _Run:
    """One run of a program, in one of its processes."""

    program: Program
    args: Arguments
    processes: Processes
    report: Reporter
    stop: Stop

    def run(self) -> str:
        """How the run ended: done, early stop, or the name of a signal."""
        recipe, args, report = self.program.recipe, self.args, self.report
        opening = Opening(self.program, args, self.processes, report)
        file = opening.file
        data = opening.data()
        checkpoints = file.content["checkpoints"]
        plan = plan_run(recipe, data.train.lines, checkpoints["every"])
        if data.val is None:
            plan = replace(plan, evaluate_every=0)
        matter = opening.identity(data, plan)
        metadata = record_metadata(file, data.tokenizer, matter)
        store = CheckpointStore(args.out, metadata)
        checkpoint = opening.starting_point(store, matter)
        trainer = opening.trainer(plan, store, checkpoint)
        surroundings = opening.surroundings()
        if checkpoint is not None:
            held = checkpoint.identity["surroundings"]
            opening.note(changed_surroundings(held, surroundings))
        progress = checkpoint.progress if checkpoint else Progress()
        device = str(surroundings["device"])
        vocabulary = data.tokenizer.name if data.tokenizer else None
        names = (recipe.model, recipe.name, device, recipe.metric, vocabulary)
        report.start(Start(*names, plan, progress))
        with self._saving(store, progress) as saving:
            loop = Loop(
                LoopParts(
                    trainer=trainer,
                    plan=plan,
                    batches=lambda step: self._batches(data, plan, step),
                    evaluate=self._evaluation(trainer, data),
                    metric=recipe.metric,
                    early_stop=recipe.early_stop,
                    least_seconds=0 if checkpoints["given"] else LEAST_SECONDS,
                    start=progress,
                    identity={**matter, "surroundings": surroundings},
                    stored=file.stored,
                    saving=saving,
                    stop=self.stop,
                    report=report,
                    alone=self.processes.world == 1,
                    draws=None if args.crob_draws else self._draw_seed,
                )
            )
            how = loop.run()
        report.end(how, loop.progress, self._files(store, loop.progress))
        return how

    def _draw_seed(self, step: int) -> int:
        """The seed of PyTorch's draws in a step, so that a resumed run draws the same."""
        own = self.processes.rank + self.processes.world * step
        return (self.program.recipe.seed * 1_000_003 + own) % 2**63

    def _batches(self, data: RunData, plan: Plan, step: int) -> Iterator[list[Batch]]:
        return step_batches(
            data.train,
            step,
            plan,
            self.program.recipe,
            data.feeding,
            sizes=data.sizes,
            rank=self.processes.rank,
            world=self.processes.world,
        )

    def _evaluation(self, trainer: Trainer, data: RunData) -> Any:
        val, processes = data.val, self.processes
        if val is None:
            return None

        def stopped() -> bool:
            self.stop.agree()
            return self.stop.agreed != 0

        own = -(-len(val.samples) // processes.world)

        def evaluated(_step: int) -> Scores | None:
            with trainer.evaluating():
                return evaluate(
                    trainer.predict,
                    val,
                    data.sizes,
                    data.feeding,
                    protocol=self.program.recipe.protocol,
                    rank=processes.rank,
                    world=processes.world,
                    gather=_gathered if processes.world > 1 else None,
                    on_result=lambda done: self.report.evaluating(done, own),
                    stop=stopped,
                )

        return evaluated

    @contextlib.contextmanager
    def _saving(
        self, store: CheckpointStore, progress: Progress
    ) -> Iterator[Saving | None]:
        if not self.processes.is_first:
            yield None
            return
        out = self.args.out
        metrics = MetricsLog(out / "metrics.jsonl", progress.step, progress.evaluated)
        events = None
        # crobc writes the events where it runs the program.
        if not self.args.lines:
            events = open_events(out / "events", progress.step)
            if events is None:
                self.report.note(
                    "no events for TensorBoard: tensorboard is not installed"
                )
        try:
            yield Saving(store, metrics, events)
        finally:
            metrics.close()
            if events is not None:
                events.close()

    def _files(
        self, store: CheckpointStore, progress: Progress
    ) -> dict[str, Path | None]:
        out, step = self.args.out, progress.step
        events = out / "events"
        return {
            "best": out / "best.safetensors" if progress.best else None,
            "last": out / "last.safetensors" if step > 0 else None,
            "checkpoint": store.path_of(step) if step > 0 else None,
            "metrics": out / "metrics.jsonl",
            "events": events if events.exists() else None,
        }


def _gathered(value: object) -> list[object]:
    found: list[object] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(found, value)
    return found
