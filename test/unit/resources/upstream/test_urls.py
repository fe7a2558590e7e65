from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from main.resources.upstream.urls import quote_id
from main.service.errors import UpstreamGarbled


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_an_id_is_one_segment_of_a_path_or_refused(source_id):
    if source_id in {"", ".", ".."}:
        with pytest.raises(UpstreamGarbled, match="cannot stand in a path"):
            quote_id(source_id)
        return
    url = f"http://shop.example/api/items/{quote_id(source_id)}"
    # As it is sent: urllib3 resolves dots and slashes first.
    sent = urlsplit(parse_url(url).url)
    assert sent.path.count("/") == 3
    assert unquote(sent.path.removeprefix("/api/items/")) == source_id
    assert (sent.query, sent.fragment) == ("", "")


def test_an_id_that_no_text_can_hold_is_refused():
    with pytest.raises(UpstreamGarbled):
        quote_id("\ud800")
