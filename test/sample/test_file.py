"""The file dialect: plain or zipped, with validators."""

import gzip
from pathlib import Path

import pytest

from sample.dialects import file_app
from test.sample.conftest import Get, Serve

TEXT = b"id,name\n1,Lamp\n"


@pytest.fixture
def get(serve: Serve, tmp_path: Path) -> Get:
    """Return a GET to a folder with one feed."""
    path = tmp_path / "feed.csv"
    path.write_bytes(TEXT)
    return serve(file_app({"feed.csv": path}))


def test_a_file_has_its_content_type_and_validators(get: Get) -> None:
    response = get("/feed.csv")
    assert response.content == TEXT
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert {"ETag", "Last-Modified"} <= set(response.headers)


@pytest.mark.parametrize(("sent", "kept"), [("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")])
@pytest.mark.parametrize("name", ["feed.csv", "feed.csv.gz"])
def test_an_unchanged_file_is_not_sent_again(get: Get, name: str, sent: str, kept: str) -> None:
    response = get(f"/{name}", headers={sent: get(f"/{name}").headers[kept]})
    assert (response.status_code, response.content) == (304, b"")


def test_a_zipped_file_is_an_archive_and_not_an_encoding(get: Get) -> None:
    response = get("/feed.csv.gz")
    assert gzip.decompress(response.content) == TEXT
    assert response.headers["Content-Type"] == "application/gzip"
    assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize("name", ["other.csv", "feed.csv.gz.gz", "..%2Fconftest.py", ".gz"])
def test_no_other_file_is_served(get: Get, name: str) -> None:
    assert get(f"/{name}").status_code == 404
