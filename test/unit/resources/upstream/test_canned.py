from main.resources.upstream.canned import CannedSession


def test_every_call_is_answered_by_the_payload():
    session = CannedSession("https://shop.example", b"[]")
    answers = [
        session.get("/a", {"p": 1}),
        session.post("/a", None, {}, deadline=1.0),
        session.follow("https://elsewhere.example"),
    ]
    assert {(answer.url, answer.body) for answer in answers} == {("https://shop.example", b"[]")}
    session.close()
