import subprocess
import sys

import pytest

from main.resources.accounts.hashing import ArgonHasher
from main.resources.accounts.turns import MachineTurns
from main.service.errors import Unavailable
from main.service.model import HashRules

CHEAP = HashRules(memory=64 * 1024, time=1)
HOLD = """
import sys
from pathlib import Path
from main.resources.accounts.turns import MachineTurns

assert MachineTurns(Path(sys.argv[1]), 1).take(0)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "hashing"


def test_as_many_have_a_turn_as_there_are(folder):
    one, other = MachineTurns(folder, 2), MachineTurns(folder, 2)
    ends = [one.take(0), other.take(0)]
    assert all(ends)
    assert one.take(0) is None
    ends[1]()
    assert one.take(0)


def test_a_turn_is_waited_for(folder, monkeypatch):
    turns = MachineTurns(folder, 1)
    end = turns.take(0)
    monkeypatch.setattr("time.sleep", lambda _: end())
    assert turns.take(20)


def test_the_turn_of_a_process_that_was_killed_is_free(folder):
    with subprocess.Popen([sys.executable, "-c", HOLD, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"held\n"
        assert MachineTurns(folder, 1).take(0) is None
        child.kill()
    assert MachineTurns(folder, 1).take(0)


def test_a_folder_that_cannot_be_used_keeps_nobody_out(tmp_path, capsys):
    (tmp_path / "hashing").write_text("a file")
    end = MachineTurns(tmp_path / "hashing", 1).take(0)
    assert end
    end()
    assert "accounts.turns_lost" in capsys.readouterr().out


def test_however_many_processes_there_are_so_many_are_hashed_at_a_time(folder):
    one, other = (ArgonHasher(CHEAP, 1, MachineTurns(folder, 1), patience=0.01) for _ in range(2))
    with one._turn(), pytest.raises(Unavailable, match="Too many passwords"):
        other.verify(other.decoy(), "x")
    assert not other.verify(other.decoy(), "x")
