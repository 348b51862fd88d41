"""The plan of a run, in steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .errors import UserError
from .settings import Recipe

MOST_STEPS = 99_999_999
"""Names of checkpoints have eight digits."""


@dataclass(frozen=True)
class Plan:
    per_step: int
    """Samples of a step: batch size times accumulated micro-batches."""
    steps_per_epoch: int
    """Complete steps per pass over the data; the remaining samples are not used."""
    steps: int
    evaluate_every: int
    """In steps, with another evaluation after the last step; 0 for never."""
    checkpoint_every: int

    def is_due(self, every: int, step: int) -> bool:
        """Whether an event with this interval occurs after `step` (from 1)."""
        return every > 0 and (step % every == 0 or step >= self.steps)


def plan_run(recipe: Recipe, samples: int, checkpoint_every: int) -> Plan:
    """Plans a run; `checkpoint_every` is in the unit of the recipe's length. Raises UserError
    if the data do not fill one step, and for too many steps."""
    batch = recipe.dims["B"]
    per_step = batch * recipe.accumulate
    steps_per_epoch = samples // per_step
    if steps_per_epoch == 0:
        takes = (
            f"a batch is {batch}"
            if recipe.accumulate == 1
            else f"a step takes {recipe.accumulate} batches of {batch}"
        )
        raise UserError(
            f"there are {samples} samples and {takes}: take less in a step (B or accumulate)"
        )
    unit = steps_per_epoch if recipe.steps is None else 1
    if recipe.steps is None:
        # JavaScript's Math.round.
        steps = max(1, math.floor((recipe.epochs or 0) * steps_per_epoch + 0.5))
    else:
        steps = recipe.steps
    if not 1 <= steps <= MOST_STEPS:
        raise UserError(f"a run has 1 to {MOST_STEPS:,} steps, and not {steps:,}")
    return Plan(
        per_step=per_step,
        steps_per_epoch=steps_per_epoch,
        steps=steps,
        evaluate_every=int(recipe.evaluate_every * unit),
        checkpoint_every=checkpoint_every * unit,
    )
