"""Trains the model: python -m PACKAGE.train --help, or python train.py --help."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def main() -> None:
    """Runs the program of this package."""
    package = __package__
    if not package:
        # As a script, the folder itself is where Python finds modules, instead of the
        # folder that holds the package.
        folder = Path(__file__).resolve().parent
        sys.path[0] = str(folder.parent)
        package = folder.name
    run = importlib.import_module(f"{package}.training.run")
    program = importlib.import_module(f"{package}.recipe").PROGRAM
    code = run.main(program)
    importlib.import_module(f"{package}.training.distributed").end_process(code)


if __name__ == "__main__":
    main()
