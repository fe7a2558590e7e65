"""Fails a run of the whole suite that leaves a line or a branch of the rules untried."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import coverage
import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

WHOLE = ("main/service/*", "main/util/*")
# make test leaves the container test out where there are no containers; that is still the whole suite.
WHOLE_MARKS = {"", "not containers"}
NARROWING = ("keyword", "deselect", "ignore", "ignore_glob", "lf", "failedfirst", "stepwise", "collectonly")


class CoverageGate:
    """Reads what pytest-cov has saved and wants all of ``main/service`` and ``main/util`` in it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._gaps: str | None = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, Any, Any]:
        result = yield
        if measures_everything(self._config):
            self._gaps = find_gaps(WHOLE)
            session.testsfailed += bool(self._gaps)
        return result

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._gaps:
            terminalreporter.write_sep("=", "coverage of the rules")
            terminalreporter.write(self._gaps)
            terminalreporter.write_line(f"FAIL {' and '.join(WHOLE)} must be covered whole, branches counted", red=True)


def measures_everything(config: pytest.Config) -> bool:
    """Tell whether nothing narrows this run and coverage is measured."""
    option = config.option
    measured = bool(getattr(option, "cov_source", None)) and not option.no_cov
    whole = config.args_source is not pytest.Config.ArgsSource.ARGS and option.markexpr in WHOLE_MARKS
    return measured and whole and not any(getattr(option, name, None) for name in NARROWING)


def find_gaps(patterns: Sequence[str]) -> str:
    """Give the report of every file that misses lines or branches; empty when none does."""
    measured = coverage.Coverage()
    measured.load()
    report = io.StringIO()
    try:
        total = measured.report(include=list(patterns), skip_covered=True, show_missing=True, file=report)
    except coverage.exceptions.NoDataError:
        return f"Nothing was measured in {' and '.join(patterns)}.\n"
    return report.getvalue() if total < 100 else ""
