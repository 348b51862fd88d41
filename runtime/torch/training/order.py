"""The order of samples, and which are mirrored: the same as in crobc, on every machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .philox import philox

_ORDER_STREAM = 0x6F726472
"""Separates these draws from others with the same seed: 'ordr'."""

_MIRROR_STREAM = 0x6D697272
"""'mirr'."""

_CHUNK = 1 << 12
"""Words that are drawn at a time; a multiple of four."""


def key_of(seed: int) -> tuple[int, int]:
    """The lower and the upper 32 bits of a seed, as a key of philox."""
    return seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF


def epoch_order(places: int, seed: int, epoch: int) -> list[int]:
    """The order of the places 0 … places-1 in an epoch: a Fisher-Yates shuffle that depends
    only on `places`, `seed` and `epoch`, so that a run can be resumed within an epoch.
    """
    order = list(range(places))
    below = _drawer(seed, epoch)
    for i in range(places - 1, 0, -1):
        j = below(i + 1)
        order[i], order[j] = order[j], order[i]
    return order


def epoch_samples(
    lines: Sequence[int], places: int, seed: int, epoch: int
) -> list[int]:
    """The indices of an epoch's samples in order; `lines` has the line of each sample, from 1,
    and `places` is the number of lines.

    Lines are shuffled, so that the order of the other samples does not change when one turns
    out bad: a line without a sample is replaced by the next one that has a sample.
    """
    order = epoch_order(places, seed, epoch)
    indices = {line - 1: index for index, line in enumerate(lines)}
    # Backwards, so that the following sample is known; after the last line, it is the first
    # one of the order.
    following = next(indices[place] for place in order if place in indices)
    for i in range(places - 1, -1, -1):
        following = indices.get(order[i], following)
        order[i] = following
    return order


def is_mirrored(place: int, seed: int, epoch: int) -> bool:
    """Whether the sample at a place (its line, from 0) is mirrored in an epoch, as half of
    them are."""
    words = philox(4, key_of(seed), (epoch & 0xFFFFFFFF, _MIRROR_STREAM), place)
    return int(words[0]) & 1 == 1


def spread(count: int, limit: int | None = None) -> list[int]:
    """`limit` evenly spaced integers below `count`, ascending; by default, all."""
    wanted = count if limit is None else min(count, limit)
    return [i * count // wanted for i in range(wanted)]


def _drawer(seed: int, epoch: int) -> Callable[[int], int]:
    """Draws uniform integers below a bound."""
    key, stream = key_of(seed), (epoch & 0xFFFFFFFF, _ORDER_STREAM)
    words: list[int] = []
    at = 0
    block = 0

    def below(bound: int) -> int:
        nonlocal words, at, block
        # Words from the last whole multiple of the bound on are rejected, since they would
        # make small numbers more likely.
        limit = (1 << 32) - (1 << 32) % bound
        while True:
            if at == len(words):
                words = philox(_CHUNK, key, stream, block).tolist()
                block += _CHUNK // 4
                at = 0
            word = words[at]
            at += 1
            if word < limit:
                return word % bound

    return below
