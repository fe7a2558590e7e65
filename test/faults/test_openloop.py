"""The open-loop client sends when planned, and counts from then."""

from __future__ import annotations

from test.faults.openloop import drive
from test.faults.rawshop import RawShop


def test_requests_leave_as_planned_though_none_is_answered() -> None:
    with RawShop() as shop:
        shop.behave("silent")
        volley = drive(f"{shop.url}/products", rate=40, seconds=1, timeout=1.5)
        at = [request.at for request in shop.requests]
        assert shop.calls() == 40
        assert 0.7 < max(at) - min(at) < 5
    assert volley.statuses == {0: 40}
    assert [shot.planned for shot in volley.shots] == [number / 40 for number in range(40)]
    assert all(shot.seconds >= 1.5 for shot in volley.shots)


def test_a_stall_is_seen_by_every_request_planned_in_it() -> None:
    with RawShop() as shop:
        shop.behave("black_hole")
        stalled = drive(f"{shop.url}/products", rate=20, seconds=0.5, timeout=0.7)
        shop.behave("good")
        well = drive(f"{shop.url}/products", rate=20, seconds=0.5)
    assert {shot.fault for shot in stalled.shots} == {"not connected: TimeoutError"}
    assert all(shot.seconds >= 0.7 for shot in stalled.shots)
    assert well.statuses == {200: 10}
    assert well.percentile(50) < 0.5
