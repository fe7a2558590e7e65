"""What the commands about accounts do, refuse and show."""

import json
import os
import pty
import subprocess
import sys
import threading

import pytest
from click.testing import CliRunner

from main import cli
from main.bootstrap_doors import HASHING, build_accounts
from main.resources.accounts.hashing import PATIENCE
from main.resources.accounts.turns import MachineTurns
from main.service.model import Role
from main.settings import load_settings
from test.meta.layers import ROOT

GOOD = "violet anvil hums low"
OTHER = "seven grey kites resting"


@pytest.fixture
def environ(tmp_path):
    (tmp_path / "config.yml").write_text("{}")
    return {"AISLE_CONFIG": str(tmp_path / "config.yml"), "AISLE_DATA": str(tmp_path / "data"), "COLUMNS": "200"}


@pytest.fixture
def users(environ):
    """Return a function that runs a command about accounts, with what is typed or piped into it."""
    return lambda *words, given="": CliRunner().invoke(cli.main, ["users", *words], env=environ, input=given)


@pytest.fixture
def accounts(environ):
    return build_accounts(load_settings(environ)).accounts


@pytest.fixture
def ada(users, accounts):
    assert users("add", "ada", "--role", "editor", "--password-stdin", given=f"{GOOD}\n").exit_code == 0
    return accounts.get("ada")


def test_an_account_is_added_with_a_password_that_is_typed_twice_and_not_shown(users, accounts):
    result = users("add", "ada", "--role", "admin", given=f"{GOOD}\n{GOOD}\n")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Account 1: ada, admin." in result.stdout
    assert GOOD not in result.output
    assert accounts.verify("ada", GOOD).role is Role.ADMIN


def test_a_password_can_be_piped_in_with_any_end_of_line(users, accounts):
    for name, end in (("ada", ""), ("ben", "\n"), ("cleo", "\r\n"), ("dora", "\nmore\n")):
        assert users("add", name, "--password-stdin", given=GOOD + end).exit_code == 0
        assert accounts.verify(name, GOOD).role is Role.READER


def test_a_role_that_there_is_not_is_refused_with_those_there_are(users, accounts):
    result = users("add", "ada", "--role", "root", "--password-stdin", given=GOOD)
    assert result.exit_code == 2
    assert all(role.value in result.stderr for role in Role)


def test_no_command_takes_a_password_as_an_argument(users):
    for words in (("add", "ada", GOOD), ("passwd", "ada", GOOD), ("add", "ada", "--password", GOOD)):
        assert users(*words).exit_code == 2


@pytest.mark.parametrize(
    ("name", "given", "fault"),
    [
        ("ada", GOOD, "There is an account of this name already."),
        ("b en", GOOD, "The username is not allowed; allowed: 1 to 64 of"),
        ("ben", "hunter2", "The password is too short: 7 characters; allowed: 15 to 128."),
        ("ben", "", "The password is too short: 0 characters"),
        ("ben", b"\xff\xfe\n", "The password on standard input is not text in UTF-8."),
    ],
)
def test_what_cannot_be_added_is_refused_in_one_line(users, ada, accounts, name, given, fault):
    result = users("add", name, "--password-stdin", given=given)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(fault)
    assert accounts.find_all() == [ada]


def test_all_accounts_are_listed_without_their_hashes(users, ada):
    users("add", "ben", "--password-stdin", given=OTHER)
    users("disable", "ben")
    shown = users("list").stdout
    rows = [[cell.strip() for cell in line.strip("│").split("│")][:4] for line in shown.splitlines() if line.startswith("│")]
    assert rows == [["1", "ada", "editor", "yes"], ["2", "ben", "reader", "no"]]
    assert "argon2" not in shown


def test_another_password_replaces_the_first(users, accounts, ada):
    result = users("passwd", "ADA", "--password-stdin", given=OTHER)
    assert (result.exit_code, result.stdout) == (0, "ada has another password; every login so far has ended.\n")
    assert (accounts.verify("ada", GOOD), accounts.verify("ada", OTHER).generation) == (None, ada.generation + 1)


def test_an_account_is_switched_off_and_on_again(users, accounts, ada):
    assert users("disable", "ada").stdout == "ada is switched off; every login so far has ended.\n"
    assert accounts.verify("ada", GOOD) is None
    assert users("enable", "ada").stdout == "ada may log in again.\n"
    assert accounts.verify("ada", GOOD) is not None


@pytest.mark.parametrize("words", [("passwd", "ben"), ("disable", "ben"), ("enable", "ben")])
def test_an_account_that_there_is_not_is_told(users, ada, words):
    result = users(*words)
    assert (result.exit_code, result.stderr) == (1, "There is no account with this name or id.\n")


def test_an_old_users_json_is_taken_over_with_a_warning_and_what_is_left_out_is_named(users, accounts, tmp_path):
    entries = [
        {"id": 7, "username": "ben", "password": GOOD, "role": "admin"},
        {"id": 8, "username": "cleo", "password": "hunter2"},
        {"id": 9, "username": "dora"},
    ]
    old = tmp_path / "users.json"
    old.write_text(json.dumps(entries))
    result = users("import", str(old), "--role", "editor")
    assert (result.exit_code, result.stdout) == (1, "1 accounts imported, 2 left out.\n")
    assert result.stderr.splitlines() == [
        "'cleo' left out: the password is too short: 7 characters; allowed: 15 to 128",
        "'dora' left out: has no password",
        f"{old} holds passwords in plain text: delete it, and every copy of it.",
    ]
    again = users("import", str(old), "--role", "editor", "--allow-weak")
    assert "'cleo' imported; weak: the password is too short" in again.stderr
    assert [(one.id, one.username, one.role.value) for one in accounts.find_all()] == [
        (7, "ben", "admin"),
        (8, "cleo", "editor"),
    ]
    assert accounts.verify("cleo", "hunter2") is not None
    assert not any(password in told.output for told in (result, again) for password in (GOOD, "hunter2"))


def test_a_file_that_is_none_is_refused(users, tmp_path):
    (tmp_path / "users.json").write_text("{}")
    result = users("import", str(tmp_path / "users.json"))
    assert (result.exit_code, result.stderr.splitlines()[0]) == (
        1,
        "The file holds no list; allowed: a list of {id, username, password, role}.",
    )
    assert users("import", str(tmp_path / "nothing.json")).exit_code == 2


def test_a_store_that_cannot_be_used_is_one_line(users, tmp_path):
    (tmp_path / "data").write_text("")
    result = users("list")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, "The store does not answer.")


def test_the_first_password_is_gone_when_it_was_changed(users, environ, tmp_path):
    build_accounts(load_settings(environ)).ensure_first_admin()
    kept = tmp_path / "data" / "first-admin-password"
    assert kept.exists()
    assert users("passwd", "admin", "--password-stdin", given=GOOD).exit_code == 0
    assert not kept.exists()


def test_a_first_start_and_a_terminal_wait_while_others_have_all_turns_to_hash(users, environ, tmp_path):
    settings = load_settings(environ)
    turns = MachineTurns(settings.data / HASHING, settings.auth.hash_slots)
    for first in (True, False):
        held = [turns.take(60) for _ in range(settings.auth.hash_slots)]
        later = threading.Timer(PATIENCE * 1.3, lambda ends=held: [end() for end in ends])
        later.start()
        if first:
            build_accounts(settings).ensure_first_admin()
            assert (tmp_path / "data" / "first-admin-password").exists()
        else:
            assert users("passwd", "admin", "--password-stdin", given=GOOD).exit_code == 0
        later.join()


def test_at_a_terminal_a_password_is_not_echoed(environ):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "main", "users", "add", "ada"]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AISLE_", "COV_"))}
    with subprocess.Popen(
        command, cwd=ROOT, env=inherited | environ, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        seen = b""
        for asked in (b"Password: ", b"confirmation: "):
            while not seen.endswith(asked):
                seen += os.read(ours, 1000)
            os.write(ours, f"{GOOD}\n".encode())
        while b"Account 1: ada, reader." not in seen:
            seen += os.read(ours, 1000)
        assert process.wait(60) == 0
    os.close(ours)
    assert GOOD.encode() not in seen
