"""What a run needs before its first step: its data, its identity, its state."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast, get_args

import torch
from safetensors import SafetensorError

from .arguments import Arguments
from .batches import Feeding, InputSizes, sizes_of
from .checkpoints import Checkpoint, CheckpointStore
from .data import DataOptions, Dataset, data_hash, open_dataset, splits
from .distributed import Processes
from .errors import UserError
from .identity import difference, read_recipe, run_identity
from .phrases import Tokenizer, cut_note
from .plan import Plan
from .report import Reporter
from .settings import Program
from .step import Precision, Trainer
from .vocabulary import choose_tokenizer

WORKERS = 2
"""Processes that decode images, unless --workers gives another number."""


@dataclass(frozen=True)
class RunData:
    """The data of a run, and how they are fed to the model."""

    train: Dataset
    val: Dataset | None
    tokenizer: Tokenizer | None
    feeding: Feeding
    sizes: InputSizes


class Opening:
    """Opens a run, in one of its processes."""

    def __init__(
        self,
        program: Program,
        args: Arguments,
        processes: Processes,
        report: Reporter,
    ) -> None:
        self._program = program
        self._args = args
        self._processes = processes
        self._report = report
        self.file = read_recipe(program.folder)
        facts = (program.folder / "training.json").read_text(encoding="utf-8")
        self.draws = len(json.loads(facts)["draws"])
        """Random numbers of a micro-batch: so many tensors."""

    @property
    def precision(self) -> Precision:
        """That of the command, or else of the recipe. Raises UserError."""
        chosen = self._args.precision or self.file.recipe.get("precision", "f32")
        for one in get_args(Precision):
            if one == chosen:
                return cast(Precision, one)
        raise UserError(
            f"the precision of the recipe is {chosen}: choose another with --precision"
        )

    def data(self) -> RunData:
        args, recipe = self._args, self._program.recipe
        # Other processes find the same problems.
        options = DataOptions(
            on_bad=args.on_bad,
            on_size_mismatch=args.on_size_mismatch,
            report=self._report.note,
            cache=args.out,
        )
        train = open_dataset(args.data, "train", options)
        val = None
        if "val" in splits(args.data):
            val = open_dataset(args.data, "val", options)
        else:
            self.note(
                f'{args.data} has no split "val": nothing is evaluated, and no weights are best'
            )
        tokenizer = choose_tokenizer(args, self.file)
        sizes = sizes_of(recipe)
        if tokenizer is not None and sizes.words is not None and not args.blank:
            for one in (train, val):
                if one is not None:
                    self.note(cut_note(one, tokenizer, sizes.words))
        workers = WORKERS if args.workers is None else args.workers
        feeding = Feeding(
            tokenizer,
            workers=workers,
            on_bad=args.on_bad,
            blank=args.blank,
            report=self._report.note,
            pin_memory=self._processes.device.type == "cuda",
        )
        return RunData(train, val, tokenizer, feeding, sizes)

    def identity(self, data: RunData, plan: Plan) -> dict[str, Any]:
        file = self.file
        if file.changed:
            changed = " and ".join(file.changed)
            self.note(
                f"{changed} changed since crobc wrote the package: crobc cannot continue the run"
            )
        return run_identity(
            file,
            steps=plan.steps,
            blank=self._args.blank,
            precision=self._args.precision,
            data=data_hash(data.train, data.val),
            vocabulary=data.tokenizer.identity if data.tokenizer else "none",
        )

    def starting_point(
        self, store: CheckpointStore, matter: dict[str, Any]
    ) -> Checkpoint | None:
        """The checkpoint to resume from; None for a new run. The first process removes what is
        unfinished, and the others read what it leaves."""
        args = self._args
        if self._processes.is_first:
            store.clear_unfinished()
            before = [] if args.resume else store.steps()
            if before:
                raise UserError(
                    f"{args.out} holds a run that came to step {before[0]}: go on with it "
                    "(--resume), or choose another folder (-o)"
                )
            found = store.latest(self._report.note)
            if found is not None:
                store.expose(found.progress)
        self._wait()
        checkpoint = store.latest(lambda _: None)
        if checkpoint is None:
            if args.resume:
                self.note(
                    f"{args.out} has no checkpoint: training begins at the beginning"
                )
            return None
        what = difference(checkpoint.identity, matter)
        if what is not None:
            raise UserError(
                f"the run in {checkpoint.path} cannot go on: {what}; put it back, or begin "
                "another run from its weights (-o another folder, --weights "
                f"{checkpoint.path}/weights.safetensors)"
            )
        return checkpoint

    def trainer(
        self, plan: Plan, store: CheckpointStore, checkpoint: Checkpoint | None
    ) -> Trainer:
        """The trainer with the state to begin with."""
        try:
            return self._begun(plan, store, checkpoint)
        except ValueError as error:
            raise UserError(str(error)) from error
        except (OSError, SafetensorError) as error:
            raise UserError(f"cannot read the weights: {error}") from error

    def _begun(
        self, plan: Plan, store: CheckpointStore, checkpoint: Checkpoint | None
    ) -> Trainer:
        args = self._args
        trainer = Trainer(
            self._program,
            processes=self._processes,
            steps=plan.steps,
            precision=self.precision,
            crob_draws=args.crob_draws,
            strategy="fsdp" if args.fsdp else "ddp",
            compiled=args.compile,
        )
        for line in trainer.notes:
            self.note(line)
        if args.crob_draws and not self.draws:
            self.note("--crob-draws has no effect: nothing is drawn at random")
        if checkpoint is None:
            trainer.load_weights(args.weights)
        else:
            state = store.load(checkpoint, self.file.stored)
            trainer.load_state(state, checkpoint.progress.step)
        return trainer

    def surroundings(self) -> dict[str, Any]:
        args, processes = self._args, self._processes
        device = processes.device.type
        if processes.world > 1:
            device = f"{processes.world} x {device}"
        if args.fsdp:
            device += " with FSDP"
        if self.precision != "f32":
            device += f" in {self.precision}"
        if self.draws and not args.crob_draws:
            device += " with draws of PyTorch"
        return {
            "crobc": self.file.crobc,
            "backend": "torch",
            "device": device,
            "threads": args.threads,
            "recompute": [],
        }

    def _wait(self) -> None:
        if self._processes.world > 1:
            torch.distributed.barrier()

    def note(self, text: str | None) -> None:
        if text is not None:
            self._report.note(text)
