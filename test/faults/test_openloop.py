"""The open-loop client sends when planned, and counts from then."""

from __future__ import annotations

from test.faults.openloop import drive
from test.faults.rawshop import RawShop


def test_requests_leave_as_planned_though_none_is_answered() -> None:
    with RawShop() as shop:
        shop.behave("silent")
        volley = drive(f"{shop.url}/products", rate=20, seconds=2, timeout=3)
        at = [request.at for request in shop.requests]
        assert shop.calls() == 40
        assert 0.5 < max(at) - min(at) < 10, "2 s, and a machine that is busy; one after the other it takes two minutes"
    assert volley.statuses == {0: 40}
    assert [shot.planned for shot in volley.shots] == [number / 20 for number in range(40)]
    assert all(shot.seconds >= 3 for shot in volley.shots)


def test_a_stall_is_seen_by_every_request_planned_in_it() -> None:
    with RawShop() as shop:
        shop.behave("black_hole")
        stalled = drive(f"{shop.url}/products", rate=20, seconds=0.5, timeout=2)
        shop.behave("good")
        well = drive(f"{shop.url}/products", rate=20, seconds=0.5)
    assert {shot.fault for shot in stalled.shots} == {"not connected: TimeoutError"}
    assert all(shot.seconds >= 2 for shot in stalled.shots)
    assert well.statuses == {200: 10}
    assert well.percentile(50) < 2
