import pytest

from main.util.files import read_text, write_whole


def test_a_file_is_put_in_place_for_its_owner_alone(tmp_path):
    path = tmp_path / "folder" / "file"
    write_whole(path, "one")
    write_whole(path, "two")
    assert read_text(path) == "two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_what_cannot_be_put_in_place_leaves_nothing_behind(tmp_path):
    (tmp_path / "file").mkdir()
    (tmp_path / "file" / "inside").touch()
    with pytest.raises(OSError, match="file"):
        write_whole(tmp_path / "file", "one")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_what_cannot_be_read_is_nothing(tmp_path):
    (tmp_path / "odd").write_bytes(b"\xff")
    assert [read_text(tmp_path / name) for name in ("none", "odd", ".")] == ["", "", ""]
