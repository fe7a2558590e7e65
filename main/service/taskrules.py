"""Tasks that write themselves: after each sync the board is brought in line with what is wrong with the catalogue."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

import structlog

from main.service import rules as find
from main.service.errors import AisleError
from main.service.model import Outcome, Resolution, TaskDraft, TaskKind, TaskStatus
from main.service.tasks import make_task, to_milliseconds
from main.util.timed import timed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from main.service.model import Finding, Flaw, Head, Rejected, Rival, Source, SyncReport, Task, TaskRules
    from main.service.ports.tasks import TaskStore
    from main.util.clock import Clock

BY = "aisle"
MOST = 200  # open tasks of one rule and source: a shop without any pictures is one thing to mend, not a hundred thousand
_OF_SOURCES = tuple(kind for kind in TaskKind if kind not in {TaskKind.MANUAL, TaskKind.MISMATCH})  # causes name the source
_MENDED = "What it is about is no longer found."
_BACK = "What it is about is found again."
_GONE = "The source {} is no longer configured."
_APART = "It is no longer found among the sources that are configured."
_LOOKED = 10_000  # rejected records: far more than become tasks, so that none is closed because others came before it
_NOTHING_NEW = {Outcome.BUSY, Outcome.STOPPED}

_log = structlog.get_logger("tasks")


class Inspector(Protocol):
    """The catalogue as the rules look at it. Every method raises StoreDown when the store does not answer."""

    def head(self) -> Head:
        """Give every source's record."""

    def quarantine(self, source: str, page: int, per_page: int) -> tuple[Sequence[Rejected], int]:
        """Give one page of a source's rejected records, and how many there are."""

    def flaws(self, source: str) -> Sequence[Flaw]:
        """Give the products of a source that lack a picture or a description."""

    def rivals(self) -> Sequence[Rival]:
        """Give all products whose GTIN another source has as well."""


class TaskRuler:
    """Makes, closes and opens the tasks that follow from the catalogue.

    A finding that has no task gets one; a task whose finding is gone is closed; one that was fixed and is found again is opened.
    One that a person closed as won't-fix stays as it is, and so do the words of a task that is there. What was found at a source that
    is no longer configured is closed as well.
    """

    def __init__(self, tasks: TaskStore, catalogue: Inspector, rules: TaskRules, clock: Clock) -> None:
        self._tasks = tasks
        self._catalogue = catalogue
        self._rules = rules
        self._clock = clock
        self._seen: set[str] = set()  # sources whose products this process has looked at
        self._turn = threading.Lock()  # findings that are older than the board must not close what is newer
        self._kept: Collection[str] | None = None  # the only sources there are, while the board does not go by that yet

    @timed
    def follow(self, source: Source, report: SyncReport) -> None:
        """Bring the board in line with a source whose sync has ended. A store that is down is logged: the next sync comes by again."""
        if report.outcome in _NOTHING_NEW:
            return
        try:
            with self._turn:
                if self._kept is not None:
                    self._forget({*self._kept, source.name})
                self._follow(source, report)
        except AisleError as error:
            _log.warning("tasks.rules_failed", source=source.name, error=str(error))

    @timed
    def forget(self, kept: Collection[str]) -> None:
        """Close the tasks about sources that are gone: all but those of these names.

        A store that is down is logged, and the next sync of any source makes up for it.
        """
        try:
            with self._turn:
                self._forget(kept)
        except AisleError as error:
            _log.warning("tasks.rules_failed", source=None, error=str(error))

    def _forget(self, kept: Collection[str]) -> None:
        self._kept = kept
        left = False
        for task in self._standing(_OF_SOURCES):
            _, source, *_ = str(task.cause).split(":", 2)
            left |= source not in kept and not self._close(task, _GONE.format(source))
        if self._standing((TaskKind.MISMATCH, TaskKind.PRICE_SPREAD)):
            self._compare(_APART)
        self._kept = kept if left else None

    def _standing(self, kinds: Iterable[TaskKind]) -> list[Task]:
        """Give the tasks of some kinds that wrote themselves and are not done."""
        return [task for kind in kinds for task in self._tasks.caused(f"{kind}:") if task.status is not TaskStatus.DONE]

    def _follow(self, source: Source, report: SyncReport) -> None:
        name, rules = source.name, self._rules
        record = self._catalogue.head().records.get(name)
        if rules.stale_source:
            self._settle(TaskKind.STALE_SOURCE, f"{name}:", find.find_stale(source, record, self._clock.now()))
        if report.outcome is not Outcome.OK:
            return
        if rules.quarantine:
            rejected, _ = self._catalogue.quarantine(name, 1, _LOOKED)
            self._settle(TaskKind.QUARANTINE, f"{name}:", find.find_quarantined(name, rejected))
        if report.created or report.updated or report.deleted or name not in self._seen:
            self._look_at_products(name)
            self._seen.add(name)

    def _look_at_products(self, name: str) -> None:
        rules = self._rules
        if rules.missing_image or rules.missing_description:
            flaws = self._catalogue.flaws(name)
            for kind in (TaskKind.MISSING_IMAGE, TaskKind.MISSING_DESCRIPTION):
                if getattr(rules, kind):
                    self._settle(kind, f"{name}:", find.find_missing(kind, flaws))
        self._compare()

    def _compare(self, mended: str = _MENDED) -> None:
        rules = self._rules
        if rules.mismatch or rules.price_spread is not None:
            rivals = self._catalogue.rivals()
            if rules.mismatch:
                self._settle(TaskKind.MISMATCH, "", find.find_mismatches(rivals), mended)
            if rules.price_spread is not None:
                self._settle(TaskKind.PRICE_SPREAD, "", find.find_spread(rivals, rules.price_spread), mended)

    def _settle(self, kind: TaskKind, where: str, findings: Iterable[Finding], mended: str = _MENDED) -> None:
        found = {finding.cause: finding for finding in findings}
        known = {str(task.cause): task for task in self._tasks.caused(f"{kind}:{where}")}
        for cause, task in known.items():
            if cause not in found and task.status is not TaskStatus.DONE:
                self._close(task, mended)
            elif cause in found and task.resolution is Resolution.FIXED:
                self._open(task)
        standing = sum(cause in found and task.resolution is not Resolution.WONT_FIX for cause, task in known.items())
        self._make(found, known, MOST - standing)

    def _make(self, found: Mapping[str, Finding], known: Mapping[str, Task], room: int) -> None:
        missing = [finding for cause, finding in found.items() if cause not in known]
        for finding in missing[: max(room, 0)]:
            draft = TaskDraft(
                title=finding.title,
                short_description=finding.short_description,
                priority=finding.priority,
                kind=finding.kind,
                product=finding.product,
            )
            made = self._tasks.add(make_task(draft, to_milliseconds(self._clock.now()), BY, finding.cause))
            _log.info("task.made_itself", task=made.id, kind=finding.kind.value)
        if len(missing) > max(room, 0):
            _log.warning("tasks.too_many_findings", kind=missing[0].kind.value, left_out=len(missing) - max(room, 0))

    def _close(self, task: Task, reason: str) -> bool:
        closed = self._put(task, {"status": TaskStatus.DONE, "resolution": Resolution.FIXED}, reason)
        if closed:
            _log.info("task.closed_itself", task=task.id, reason=reason)
        return closed

    def _open(self, task: Task) -> None:
        if self._put(task, {"status": TaskStatus.OPEN, "resolution": None}, _BACK):
            _log.info("task.opened_itself", task=task.id)

    def _put(self, task: Task, values: Mapping[str, object], reason: str) -> bool:
        # Where a person was faster, the next sync looks again.
        return self._tasks.replace(task.changed(values, to_milliseconds(self._clock.now()), BY, reason), task.version)
