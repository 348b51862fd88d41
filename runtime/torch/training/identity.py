"""What identifies a run: recipe.json, what its checkpoints hold, and what weights record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from .checkpoints import StoredTensor
from .errors import UserError
from .json_output import json_text
from .phrases import Tokenizer

RECORD_KEY = "crobc.trained"
_FORMAT = "crobc recipe 1"
_RECORD_FORMAT = "crobc trained model 1"

HARMLESS = {"checkpoint_every"}
"""Settings that do not change the numbers of a training, so that they may differ on resuming."""


@dataclass(frozen=True)
class RecipeFile:
    """recipe.json: what crobc knows of the training and the package does not compute."""

    content: Mapping[str, Any]
    changed: tuple[str, ...]
    """Generated files that were edited since, by name."""
    digest: str
    """SHA-256 of the files in `changed`; empty without any."""

    @property
    def crobc(self) -> str:
        return str(self.content["crobc"])

    @property
    def recipe(self) -> dict[str, Any]:
        """The settings by their names in the recipe."""
        return dict(self.content["identity"]["recipe"])

    @property
    def stored(self) -> list[StoredTensor]:
        return [
            StoredTensor(one["name"], one["file"], one["as"], tuple(one["shape"]))
            for one in self.content["stored"]
        ]


def read_recipe(folder: Path) -> RecipeFile:
    """Reads recipe.json of a package. Raises UserError."""
    path = folder / "recipe.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"{path} is no JSON") from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise UserError(f"{path} was written by another version of crobc")
    changed = []
    digest = hashlib.sha256()
    for name, wanted in content["files"].items():
        found = (folder / name).read_bytes() if (folder / name).exists() else b""
        if hashlib.sha256(found).hexdigest() != wanted:
            changed.append(name)
            digest.update(found)
    return RecipeFile(content, tuple(changed), digest.hexdigest() if changed else "")


def run_identity(
    file: RecipeFile,
    *,
    steps: int,
    blank: bool,
    precision: str | None,
    data: str,
    vocabulary: str,
) -> dict[str, Any]:
    """The identity of a run, without its surroundings, as crobc has it. Edited files are a part
    of it, since crobc cannot know what they compute."""
    identity = file.content["identity"]
    recipe = {**identity["recipe"], "steps": steps}
    if precision is not None:
        recipe["precision"] = precision
    if blank:
        recipe["phrases"] = "blank"
    if file.changed:
        recipe["program"] = file.digest
    hashes = {**identity["hashes"], "data": data, "vocabulary": vocabulary}
    return {
        "model": identity["model"],
        "seed": identity["seed"],
        "recipe": recipe,
        "hashes": hashes,
    }


def difference(held: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """The first difference between two runs, for which one cannot continue the other."""
    if held["model"] != now["model"]:
        return f"it trains {held['model']}, not {now['model']}"
    settings = [
        *held["recipe"],
        *(one for one in now["recipe"] if one not in held["recipe"]),
    ]
    for key in settings:
        if key in HARMLESS:
            continue
        was, is_now = (_shown(run["recipe"], key) for run in (held, now))
        if was != is_now:
            return f"{key} was {was} and is {is_now}"
    if held["seed"] != now["seed"]:
        return f"the seed was {held['seed']} and is {now['seed']}"
    reasons = {
        "model": f"the model {now['model']} was changed",
        "loss": "the losses, or the training form of the model, were changed",
        "data": "the data set has other phrases",
        "vocabulary": "the vocabulary was changed",
    }
    for key, reason in reasons.items():
        if held["hashes"][key] != now["hashes"][key]:
            return reason
    return None


def _shown(recipe: Mapping[str, Any], key: str) -> str:
    return json_text(recipe[key]) if key in recipe else "not set"


def changed_surroundings(held: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """A note if a run continues with other surroundings than those of its checkpoint."""
    modules = " ".join(f"--recompute {one}" for one in held["recompute"])
    threads = held["threads"]
    names = {
        "crobc": f"crobc {held['crobc']}",
        "backend": f"the {held['backend']} back end",
        "device": f"the device {held['device']}",
        "threads": "no --threads" if threads is None else f"--threads {threads}",
        "recompute": modules or "no --recompute",
    }
    changes = [name for key, name in names.items() if held[key] != now[key]]
    if not changes:
        return None
    return (
        f"the run was begun with {' and '.join(changes)}: its numbers may differ in their "
        "last digits from an unbroken run's"
    )


def record_metadata(
    file: RecipeFile, tokenizer: Tokenizer | None, identity: Mapping[str, Any]
) -> dict[str, str]:
    """The metadata that make weights a trained model for crobc. Empty if the model cannot be
    compiled without the recipe, or if its classes were edited."""
    content = file.content
    if content["model"] is None or any(map(_is_model, file.changed)):
        return {}
    record = {
        "format": _RECORD_FORMAT,
        "crobc": content["crobc"],
        "model": content["model"],
        "image": content["image"],
        "text": None if tokenizer is None else _recorded_text(content, tokenizer),
        "threshold": content["threshold"],
        "training": {
            "recipe": identity["recipe"],
            "seed": identity["seed"],
            "data": identity["hashes"]["data"],
        },
    }
    return {RECORD_KEY: json_text(record)}


def _is_model(file: str) -> bool:
    """Whether a file can change what the model computes in inference."""
    return file not in ("recipe.py", "train.py") and not file.startswith("training/")


def _recorded_text(content: Mapping[str, Any], tokenizer: Tokenizer) -> dict[str, Any]:
    vocabulary = {
        "name": Path(tokenizer.name).name,
        "sha256": tokenizer.hash,
        "text": tokenizer.text,
    }
    if tokenizer.truncation != "keep-sep":
        vocabulary["truncation"] = tokenizer.truncation
    return {"words": content["text"]["words"], "vocabulary": vocabulary}


def recorded_vocabulary(weights: Path) -> Mapping[str, str] | None:
    """The vocabulary that trained weights record: name, text, and truncation unless it is
    keep-sep. None without a record. Raises UserError if the file is not readable."""
    try:
        with safe_open(weights, framework="pt") as file:
            metadata = file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise UserError(f"cannot read {weights}: {error}") from error
    text = metadata.get(RECORD_KEY)
    if text is None:
        return None
    try:
        record = json.loads(text)
        vocabulary = record["text"] and record["text"]["vocabulary"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"the record of the trained model in {weights} is damaged"
        ) from error
    return vocabulary or None
