"""What goes when a folder of values is swept."""

import os
import struct

from main.resources.cache.sweep import sweep_values

NOW = 1_000_000_000


def put(folder, name, *, end=NOW + 60, written=NOW, size=100):
    path = folder / name
    path.write_bytes(struct.pack("I", end) + bytes(size - 4))
    os.utime(path, (written, written))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_is_over_goes_and_what_is_not_stays(tmp_path):
    put(tmp_path, "over", end=NOW - 1)
    put(tmp_path, "this second", end=NOW)
    put(tmp_path, "good")
    sweep_values(tmp_path, NOW, 10_000)
    assert names(tmp_path) == ["good", "this second"]


def test_what_a_dead_writer_left_half_goes_and_what_is_being_written_stays(tmp_path):
    put(tmp_path, "a.__wz_cache", written=NOW - 61)
    put(tmp_path, "b.__wz_cache", written=NOW - 5)
    sweep_values(tmp_path, NOW, 10_000)
    assert names(tmp_path) == ["b.__wz_cache"]


def test_a_file_that_is_no_value_goes(tmp_path):
    (tmp_path / "empty").touch()
    sweep_values(tmp_path, NOW, 10_000)
    assert names(tmp_path) == []


def test_of_too_much_the_oldest_goes(tmp_path):
    for age in range(10):
        put(tmp_path, str(age), written=NOW - age)
    sweep_values(tmp_path, NOW, 350)
    assert names(tmp_path) == ["0", "1", "2"]


def test_a_file_that_another_process_swept_is_no_fault(tmp_path):
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    put(tmp_path, "good")
    sweep_values(tmp_path, NOW, 10_000)
    assert "good" in names(tmp_path)
