import pytest

from main.cli_common import fail, load


def test_a_failure_is_one_text_on_standard_error_and_ends_with_1(capsys):
    with pytest.raises(SystemExit) as ended:
        fail("It is broken.")
    assert (ended.value.code, *capsys.readouterr()) == (1, "", "It is broken.\n")


def test_every_fault_of_the_settings_is_told(tmp_path, monkeypatch, capsys):
    (tmp_path / "config.yml").write_text("more: 1\nauth: {password_min: 3}")
    monkeypatch.setenv("AISLE_CONFIG", str(tmp_path / "config.yml"))
    with pytest.raises(SystemExit):
        load()
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "auth.password_min: 3; allowed: a whole number from 8 to 128"
    assert told[1].startswith("more: unknown key; allowed: ")
