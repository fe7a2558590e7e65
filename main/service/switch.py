"""What a person decides about calling a source: its switch, and its breaker's mode."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from main.service.model import Switch

if TYPE_CHECKING:
    from main.service.model import GuardChange, GuardState, Source


def is_enabled(source: Source, state: GuardState) -> bool:
    """Tell whether a source takes part: as a person switched it, or else as the settings say."""
    return source.enabled if state.enabled is None else state.enabled


def apply_switch(source: Source, state: GuardState) -> Source:
    """Give the source with its switch as it stands."""
    enabled = is_enabled(source, state)
    return source if source.enabled == enabled else replace(source, enabled=enabled)


def find_switch(source: Source, state: GuardState) -> Switch:
    """Give how a source is switched."""
    return Switch(state.mode, is_enabled(source, state))


def apply_change(change: GuardChange, state: GuardState) -> GuardState:
    """Give the state as a person wants it; a breaker that is set begins anew."""
    if change.sets_enabled:
        state = replace(state, enabled=change.enabled)
    if change.mode is None:
        return state
    return replace(
        state,
        mode=change.mode,
        failures_in_row=0,
        buckets=(),
        opened_at=None,
        open_until=None,
        times_opened=0,
        probe_owner=None,
        probe_until=None,
    )
