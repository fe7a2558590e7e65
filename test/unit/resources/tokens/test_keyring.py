import datetime as dt

import pytest

from main.resources.tokens.folder import KeyFolder
from main.resources.tokens.keyring import FOLLOW, LOOK, GivenKey
from main.resources.tokens.signing import dump_key, generate
from main.service.errors import Unavailable
from main.service.model import KeyState
from main.util.secret import Secret
from test.fakes import NOW, FakeClock
from test.unit.resources.tokens.forging import LIFE, make_ring


class Counting(KeyFolder):
    """A folder that counts how often it is read."""

    reads = 0

    def read(self):
        self.reads += 1
        return super().read()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def ring(tmp_path, clock):
    ring = make_ring(tmp_path, clock)
    ring.secure()
    return ring


def states(ring):
    return [view.state for view in ring.views()]


def test_the_first_start_makes_one_key_and_the_next_ones_use_it(tmp_path, clock, ring):
    kid = ring.signer().kid
    other = make_ring(tmp_path, clock)
    other.secure()
    assert [key.kid for key in other.verifying()] == [kid]


def test_a_key_is_made_when_it_is_first_needed(tmp_path, clock):
    assert make_ring(tmp_path, clock).signer().algorithm == "HS256"


def test_a_ring_that_gets_no_key_says_so(tmp_path, clock, monkeypatch):
    ring = make_ring(tmp_path, clock)
    monkeypatch.setattr(KeyFolder, "write", lambda *_: None)  # a key that is gone as soon as it is made
    with pytest.raises(Unavailable, match="no signing key"):
        ring.signer()


def test_another_algorithm_in_the_settings_makes_a_key_of_it_and_the_old_one_verifies_on(tmp_path, clock, ring):
    old = ring.signer()
    clock.advance(1)
    other = make_ring(tmp_path, clock, "EdDSA")
    other.secure()
    assert other.signer().algorithm == "EdDSA"
    assert other.find(old.kid).kid == old.kid
    assert [key.algorithm for key in other.verifying()] == ["EdDSA", "HS256"]


def test_a_new_key_signs_at_once_and_the_others_follow(tmp_path, clock, ring):
    other = make_ring(tmp_path, clock)
    old = other.signer().kid
    made = ring.rotate()
    assert ring.signer().kid == made.kid != old
    clock.advance(9.999)
    assert other.signer().kid == old
    clock.advance(0.001)
    assert other.signer().kid == made.kid


def test_a_key_that_a_worker_does_not_know_yet_makes_it_look_again(tmp_path, clock, ring):
    other = make_ring(tmp_path, clock)
    assert other.find("0" * 32) is None
    made = ring.rotate()
    assert other.find(made.kid).kid == made.kid


def test_a_flood_of_unknown_names_reads_nothing(tmp_path, clock, ring):
    ring._folder = Counting(tmp_path / "keys")
    ring.signer()
    for number in range(1000):
        assert ring.find(f"{number:032x}") is None
    assert ring._folder.reads == 0
    clock.advance(LOOK)
    ring.find("x")
    assert ring._folder.reads == 1


def test_a_file_that_cannot_be_read_is_not_looked_at_again_and_again(tmp_path, clock, ring):
    ring._folder = Counting(tmp_path / "keys")
    (tmp_path / "keys" / f"{'0' * 32}.json").write_text("?")
    for _ in range(10):
        assert ring.find("0" * 32) is None
    assert ring._folder.reads == 1


def test_threads_that_come_together_look_once(tmp_path, clock, ring):
    ring._folder = Counting(tmp_path / "keys")
    seen = ring._seen
    ring._look(missed=seen)
    ring._look(missed=seen)
    assert ring._folder.reads == 1


class Interrupted:
    """Calls something once before it answers: what another thread would do between two steps of this one."""

    def __init__(self, real, method, meanwhile):
        self.real, self.method, self.meanwhile = real, method, meanwhile

    def __getattr__(self, name):
        if name == self.method and self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        return getattr(self.real, name)


def test_two_threads_that_miss_the_same_key_look_once(tmp_path, clock, ring):
    other = make_ring(tmp_path, clock)
    other.signer()
    kid, counting = ring.rotate().kid, Counting(tmp_path / "keys")
    other._folder = Interrupted(counting, "has", lambda: other.find(kid))
    assert other.find(kid).kid == kid
    assert counting.reads == 1


def test_two_threads_that_come_after_the_pause_look_once(tmp_path, clock, ring):
    ring._folder = Counting(tmp_path / "keys")
    clock.advance(LOOK)
    ring._clock = Interrupted(clock, "monotonic", ring.signer)
    ring.signer()
    assert ring._folder.reads == 1


def test_a_rotation_makes_and_closes_the_folder_like_a_start(tmp_path, clock):
    ring = make_ring(tmp_path, clock)
    kid = ring.rotate().kid
    (tmp_path / "keys").chmod(0o755)
    ring.rotate()
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert ring.find(kid) is not None


def test_an_old_key_verifies_until_all_that_it_signed_is_over(clock, ring):
    old = ring.signer().kid
    ring.rotate()
    clock.advance(60 + LIFE.total_seconds() - 0.5)  # a process may sign with it for another minute
    assert ring.find(old) is not None
    assert states(ring) == [KeyState.SIGNING, KeyState.VERIFYING]
    clock.advance(0.501)  # the new key is a millisecond younger
    assert ring.find(old) is None
    assert [key.kid for key in ring.verifying()] == [ring.signer().kid]
    assert states(ring) == [KeyState.SIGNING, KeyState.RETIRED]


def test_keys_that_are_retired_go_with_the_next_rotation(clock, ring):
    old = ring.signer().kid
    ring.rotate()
    clock.advance(3600)
    ring.rotate()
    assert old not in {view.kid for view in ring.views()}
    assert states(ring) == [KeyState.SIGNING, KeyState.VERIFYING]


def test_a_stolen_key_is_ended_at_once_and_everywhere_within_a_minute(tmp_path, clock, ring):
    other, stolen = make_ring(tmp_path, clock), ring.signer().kid
    assert other.find(stolen) is not None
    ring.rotate(at_once=True)
    assert ring.find(stolen) is None
    clock.advance(LOOK)
    assert other.find(stolen) is None


def test_the_newest_key_signs_even_when_the_clock_was_set_back(clock, ring):
    old = ring.signer()
    clock.advance(-3600)
    made = ring.rotate()
    assert ring.signer().kid == made.kid
    assert ring.signer().created_at > old.created_at


def test_a_key_is_listed_with_when_it_ends(clock, ring):
    ring.rotate()
    new, old = ring.views()
    assert (new.created_at, new.until) == (NOW + dt.timedelta(milliseconds=1), None)
    assert old.until == new.created_at + FOLLOW + LIFE


def test_a_key_written_by_hand_is_known(tmp_path, clock, ring):
    key = generate("HS256", NOW + dt.timedelta(seconds=1))
    (tmp_path / "keys" / f"{key.kid}.json").write_text(dump_key(key))
    clock.advance(LOOK)
    assert ring.signer().kid == key.kid


class TestAGivenSecret:
    def test_it_signs_and_verifies_alone(self):
        given = GivenKey(Secret("0123456789abcdef" * 2))
        given.secure()
        key = given.signer()
        assert given.find(key.kid) is key
        assert given.find("0" * 32) is None
        assert given.verifying() == (key,)
        assert [(view.kid, view.state, view.until) for view in given.views()] == [(key.kid, KeyState.SIGNING, None)]

    def test_it_is_rotated_in_the_settings(self):
        for asked, when in (({"at_once": True}, "at once"), ({}, "then")):
            with pytest.raises(Unavailable, match=rf"^auth\.secret gives the signing key: .* its tokens end {when}\.$"):
                GivenKey(Secret("x" * 32)).rotate(**asked)
