"""Phrases as word pieces of BERT."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .data import Dataset
from .errors import UserError, read_bytes
from .json_text import SPACE, quoted, stringify
from .tokenizer_json import MOST_PIECES, parse_tokenizer_json, too_many
from .tokenizer_steps import Refuse
from .word_pieces import AddedToken, WordPieces, bert_normalizer, bert_words

Truncation = Literal["keep-sep", "plain"]
"""How a phrase with too many tokens is truncated: [SEP] is kept as the last token, or is
truncated away with the rest, as LAVT and RMSIN do."""

_MOST_BYTES = 2**27
_SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_BRACKETED = re.compile(r"\[[^\n\r\u2028\u2029]*\]")
_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Encoded:
    """A phrase for a text encoder."""

    ids: list[int]
    """[CLS] … [SEP] and padding, as many as the model reads."""
    length: int
    """Without padding."""
    tokens: list[str]
    """Of the phrase itself, before truncation."""
    truncated: bool


class Tokenizer:
    """WordPiece, by a vocab.txt of BERT or a tokenizer.json of Hugging Face."""

    name: str
    text: str
    """The vocabulary, as it is recorded in trained weights."""
    hash: str
    """SHA-256 of the vocabulary."""
    pieces: str
    """SHA-256 of the word pieces in the order of their ids."""
    vocabulary_size: int
    """The largest id plus one."""
    truncation: Truncation

    def __init__(
        self, name: str, text: str, truncation: Truncation = "keep-sep"
    ) -> None:
        """`name` is for messages. Raises UserError if `text` is neither."""

        def refuse(why: str) -> UserError:
            return UserError(f"{name} is not a WordPiece vocabulary: {why}")

        is_json = text.lstrip(SPACE).startswith("{")
        make = parse_tokenizer_json if is_json else _from_vocabulary
        pieces, added, self._engine = make(text, refuse)
        for special in _SPECIALS[:-1]:
            if special not in pieces:
                raise refuse(f"it has no {special}")
        self._pad, self._unknown, self._cls, self._sep = (
            pieces[special] for special in _SPECIALS[:-1]
        )
        self.name, self.text, self.truncation = name, text, truncation
        self.hash = _sha256(text)
        ordered = sorted((number, piece) for piece, number in pieces.items())
        self.pieces = _sha256(stringify(ordered))
        ids = [*pieces.values(), *(token.id for token in added)]
        self.vocabulary_size = max(ids) + 1

    def __reduce__(self) -> tuple[type[Tokenizer], tuple[str, str, Truncation]]:
        """Processes that do not begin as a copy of this one make their own."""
        return Tokenizer, (self.name, self.text, self.truncation)

    def encode(self, phrase: str, words: int) -> Encoded:
        """`words` counts [CLS] and [SEP]. Raises UserError for a phrase without a token."""
        if words < 3:
            raise UserError(
                "a sentence needs room for 3 tokens, [CLS] and [SEP] among them, "
                f"and has {words}"
            )
        tokens = self._engine.encode(_HALF.sub("\ufffd", phrase))
        if not tokens:
            raise UserError("the sentence is empty")
        room = words - 1 if self.truncation == "plain" else words - 2
        ids = [self._engine.id_of(one, self._unknown) for one in tokens[:room]]
        return self._padded(ids, words, tokens)

    def blank(self, words: int) -> Encoded:
        """An empty phrase: [CLS] [SEP] and padding."""
        return self._padded([], words, [])

    def _padded(self, ids: list[int], words: int, tokens: list[str]) -> Encoded:
        ids = [self._cls, *ids, self._sep][:words]
        padding = [self._pad] * (words - len(ids))
        return Encoded(ids + padding, len(ids), tokens, len(tokens) > words - 2)

    @property
    def identity(self) -> str:
        """What a run's identity has about its vocabulary."""
        if self.truncation == "keep-sep":
            return self.hash
        return f"{self.hash} {self.truncation}"


def cut_note(dataset: Dataset, tokenizer: Tokenizer, words: int) -> str | None:
    """A note on how many phrases of a data set are truncated; None if none is."""
    cut = [one for one in dataset.samples if _is_cut(one.phrase, tokenizer, words)]
    if not cut:
        return None
    return (
        f"{len(cut)} of {len(dataset.samples)} phrases have more word pieces than "
        f"T = {words} takes, and are cut: {cut[0].file}:{cut[0].line} is the first"
    )


def _is_cut(phrase: str, tokenizer: Tokenizer, words: int) -> bool:
    try:
        return tokenizer.encode(phrase, words).truncated
    except UserError:
        # A phrase without a token is a bad sample, which is reported when it is loaded.
        return False


def open_tokenizer(path: Path, truncation: Truncation = "keep-sep") -> Tokenizer:
    """Reads a vocabulary file. Raises UserError."""
    data = read_bytes(str(path), _MOST_BYTES, "a vocabulary")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"cannot read {path}: it is not UTF-8 text") from None
    return Tokenizer(str(path), text, truncation)


def vocabulary_file(folder: Path) -> Path:
    """The vocabulary if no other is given: the data set's own vocab.txt, or the aerial
    vocabulary of crobc, aerial.txt beside this file. Raises UserError if there is none.
    """
    for path in (folder / "vocab.txt", Path(__file__).with_name("aerial.txt")):
        if path.exists():
            return path
    raise UserError(f"{folder} has no vocab.txt: give a vocabulary with --tokenizer")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _from_vocabulary(
    text: str, refuse: Refuse
) -> tuple[dict[str, int], list[AddedToken], WordPieces]:
    """A vocab.txt does not define how text is split: it is by BERT's rules. A vocabulary with
    capital letters is for a cased model; then case and accents are kept."""
    lines = re.split(r"\r?\n", text)
    if lines[-1] == "":
        lines.pop()
    if len(lines) > MOST_PIECES:
        raise too_many(len(lines), refuse)
    pieces: dict[str, int] = {}
    for number, line in enumerate(lines):
        if line in pieces:
            first = pieces[line] + 1
            raise refuse(f"{quoted(line)} is in lines {first} and {number + 1}")
        pieces[line] = number
    cased = any(_has_capital(line) for line in lines if not _BRACKETED.fullmatch(line))
    added = [
        AddedToken(pieces[one], one, lstrip=False, rstrip=False, normalized=False)
        for one in _SPECIALS
        if one in pieces
    ]
    engine = WordPieces(
        pieces,
        added,
        unknown="[UNK]",
        prefix="##",
        longest=100,
        normalizer=bert_normalizer(True, True, None, not cased),
        splitter=bert_words,
    )
    return pieces, added, engine


def _has_capital(line: str) -> bool:
    return not line.islower() and any(unicodedata.category(one) == "Lu" for one in line)
