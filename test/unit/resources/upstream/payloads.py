"""Payloads captured from real shops, which stand beside the repository and not in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parents[4].parent / "shared" / "data"


def payload(name: str) -> Any:
    """Give a captured answer, or skip the test and say what is missing."""
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"the payload shared/data/{name} is not beside the repository")
    return json.loads(path.read_text(encoding="utf-8"))


def paged(rows: list[Any], number: int, size: int) -> list[Any]:
    """Give one page of the rows, the first being 1."""
    return rows[(number - 1) * size : number * size]
