"""The learning rate of each step."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .settings import Constant, Poly, SchedulePart, Warmup


def schedule_factor(parts: Sequence[SchedulePart], i: int, n: int) -> float:
    """The factor of the learning rate at step i (from 0) of n.

    A warm-up of w steps is linear: (i + 1) / w times the initial factor of the next part. The
    other parts share the remaining steps equally. Without parts the factor is 1.
    """
    warm = sum(part.steps for part in parts if isinstance(part, Warmup))
    sharing = sum(not isinstance(part, Warmup) for part in parts)
    left = max(0, n - warm)
    start = 0
    shared = 0
    for at, part in enumerate(parts):
        if isinstance(part, Warmup):
            steps = part.steps
        else:
            # Integer shares whose sum is always the number of remaining steps.
            steps = left * (shared + 1) // sharing - left * shared // sharing
            shared += 1
        if i < start + steps or at == len(parts) - 1:
            following = parts[at + 1] if at + 1 < len(parts) else None
            return _factor_in(part, i - start, steps, following)
        start += steps
    return 1.0


def _factor_in(
    part: SchedulePart, i: int, steps: int, following: SchedulePart | None
) -> float:
    if isinstance(part, Warmup):
        target = following.factor if isinstance(following, Constant) else 1.0
        return target if steps == 0 else target * min(1.0, (i + 1) / steps)
    if isinstance(part, Constant):
        return part.factor
    t = 1.0 if steps == 0 else min(1.0, i / steps)
    if isinstance(part, Poly):
        shape = math.pow(1.0 - t, part.power)
    else:
        shape = (1.0 + math.cos(math.pi * t)) / 2
    return part.end + (1.0 - part.end) * shape
