from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask

from main.controller.standing import DriftSchema, GuardSchema, SyncSchema
from main.service.guardview import describe
from main.service.model import BreakerMode, Drift, GuardState, SyncRecord, SyncState
from test.fakes import NOW
from test.unit.controller.documented import find_faults

if TYPE_CHECKING:
    from marshmallow import Schema

SECONDS = NOW.timestamp()


def shown(schema: Schema, found: Any) -> Any:
    with Flask("x").test_request_context("/"):
        given = schema.dump(found)
    assert find_faults({"$ref": f"#/definitions/{type(schema).__name__.removesuffix('Schema')}"}, given) == []
    return given


def test_a_guard_without_a_past_is_told():
    assert shown(GuardSchema(), describe(GuardState(), SECONDS)) == {
        "breaker": {"state": "closed", "mode": "auto", "next_probe_at": None, "failures_in_row": 0, "times_opened": 0},
        "paused_until": None,
        "calls": 0,
        "failures": 0,
        "durations": {"p50_ms": None, "p95_ms": None},
        "last_error": None,
    }


def test_everything_a_guard_knows_is_told():
    state = GuardState(
        mode=BreakerMode.AUTO,
        failures_in_row=5,
        opened_at=SECONDS - 5,
        open_until=SECONDS + 5,
        times_opened=2,
        paused_until=SECONDS + 30,
        calls=12,
        failures=6,
        durations_ms=(80, 120),
        last_error_type="UpstreamTimeout",
        last_error="No whole answer in time.",
        last_error_at=SECONDS - 1,
    )
    assert shown(GuardSchema(), describe(state, SECONDS)) == {
        "breaker": {
            "state": "open",
            "mode": "auto",
            "next_probe_at": "2026-03-01T12:00:05.000Z",
            "failures_in_row": 5,
            "times_opened": 2,
        },
        "paused_until": "2026-03-01T12:00:30.000Z",
        "calls": 12,
        "failures": 6,
        "durations": {"p50_ms": 80, "p95_ms": 120},
        "last_error": {"type": "UpstreamTimeout", "detail": "No whole answer in time.", "at": "2026-03-01T11:59:59.000Z"},
    }


def test_a_drift_is_told_by_names():
    drift = Drift(seen_at=NOW, new=("a.b",), retyped=("c",))
    assert shown(DriftSchema(), drift) == {
        "seen_at": "2026-03-01T12:00:00.000Z",
        "new": ["a.b"],
        "missing": [],
        "retyped": ["c"],
    }


def test_a_sync_that_only_waits_has_no_times_and_its_own_address():
    found = shown(SyncSchema(), SyncRecord(id=4, source="lumen", state=SyncState.REQUESTED, requested_at=NOW, note="why"))
    assert (found["state"], found["requested_at"], found["started_at"]) == ("requested", "2026-03-01T12:00:00.000Z", None)
    assert (found["url"], found["note"], found["received"]) == ("/sources/lumen/syncs/4", "why", 0)
