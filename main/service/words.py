"""Reads what people type into a search box: words, "phrases" and prefix*; every other character is just text."""

from __future__ import annotations

import re
import unicodedata

from main.service.model import Term, TermKind

# A prefix is a look at every word that begins so: the more of them there are, the longer each has to be.
PREFIXES_MAX = 3
PREFIX_RULE = f"at most {PREFIXES_MAX}; one of 2 letters or more, two of 3, three of 4"
_PIECE = re.compile(r'"([^"]*)"?|([^\s"]+)')


def parse_words(text: str) -> tuple[Term, ...]:
    """Give the terms of a search text, in order; pieces without a letter or a digit say nothing and are left out."""
    printable = "".join(" " if unicodedata.category(character) in {"Cc", "Cs"} else character for character in text)
    found = (_term(piece[1], piece[2]) for piece in _PIECE.finditer(printable))
    return tuple(dict.fromkeys(term for term in found if any(map(_counts, term.text))))


def find_costly(terms: tuple[Term, ...]) -> str | None:
    """Say what about the prefixes among the terms would cost too much; None where nothing does."""
    prefixes = [term.text for term in terms if term.kind is TermKind.PREFIX]
    if len(prefixes) > PREFIXES_MAX:
        return f"must have at most {PREFIXES_MAX} prefixes, not {len(prefixes)}"
    letters = len(prefixes) + 1
    short = [f"{text}*" for text in prefixes if len(text) < letters or not all(map(_counts, text[-letters:]))]
    many = f" where there are {len(prefixes)}" if len(prefixes) > 1 else ""
    return f"must have at least {letters} letters or digits before each *{many}, not {short[0]}" if short else None


def _term(phrase: str | None, word: str | None) -> Term:
    if word is None:
        words = (phrase or "").split()
        return Term(" ".join(words), TermKind.PHRASE if len(words) > 1 else TermKind.WORD)
    if word.endswith("*") and _counts(word.rstrip("*")[-1:]):
        return Term(word.rstrip("*"), TermKind.PREFIX)
    return Term(word, TermKind.WORD)


def _counts(character: str) -> bool:
    return bool(character) and unicodedata.category(character)[0] in "LN"
