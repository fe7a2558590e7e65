"""What the decorator adds, and what it leaves as it was."""

import inspect

import pytest
from structlog.testing import capture_logs

from main.util.metrics import TIMINGS
from main.util.timed import timed


class Shelf:
    """Something with a measured method."""

    @timed
    def find(self, name: str, *, limit: int = 3) -> str:
        """Find it."""
        return name * limit

    @timed
    def fail(self) -> None:
        raise LookupError("gone")


def count(name: str) -> int:
    found = TIMINGS.snapshot().get(name)
    return found.count if found else 0


def test_the_result_the_signature_and_the_documentation_stay():
    assert Shelf().find("ab", limit=2) == "abab"
    assert str(inspect.signature(Shelf.find)) == "(self, name: str, *, limit: int = 3) -> str"
    assert (Shelf.find.__name__, Shelf.find.__doc__) == ("find", "Find it.")


def test_every_call_is_counted_by_its_qualified_name():
    before = count("Shelf.find")
    Shelf().find("a")
    Shelf().find("b")
    assert count("Shelf.find") == before + 2
    assert TIMINGS.snapshot()["Shelf.find"].max_ms >= 0


def test_a_call_that_raises_is_counted_and_still_raises():
    before = count("Shelf.fail")
    with pytest.raises(LookupError, match="gone"), capture_logs() as lines:
        Shelf().fail()
    assert count("Shelf.fail") == before + 1
    assert lines[0]["name"] == "Shelf.fail"


def test_the_debug_line_says_how_long_it_took():
    with capture_logs() as lines:
        Shelf().find("a")
    (line,) = lines
    assert line["log_level"] == "debug"
    assert line["name"] == "Shelf.find"
    assert line["duration_ms"] >= 0
    assert line["event"] == f"Shelf.find took {line['duration_ms']:.1f} ms"
