import io
import sys

import pytest
from structlog.testing import capture_logs

from main.resources.accounts.firstpassword import FILE, FirstPasswordNotice


class Terminal(io.StringIO):
    """A terminal that shows what was written once it is flushed."""

    shown = ""

    def isatty(self):
        return True

    def flush(self):
        self.shown = self.getvalue()


@pytest.fixture
def notice(tmp_path):
    return FirstPasswordNotice(tmp_path / "data" / FILE)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "first-admin-password"


def test_at_a_terminal_it_is_written_there_and_nowhere_else(notice, path, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with capture_logs() as logs:
        notice.show("admin", "pass-word")
    assert sys.stderr.shown == (
        "\n  There was no account yet. Log in as admin with this password, which is shown only now:\n\n"
        "      pass-word\n\n  Change it: python -m main users passwd admin\n\n"
    )
    assert (logs, path.exists()) == ([], False)


def test_without_a_terminal_it_is_in_a_file_of_our_own_and_the_log_says_where(notice, path, capsys):
    with capture_logs() as logs:
        notice.show("admin", "pass-word")
    assert path.read_text() == "pass-word\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [(line["event"], line["file"]) for line in logs] == [("accounts.first_admin_made", str(path))]
    assert "pass-word" not in str(logs) + "".join(capsys.readouterr())


def test_the_file_can_be_forgotten_also_when_there_is_none(notice, path):
    notice.show("admin", "pass-word")
    notice.forget()
    assert not path.exists()
    with capture_logs() as logs:
        notice.forget()
    assert logs == []


def test_a_folder_that_cannot_be_written_is_told_with_the_remedy(tmp_path):
    (tmp_path / "file").touch()
    notice = FirstPasswordNotice(tmp_path / "file" / "first-admin-password")
    with capture_logs() as logs:
        notice.show("admin", "pass-word")
        notice.forget()
    assert [line["event"] for line in logs] == ["accounts.first_password_lost", "accounts.first_password_kept"]
    assert logs[0]["remedy"] == "python -m main users passwd admin"
    assert "pass-word" not in str(logs)
