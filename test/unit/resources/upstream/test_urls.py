"""No id, path or link leads away from a source."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from main.resources.upstream.urls import Place, encode_host, origin_of, quote_id, with_query
from main.service.errors import UpstreamGarbled, UpstreamUnsendable

SHOP = Place.of("https://shop.example/api")
NASTY = st.one_of(
    st.text(),
    st.text(alphabet="./\\%2efF?#&;@: \n\u0000aé"),
    st.lists(st.sampled_from(["..", "%2e", "%2f", "%5c", "/", "\\", ".", "?", "#", "a", "%", "25", "//evil.example", "@"])).map(
        "".join
    ),
)


class TestIds:
    @pytest.mark.parametrize(
        ("source_id", "part"),
        [
            ("42", "42"),
            ("a b", "a%20b"),
            ("a/b", "a%2Fb"),
            ("a?b#c", "a%3Fb%23c"),
            ("a%2Fb", "a%252Fb"),
            ("é", "%C3%A9"),
            ("gid://shop/1", "gid%3A%2F%2Fshop%2F1"),
            ("..a", "..a"),
            ("1.0", "1.0"),
            ("v1|123|0", "v1%7C123%7C0"),
        ],
    )
    def test_an_id_becomes_one_part_of_a_path(self, source_id, part):
        assert quote_id(source_id) == part

    @pytest.mark.parametrize(
        "source_id",
        ["", ".", "..", "../x", "a/../b", "a\\..\\b", "%2e%2e", "%252e%252e%252fx", "a\nb", "\x7f", "\ud800", "..;/x"],
    )
    def test_an_id_that_climbs_or_cannot_be_sent_is_refused(self, source_id):
        with pytest.raises(UpstreamGarbled, match="cannot be part of a URL"):
            quote_id(source_id)


class TestPlaces:
    def test_a_path_is_asked_for_below_the_url(self):
        assert SHOP.below("/v2/items?p=1") == "https://shop.example/api/v2/items?p=1"
        assert SHOP.below("") == "https://shop.example/api"
        assert SHOP.below("/a b/é") == "https://shop.example/api/a%20b/%C3%A9"

    @pytest.mark.parametrize("path", [".evil.example/", "@evil.example/", "x", "/../x", "/a/%2e%2e/b", "/a\\b", "/a\r\nb"])
    def test_a_path_that_leads_elsewhere_is_refused(self, path):
        with pytest.raises(UpstreamGarbled):
            SHOP.below(path)

    def test_a_link_below_the_url_is_taken_without_its_fragment(self):
        assert SHOP.linked("https://shop.example:443/api/x?p=2#top") == "https://shop.example:443/api/x?p=2"

    @pytest.mark.parametrize(
        "link",
        [
            "https://shop.example/",
            "https://shop.example/apis",
            "https://shop.example/api/../admin",
            "https://shop.example/api/%2e%2e/admin",
            "https://evil.example/api/",
            "http://shop.example/api/",
            "https://user@shop.example/api/",
            "https://shop.example\\@evil.example/api/",
            "https://[::1/api",
            "/api/x",
        ],
    )
    def test_a_link_to_elsewhere_is_refused(self, link):
        with pytest.raises(UpstreamGarbled):
            SHOP.linked(link)

    def test_an_address_in_any_script_is_asked_as_urls_are_written(self):
        place = Place.of("https://shop.example/متجر")
        assert place.below("/منتجات") == "https://shop.example/%D9%85%D8%AA%D8%AC%D8%B1/%D9%85%D9%86%D8%AA%D8%AC%D8%A7%D8%AA"

    @pytest.mark.parametrize(
        ("url", "written"),
        [
            ("http://bücher.example", "http://xn--bcher-kva.example"),
            ("https://BÜCHER.example:8443/api", "https://xn--bcher-kva.example:8443/api"),
            ("https://日本語。jp/متجر", "https://xn--wgv71a119e.jp/متجر"),
            ("https://faß.example?key=ü", "https://xn--fa-hia.example?key=ü"),
            ("https://me:pw@bücher.example:1/", "https://me:pw@xn--bcher-kva.example:1/"),
            ("https://SHOP.example/ü", "https://SHOP.example/ü"),
            ("http://[::1]:80/ü", "http://[::1]:80/ü"),
            ("file:///srv/bücher.csv", "file:///srv/bücher.csv"),
        ],
    )
    def test_a_host_in_any_script_is_asked_for_as_idna_writes_it(self, url, written):
        assert encode_host(url) == written
        assert Place.of(url).url == written

    @pytest.mark.parametrize("host", ["bücher.example", "xn--bcher-kva.example", "BÜCHER.EXAMPLE"])
    def test_a_link_may_write_the_host_either_way(self, host):
        place = Place.of("https://bücher.example/api")
        assert place.linked(f"https://{host}/api/2").lower() == "https://xn--bcher-kva.example/api/2"

    @pytest.mark.parametrize(
        "host", ["bucher.example", "bücher.example.evil.example", "bücher", "xn--bcher-kvb.example", "é..x"]
    )
    def test_a_link_to_a_host_that_only_looks_alike_is_refused(self, host):
        with pytest.raises(UpstreamGarbled, match="leads to another host"):
            Place.of("https://bücher.example/api").linked(f"https://{host}/api/2")

    @pytest.mark.parametrize("host", ["é..x", "-é.example", "é" * 70, "😀.example", "a_é.example"])
    def test_a_host_that_cannot_be_one_is_told_of_when_it_is_asked(self, host):
        place = Place.of(f"https://{host}/api")
        for ask in (place.below, lambda path: place.linked(f"https://{host}/api{path}")):
            with pytest.raises(UpstreamUnsendable, match="not one that IDNA can write"):
                ask("/x")

    def test_a_shop_at_the_root_may_link_anywhere_on_its_host(self):
        assert Place.of("https://shop.example").linked("https://shop.example/x") == "https://shop.example/x"

    def test_parameters_follow_those_that_are_there(self):
        assert with_query("http://x/a", {"q": "a&b", "n": 2}) == "http://x/a?q=a%26b&n=2"
        assert with_query("http://x/a?b=1", {"q": "é"}) == "http://x/a?b=1&q=%C3%A9"
        assert with_query("http://x/a", {}) == "http://x/a"


@settings(max_examples=1000, deadline=None)
@given(source_id=NASTY, value=NASTY)
def test_no_id_and_no_value_of_a_query_leaves_the_origin_and_the_path(source_id, value):
    try:
        url = with_query(SHOP.below(f"/items/{quote_id(source_id)}"), {"q": value.encode("utf-8", "replace").decode()})
    except UpstreamGarbled:
        return
    parts = urlsplit(url)
    assert (origin_of(url), parts.fragment) == (SHOP.origin, "")
    assert parts.path.startswith("/api/items/")
    assert parts.path.count("/") == 3
    assert ".." not in unquote(unquote(parts.path)).replace("\\", "/").split("/")


@settings(max_examples=1000, deadline=None)
@given(path=NASTY)
def test_no_path_and_no_link_leaves_the_origin_and_the_path(path):
    for ask in (SHOP.below, SHOP.linked, lambda link: SHOP.linked(f"https://shop.example/api{link}")):
        try:
            url = ask(path)
        except UpstreamGarbled:
            continue
        assert origin_of(url) == SHOP.origin
        assert (urlsplit(url).path + "/").startswith("/api/")
        assert ".." not in unquote(urlsplit(url).path).split("/")
