"""A shop that can say "unchanged" is asked whether it is, and its old answer is as good as new."""

import gzip
import random
import time
from dataclasses import replace

import pytest
from werkzeug import Response

from main.resources.guards.memory import MemoryGuardBook
from main.resources.upstream.kept import KeptAnswers
from main.resources.upstream.wire import Reply
from main.service.errors import CacheDown, UpstreamRefused
from main.service.model import Credentials
from main.util.secret import Secret
from test.fakes import FakeClock
from test.unit.resources.upstream.conftest import A_SOURCE
from test.unit.resources.upstream.shops import canned

URL = "http://shop.example/x"


class Shelf:
    """A cache in a dict; it remembers for how long each value was to be kept."""

    def __init__(self):
        self.values, self.seconds = {}, {}

    def get(self, key):
        return self.values.get(key)

    def set(self, key, value, seconds):
        self.values[key], self.seconds[key] = value, seconds


class Broken:
    """A cache that is down."""

    def get(self, key):
        raise CacheDown

    def set(self, key, value, seconds):
        raise CacheDown


class Unchanging:
    """A shop whose answer has a validator, and which says so when asked on that condition."""

    def __init__(self, header="ETag", value='"v1"', **more):
        self.header, self.value, self.more = header, value, more
        self.asked = []
        self.body = b'[{"id": 1}]'

    def __call__(self, request):
        condition = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}[self.header]
        self.asked.append(request.headers.get(condition))
        headers = {self.header: self.value, "X-WP-Total": "7", "Set-Cookie": "a=b", **self.more}
        if request.headers.get(condition) == self.value:
            return Response(b"", 304, headers)
        return Response(self.body, 200, headers)


@pytest.fixture
def shelf():
    return Shelf()


@pytest.mark.parametrize(("header", "value"), [("ETag", '"v1"'), ("Last-Modified", "Sat, 21 Nov 2026 09:30:20 GMT")])
def test_an_answer_that_still_holds_is_given_again(session_to, serve, shelf, header, value):
    shop = Unchanging(header, value)
    url = serve(canned(shop))
    first = session_to(url, kept=shelf).get("/x", {"page": 2})
    again = session_to(url, kept=shelf).get("/x", {"page": 2})  # another crawl
    assert shop.asked == [None, value]
    assert (again.url, again.body, again.headers["x-wp-total"]) == (first.url, first.body, "7")
    assert "set-cookie" not in again.headers


def test_an_answer_that_changed_replaces_the_old_one(session_to, serve, shelf):
    shop = Unchanging()
    session = session_to(serve(canned(shop)), kept=shelf)
    session.get()
    shop.value, shop.body = '"v2"', b"[2]"
    assert session.get().body == b"[2]"
    assert session.get().body == b"[2]"
    assert shop.asked == [None, '"v1"', '"v2"']


def test_without_a_cache_nothing_is_kept_and_nothing_asked(session_to, serve):
    shop = Unchanging()
    session = session_to(serve(canned(shop)))
    assert session.get().body == session.get().body
    assert shop.asked == [None, None]


def test_other_parameters_and_other_credentials_have_answers_of_their_own(session_to, serve, shelf):
    shop = Unchanging()
    url = serve(canned(shop))
    session_to(url, kept=shelf).get("", {"page": 1})
    session_to(url, kept=shelf).get("", {"page": 2})
    session_to(url, kept=shelf, credentials=Credentials(bearer=Secret("t"))).get("", {"page": 1})
    session_to(url, kept=shelf, credentials=Credentials(bearer=Secret("u"))).get("", {"page": 1})
    session_to(url, kept=shelf, name="other").get("", {"page": 1})
    assert shop.asked == [None] * 5


def test_a_post_is_neither_kept_nor_asked_on_a_condition(session_to, serve, shelf):
    shop = Unchanging()
    session = session_to(serve(canned(shop)), kept=shelf)
    session.post("", None, {})
    session.post("", None, {})
    assert (shop.asked, shelf.values) == ([None, None], {})


@pytest.mark.parametrize("more", [{"Cache-Control": "private, no-store"}, {"Cache-Control": "No-Store"}, {"Vary": "*"}])
def test_what_a_shop_does_not_want_kept_is_not(session_to, serve, shelf, more):
    session_to(serve(canned(Unchanging(**more))), kept=shelf).get()
    assert shelf.values == {}


def test_an_answer_without_a_validator_is_not_kept(session_to, serve, shelf):
    session_to(serve(canned(lambda _: Response(b"[]"))), kept=shelf).get()
    assert shelf.values == {}


def test_a_cache_that_is_down_is_a_miss(session_to, serve):
    shop = Unchanging()
    session = session_to(serve(canned(shop)), kept=Broken())
    assert session.get().body == session.get().body == b'[{"id": 1}]'
    assert shop.asked == [None, None]


def test_unchanged_is_no_answer_to_a_question_without_condition(session_to, serve, shelf):
    with pytest.raises(UpstreamRefused, match="304"):
        session_to(serve(canned(lambda _: Response(b"", 304))), kept=shelf).get()


def test_what_is_kept_is_json_and_gzip_under_a_key_that_tells_nothing(session_to, serve, shelf):
    session_to(serve(canned(Unchanging())), kept=shelf, credentials=Credentials(query=(("k", Secret("hunter2")),))).get()
    ((key, value),) = shelf.values.items()
    head, _, body = value.partition(b"\n")
    assert head.startswith(b'{"form":3,')
    assert gzip.decompress(body) == b'[{"id": 1}]'
    assert b"hunter2" not in key.encode() + value
    assert len(key) < 60
    assert shelf.seconds[key] > 3600


@pytest.mark.parametrize(
    "rotten",
    [
        b"",
        b"\n",
        b"{}\n",
        b'{"form":9,"url":"x","at":1.5,"headers":{}}\n',
        b'{"form":1,"url":"x","headers":{}}\n',
        b"\x80\x04pickle",
    ],
)
def test_what_cannot_be_read_is_a_miss(session_to, serve, shelf, rotten):
    shop = Unchanging()
    session = session_to(serve(canned(shop)), kept=shelf)
    session.get()
    shelf.values = dict.fromkeys(shelf.values, rotten)
    assert session.get().body == b'[{"id": 1}]'
    assert shop.asked == [None, None]


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def book():
    return MemoryGuardBook()


@pytest.fixture
def kept(shelf, book, clock):
    return KeptAnswers(shelf, A_SOURCE, book, clock)


REPLY = Reply(200, {"etag": '"v"'}, b"[]")


def purge(book, at, source=A_SOURCE.name):
    book.change(source, lambda state: (replace(state, purged_at=at), None))


def test_what_belongs_to_another_url_is_a_miss(shelf, kept):
    kept.keep(URL, REPLY, kept.now())
    (value,) = shelf.values.values()
    shelf.values = {kept._key(URL + "2"): value}  # as a collision of keys would
    assert kept.find(URL + "2") is None


def test_every_header_that_a_list_could_go_on_by_is_kept(kept):
    lasting = {"etag": '"v"', "next-cursor": "c1", "link": "<2>; rel=next", "date": "d", "content-type": "text/csv"}
    fleeting = {
        **dict.fromkeys(("transfer-encoding", "keep-alive", "content-length", "content-encoding", "set-cookie"), "x"),
        "connection": "close, Hop-Own",
        "hop-own": "x",
    }
    kept.keep(URL, Reply(200, {**lasting, **fleeting}, b"[]"), kept.now())
    assert kept.find(URL).headers == lasting


def test_what_the_shop_says_with_unchanged_is_laid_over_what_was_kept(kept):
    kept.keep(
        URL, Reply(200, {"etag": '"v"', "next-cursor": "c1", "x-total": "7", "content-type": "text/csv"}, b"[]"), kept.now()
    )
    told = {"etag": 'W/"v"', "next-cursor": "c2", "content-type": "text/html", "content-length": "0", "set-cookie": "a=b"}
    fresh = kept.renew(URL, kept.find(URL), Reply(304, told, b""))
    assert fresh.headers == {"etag": 'W/"v"', "next-cursor": "c2", "x-total": "7", "content-type": "text/csv"}
    assert kept.find(URL) == fresh


def test_an_answer_that_the_shop_no_longer_wants_kept_is_not_renewed(kept):
    kept.keep(URL, Reply(200, {"etag": '"v"'}, b"[]"), kept.now())
    before = kept.find(URL)
    assert kept.renew(URL, before, Reply(304, {"cache-control": "no-store"}, b"")).body == b"[]"
    assert kept.find(URL) == before


def test_a_list_that_goes_on_by_a_header_is_whole_again_when_nothing_changed(session_to, serve, shelf):
    shop = Unchanging(**{"Next-Cursor": "c1"})
    url = serve(canned(shop))
    first = session_to(url, kept=shelf).get("/x")
    shop.more = {}
    again = session_to(url, kept=shelf).get("/x")
    shop.more = {"Next-Cursor": "c2"}
    renewed = session_to(url, kept=shelf).get("/x")
    assert [found.headers["next-cursor"] for found in (first, again, renewed)] == ["c1", "c1", "c2"]
    assert shop.asked == [None, '"v1"', '"v1"']


def test_large_answers_are_let_go(shelf, kept):
    kept.keep(URL, Reply(200, {"etag": '"v"'}, bytes(9 * 2**20)), kept.now())
    kept.keep(URL, Reply(200, {"etag": '"v"', "x-long": "x" * 17 * 1024}, b"[]"), kept.now())
    kept.keep(URL, Reply(200, {"etag": '"v"'}, random.randbytes(2**20)), kept.now())
    assert shelf.values == {}


# purged


def test_after_a_purge_a_shop_is_asked_without_condition_once(session_to, serve, shelf, book):
    shop = Unchanging()
    url = serve(canned(shop))
    session_to(url, kept=shelf, book=book).get()
    shop.body = b"[2]"  # which the shop takes for unchanged
    assert session_to(url, kept=shelf, book=book).get().body == b'[{"id": 1}]'
    purge(book, time.time())
    assert session_to(url, kept=shelf, book=book).get().body == b"[2]"
    assert session_to(url, kept=shelf, book=book).get().body == b"[2]"
    assert shop.asked == [None, '"v1"', None, '"v1"']


def test_what_was_asked_for_before_a_purge_is_a_miss_and_what_was_since_is_not(kept, book, clock):
    kept.keep(URL, REPLY, kept.now())
    clock.advance(1)
    purge(book, kept.now(), "another")
    assert kept.find(URL) is not None
    purge(book, kept.now())
    assert kept.find(URL) is None
    clock.advance(1)
    kept.keep(URL, REPLY, kept.now())
    assert kept.find(URL) is not None


def test_what_was_under_way_at_a_purge_is_a_miss(kept, book, clock):
    asked_at = kept.now()
    clock.advance(1)
    purge(book, kept.now())
    clock.advance(1)
    kept.keep(URL, REPLY, asked_at)
    assert kept.find(URL) is None


def test_an_answer_that_the_shop_confirmed_while_it_was_purged_is_a_miss(kept, book, clock):
    kept.keep(URL, REPLY, kept.now())
    found = kept.find(URL)
    clock.advance(1)
    purge(book, kept.now())
    clock.advance(1)
    kept.renew(URL, found, Reply(304, {}, b""))
    assert kept.find(URL) is None


@pytest.mark.parametrize(("ahead", "is_given"), [(3, False), (3600, True)])
def test_a_purge_that_lies_far_ahead_was_told_by_a_clock_set_back_since(kept, book, ahead, is_given):
    kept.keep(URL, REPLY, kept.now())
    purge(book, kept.now() + ahead)
    assert (kept.find(URL) is not None) is is_given


@pytest.mark.parametrize(("back", "is_given"), [(3, True), (3600, False)])
def test_an_answer_that_lies_far_ahead_is_a_miss(kept, clock, back, is_given):
    kept.keep(URL, REPLY, kept.now())
    clock.advance(-back)
    assert (kept.find(URL) is not None) is is_given
