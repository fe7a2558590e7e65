"""Decides whether the sources that a caller, or the settings, insist on are in an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from main.service.errors import RequiredMissing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from main.service.model import SourceStatus

_NEVER = "It has no snapshot yet."


def insist(names: Sequence[str], statuses: Sequence[SourceStatus], unconfirmed: Mapping[str, str] | None = None) -> None:
    """Return when every required source is in the answer; ``unconfirmed`` are those whose shops gave no answer, each with why.

    Required are the sources named, and those that the settings call required while they are enabled.

    Raises:
        RequiredMissing: some are not; names each with its reason.
    """
    wanted = [status for status in statuses if _is_wanted(status, names)]
    never = {status.source.name: _NEVER for status in wanted if status.record.synced_at is None}
    known = {status.source.name for status in wanted}
    silent = {name: reason for name, reason in (unconfirmed or {}).items() if name in known}
    if missing := {**silent, **never}:
        raise RequiredMissing(missing)


def _is_wanted(status: SourceStatus, names: Sequence[str]) -> bool:
    return status.source.name in names or (status.source.required and status.source.enabled)
