"""What is compared, and the differences that were found."""

import json
import sys
from pathlib import Path

root = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(root / "runtime" / "torch"))

from training.batches import InputSizes
from training.data import DataOptions, open_dataset
from training.errors import UserError

work, goldens = Path(sys.argv[1]), Path(sys.argv[2])
cases = json.loads((work / "cases.json").read_text())
reference = json.loads((work / "reference.json").read_text())
aerial = root / "models" / "vocab" / "aerial.txt"
sizes = InputSizes(
    reference["sizes"]["batch"],
    reference["sizes"]["height"],
    reference["sizes"]["width"],
    reference["sizes"]["words"],
)
feeding = reference["feeding"]
failed = []
counts = {}


def same(what, expected, found):
    """Counts a comparison, and notes a difference."""
    kind = what.split(":")[0]
    counts[kind] = counts.get(kind, 0) + 1
    if expected != found:
        failed.append(what)
        if len(failed) <= 20:
            print(f"FAILED {what}\n  crobc:  {str(expected)[:300]}\n  python: {str(found)[:300]}")


def or_error(make, *given):
    """What a function returns, or its message, which has to be one line."""
    try:
        return make(*given)
    except UserError as error:
        text = str(error)
        if "\n" in text:
            failed.append(f"a message of several lines: {text}")
        return {"error": text}


def opened(case, notes):
    options = DataOptions(case["onBad"], case.get("onSizeMismatch"), notes.append)
    return open_dataset(Path(case["dir"]), case["split"], options)
