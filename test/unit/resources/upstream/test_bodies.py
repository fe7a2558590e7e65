"""Bodies are bounded before and after decompression; a bomb costs no memory."""

import gzip
import re
import threading
import zlib
from pathlib import Path

import pytest

from main.resources.upstream.bodies import say_size
from main.service.errors import UpstreamError, UpstreamGarbled, UpstreamUnreachable
from test.unit.resources.upstream.shops import reply

GZIP = "Content-Encoding: gzip"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
MIB = 2**20


def bomb(size=200 * MIB):
    """Give gzip of about 200 KB that unfolds to 200 MB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(bytes(MIB)) for _ in range(size // MIB)), packer.flush()])


def chunked(body, *headers):
    pieces = [body[start : start + MIB] for start in range(0, len(body), MIB)]
    head = CHUNKED + "".join(f"{header}\r\n" for header in headers).encode() + b"\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


BOMB = bomb()


class Memory:
    """How much more memory this process had at its worst than when this was made, in MiB."""

    def __init__(self):
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak (man 5 proc)
        self.before = self.read("VmRSS")

    @property
    def growth(self):
        return self.read("VmHWM") - self.before

    def read(self, name):
        found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
        return int(found[1]) / 1024


class TestEncodings:
    @pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", " gzip "])
    def test_gzip_is_unfolded_by_any_of_its_names(self, session_to, raw_shop, encoding):
        shop = raw_shop(reply(gzip.compress(b"[1]"), f"Content-Encoding: {encoding}"))
        assert session_to(shop.url).get().body == b"[1]"

    @pytest.mark.parametrize("encoding", ["", "identity"])
    def test_what_is_not_encoded_stays_as_it_is(self, session_to, raw_shop, encoding):
        assert session_to(raw_shop(reply(b"[1]", f"Content-Encoding: {encoding}")).url).get().body == b"[1]"

    @pytest.mark.parametrize(
        "encoding",
        ["br", "zstd", "deflate", "compress", "gzip, gzip", "gzip, br", "identity, gzip", "gzip\r\nContent-Encoding: gzip"],
    )
    def test_anything_else_and_a_chain_are_refused(self, session_to, raw_shop, encoding):
        with pytest.raises(UpstreamGarbled, match="where gzip alone is asked for"):
            session_to(raw_shop(reply(gzip.compress(b"[1]"), f"Content-Encoding: {encoding}")).url).get()

    def test_six_encodings_on_top_of_each_other_are_refused(self, session_to, raw_shop):
        body = b"[]"
        for _ in range(6):
            body = gzip.compress(body)
        with pytest.raises(UpstreamGarbled):
            session_to(raw_shop(reply(body, "Content-Encoding: " + ", ".join(["gzip"] * 6))).url).get()

    def test_several_members_are_one_body_and_padding_is_none(self, session_to, raw_shop):
        body = gzip.compress(b"[1,") + gzip.compress(b"2]") + bytes(512)
        assert session_to(raw_shop(reply(body, GZIP)).url).get().body == b"[1,2]"

    def test_an_empty_body_is_empty(self, session_to, raw_shop):
        assert session_to(raw_shop(reply(b"", GZIP)).url).get().body == b""

    @pytest.mark.parametrize("cut", [1, 9, 20])
    def test_gzip_that_was_cut_off_is_not_taken_for_whole(self, session_to, raw_shop, cut):
        with pytest.raises(UpstreamUnreachable, match="compression broke off"):
            session_to(raw_shop(reply(gzip.compress(bytes(range(256)) * 9)[:-cut], GZIP)).url).get()

    @pytest.mark.parametrize("size", [1, 65_536, 300_000, 5 * MIB])
    def test_a_body_of_any_size_comes_back_whole(self, session_to, raw_shop, size):
        body = (b"".join(b'{"id": %d, "name": "thing"}' % number for number in range(size // 20 + 1)))[:size]
        assert session_to(raw_shop(chunked(gzip.compress(body), GZIP)).url).get().body == body


class TestBombs:
    def test_a_bomb_is_as_small_as_the_published_ones(self):
        assert len(BOMB) < 210_000

    @pytest.mark.parametrize("shape", [reply, chunked])
    def test_a_bomb_is_refused_before_it_unfolds(self, session_to, raw_shop, shape):
        shop = raw_shop(shape(BOMB, GZIP))
        memory = Memory()
        with pytest.raises(UpstreamGarbled, match="grows more than 200 times"):
            session_to(shop.url).get()
        assert memory.growth < 8

    def test_what_unfolds_within_reason_stops_at_the_limit(self, session_to, raw_shop):
        body = gzip.compress(b"".join(b'{"id": %d}' % number for number in range(400_000)))
        with pytest.raises(UpstreamGarbled, match="larger than 1 MiB"):
            session_to(raw_shop(reply(body, GZIP)).url, max_body=MIB).get()

    def test_twenty_at_once_of_every_kind_leave_the_memory_alone(self, session_to, raw_shop):
        kinds = [
            reply(BOMB, GZIP),
            chunked(BOMB, GZIP),
            reply(BOMB, "Content-Encoding: br"),
            reply(BOMB, "Content-Encoding: " + ", ".join(["gzip"] * 6)),
            reply(b" ", length=9 * MIB),
            reply(b"[]", *[f"X-{number}: {'x' * 1000}" for number in range(99)]),
            reply(b"[]", *["X: y"] * 101),
        ]
        sessions = [session_to(raw_shop(kinds[number % len(kinds)]).url) for number in range(20)]
        errors, memory = [], Memory()

        def call(session):
            with pytest.raises(UpstreamError) as caught:
                session.get()
            errors.append(caught.value)

        callers = [threading.Thread(target=call, args=(session,)) for session in sessions]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(30)
        assert [type(error) for error in errors] == [UpstreamGarbled] * 20
        assert memory.growth <= 32


class TestLimits:
    def test_a_length_that_is_too_large_is_refused_unread(self, session_to, raw_shop):
        with pytest.raises(UpstreamGarbled, match="larger than 8 MiB"):
            session_to(raw_shop([reply(b"[", length=8 * MIB + 1)]).url).get()

    def test_a_body_without_a_length_stops_at_the_limit(self, session_to, raw_shop):
        with pytest.raises(UpstreamGarbled, match="larger than 1 MiB"):
            session_to(raw_shop(chunked(bytes(2 * MIB))).url, max_body=MIB).get()

    def test_empty_members_for_ever_stop_at_the_limit(self, session_to, raw_shop):
        with pytest.raises(UpstreamGarbled, match="larger than 1 MiB"):
            session_to(raw_shop(chunked(gzip.compress(b"") * 60_000, GZIP)).url, max_body=MIB).get()

    @pytest.mark.parametrize(("size", "said"), [(8 * MIB, "8 MiB"), (2**30, "1 GiB"), (1536, "1536 bytes"), (2048, "2 KiB")])
    def test_a_size_is_said_in_the_largest_unit_that_fits(self, size, said):
        assert say_size(size) == said
