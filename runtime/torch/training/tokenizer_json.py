"""tokenizer.json of Hugging Face, as far as crobc reads it."""

from __future__ import annotations

from typing import Any

from .errors import UserError
from .json_text import MISSING, parse, quoted, shown
from .tokenizer_steps import LONGEST_TEXT, Refuse, Steps, object_of, plainly_shown
from .word_pieces import AddedToken, WordPieces

MOST_PIECES = 1_000_000
_MOST_IDS = 2 * MOST_PIECES
_MOST_ADDED = 10_000
_LONGEST_WORD = 256


def parse_tokenizer_json(
    text: str, refuse: Refuse
) -> tuple[dict[str, int], list[AddedToken], WordPieces]:
    """Reads a tokenizer.json, and checks all of it that is used. Raises what `refuse` makes of
    a reason."""
    try:
        json = parse(text)
    except ValueError:
        raise refuse("it begins like JSON and does not go on like it") from None
    file = object_of(json, "the file", refuse)
    if not isinstance(file.get("model"), (dict, list)):
        raise refuse('it has no "model"')
    pieces, options = _model(object_of(file["model"], '"model"', refuse), refuse)
    steps = Steps(refuse)
    normalizer = steps.normalizer(file.get("normalizer"))
    splitter = steps.splitter(file.get("pre_tokenizer"))
    _check_post_processor(file.get("post_processor"), refuse)
    added = _added_tokens(file.get("added_tokens"), pieces, refuse)
    made = WordPieces(
        pieces, added, normalizer=normalizer, splitter=splitter, **options
    )
    return pieces, added, made


def _model(
    model: dict[str, Any], refuse: Refuse
) -> tuple[dict[str, int], dict[str, Any]]:
    # Files from before tokenizers 0.9 have no type; their prefix identifies WordPiece.
    old = "WordPiece" if "continuing_subword_prefix" in model else "unknown"
    kind = model.get("type") or old
    if kind != "WordPiece":
        raise refuse(f"its model is {plainly_shown(kind)}")
    pieces = model.get("vocab")
    if not isinstance(pieces, dict):
        raise refuse('its model has no "vocab"')
    if len(pieces) > MOST_PIECES:
        raise too_many(len(pieces), refuse)
    ids: set[int] = set()
    for piece, number in pieces.items():
        if not _is_id(number):
            raise refuse(
                f"the id of {quoted(piece)} is not a whole number below {_MOST_IDS:,}"
            )
        if len(piece) > LONGEST_TEXT:
            raise refuse(f"the word piece {quoted(piece)} is too long")
        if number in ids:
            raise refuse(
                f"the id {number} belongs to {quoted(piece)} and to another word piece"
            )
        ids.add(number)
    unknown = model.get("unk_token", "[UNK]")
    if not isinstance(unknown, str) or (unknown not in pieces and unknown != "[UNK]"):
        raise refuse(f'its "unk_token" {shown(unknown)} is none of its word pieces')
    prefix = model.get("continuing_subword_prefix", "##")
    if not isinstance(prefix, str) or len(prefix) > LONGEST_TEXT:
        raise refuse('its "continuing_subword_prefix" is not a short text')
    longest = model.get("max_input_chars_per_word", 100)
    if type(longest) is not int or not 1 <= longest <= _LONGEST_WORD:
        raise refuse(
            f'its "max_input_chars_per_word" is {plainly_shown(longest)}: '
            f"must be a whole number from 1 to {_LONGEST_WORD}"
        )
    return pieces, {"unknown": unknown, "prefix": prefix, "longest": longest}


def too_many(pieces: int, refuse: Refuse) -> UserError:
    return refuse(
        f"it has {pieces:,} word pieces, and {MOST_PIECES:,} at most are read"
    )


def _is_id(value: object) -> bool:
    return type(value) is int and 0 <= value < _MOST_IDS


def _check_post_processor(value: Any, refuse: Refuse) -> None:
    """Raises unless [CLS] and [SEP] are added as by every BERT."""
    if value is None:
        return
    step = object_of(value, '"post_processor"', refuse)
    kind = step.get("type", MISSING)
    around: list[Any]
    if kind == "BertProcessing":
        around = [_first(step.get("cls")), "A", _first(step.get("sep"))]
    elif kind == "TemplateProcessing" and isinstance(step.get("single"), list):
        around = [_part_name(item) for item in step["single"]]
    else:
        raise refuse(
            f"its post_processor is {plainly_shown(kind)}, which crobc does not have"
        )
    if around != ["[CLS]", "A", "[SEP]"]:
        raise refuse(
            "its post_processor does not put [CLS] in front of a sentence and [SEP] behind it"
        )


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else None


def _part_name(item: Any) -> Any:
    part = (
        item.get("SpecialToken", item.get("Sequence"))
        if isinstance(item, dict)
        else None
    )
    return part.get("id") if isinstance(part, dict) else None


def _added_tokens(
    value: Any, pieces: dict[str, int], refuse: Refuse
) -> list[AddedToken]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise refuse('its "added_tokens" are not a list')
    if len(value) > _MOST_ADDED:
        raise refuse(
            f"it has {len(value):,} added tokens, and {_MOST_ADDED:,} at most are read"
        )
    found: list[AddedToken] = []
    for i, item in enumerate(value, start=1):
        token = object_of(item, f"added token {i}", refuse)
        number, content = token.get("id"), token.get("content")
        if type(number) is not int or not _is_id(number):
            raise refuse(
                f"the id of added token {i} is not a whole number below {_MOST_IDS:,}"
            )
        if not isinstance(content, str) or not 0 < len(content) <= LONGEST_TEXT:
            raise refuse(f'added token {i} has no short "content"')
        if pieces.get(content, number) != number:
            raise refuse(
                f"{quoted(content)} has the id {pieces[content]} in the vocabulary "
                f'and {number} in "added_tokens"'
            )
        for name in ("single_word", "lstrip", "rstrip", "normalized", "special"):
            if not isinstance(token.get(name, False), bool):
                raise refuse(
                    f'"{name}" of added token {i} is {plainly_shown(token[name])}'
                )
        flags = (token.get(name, False) for name in ("lstrip", "rstrip", "normalized"))
        found.append(AddedToken(number, content, *flags))
    return found
