"""Heads that are too large, or contradict themselves, are refused; what is merely unusual is read."""

import pytest

from main.service.errors import UpstreamGarbled, UpstreamRefused, UpstreamUnreachable
from test.unit.resources.upstream.shops import reply

OK = b"HTTP/1.1 200 OK\r\n"


def head(*lines, body=b"[]"):
    return OK + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def headers(count, size=1):
    return [f"X-{number}: {'x' * size}" for number in range(count)]


class TestSize:
    def test_a_hundred_headers_are_taken(self, session_to, raw_shop):
        assert session_to(raw_shop(reply(b"[]", *headers(98))).url).get().body == b"[]"

    @pytest.mark.parametrize("count", [99, 5000])
    def test_one_more_is_too_many(self, session_to, raw_shop, count):
        with pytest.raises(UpstreamGarbled, match="more than 100 headers"):
            session_to(raw_shop(reply(b"[]", *headers(count))).url).get()

    def test_sixty_kilobytes_are_taken(self, session_to, raw_shop):
        assert session_to(raw_shop(reply(b"[]", *headers(60, 1000))).url).get().body == b"[]"

    @pytest.mark.parametrize("lines", [headers(70, 1000), headers(1, 70_000), headers(1, 5_000_000)])
    def test_more_than_the_limit_is_not_read(self, session_to, raw_shop, lines):
        with pytest.raises(UpstreamGarbled, match="headers are larger than 64 KiB"):
            session_to(raw_shop(reply(b"[]", *lines)).url).get()

    def test_a_status_line_without_end_is_not_read(self, session_to, raw_shop):
        with pytest.raises(UpstreamGarbled, match="larger than 64 KiB"):
            session_to(raw_shop(b"HTTP/1.1 200 " + b"O" * 100_000).url).get()

    @pytest.mark.parametrize("status", [b"100 Continue", b"103 Early Hints"])
    def test_what_comes_before_the_answer_is_read_over(self, session_to, raw_shop, status):
        early = b"HTTP/1.1 " + status + b"\r\nLink: </a.css>\r\n\r\n"
        assert session_to(raw_shop(early * 3 + reply(b"[7]")).url).get().body == b"[7]"

    @pytest.mark.parametrize("status", [b"100 Continue", b"102 Processing", b"103 Early Hints"])
    def test_and_counts_together_with_it(self, session_to, raw_shop, status):
        early = b"HTTP/1.1 " + status + b"\r\n" + b"X: y\r\n" * 30 + b"\r\n"
        with pytest.raises(UpstreamGarbled, match="more than 100 headers"):
            session_to(raw_shop(early * 4 + reply(b"[7]")).url).get()

    def test_early_answers_for_ever_end(self, session_to, raw_shop):
        with pytest.raises(UpstreamGarbled, match="larger than 64 KiB"):
            session_to(raw_shop(b"HTTP/1.1 100 Continue\r\n\r\n" * 50_000).url).get()


class TestFraming:
    @pytest.mark.parametrize(
        "lines",
        [
            [b"Content-Length: -5"],
            [b"Content-Length: two"],
            [b"Content-Length: 1_0"],
            [b"Content-Length: +2"],
            [b"Content-Length: 2.0"],
            [b"Content-Length:"],
            [b"Content-Length: \xb2"],
            [b"Content-Length: 2, 2"],
            [b"Content-Length: 2", b"Content-Length: 2"],
            [b"Content-Length: 2", b"Content-Length: 3"],
            [b"Content-Length: " + b"9" * 5000],
        ],
    )
    def test_a_length_is_one_number(self, session_to, raw_shop, lines):
        with pytest.raises(UpstreamGarbled, match="Content-Length is not one number"):
            session_to(raw_shop(head(*lines)).url).get()

    @pytest.mark.parametrize(
        "lines",
        [
            [b"Content-Length: 2", b"Transfer-Encoding: chunked"],
            [b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"],
            [b"Transfer-Encoding: gzip, chunked"],
            [b"Transfer-Encoding: identity"],
            [b"Transfer-Encoding: xchunked"],
        ],
    )
    def test_a_coding_is_chunked_and_stands_without_a_length(self, session_to, raw_shop, lines):
        with pytest.raises(UpstreamGarbled, match="Transfer-Encoding is not chunked alone"):
            session_to(raw_shop(head(*lines)).url).get()

    @pytest.mark.parametrize("line", [b"no colon", b"Na me: x", b": x", b"X\xff: y", b"X: a\rb", b"X: a\0b"])
    def test_a_line_that_is_no_header_is_refused(self, session_to, raw_shop, line):
        with pytest.raises(UpstreamGarbled, match="among its headers that is none"):
            session_to(raw_shop(head(line)).url).get()

    def test_a_folded_value_is_one_value(self, session_to, raw_shop):
        answer = session_to(raw_shop(head(b"X-Long: a", b"  b", b"Content-Length: 2")).url).get()
        assert answer.headers["x-long"] == "a b"

    def test_lines_may_end_without_a_return(self, session_to, raw_shop):
        assert session_to(raw_shop(b"HTTP/1.1 200 OK\nContent-Length: 2\n\n[]").url).get().body == b"[]"

    @pytest.mark.parametrize("answer", [OK, OK + b"Content-Type: text/css\r\n", OK + b"Content-Le", b"HTTP/1.1 2"])
    def test_a_head_that_breaks_off_is_not_taken_for_whole(self, session_to, raw_shop, answer):
        with pytest.raises(UpstreamUnreachable, match="broke off"):
            session_to(raw_shop(answer).url).get()

    def test_another_protocol_is_not_spoken(self, session_to, raw_shop):
        with pytest.raises(UpstreamUnreachable):
            session_to(raw_shop(b"HTTP/2.0 200 OK\r\n\r\n[]").url).get()

    @pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified", b"101 Switching Protocols"])
    def test_what_has_no_body_is_no_list(self, session_to, raw_shop, status):
        with pytest.raises(UpstreamRefused, match="no list"):
            session_to(raw_shop(b"HTTP/1.1 " + status + b"\r\nContent-Length: 5\r\n\r\n").url).get()


class TestChunks:
    HEAD = OK + b"Transfer-Encoding: chunked\r\n\r\n"

    @pytest.mark.parametrize("body", [b"2;name=value\r\n[]\r\n0\r\n\r\n", b"01\r\n[\r\n1 \r\n]\r\n0\r\nX-Sum: 1\r\n\r\n"])
    def test_extensions_and_trailers_are_read_over(self, session_to, raw_shop, body):
        assert session_to(raw_shop(self.HEAD + body).url).get().body == b"[]"

    @pytest.mark.parametrize("size", [b"-2", b"+2", b"0x2", b"2_0", b"", b"f" * 16, b"2;" + b"x" * 5000, b"\xb2"])
    def test_a_size_is_a_short_hexadecimal_number(self, session_to, raw_shop, size):
        with pytest.raises(UpstreamUnreachable, match="broke off"):
            session_to(raw_shop(self.HEAD + size + b"\r\n[]\r\n0\r\n\r\n").url).get()

    @pytest.mark.parametrize("trailers", [b"X: y\r\n" * 101, b"X: " + b"y" * 5000 + b"\r\n"])
    def test_trailers_without_end_are_refused(self, session_to, raw_shop, trailers):
        with pytest.raises(UpstreamGarbled, match="trailers are too long or too many"):
            session_to(raw_shop(self.HEAD + b"2\r\n[]\r\n0\r\n" + trailers + b"\r\n").url).get()
