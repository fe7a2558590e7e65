import os

import pytest

from main.util.bytelocks import try_lock_byte, unlock_byte


@pytest.fixture
def open_once_more(tmp_path):
    opened = []

    def open_it():
        opened.append(os.open(tmp_path / "bytes", os.O_RDWR | os.O_CREAT))
        return opened[-1]

    yield open_it
    for file in opened:
        os.close(file)


def test_a_byte_is_held_by_one_opened_file_at_a_time_and_its_neighbours_are_free(open_once_more):
    file, other = open_once_more(), open_once_more()
    assert try_lock_byte(file, 5)
    assert not try_lock_byte(other, 5)
    assert try_lock_byte(other, 4)
    assert try_lock_byte(other, 6)
    unlock_byte(file, 5)
    assert try_lock_byte(other, 5)


def test_the_file_itself_stays_empty_however_far_its_bytes_are(open_once_more):
    file, other = open_once_more(), open_once_more()
    assert try_lock_byte(file, 1 << 60)
    assert not try_lock_byte(other, 1 << 60)
    assert os.fstat(file).st_size == 0


def test_what_was_locked_is_free_when_its_file_is_closed(tmp_path, open_once_more):
    file = os.open(tmp_path / "bytes", os.O_RDWR | os.O_CREAT)
    assert try_lock_byte(file, 0)
    os.close(file)
    assert try_lock_byte(open_once_more(), 0)


def test_a_file_that_cannot_be_locked_is_said_to_be(tmp_path):
    file = os.open(tmp_path / "bytes", os.O_RDONLY | os.O_CREAT)
    try:
        with pytest.raises(OSError, match="Bad file descriptor"):
            try_lock_byte(file, 0)
    finally:
        os.close(file)
