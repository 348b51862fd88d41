"""Phrases of mirrored images."""

from __future__ import annotations

import re
import unicodedata

from .json_text import SPACE
from .mirror_words import AFTER_SIDE, BEFORE_SIDE, NEUTRAL, PAIRS, REMAINING

_OTHER = dict(PAIRS) | {b: a for a, b in PAIRS}

_GAP = f"(?:-|[{SPACE}]+)"
_UNSURE = re.compile(
    rf"\bright{_GAP}(?:angled?|next|at|behind|above|below|beside|in|on|under|between|after"
    rf"|before|along|outside|inside|around)\b|\bleft{_GAP}(?:over|behind|alone|out)\b"
    rf"|\bport{_GAP}side\b",
    re.IGNORECASE | re.ASCII,
)
"""What makes left and right other words than those of a side, and port one of a side."""

_SHAPE = re.compile(r"[a-z]-shaped\b", re.IGNORECASE | re.ASCII)


def mirror_phrase(phrase: str) -> str | None:
    """The phrase for the mirrored image; None if that is uncertain: if any word is neither one
    whose mirror image is known nor one that means the same in a mirrored image."""
    if _UNSURE.search(phrase):
        return None
    words = [word.lower() for word in _words(phrase)]
    for i, word in enumerate(words):
        before = words[i - 1] if i > 0 else None
        after = words[i + 1] if i + 1 < len(words) else None
        if word not in ("left", "right"):
            sure = word in _OTHER or word in NEUTRAL
        elif after is None:
            sure = before is None or before not in REMAINING
        else:
            sure = after in AFTER_SIDE or (before or "") in BEFORE_SIDE
        if not sure:
            return None
    return "".join(_mirrored(part) for part in _letters(phrase))


def _words(phrase: str) -> list[str]:
    """Letters, digits and marks in a row, with what is joined to a letter by a hyphen only in
    the names of shapes such as t-shaped."""
    words: list[str] = []
    at = 0
    while at < len(phrase):
        shape = _SHAPE.match(phrase, at)
        end = shape.end() if shape else at
        while not shape and end < len(phrase) and _kind(phrase[end]) in "LNM":
            end += 1
        if end > at:
            words.append(phrase[at:end])
        at = max(end, at + 1)
    return words


def _letters(phrase: str) -> list[str]:
    """Splits a text between letters and everything else."""
    parts: list[str] = []
    for one in phrase:
        if parts and (_kind(parts[-1][-1]) == "L") == (_kind(one) == "L"):
            parts[-1] += one
        else:
            parts.append(one)
    return parts


def _kind(one: str) -> str:
    return unicodedata.category(one)[0]


def _mirrored(word: str) -> str:
    """The other word of a pair, with capitals where the word has them."""
    other = _OTHER.get(word.lower())
    if other is None:
        return word
    if word == word.upper():
        return other.upper()
    return other[0].upper() + other[1:] if word[0] == word[0].upper() else other
