import pytest
import requests
import urllib3

from main.resources.upstream.faults import refuse_errors, translate
from main.resources.upstream.wire import Reply
from main.service.errors import (
    UpstreamGarbled,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnreachable,
    UpstreamUnsendable,
)


def answer(status, **headers):
    return Reply(status, headers, b"")


def test_only_a_200_passes():
    refuse_errors(answer(200))
    for status in (201, 204, 301, 304, 400, 404, 500, 503):
        with pytest.raises(UpstreamRefused, match=str(status)):
            refuse_errors(answer(status))


@pytest.mark.parametrize(
    ("response", "seconds"),
    [(answer(429), None), (answer(429, **{"retry-after": "3"}), 3), (answer(503, **{"retry-after": "86400"}), 60)],
)
def test_a_shop_that_asks_to_be_left_alone_says_for_how_long(response, seconds):
    with pytest.raises(UpstreamThrottled) as caught:
        refuse_errors(response)
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    ("error", "ours", "words"),
    [
        (requests.ReadTimeout(), UpstreamTimeout, "in time"),
        (requests.ConnectTimeout(), UpstreamTimeout, "in time"),
        (urllib3.exceptions.ReadTimeoutError(None, "/", ""), UpstreamTimeout, "in time"),
        (requests.exceptions.SSLError(), UpstreamUnreachable, "TLS"),
        (requests.exceptions.InvalidHeader(), UpstreamUnsendable, "settings"),
        (requests.exceptions.InvalidURL(), UpstreamGarbled, "not valid HTTP"),
        (urllib3.exceptions.DecodeError(), UpstreamGarbled, "compression"),
        (urllib3.exceptions.ProtocolError(), UpstreamUnreachable, "broke off"),
        (OSError(), UpstreamUnreachable, "broke off"),
        (requests.ConnectionError("Connection refused"), UpstreamUnreachable, "refuses"),
        (requests.ConnectionError("NameResolutionError"), UpstreamUnreachable, "does not resolve"),
        (requests.ConnectionError("reset"), UpstreamUnreachable, "broke off"),
        (LookupError(), UpstreamGarbled, "not valid HTTP"),
    ],
)
def test_each_library_error_has_its_own_of_ours(error, ours, words):
    found = translate(error)
    assert type(found) is ours
    assert words in str(found)
