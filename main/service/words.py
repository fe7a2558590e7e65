"""Reads what people type into a search box: words, "phrases" and prefix*; every other character is just text."""

from __future__ import annotations

import re
import unicodedata

from main.service.model import Term, TermKind

_PIECE = re.compile(r'"([^"]*)"?|([^\s"]+)')


def parse_words(text: str) -> tuple[Term, ...]:
    """Give the terms of a search text, in order; pieces without a letter or a digit say nothing and are left out."""
    printable = "".join(" " if unicodedata.category(character) in {"Cc", "Cs"} else character for character in text)
    found = (_term(piece[1], piece[2]) for piece in _PIECE.finditer(printable))
    return tuple(dict.fromkeys(term for term in found if any(map(_counts, term.text))))


def _term(phrase: str | None, word: str | None) -> Term:
    if word is None:
        words = (phrase or "").split()
        return Term(" ".join(words), TermKind.PHRASE if len(words) > 1 else TermKind.WORD)
    if word.endswith("*") and _counts(word.rstrip("*")[-1:]):
        return Term(word.rstrip("*"), TermKind.PREFIX)
    return Term(word, TermKind.WORD)


def _counts(character: str) -> bool:
    return bool(character) and unicodedata.category(character)[0] in "LN"
