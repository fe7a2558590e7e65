"""Which passwords are good enough, and what a password is: pure rules, after NIST SP 800-63B and RFC 8265."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

from main.util.text import fold

HARD_MINIMUM = 8  # no setting goes below
LONGEST = 128
_COMMON = Path(__file__).with_name(
    "common-passwords.txt"
)  # folded, one a line; written for Aisle, from rules and what is known
_EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_FEWEST = 5  # different characters
_SHORT = 4  # characters that may be added to a common password without making it another


def prepare(password: str) -> str:
    """Give a password as it is hashed: the same for every keyboard that writes it.

    This is the OpaqueString profile of RFC 8265: composed (NFC), and every kind of space as a plain one. Nothing is cut, folded or
    trimmed: NFKC would make different passwords the same.
    """
    if password.isascii():
        return password
    spaced = "".join(" " if unicodedata.category(char) == "Zs" else char for char in password)
    return unicodedata.normalize("NFC", spaced)


def find_fault(password: str, username: str, least: int) -> str | None:
    """Give what is wrong with a new password, as the rest of a sentence, and what is allowed; None where it is good.

    ``least`` is how many characters it must have (never fewer than 8).
    """
    password, least = prepare(password), max(least, HARD_MINIMUM)
    if len(password) < least:
        return f"is too short: {len(password)} characters; allowed: {least} to {LONGEST}"
    if len(password) > LONGEST:
        return f"is too long: {len(password)} characters; allowed: {least} to {LONGEST}"
    if username and _is_made_of(fold(password), fold(username)):
        return "is the username; allowed: one that cannot be guessed from it"
    if is_common(password):
        return "is one of the most common, or nearly; allowed: one that nobody else would think of, such as four random words"
    return None


def is_common(password: str) -> bool:
    """Tell whether a password is among those that are tried first: a common one, one with a little added, one repeated, few characters."""
    folded, common = fold(password), _read_common()
    core = _EDGES.sub("", folded)
    added = len(folded) - len(core)
    # What repeats nothing is its own unit.
    return len(set(folded)) < _FEWEST or _unit_of(folded) in common or (core in common and added <= _SHORT)


def _is_made_of(text: str, unit: str) -> bool:
    return text == unit * (len(text) // len(unit))


def _unit_of(text: str) -> str:
    """Give the shortest text that, repeated, makes this one."""
    return text[: (text + text).find(text, 1)]


@cache
def _read_common() -> frozenset[str]:
    return frozenset(_COMMON.read_text(encoding="utf-8").split("\n")) - {""}
