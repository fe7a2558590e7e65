"""Feed files cut into records: five formats, and what is not one of them."""

import csv
import gzip
import io
import random
import time
import tracemalloc

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from main.resources.upstream.feedformats import cut_records, guess_format, gunzip, is_html
from main.service.errors import UpstreamGarbled, UpstreamTimeout

BOM = b"\xef\xbb\xbf"


def rows(body: bytes, form: str) -> list[dict]:
    return [orjson.loads(record) for record in cut_records(body, form)]


cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=12)


class TestCsv:
    @given(st.lists(st.tuples(cells, cells, cells).filter(any), max_size=5), st.sampled_from(",;|\t"))
    def test_what_was_written_as_csv_comes_back_whatever_the_delimiter(self, written, delimiter):
        out = io.StringIO()
        csv.writer(out, delimiter=delimiter).writerows([("id", "name", "price"), *written])
        assert [tuple(row.values()) for row in rows(out.getvalue().encode(), "csv")] == written

    @pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
    def test_lines_end_as_they_like(self, ending):
        body = ending.join(["id,name", "1,a", "", "2,b", ""]).encode()
        assert rows(body, "csv") == [{"id": "1", "name": "a"}, {"id": "2", "name": "b"}]

    def test_a_byte_order_mark_is_no_part_of_the_first_name(self):
        assert rows(BOM + b"id,name\n1,a", "csv") == [{"id": "1", "name": "a"}]

    def test_names_are_trimmed(self):
        assert rows(b" id , name \n1,a", "csv") == [{"id": "1", "name": "a"}]

    def test_a_tsv_splits_at_tabs_only(self):
        assert rows(b"id\tname, long\n1\ta,b;c", "tsv") == [{"id": "1", "name, long": "a,b;c"}]

    def test_a_quoted_cell_may_hold_lines_quotes_and_delimiters(self):
        assert rows(b'id,name\n1,"a ""b"",\nc"', "csv") == [{"id": "1", "name": 'a "b",\nc'}]

    def test_a_row_with_too_few_or_too_many_cells_says_so(self):
        assert rows(b"id,name\n1\n2,b,c,d", "csv") == [
            {"id": "1", "name": None},
            {"id": "2", "name": "b", "_beyond_header": ["c", "d"]},
        ]

    def test_a_header_alone_is_an_empty_feed(self):
        assert rows(b"id,name\n", "csv") == []

    @pytest.mark.parametrize("body", [b"", BOM])
    def test_nothing_at_all_is_garbled(self, body):
        with pytest.raises(UpstreamGarbled, match="no header line"):
            rows(body, "csv")

    @pytest.mark.parametrize("body", [b'id,name\n1,"cut off', b'id,name\n1,"a"b\n'])
    def test_broken_quotes_name_the_line(self, body):
        with pytest.raises(UpstreamGarbled, match=r"not readable from line [12] on"):
            rows(body, "csv")

    def test_a_cell_without_end_is_garbled(self):
        with pytest.raises(UpstreamGarbled, match="field larger than field limit"):
            rows(b"id,name\n1," + b"x" * (2**20 + 1), "csv")

    @pytest.mark.parametrize("body", ["id,name\n1,Café".encode("latin-1"), "id,name\n1,a".encode("utf-16")])
    @pytest.mark.parametrize("form", ["csv", "tsv"])
    def test_another_encoding_is_garbled(self, body, form):
        with pytest.raises(UpstreamGarbled, match="not UTF-8"):
            rows(body, form)


class TestJson:
    @pytest.mark.parametrize(
        "body",
        [
            b'[{"id": 1}]',
            BOM + b' [{"id": 1}]',
            *[b'{"%b": [{"id": 1}]}' % key for key in (b"products", b"items", b"data", b"results")],
        ],
    )
    def test_a_list_may_stand_alone_or_in_an_envelope(self, body):
        assert rows(body, "json") == [{"id": 1}]

    @pytest.mark.parametrize("body", [b"", b"{}", b'[{"id": 1}', b"nonsense"])
    def test_anything_else_is_garbled(self, body):
        with pytest.raises(UpstreamGarbled):
            rows(body, "json")

    def test_ndjson_has_one_record_a_line(self):
        assert list(cut_records(BOM + b'{"id": 1}\n\n  \r\n{"id": 2}\r\nbroken', "ndjson")) == [
            b'{"id": 1}',
            b'{"id": 2}',
            b"broken",
        ]


class TestXml:
    RSS = b"""<?xml version="1.0"?>
<rss xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>
  <item><g:id>1</g:id><title>A &amp; B</title><g:price>19.99 EUR</g:price><link>https://a/1</link>
    <g:additional_image_link>https://a/1.jpg</g:additional_image_link><g:additional_image_link>https://a/2.jpg</g:additional_image_link>
    <g:additional_image_link>https://a/3.jpg</g:additional_image_link><g:shipping><g:country>DE</g:country></g:shipping></item>
  <item><g:id>2</g:id><description><![CDATA[<p>x</p>]]></description></item>
</channel></rss>"""

    def test_an_rss_feed_has_items_whose_repeated_elements_are_lists(self):
        first, second = rows(self.RSS, "xml")
        assert (first["id"], first["title"], first["price"], first["link"]) == ("1", "A & B", "19.99 EUR", "https://a/1")
        assert first["additional_image_link"] == ["https://a/1.jpg", "https://a/2.jpg", "https://a/3.jpg"]
        assert (first["shipping"], second["description"]) == ("DE", "<p>x</p>")

    def test_an_atom_feed_has_entries_whose_link_is_an_attribute(self):
        body = b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><link href="https://a/1"/><title/></entry></feed>'
        assert rows(body, "xml") == [{"id": "1", "link": "https://a/1", "title": ""}]

    @pytest.mark.parametrize("encoding", ["iso-8859-1", "utf-8", "utf-16"])
    def test_the_encoding_it_declares_is_read(self, encoding):
        body = f'<?xml version="1.0" encoding="{encoding}"?><a><item><id>é</id></item></a>'.encode(encoding)
        assert rows(body, "xml") == [{"id": "é"}]

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"not xml",
            RSS[:300],
            b'<!DOCTYPE a SYSTEM "http://evil.example/x.dtd"><a><item><id>1</id></item></a>',
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><item><id>&x;</id></item></a>',
            b'<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><a><item><id>&y;</id></item></a>',
            b"<a><item><id>&undefined;</id></item></a>",
            b'<?xml version="1.0" encoding="shift_jis"?><a><item><id>1</id></item></a>',
            b'<?xml version="1.0" encoding="nonsense"?><a/>',
            b"<a><item><id>\xff</id></item></a>",
        ],
    )
    def test_what_is_broken_or_attacks_is_garbled(self, body):
        with pytest.raises(UpstreamGarbled, match="not well-formed XML, is cut off, or declares entities"):
            rows(body, "xml")


class TestGunzip:
    def test_what_is_not_gzip_comes_back_as_it_is(self):
        assert gunzip(b"id,name", 10) == b"id,name"

    def test_gzip_is_decompressed_also_in_several_members(self):
        assert gunzip(gzip.compress(b"id,") + gzip.compress(b"name"), 10) == b"id,name"

    @pytest.mark.parametrize(
        "broken",
        [gzip.compress(b"id,name" * 100)[:-10], b"\x1f\x8b\x08", b"\x1f\x8bnonsense", gzip.compress(b"id")[:-1] + b"\xff"],
    )
    def test_broken_or_truncated_gzip_is_garbled(self, broken):
        with pytest.raises(UpstreamGarbled, match=r"broken|cut off"):
            gunzip(broken, 2**20)

    def test_a_bomb_is_defused_long_before_the_limit(self):
        bomb = gzip.compress(b" " * 50 * 2**20)
        tracemalloc.start()
        try:
            with pytest.raises(UpstreamGarbled, match="grows more than 200 times"):
                gunzip(bomb, 2**30)
            assert tracemalloc.get_traced_memory()[1] < 2**20
        finally:
            tracemalloc.stop()

    def test_what_grows_within_reason_is_refused_at_the_limit(self):
        with pytest.raises(UpstreamGarbled, match="larger than 1 MiB when decompressed"):
            gunzip(gzip.compress(random.Random(1).randbytes(2**20 + 1)), 2**20)

    def test_decompressing_ends_with_the_deadline(self):
        body = gzip.compress(b"id,name")
        assert gunzip(body, 10, time.monotonic() + 60) == b"id,name"
        with pytest.raises(UpstreamTimeout, match="too long to be read in time"):
            gunzip(body, 10, time.monotonic() - 1)

    def test_as_much_as_the_limit_is_taken(self):
        assert len(gunzip(gzip.compress(b" " * 100), 100)) == 100


def test_a_record_of_very_many_equal_elements_is_read_in_a_moment():
    began = time.thread_time()
    assert rows(b"<r><item>" + b"<a>1</a>" * 200_000 + b"</item></r>", "xml") == [{"a": ["1"] * 200_000}]
    assert time.thread_time() - began < 20  # where each is put into a new list, it takes minutes


@pytest.mark.parametrize(
    ("path", "content_type", "form"),
    [
        ("/a.csv", "", "csv"),
        ("/a.CSV.GZ", "application/gzip", "csv"),
        ("/a.tsv", "text/csv", "tsv"),
        ("/a.json", "", "json"),
        ("/a.jsonl", "", "ndjson"),
        ("/a.ndjson.gz", "", "ndjson"),
        ("/a.xml", "", "xml"),
        ("/export", "Text/CSV; charset=utf-8", "csv"),
        ("/export", "text/tab-separated-values", "tsv"),
        ("/export", "application/x-ndjson", "ndjson"),
        ("/export", "application/jsonl", "ndjson"),
        ("/export", "application/json", "json"),
        ("/export.php", "application/rss+xml", "xml"),
        ("/export", "text/plain", None),
        ("/export", "", None),
    ],
)
def test_the_format_is_told_by_the_ending_or_else_by_the_type(path, content_type, form):
    assert guess_format(path, content_type) == form


@pytest.mark.parametrize(
    ("body", "page"),
    [(b"<!DOCTYPE html>", True), (BOM + b"\n<HTML lang=en>", True), (b"<rss>", False), (b"id,html", False), (b"", False)],
)
def test_a_web_page_is_known_by_its_beginning(body, page):
    assert is_html(body) is page


@given(st.binary(max_size=80), st.sampled_from(["csv", "tsv", "json", "ndjson", "xml"]))
def test_any_bytes_are_records_or_garbled(body, form):
    try:
        found = list(cut_records(body, form))
    except UpstreamGarbled:
        return
    assert all(isinstance(record, bytes) for record in found)
