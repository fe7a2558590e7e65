import secrets
import tempfile
import threading

import pytest

from main.resources.tokens.installation import installation_secret
from main.service.errors import Unavailable


def test_all_who_ask_get_one_secret_that_stays_and_is_private(tmp_path):
    path = tmp_path / "data" / "keys" / "csrf"
    found, start = [], threading.Barrier(16)

    def ask():
        start.wait()
        found.append(installation_secret(path))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found[0]) == 32
    assert installation_secret(path) == found[0]
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [kept.name for kept in path.parent.iterdir()] == ["csrf"]


def test_a_damaged_one_and_one_that_cannot_be_had_are_told(tmp_path):
    (tmp_path / "csrf").write_bytes(b"short")
    with pytest.raises(Unavailable, match="damaged"):
        installation_secret(tmp_path / "csrf")
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(Unavailable, match=r"^The secret of this installation cannot be had: (Not a directory|File exists)\.$"):
        installation_secret(tmp_path / "file" / "csrf")


def test_the_process_that_comes_second_takes_what_the_first_one_made_and_leaves_nothing_behind(tmp_path, monkeypatch):
    path = tmp_path / "csrf"

    def be_overtaken(size):
        path.write_bytes(b"1" * size)
        return b"2" * size

    monkeypatch.setattr(secrets, "token_bytes", be_overtaken)
    assert installation_secret(path) == b"1" * 32
    assert list(tmp_path.iterdir()) == [path]


def test_one_that_is_there_is_read_and_nothing_is_written(tmp_path):
    path = tmp_path / "keys" / "csrf"
    installation_secret(path)
    before = path.parent.stat().st_mtime_ns
    installation_secret(path)
    assert path.parent.stat().st_mtime_ns == before


def test_it_is_made_beside_its_place_for_no_link_leads_to_another_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "no such folder"))
    assert len(installation_secret(tmp_path / "csrf")) == 32


def test_two_installations_have_two(tmp_path):
    assert installation_secret(tmp_path / "one") != installation_secret(tmp_path / "two")
