"""Pickles of plain data, without running anything that they contain."""

from __future__ import annotations

import io
import pickle
import pickletools
from typing import Any

_MOST_INSTRUCTIONS = 100_000_000
_MOST_REMEMBERED = 8_000_000

# Values that others are inside of; texts, numbers, truth values and None; the machine.
_PLAIN = """
EMPTY_LIST APPEND APPENDS LIST EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_DICT DICT SETITEM
SETITEMS STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8
INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT NEWTRUE NEWFALSE NONE
PROTO FRAME STOP MARK POP POP_MARK DUP MEMOIZE PUT BINPUT LONG_BINPUT GET BINGET LONG_BINGET
"""
_ALLOWED = frozenset(_PLAIN.split())
"""Instructions that make plain data; every other one is refused."""

_IMPORTS = {"GLOBAL", "INST", "STACK_GLOBAL"}


class PickleFault(Exception):
    """Why bytes are no pickle of plain data, as a phrase without the file's name."""


class _PlainUnpickler(pickle.Unpickler):
    """Imports nothing, whatever the check of instructions may have missed."""

    def find_class(self, module: str, name: str) -> Any:
        raise PickleFault(
            f'it would import "{module}.{name}", and no code of a file is run'
        )

    def persistent_load(self, pid: Any) -> Any:
        raise PickleFault("it refers to something outside of the file")


def read_plain_pickle(data: bytes) -> Any:
    """Reads lists, tuples, dicts, strings (latin1 those of Python 2), numbers, truth values
    and None. Raises PickleFault for anything else, before anything of it is carried out.
    """
    _check(data)
    try:
        return _PlainUnpickler(io.BytesIO(data), encoding="latin1").load()
    except PickleFault:
        raise
    except MemoryError:
        raise PickleFault("it needs more memory than there is") from None
    except Exception as error:  # noqa: BLE001 Damaged pickles raise nearly anything.
        raise PickleFault(f"it is damaged ({type(error).__name__})") from None


def _check(data: bytes) -> None:
    remembered = 0
    try:
        for count, (code, argument, at) in enumerate(pickletools.genops(data)):
            name = code.name
            if name not in _ALLOWED:
                raise PickleFault(_refusal(name, argument, at))
            if count > _MOST_INSTRUCTIONS:
                raise PickleFault(
                    f"it has more than {_MOST_INSTRUCTIONS:,} instructions"
                )
            if name == "MEMOIZE":
                remembered += 1
            elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
                # Python makes room for all numbers up to this one.
                remembered = max(remembered, int(argument or 0))
            if remembered > _MOST_REMEMBERED:
                raise PickleFault(
                    f"byte {at}: {name} needs more than {_MOST_REMEMBERED:,} remembered values"
                )
    except PickleFault:
        raise
    except Exception as error:  # noqa: BLE001 So does genops.
        raise PickleFault(f"it is no pickle ({_first_line(error)})") from None


def _refusal(name: str, argument: Any, at: int | None) -> str:
    if name not in _IMPORTS:
        return (
            f"byte {at}: {name} makes something else than plain data, which is not read"
        )
    what = f" {ascii(argument)[:80]}" if argument else " something"
    return f"byte {at}: it would import{what}, and no code of a file is run"


def _first_line(error: Exception) -> str:
    return ascii(str(error).partition("\n")[0])[1:-1][:80]
