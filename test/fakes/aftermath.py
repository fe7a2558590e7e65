"""What follows a sync, written down."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from main.service.model import Source, SyncReport


class NotedAftermath:
    """Writes down what it is told: reports, and names of the only sources there are."""

    def __init__(self) -> None:
        self.reports: list[SyncReport] = []
        self.kept: list[set[str]] = []

    def follow(self, source: Source, report: SyncReport) -> None:
        assert source.name == report.source
        self.reports.append(report)

    def forget(self, kept: Collection[str]) -> None:
        self.kept.append(set(kept))
