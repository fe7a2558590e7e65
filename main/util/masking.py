"""The last line of defence of the log: secrets that found their way into an event are masked, and nothing in it can look like another line.

Whoever logs leaves secrets out in the first place; this is for texts of other people's making, such as the messages of libraries.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from main.util.secret import MASK, Secret, known_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

_WORD = (
    r"(?:[a-z0-9]{1,20}[_-]){0,3}"
    r"(?:authorization|password|passwd|pwd|secret|token|api[_-]?key|apikey|consumer[_-]?key|private[_-]?key|cookie|credentials?|signature)"
)
_NAME = re.compile(rf"{_WORD}\Z", re.IGNORECASE)
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    # Whole header lines: what stands behind these names is secret up to the end of the line.
    (
        re.compile(
            r"\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key)(['\"]?\s*[:=,]\s*b?)(['\"]?)[^'\"\r\n]+", re.IGNORECASE
        ),
        rf"\1\2\3{MASK}",
    ),
    (re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/-]{6,}=*", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){0,3}"), MASK),
    (re.compile(r"\baisle_[A-Za-z0-9_-]{16,}"), MASK),
    (re.compile(r"(\b[a-z][a-z0-9+.-]{1,20}://)[^\s/@'\"]{1,500}@", re.IGNORECASE), rf"\1{MASK}@"),
    (re.compile(rf"\b({_WORD})(\\?['\"]?\s*[:=]\s*b?)(\\?['\"])(?:(?!\3).)*\3", re.IGNORECASE), rf"\1\2\3{MASK}\3"),
    (re.compile(rf"\b({_WORD})(\\?['\"]?\s*[:=]\s*)(?!\\?['\"])[^\s&;,)}}\]'\"\\]+", re.IGNORECASE), rf"\1\2{MASK}"),
)
# Most lines of a log have nothing of the kind; this is the quick way to see that.
_HINT = re.compile(
    r"authoriz|cookie|bearer|basic|eyJ|aisle_|://|passw|pwd|secret|token|key|credential|signature", re.IGNORECASE
)
_LONGEST = 20_000  # characters of one text in the log
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def mask_text(text: str) -> str:
    """Give a text with every secret that is known, or has a known shape, replaced."""
    for value in known_secrets():
        text = text.replace(value, MASK)
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    if _HINT.search(text):
        for shape, instead in _SHAPES:
            text = shape.sub(instead, text)
    return text


def mask(value: Any) -> Any:
    """Give a value of a log event without secrets; what stands under a telling name goes whole."""
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, dict):
        return {mask(key): MASK if _tells(key, below) else mask(below) for key, below in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [mask(below) for below in value]
    if isinstance(value, bool | int | float | Secret) or value is None:
        return value
    return mask_text(repr(value))


def mask_event(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Mask a whole event; a processor of structlog's, which runs when exceptions are text already."""
    kept = {key: value for key, value in event.items() if key.startswith("_") or key == "exc_info"}
    return {**mask({key: value for key, value in event.items() if key not in kept}), **kept}


def escape_text(text: str) -> str:
    r"""Give a text whose control characters, and those that turn the reading direction, are spelled out: a line break is ``\x0a``."""
    return _CONTROLS.sub(_spell, text)


def escape_event(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Spell out control characters in a whole event, for terminals; lines of a trace stay lines, indented."""
    return {key: _escape(value, lines=key in {"exception", "stack"}) for key, value in event.items()}


def _escape(value: Any, *, lines: bool) -> Any:
    if isinstance(value, bool | int | float) or value is None:
        return value
    text = value if isinstance(value, str) else repr(value)
    if lines:
        return "\n    ".join(escape_text(line) for line in text.split("\n"))
    return escape_text(text)


def _tells(key: Any, value: Any) -> bool:
    return isinstance(key, str) and isinstance(value, str | bytes) and _NAME.match(key) is not None


def _spell(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"  # noqa: PLR2004 - a byte
