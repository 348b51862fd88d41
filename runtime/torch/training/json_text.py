"""Text and JSON by the rules of JavaScript, by which crobc reads and hashes them."""

from __future__ import annotations

import json
import math
import re
from typing import Any

SPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What JavaScript's trim removes and its \\s matches; str.strip() has others."""

MISSING = object()
"""A member that is not there."""

_MOST_EXACT = 2**53 - 1
_HALF = re.compile("[\ud800-\udfff]")
_INDEX = re.compile(r"0|[1-9]\d{0,9}", re.ASCII)


def trim(text: str) -> str:
    return text.strip(SPACE)


def parse(text: str) -> Any:
    """Reads JSON. Numbers are those of float64, whole ones as int. Raises ValueError."""
    try:
        return json.loads(
            text, parse_int=_whole, parse_float=_number, parse_constant=_refuse
        )
    except RecursionError:
        raise ValueError("too many levels") from None


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) < 16 else _number(digits)


def _number(digits: str) -> int | float:
    value = float(digits)
    exact = value.is_integer() and abs(value) <= _MOST_EXACT
    return int(value) if exact else value


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def stringify(value: Any) -> str:
    """Writes what `parse` read, and MISSING, as JavaScript's JSON.stringify does."""
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        return _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value) if math.isfinite(value) else "null"
    if isinstance(value, (list, tuple)):
        return f"[{','.join(stringify(one) for one in value)}]"
    if isinstance(value, dict):
        members = ",".join(
            f"{stringify(name)}:{stringify(value[name])}" for name in _ordered(value)
        )
        return f"{{{members}}}"
    return "null"


def _ordered(value: dict[str, Any]) -> list[str]:
    """The names of members as JavaScript orders them: indices of arrays first."""
    indices = [
        name for name in value if _INDEX.fullmatch(name) and int(name) < 2**32 - 1
    ]
    if not indices:
        return list(value)
    known = set(indices)
    return sorted(indices, key=int) + [name for name in value if name not in known]


def number_text(value: float) -> str:
    """A finite number as JavaScript writes it: with the fewest digits that give it back."""
    if isinstance(value, int) and abs(value) <= _MOST_EXACT:
        return str(value)
    value = float(value)
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    before, _, after = mantissa.partition(".")
    after = "" if after == "0" else after
    digits = (before + after).lstrip("0")
    # The value is 0.DIGITS times ten to the power `point`.
    point = len(before) + int(exponent or 0) - (len(before + after) - len(digits))
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    rest = f".{digits[1:]}" if count > 1 else ""
    power = point - 1
    return f"{sign}{digits[0]}{rest}e{'+' if power >= 0 else '-'}{abs(power)}"


def is_count(value: object) -> bool:
    """Whether a value of `parse` is a whole number from 0 to 2^53 - 1."""
    return type(value) is int and 0 <= value <= _MOST_EXACT


def is_number(value: object) -> bool:
    """Whether a value of `parse` is a finite number."""
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]


def cut(text: str, most: int = 60) -> str:
    """Truncates a text from a file for a message."""
    return f"{text[:most]}…" if len(text) > most else text


def quoted(text: str, most: int = 60) -> str:
    """Quotes a text from a file as JSON does, and truncates it."""
    return cut(stringify(cut(text, most)), most + 2)


def shown(value: object, most: int = 60) -> str:
    """A value of `parse` for a message, truncated in length and depth."""
    return "missing" if value is MISSING else cut(_part(value, most, 6), most)


def _part(value: object, most: int, depth: int) -> str:
    if isinstance(value, str):
        return stringify(value[: most + 1])
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if not isinstance(value, (list, dict)):
        return stringify(value)
    if depth == 0:
        return "…"
    if isinstance(value, list):
        return f"[{','.join(_part(one, most, depth - 1) for one in value[:most])}]"
    members = [(name, value[name]) for name in _ordered(value)[:most]]
    parts = (
        f"{quoted(name, most)}:{_part(one, most, depth - 1)}" for name, one in members
    )
    return f"{{{','.join(parts)}}}"
