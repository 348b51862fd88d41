"""Scores of logits that crobc has scored as well."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from comparison import aerial, cases, opened, reference, same, sizes, work
from training.batches import Feeding
from training.evaluation import evaluate
from training.phrases import open_tokenizer


def figures_of(scores):
    return {name: None if math.isnan(one) else one for name, one in scores.figures.items()}


@dataclass
class Evaluating:
    """A model that gives the logits of a file, one batch after the other."""

    case: dict
    logits: torch.Tensor

    def score(self, rank=0, world=1, gather=None):
        mine = iter(self.logits[rank::world])

        def predict(batch):
            same("inputs", ["image", "mask", "tokens"], sorted(batch))
            return next(mine, self.logits[0])

        return evaluate(
            predict,
            opened({**self.case, "onBad": "stop"}, []),
            sizes,
            Feeding(open_tokenizer(aerial), workers=0),
            protocol=self.case["protocol"],
            at=self.case["at"],
            rank=rank,
            world=world,
            gather=gather,
        )

    def score_of_two(self):
        """The scores of two processes, one after the other: the second one gathers what the
        first one had."""
        given = []

        def first(mine):
            given.append(mine)
            return [mine]

        self.score(0, 2, first)
        return self.score(1, 2, lambda mine: [given[0], mine])


def compare_evaluations():
    for i, (case, expected) in enumerate(
        zip(cases["evaluations"], reference["evaluations"], strict=True)
    ):
        shape = (-1, sizes.batch, 1, sizes.height, sizes.width)
        values = np.frombuffer((work / f"logits-{i}").read_bytes(), np.float32)
        model = Evaluating(case, torch.from_numpy(values.reshape(shape).copy()))
        what = f"scores: {Path(case['dir']).name} {case['protocol']} at {case['at']}"
        found = model.score()
        same(what, expected["figures"], figures_of(found))
        known = [expected["samples"], expected["skipped"]]
        same(f"{what}, samples", known, [found.samples, found.skipped])
        if len(values) > np.prod(shape[1:]):
            both = figures_of(model.score_of_two())
            same(f"{what}, two processes", expected["figures"], both)
