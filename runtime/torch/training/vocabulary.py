"""The vocabulary of a run."""

from __future__ import annotations

from pathlib import Path

from .arguments import Arguments
from .errors import UserError
from .identity import RecipeFile, recorded_vocabulary
from .phrases import Tokenizer, open_tokenizer, vocabulary_file


def choose_tokenizer(args: Arguments, file: RecipeFile) -> Tokenizer | None:
    """The tokenizer of --tokenizer; else that of the weights to start from or of the run to
    resume; else the data set's own, or crobc's. None for a model that reads only images.
    Raises UserError if it does not fit the model."""
    text = file.content["text"]
    if text is None:
        return None
    recorded = _recorded(args)
    if args.tokenizer is not None or recorded is None:
        path = args.tokenizer or vocabulary_file(args.data)
        found = open_tokenizer(path, args.truncation or "keep-sep")
        if recorded is not None and recorded.pieces != found.pieces:
            raise UserError(
                f"{path} is another vocabulary than that of the weights, {recorded.name}"
            )
    else:
        found = recorded
    if text["rows"] is not None and found.vocabulary_size > text["rows"]:
        raise UserError(
            f"the vocabulary has {found.vocabulary_size} word pieces and the model a table of "
            f"{text['rows']}: they do not belong together"
        )
    return found


def _recorded(args: Arguments) -> Tokenizer | None:
    if args.resume:
        # If these weights are missing or damaged, an earlier checkpoint is resumed, and its
        # identity has the vocabulary's hash.
        return _tokenizer_of(args.out / "last.safetensors", args, lenient=True)
    if args.weights is None:
        return None
    return _tokenizer_of(args.weights, args, lenient=False)


def _tokenizer_of(weights: Path, args: Arguments, lenient: bool) -> Tokenizer | None:
    try:
        held = recorded_vocabulary(weights)
    except UserError:
        if lenient:
            return None
        raise
    if held is None:
        return None
    truncation = args.truncation
    if truncation is None:
        truncation = "plain" if held.get("truncation") == "plain" else "keep-sep"
    return Tokenizer(held["name"], held["text"], truncation)
