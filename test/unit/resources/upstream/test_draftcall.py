import pytest
import yaml
from werkzeug import Response

from main.resources.upstream.draftcall import draft_shop
from main.resources.upstream.watchdog import Watchdog
from main.service.errors import UpstreamError, UpstreamGarbled, UpstreamRefused
from test.unit.resources.upstream.shops import canned


def test_a_draft_is_of_what_is_at_the_url(serve):
    url = serve(canned(lambda _: Response(b'{"rows": [{"id": "1", "title": "Lamp", "price": "5.00"}]}')))
    (entry,) = yaml.safe_load(draft_shop(f"{url}/items?page=1", Watchdog()))["sources"]
    assert (entry["url"], entry["list"]["path"], entry["list"]["items"]) == (url, "/items", "rows")


@pytest.mark.parametrize("status", [401, 403])
def test_a_shop_that_wants_credentials_is_told_with_what_to_do_instead(serve, status):
    with pytest.raises(
        UpstreamRefused, match=f"answered {status}. A draft calls without credentials: save an answer"
    ) as caught:
        draft_shop(serve(canned(lambda _: Response(b"", status))), Watchdog())
    assert caught.value.status == status


def test_any_other_refusal_is_told_as_it_is(serve):
    with pytest.raises(UpstreamRefused) as caught:
        draft_shop(serve(canned(lambda _: Response(b"", 404))), Watchdog())
    assert str(caught.value) == "The shop answered 404."


def test_what_is_no_list_or_cannot_be_had_is_refused(serve, closed_port):
    with pytest.raises(UpstreamGarbled):
        draft_shop(serve(canned(lambda _: Response(b"<html>"))), Watchdog())
    with pytest.raises(UpstreamError):
        draft_shop(f"http://127.0.0.1:{closed_port}", Watchdog())
