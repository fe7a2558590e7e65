"""What the commands about keys show, and what they refuse."""

import re

import pytest
from click.testing import CliRunner

from main.bootstrap_doors import build_machines, make_keys
from main.cli import main
from main.service.model import CallerKind, Role
from main.settings import load_settings

LONG = "0123456789abcdef" * 2


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.yml"
    path.write_text("logger: {level: warning}")
    return path


@pytest.fixture
def environ(tmp_path, config):
    return {"AISLE_CONFIG": str(config), "AISLE_DATA": str(tmp_path / "data"), "COLUMNS": "200"}


@pytest.fixture
def run(monkeypatch, environ):
    """Return a function that runs a command on a data folder of its own."""

    def invoke(*words, **more):
        for name, value in {**environ, **more}.items():
            monkeypatch.setenv(name, value)
        return CliRunner().invoke(main, ["keys", *words])

    return invoke


def test_before_the_first_start_there_are_no_keys(run, tmp_path):
    result = run("list")
    assert result.exit_code == 0
    assert "signing key" in result.output
    assert not (tmp_path / "data" / "keys").exists()


def test_a_rotation_makes_a_key_that_signs(run, environ):
    kids = [re.search(r"Key ([0-9a-f]{32}) \(HS256\) signs", run("rotate").output)[1] for _ in range(2)]
    listed = run("list").output
    assert re.search(rf"{kids[1]}.*signing", listed)
    assert re.search(rf"{kids[0]}.*verifying", listed)
    assert make_keys(load_settings(environ)).signer().kid == kids[1]


def test_a_rotation_at_once_ends_the_older_keys(run):
    first = re.search(r"Key (\w+)", run("rotate").output)[1]
    assert run("rotate", "--at-once").exit_code == 0
    assert first not in run("list").output


def test_a_secret_of_the_settings_is_rotated_there(run):
    result = run("rotate", AISLE_AUTH__SECRET=LONG)
    assert result.exit_code == 1
    assert "auth.secret gives the signing key" in result.output
    assert "signing" in run("list", AISLE_AUTH__SECRET=LONG).output


def test_a_machine_gets_a_key_that_is_shown_once(run, environ):
    result = run("issue", "till-1", "--role", "editor", "--expires", "12h")
    text = result.stdout.strip()
    assert re.fullmatch(r"aisle_[\w-]{43}", text)
    assert "for till-1 (editor), good until 20" in result.stderr
    with build_machines(load_settings(environ)) as machines:
        caller = machines.know(text)
    assert (caller.name, caller.kind, caller.role) == ("till-1", CallerKind.KEY, Role.EDITOR)
    listed = run("list").output
    assert caller.token_id in listed
    assert text not in listed
    assert "editor" in listed


def test_a_key_lasts_ninety_days_unless_it_is_said_otherwise(run, environ):
    run("issue", "till-1", "--role", "reader")
    never = run("issue", "till-2", "--role", "reader", "--expires", "never")
    assert "good until it is revoked" in never.stderr
    with build_machines(load_settings(environ)) as machines:
        lasting = {key.name: key.expires_at and (key.expires_at - key.created_at).days for key in machines.find_all()}
    assert lasting == {"till-1": 90, "till-2": None}


def test_a_key_is_ended_by_its_id(run, environ):
    run("issue", "till-1", "--role", "reader")
    with build_machines(load_settings(environ)) as machines:
        (key,) = machines.find_all()
    assert run("revoke", key.id).output == f"Key {key.id} is ended.\n"
    with build_machines(load_settings(environ)) as machines:
        assert machines.find_all()[0].revoked_at is not None


def test_a_key_that_is_not_there_cannot_be_ended(run):
    result = run("revoke", "nope")
    assert (result.exit_code, result.output) == (1, "There is no key with this name or id.\n")


@pytest.mark.parametrize("expires", ["", "90", "0d", "-1d", "1.5d", "99999d", "3651d", "soon", "1w"])
def test_a_time_that_is_none_is_told_with_what_is_allowed(run, expires):
    result = run("issue", "till-1", "--role", "reader", "--expires", expires)
    assert result.exit_code == 2
    assert "allowed: a number with d, h or m, such as 90d, at most 3650d, or never" in result.output


def test_a_name_that_is_none_is_told_with_what_is_allowed(run):
    result = run("issue", "till 1", "--role", "reader")
    assert result.exit_code == 1
    assert result.output.startswith("name: 1 to 64 of A-Z")


def test_a_faulty_configuration_is_told(run, config):
    config.write_text("auth: {secret: '${KEY}'}")
    result = run("list", KEY="hunter2")
    assert result.exit_code == 1
    assert result.output == "auth.secret: ***; allowed: at least 32 bytes, 8 of them different\n"


def test_a_folder_that_cannot_be_used_is_told(run, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "keys").write_text("a file")
    result = run("rotate")
    assert result.exit_code == 1
    assert "folder of signing keys cannot be used" in result.output
