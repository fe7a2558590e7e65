"""Plain text out of what shops write."""

from __future__ import annotations

import html
import unicodedata

import nh3

_BREAKS = ("<br>", "</p>", "</li>", "</div>", "</tr>", "</h1>", "</h2>", "</h3>", "</h4>", "</h5>", "</h6>")
_KEPT_TAGS = {"br", "p", "li", "div", "tr", "h1", "h2", "h3", "h4", "h5", "h6"}
_OPENERS = tuple(f"<{tag}>" for tag in _KEPT_TAGS)
_MOST_MARKUP = 64 * 1024  # characters; descriptions have a few thousand, and a parser's work grows by the square of attributes
_MOST_TAGS = 4000  # and of nesting: so many take a few hundredths of a second at worst
_CONTROL = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127), " ")


def clean_line(text: str) -> str:
    """Make one trimmed line: entities resolved, control characters and runs of blanks folded to one space."""
    if "&" in text:
        text = _unescape(text)
    line = " ".join(text.split())
    return line if line.isprintable() else " ".join(line.translate(_CONTROL).split())


def html_to_text(markup: str) -> str:
    """Turn shop HTML into plain text: scripts and styles gone, block ends as line breaks, entities resolved.

    What comes after 64 Ki characters, or 4,000 tags, of markup is left out.
    """
    if "<" in markup:
        # nh3 leaves a canonical form behind (lower case, no attributes), so plain replacement is exact here.
        markup = nh3.clean(_bounded(markup), tags=_KEPT_TAGS, attributes={"*": set()}, link_rel=None)
        for end in _BREAKS:
            markup = markup.replace(end, "\n")
        for start in _OPENERS:
            markup = markup.replace(start, "")
    return clean_lines(_unescape(markup) if "&" in markup else markup)


def clean_lines(text: str) -> str:
    """Trim every line, fold blanks and drop empty lines."""
    if "\n" not in text:
        return " ".join(text.translate(_CONTROL).split())
    lines = (" ".join(line.translate(_CONTROL).split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def fold(text: str) -> str:
    """Give the key under which two spellings of a name sort and compare alike: NFKC, case folded."""
    return text.casefold() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def _bounded(markup: str) -> str:
    markup = markup[:_MOST_MARKUP]
    return markup if markup.count("<") <= _MOST_TAGS else "<".join(markup.split("<", _MOST_TAGS + 1)[: _MOST_TAGS + 1])


def _unescape(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:  # the number of a character, with more digits than Python reads
        return text


def shorten(text: str, limit: int) -> str:
    """Cut a text to at most ``limit`` characters, with an ellipsis where something is missing."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
