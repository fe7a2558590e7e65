import os
import stat
import threading

import pytest
from structlog.testing import capture_logs

from main.resources.tokens.folder import KeyFolder
from main.resources.tokens.signing import dump_key, generate
from main.service.errors import Unavailable
from test.fakes import NOW


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "keys"


@pytest.fixture
def folder(path):
    folder = KeyFolder(path)
    folder.secure()
    return folder


@pytest.fixture
def key():
    return generate("HS256", NOW)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_folder_and_files_are_for_their_owner_alone(folder, path, key):
    folder.write(key)
    with folder.alone():
        assert mode(path) == 0o700
        assert {mode(file) for file in path.iterdir()} == {0o600}


def test_what_was_left_open_is_closed(folder, path, key, capsys):
    folder.write(key)
    path.chmod(0o755)
    (path / f"{key.kid}.json").chmod(0o644)
    for told in (["keys.file_was_open"], []):
        with capture_logs() as logs:
            folder.secure()
        assert [line["event"] for line in logs] == told
        assert (mode(path), mode(path / f"{key.kid}.json")) == (0o700, 0o600)


def test_a_link_among_the_files_is_left_alone(folder, path, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("x")
    elsewhere.chmod(0o644)
    (path / "a.json").symlink_to(elsewhere)
    folder.secure()
    assert mode(elsewhere) == 0o644


def test_a_key_is_kept_found_and_forgotten(folder, key):
    assert (folder.read(), folder.has(key.kid)) == ({}, False)
    folder.write(key)
    assert dump_key(folder.read()[key.kid]) == dump_key(key)
    assert folder.has(key.kid)
    folder.remove(key.kid)
    folder.remove(key.kid)
    assert folder.read() == {}


def test_a_folder_that_was_never_made_has_no_keys(path):
    assert KeyFolder(path).read() == {}


@pytest.mark.parametrize("kid", ["../../etc/passwd", "", "x" * 32, "A" * 32, "0" * 31, "0" * 32 + "\n", "é" * 32])
def test_a_name_that_no_key_has_is_never_looked_for(folder, path, kid):
    assert not folder.has(kid)


def test_no_name_leads_out_of_the_folder(folder, path):
    (path.parent / "outside.json").write_text("{}")
    (path / "inside.json").write_text("{}")
    assert (folder.has("../outside"), folder.has("inside")) == (False, False)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"{}"])
def test_a_file_that_holds_no_key_is_none(folder, path, key, text):
    folder.write(key)
    (path / f"{'0' * 32}.json").write_bytes(text)
    (path / "notes.json").write_text("mine")
    (path / ("1" * 32)).write_text("mine too")
    found = folder.read()
    assert found.pop("0" * 32) is None
    assert list(found) == [key.kid]


def test_a_key_under_another_name_is_none(folder, path, key):
    (path / f"{'0' * 32}.json").write_text(dump_key(key))
    assert folder.read() == {"0" * 32: None}


def test_a_key_that_goes_while_it_is_read_is_none(folder, path):
    (path / f"{'0' * 32}.json").symlink_to(path / "gone")
    assert folder.read() == {"0" * 32: None}


@pytest.mark.parametrize("make", [lambda path: path.write_text(""), lambda path: path.symlink_to(path.parent)])
def test_what_is_no_folder_is_refused(path, make):
    path.parent.mkdir()
    make(path)
    with pytest.raises(Unavailable, match="folder of signing keys"):
        KeyFolder(path).secure()


def test_the_folder_of_another_user_is_refused(path, folder, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 12345)  # another user cannot be had without being root
    with pytest.raises(Unavailable, match="own"):
        folder.secure()


@pytest.mark.parametrize(
    "use", [lambda one, key: one.write(key), lambda one, key: one.remove(key.kid), lambda one, _: one.read()]
)
def test_a_folder_that_cannot_be_used_is_told(path, key, use):
    path.parent.mkdir()
    path.write_text("a file")
    with pytest.raises(Unavailable, match=r"^The folder of signing keys cannot be used \((Not a directory|File exists)\)\.$"):
        use(KeyFolder(path), key)


def test_one_process_at_a_time_changes_the_folder(folder):
    order = []

    def wait():
        with KeyFolder(folder._path).alone():
            order.append("second")

    with folder.alone():
        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_lock_that_cannot_be_had_is_told(path):
    with pytest.raises(Unavailable), KeyFolder(path).alone():
        pass
