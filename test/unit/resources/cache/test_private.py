"""Folders that nobody else can enter."""

import os
import stat

import pytest

from main.resources.cache.private import make_private, require_private
from main.service.errors import CacheDown


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_is_made_with_those_above_it_and_closed_to_others(tmp_path):
    folder = tmp_path / "data" / "cache"
    before = os.umask(0)
    try:
        make_private(folder)
    finally:
        os.umask(before)
    assert mode_of(folder) == 0o700
    require_private(folder)


@pytest.mark.parametrize("mode", [0o777, 0o750, 0o701, 0o500])
def test_a_folder_of_ours_that_is_open_to_others_is_closed(tmp_path, mode):
    folder = tmp_path / "cache"
    folder.mkdir()
    folder.chmod(mode)
    make_private(folder)
    assert mode_of(folder) == 0o700


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o710])
def test_a_folder_that_was_opened_later_is_refused(tmp_path, mode):
    make_private(tmp_path / "cache")
    (tmp_path / "cache").chmod(mode)
    with pytest.raises(CacheDown, match="open to others"):
        require_private(tmp_path / "cache")


def test_a_folder_of_somebody_else_is_refused_and_left_as_it_is(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o755)
    before = mode_of(folder)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    for use in (make_private, require_private):
        with pytest.raises(CacheDown, match="another user"):
            use(folder)
    assert mode_of(folder) == before


def test_a_link_to_a_folder_is_refused(tmp_path):
    (tmp_path / "real").mkdir(mode=0o755)
    (tmp_path / "cache").symlink_to(tmp_path / "real")
    with pytest.raises(CacheDown, match="only a link"):
        make_private(tmp_path / "cache")
    assert mode_of(tmp_path / "real") == 0o755


def test_what_is_no_folder_or_not_there_is_refused(tmp_path):
    (tmp_path / "cache").write_text("x")
    with pytest.raises(CacheDown, match="File exists"):
        make_private(tmp_path / "cache")
    with pytest.raises(CacheDown, match="cannot be made"):
        make_private(tmp_path / "cache" / "below")
    with pytest.raises(CacheDown, match="No such file"):
        require_private(tmp_path / "none")
