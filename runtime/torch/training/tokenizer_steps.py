"""Normalizers and pre-tokenizers of a tokenizer.json."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

from .errors import UserError
from .json_text import MISSING, cut, quoted, shown
from .word_pieces import (
    Normalizer,
    PreTokenizer,
    bert_normalizer,
    bert_words,
    digit_groups,
    punctuation_groups,
    space_words,
    split_at,
    strip_sides,
    without,
    words_and_symbols,
)

Refuse = Callable[[str], UserError]

LONGEST_TEXT = 1_000
"""Characters of a pattern, a replacement or a piece."""

_MOST_STEPS = 32
_MOST_GROWTH = 1_000
"""The factor by which all replacements together may lengthen a text."""

_SETTINGS = {
    "normalizer": {
        "BertNormalizer": "clean_text handle_chinese_chars strip_accents lowercase",
        "Lowercase": "",
        "NFC": "",
        "NFD": "",
        "NFKC": "",
        "NFKD": "",
        "Strip": "strip_left strip_right",
        "StripAccents": "",
        "Replace": "pattern content",
        "Sequence": "normalizers",
    },
    "pre_tokenizer": {
        "BertPreTokenizer": "",
        "Whitespace": "",
        "WhitespaceSplit": "",
        "Punctuation": "behavior",
        "Digits": "individual_digits",
        "Split": "pattern behavior invert",
        "Sequence": "pretokenizers",
    },
}
"""The steps that are read, with their settings."""


class Steps:
    """Makes functions of normalizers and of pre-tokenizers."""

    def __init__(self, refuse: Refuse) -> None:
        self._refuse = refuse
        self._count = 0
        self._growth = 1.0

    def _begun(self, value: Any, where: str) -> tuple[str, dict[str, Any]]:
        step = object_of(value, f'"{where}"', self._refuse)
        kind = str(step.get("type"))
        known = _SETTINGS.get(where, {}).get(kind)
        if known is None:
            shown_kind = plainly_shown(step.get("type", MISSING))
            raise self._refuse(
                f"its {where} is {shown_kind}, which crobc does not have"
            )
        for name, setting in step.items():
            if name != "type" and name not in known.split():
                raise self._refuse(
                    f"{quoted(name)} of its {where} {kind} is {plainly_shown(setting)}"
                )
        self._count += 1
        if self._count > _MOST_STEPS:
            raise self._refuse(f"its {where} has more than {_MOST_STEPS} steps")
        return kind, step

    def _flag(
        self, step: dict[str, Any], name: str, where: str, null: bool = False
    ) -> bool | None:
        value = step.get(name, MISSING)
        if value is MISSING or isinstance(value, bool) or (null and value is None):
            return value if isinstance(value, bool) else None
        raise self._refuse(
            f'"{name}" of its {where} {step["type"]} is {plainly_shown(value)}'
        )

    def _text(self, step: dict[str, Any], name: str, where: str) -> str:
        value = step.get(name, "")
        if isinstance(value, str) and len(value) <= LONGEST_TEXT:
            return value
        raise self._refuse(
            f'"{name}" of its {where} {step["type"]} is {plainly_shown(value)}'
        )

    def _pattern(self, step: dict[str, Any], where: str) -> str:
        """The text of a pattern; regular expressions are those of another language."""
        pattern = object_of(
            step.get("pattern"), f"the pattern of its {where}", self._refuse
        )
        if "Regex" in pattern:
            raise self._refuse(
                f"the pattern of its {where} {step['type']} is a regular expression, "
                "which only the other back ends of crobc train read"
            )
        text = pattern.get("String")
        short = isinstance(text, str) and 0 < len(text) <= LONGEST_TEXT
        if not isinstance(text, str) or not short or len(pattern) != 1:
            raise self._refuse(
                f"the pattern of its {where} {step['type']} is {shown(pattern)}: "
                'must be a short "String"'
            )
        return text

    def _list(self, step: dict[str, Any], name: str, where: str) -> list[Any]:
        value = step.get(name)
        if not isinstance(value, list):
            raise self._refuse(f'its {where} has no list "{name}"')
        return value

    def normalizer(self, value: Any) -> Normalizer | None:
        if value is None:
            return None
        where = "normalizer"
        kind, step = self._begun(value, where)
        if kind == "BertNormalizer":
            clean, chinese, lowercase = (
                bool(self._flag(step, name, where))
                for name in ("clean_text", "handle_chinese_chars", "lowercase")
            )
            accents = self._flag(step, "strip_accents", where, null=True)
            return bert_normalizer(clean, chinese, accents, lowercase)
        if kind == "Lowercase":
            return str.lower
        if kind in ("NFC", "NFD", "NFKC", "NFKD"):
            form: Any = kind
            return lambda text: unicodedata.normalize(form, text)
        if kind == "Strip":
            left, right = (
                bool(self._flag(step, name, where))
                for name in ("strip_left", "strip_right")
            )
            return strip_sides(left, right)
        if kind == "StripAccents":
            return lambda text: without(text, "M")
        if kind == "Replace":
            return self._replacing(step, where)
        if kind == "Sequence":
            made = [
                self.normalizer(one) for one in self._list(step, "normalizers", where)
            ]
            return _composed([one for one in made if one is not None])
        raise AssertionError(kind)

    def _replacing(self, step: dict[str, Any], where: str) -> Normalizer:
        pattern = self._pattern(step, where)
        content = self._text(step, "content", where)
        self._growth *= max(1.0, len(content) / len(pattern))
        if self._growth > _MOST_GROWTH:
            raise self._refuse(
                f"what its {where} replaces makes a text more than "
                f"{_MOST_GROWTH:,} times longer"
            )
        return lambda text: text.replace(pattern, content)

    def splitter(self, value: Any) -> PreTokenizer | None:
        if value is None:
            return None
        where = "pre_tokenizer"
        kind, step = self._begun(value, where)
        plain = _SPLITTERS.get(kind)
        if plain is not None:
            self._text(step, "behavior", where)
            return plain
        if kind == "Digits":
            individual = bool(self._flag(step, "individual_digits", where))
            return lambda text: digit_groups(text, individual)
        if kind == "Split":
            pattern = self._pattern(step, where)
            behavior = self._text(step, "behavior", where)
            invert = self._flag(step, "invert", where)
            return lambda text: split_at(text, pattern, behavior, invert)
        if kind == "Sequence":
            made = [
                self.splitter(one) for one in self._list(step, "pretokenizers", where)
            ]
            return _in_turn([one for one in made if one is not None])
        raise AssertionError(kind)


_SPLITTERS: dict[str, PreTokenizer] = {
    "BertPreTokenizer": bert_words,
    "Whitespace": words_and_symbols,
    "WhitespaceSplit": space_words,
    "Punctuation": punctuation_groups,
}


def _composed(steps: list[Normalizer]) -> Normalizer:
    def normalize(text: str) -> str:
        for step in steps:
            text = step(text)
        return text

    return normalize


def _in_turn(steps: list[PreTokenizer]) -> PreTokenizer:
    def split(text: str) -> list[str]:
        parts = [text]
        for step in steps:
            parts = [word for part in parts for word in step(part)]
        return parts

    return split


def object_of(value: Any, what: str, refuse: Refuse) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise refuse(f"{what} is not a JSON object")
    return value


def plainly_shown(value: object) -> str:
    """A value of the file for a message; plain names without quotes."""
    plain = (
        isinstance(value, str)
        and value.replace(".", "").replace("-", "").isidentifier()
    )
    return cut(str(value)) if plain else shown(value)
