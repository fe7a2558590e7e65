from __future__ import annotations

import datetime as dt
from typing import Any

from main.controller.console.history import HEIGHT, SHOWN, STEP, draw_history
from main.service.model import SyncRecord, SyncState
from test.fakes import NOW


def make_sync(number: int, seconds: float = 1.0, state: SyncState = SyncState.OK, **given: Any) -> SyncRecord:
    times = {"started_at": NOW, "finished_at": NOW + dt.timedelta(seconds=seconds)}
    return SyncRecord(id=number, source="lumen", state=state, **{**times, **given})


def test_each_sync_that_ended_is_a_bar_the_oldest_at_the_left():
    drawn = draw_history([make_sync(3, 4), make_sync(2, 2, SyncState.FAILED), make_sync(1, 0)])
    assert [bar.title for bar in drawn.bars] == ["Sync 1: ok, 0 ms", "Sync 2: failed, 2.0 s", "Sync 3: ok, 4.0 s"]
    assert [bar.tone for bar in drawn.bars] == ["good", "bad", "good"]
    assert [bar.x for bar in drawn.bars] == [STEP * place for place in (17, 18, 19)]
    assert drawn.bars[0].height < drawn.bars[1].height < drawn.bars[2].height
    assert all(bar.y >= 0 and bar.y + bar.height <= HEIGHT for bar in drawn.bars)
    assert drawn.summary == "The last 3 syncs: 2 ok, 1 failed; 0 ms to 4.0 s"


def test_one_under_way_is_no_bar_yet():
    running = make_sync(2, state=SyncState.RUNNING, finished_at=None)
    asked = make_sync(3, state=SyncState.REQUESTED, started_at=None, finished_at=None)
    assert len(draw_history([asked, running, make_sync(1)]).bars) == 1


def test_a_single_one_is_told_as_one():
    assert draw_history([make_sync(1, 0.31)]).summary == "The last sync: ok, 310 ms"


def test_without_any_it_says_so():
    assert (draw_history([]).bars, draw_history([]).summary) == ((), "No sync has ended yet")
    assert draw_history([]).width == SHOWN * STEP


def test_one_that_never_began_took_no_time():
    assert draw_history([make_sync(1, started_at=None)]).bars[0].title == "Sync 1: ok, 0 ms"


def test_it_shows_the_newest_and_no_more():
    drawn = draw_history([make_sync(number) for number in range(50, 0, -1)])
    assert [bar.title.partition(":")[0] for bar in drawn.bars] == [f"Sync {number}" for number in range(31, 51)]
