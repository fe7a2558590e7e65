from dataclasses import replace

from main.resources.upstream.canned import CannedSession
from main.resources.upstream.kinds import connect
from main.util.clock import SystemClock
from test.unit.resources.upstream.conftest import A_SOURCE


def test_every_call_is_answered_by_the_payload():
    session = CannedSession("https://shop.example", b"[]")
    answers = [
        session.get("/a", {"p": 1}),
        session.post("/a", None, {}, deadline=1.0),
        session.follow("https://elsewhere.example"),
    ]
    assert {(answer.url, answer.body) for answer in answers} == {("https://shop.example", b"[]")}
    session.close()


def test_nothing_holds_a_call_back():
    assert CannedSession("https://shop.example", b"[]").find_hold() is None
    connector = connect(replace(A_SOURCE, kind="fakestore"), SystemClock(), session=CannedSession(A_SOURCE.url, b"[]"))
    assert connector.find_hold() is None
