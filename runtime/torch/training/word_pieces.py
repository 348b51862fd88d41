"""Splitting of a text into word pieces, with the results of @huggingface/tokenizers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from .json_text import SPACE, trim

Normalizer = Callable[[str], str]
PreTokenizer = Callable[[str], list[str]]

_WORD = re.compile(rf"[A-Za-z0-9_]+|[^A-Za-z0-9_{SPACE}]+")
_NOT_SPACE = re.compile(f"[^{SPACE}]+")


@dataclass(frozen=True)
class AddedToken:
    """A token that is found in the text before it is split."""

    id: int
    content: str
    lstrip: bool
    rstrip: bool
    normalized: bool


def without(text: str, *categories: str) -> str:
    """Removes the characters of some Unicode categories, or of groups of them (M)."""
    return "".join(
        one for one in text if not unicodedata.category(one).startswith(categories)
    )


def strip_accents(text: str) -> str:
    return without(unicodedata.normalize("NFD", text), "Mn")


def clean_text(text: str) -> str:
    """Removes control characters; other white space becomes a space."""
    found: list[str] = []
    for one in text:
        control = unicodedata.category(one) in _CONTROL and one not in "\t\n\r"
        if one != "\ufffd" and not control:
            found.append(" " if one in SPACE else one)
    return "".join(found)


_CONTROL = ("Cc", "Cf", "Co", "Cs")


def space_chinese(text: str) -> str:
    """Puts spaces around Chinese characters of the basic plane."""
    return re.sub("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]", r" \g<0> ", text)


def is_punctuation(one: str) -> bool:
    ascii_symbol = one < "\x7f" and one > " " and not one.isalnum()
    return ascii_symbol or unicodedata.category(one).startswith("P")


def bert_words(text: str) -> list[str]:
    """Splits at white space, and around each punctuation mark."""
    words: list[str] = []
    for part in _NOT_SPACE.findall(text):
        start = 0
        for i, one in enumerate(part):
            if is_punctuation(one):
                if i > start:
                    words.append(part[start:i])
                words.append(one)
                start = i + 1
        if start < len(part):
            words.append(part[start:])
    return words


def punctuation_groups(text: str) -> list[str]:
    """Splits between punctuation marks and everything else."""
    groups: list[str] = []
    for one in text:
        if groups and is_punctuation(groups[-1][-1]) == is_punctuation(one):
            groups[-1] += one
        else:
            groups.append(one)
    return groups


def digit_groups(text: str, individual: bool) -> list[str]:
    """Splits between digits and everything else; with `individual`, also between digits."""
    return re.findall("[^0-9]+|[0-9]" + ("" if individual else "+"), text)


def words_and_symbols(text: str) -> list[str]:
    return _WORD.findall(text)


def space_words(text: str) -> list[str]:
    return _NOT_SPACE.findall(text)


def split_at(text: str, pattern: str, behavior: str, invert: bool | None) -> list[str]:
    """Splits a text at a pattern. With `invert`, only the pattern itself is left."""
    if invert:
        return [pattern] * text.count(pattern)
    if behavior.lower() == "removed" and invert is None:
        return [part for part in text.split(pattern) if part]
    parts = re.split(f"({re.escape(pattern)})", text)
    return [part for part in parts if part]


class WordPieces:
    """A vocabulary with its normalizer and its splitter."""

    def __init__(
        self,
        pieces: Mapping[str, int],
        added: Iterable[AddedToken],
        *,
        unknown: str,
        prefix: str,
        longest: int,
        normalizer: Normalizer | None,
        splitter: PreTokenizer | None,
    ) -> None:
        self._ids = dict(pieces)
        self._unknown = unknown
        self._prefix = prefix
        self._longest = longest
        self._normalizer = normalizer
        self._splitter = splitter
        self._added: dict[str, AddedToken] = {}
        first: list[str] = []
        second: list[str] = []
        for token in added:
            self._ids[token.content] = token.id
            self._added[token.content] = token
            if token.normalized and normalizer is not None:
                content = normalizer(token.content)
                self._added[content] = token
                second.append(content)
            else:
                first.append(token.content)
        self._first, self._second = _finder(first), _finder(second)

    def encode(self, text: str) -> list[str]:
        """The tokens of a text, without [CLS] and [SEP]."""
        tokens: list[str] = []
        for section in self._sections(text, self._first):
            if section in self._added:
                tokens.append(section)
                continue
            normal = self._normalizer(section) if self._normalizer else section
            for part in self._sections(normal, self._second):
                if part in self._added:
                    tokens.append(part)
                    continue
                words = self._splitter(part) if self._splitter else [part]
                for word in words:
                    tokens.extend(self._pieces(word))
        return tokens

    def id_of(self, token: str, otherwise: int) -> int:
        added = self._added.get(token)
        return added.id if added else self._ids.get(token, otherwise)

    def _sections(self, text: str, finder: re.Pattern[str] | None) -> list[str]:
        """Splits a text around the added tokens in it."""
        sections = [one for one in finder.split(text) if one] if finder else [text]
        for i, section in enumerate(sections):
            token = self._added.get(section)
            if token is not None and token.lstrip and i > 0:
                sections[i - 1] = sections[i - 1].rstrip(SPACE)
            if token is not None and token.rstrip and i + 1 < len(sections):
                sections[i + 1] = sections[i + 1].lstrip(SPACE)
        return [one for one in sections if one]

    def _pieces(self, word: str) -> list[str]:
        """The longest pieces from the left, or the unknown token."""
        if len(word) > self._longest:
            return [self._unknown]
        pieces: list[str] = []
        start = 0
        while start < len(word):
            prefix = self._prefix if start > 0 else ""
            for end in range(len(word), start, -1):
                piece = prefix + word[start:end]
                if piece in self._ids:
                    break
            else:
                return [self._unknown]
            pieces.append(piece)
            start = end
        return pieces


def _finder(contents: list[str]) -> re.Pattern[str] | None:
    """Finds the longest of some texts wherever one begins."""
    ordered = sorted((one for one in contents if one), key=len, reverse=True)
    return re.compile(f"({'|'.join(map(re.escape, ordered))})") if ordered else None


def bert_normalizer(
    clean: bool, chinese: bool, accents: bool | None, lowercase: bool
) -> Normalizer:
    """BERT's normalizer; `accents` is whether they are removed, None for as `lowercase`."""

    def normalize(text: str) -> str:
        if clean:
            text = clean_text(text)
        if chinese:
            text = space_chinese(text)
        if lowercase:
            text = text.lower()
        removed = lowercase if accents is None else accents
        return strip_accents(text) if removed else text

    return normalize


def strip_sides(left: bool, right: bool) -> Normalizer:
    def normalize(text: str) -> str:
        if left and right:
            return trim(text)
        if left:
            text = text.lstrip(SPACE)
        return text.rstrip(SPACE) if right else text

    return normalize
