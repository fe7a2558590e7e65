"""The command line, in this process and as a process of its own."""

import json
import os
import pty
import signal
import sqlite3
import threading
from contextlib import closing, suppress

import pytest
import structlog
from click.testing import CliRunner

from main import __version__, cli
from main.service.model import Outcome
from sample.server import running
from test.fakes import make_report
from test.faults.shops import FaultyShop
from test.integration.processes import Installation


@pytest.fixture(autouse=True)
def process_as_it_was():
    """Commands set up logs and signals for a process of their own; this one is to be left as it was."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    structlog.reset_defaults()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def config(url, name="acme", **given):
    return {"name": name, "kind": "dummyjson", "url": url, "currency": "EUR", **given}


@pytest.fixture
def installation(tmp_path, shop):
    return Installation(tmp_path, config(shop.url))


def invoke(installation, *arguments):
    return CliRunner().invoke(cli.main, arguments, env=installation.environ)


def logged(result):
    return [json.loads(line) for line in result.stderr.splitlines()]


# sync


def test_sync_writes_log_lines_where_there_is_no_terminal_and_ends_with_0(installation):
    result = invoke(installation, "sync")
    assert (result.exit_code, result.stdout) == (0, "")
    events = [line["event"] for line in logged(result)]
    assert events == [
        *["component.opened"] * 4,
        "source.sync_started",
        "source.synced",
        *["component.closed"] * 4,
    ]
    (synced,) = [line for line in logged(result) if line["event"] == "source.synced"]
    assert (synced["source"], synced["products"], synced["created"], synced["version"]) == ("acme", 60, 60, 1)
    assert synced["request_id"]


def test_sync_ends_with_1_when_a_source_failed(tmp_path, shop):
    with running(FaultyShop(5)) as good:
        shop.fault = "html"
        result = invoke(Installation(tmp_path, config(good, "good"), config(shop.url, "bad")), "sync")
    assert result.exit_code == 1
    assert {line["source"]: line["event"] for line in logged(result) if "source" in line} == {
        "good": "source.synced",
        "bad": "source.sync_failed",
    }


def test_sync_says_that_a_source_was_held_back_and_ends_with_1(installation, shop):
    shop.fault = "throttled"
    assert invoke(installation, "sync").exit_code == 1
    shop.fault, calls = None, shop.calls
    result = invoke(installation, "sync")
    assert (result.exit_code, shop.calls) == (1, calls)
    (held,) = [line for line in logged(result) if line["event"] == "source.sync_held_back"]
    assert (held["source"], held["error_type"]) == ("acme", "UpstreamPaused")
    assert held["error"].startswith("The shop asked to be left alone for")


def test_sync_takes_only_the_sources_that_are_named_even_disabled_ones(tmp_path, shop):
    sources = (config(shop.url, "a"), config(shop.url, "b", enabled=False), config(shop.url, "c"))
    result = invoke(Installation(tmp_path, *sources), "sync", "--source", "a", "--source", "b")
    assert result.exit_code == 0
    assert sorted(line["source"] for line in logged(result) if line["event"] == "source.synced") == ["a", "b"]


def test_sync_without_names_leaves_disabled_sources_out(tmp_path, shop):
    result = invoke(Installation(tmp_path, config(shop.url, "a"), config(shop.url, "b", enabled=False)), "sync")
    assert [line["source"] for line in logged(result) if line["event"] == "source.synced"] == ["a"]


def test_an_unknown_source_is_refused_with_the_names_there_are(installation):
    result = invoke(installation, "sync", "--source", "nobody", "--source", "acme")
    assert (result.exit_code, result.stderr) == (1, "--source: there is no source nobody; allowed: acme\n")


def test_only_a_sync_of_all_drops_what_is_no_longer_configured(tmp_path, shop):
    invoke(Installation(tmp_path, config(shop.url, "a"), config(shop.url, "b")), "sync")
    one = Installation(tmp_path, config(shop.url, "a"))
    invoke(one, "sync", "--source", "a")
    assert sorted(one.head().records) == ["a", "b"]
    assert invoke(one, "sync").exit_code == 0
    assert (sorted(one.head().records), one.head().version) == (["a"], 3)


def test_force_accepts_a_shop_that_lost_more_than_half(installation, shop):
    invoke(installation, "sync")
    shop.restock(10)
    held = invoke(installation, "sync")
    assert (held.exit_code, logged(held)[-5]["event"]) == (1, "source.sync_held")
    assert invoke(installation, "sync", "--force").exit_code == 0
    assert installation.head().records["acme"].products == 10


def test_a_store_that_cannot_be_used_ends_a_sync_in_one_sentence(installation):
    (installation.folder / "data").write_text("this is a file")
    result = invoke(installation, "sync")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "The store does not answer."
    assert "Traceback" not in result.stderr


def test_sync_with_watch_goes_on_until_a_signal_and_ends_with_0(installation):
    reached = []

    def interrupt_when_synced():
        path = installation.folder / "data" / "aisle.db"
        for _ in range(600):
            if path.exists():
                with suppress(sqlite3.OperationalError), closing(sqlite3.connect(path)) as connection:
                    reached.extend(connection.execute("SELECT name FROM source WHERE synced_at IS NOT NULL"))
            if reached:
                break
            threading.Event().wait(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=interrupt_when_synced)
    thread.start()
    result = invoke(installation, "sync", "--watch")
    thread.join()
    assert (result.exit_code, reached) == (0, [("acme",)])
    assert logged(result)[-5]["event"] == "watch.stopped"


# on a terminal


def on_terminal(installation, *arguments):
    """Run the command on a pseudo terminal of 140 columns; give its exit code and what stood on the screen."""
    pid, screen = pty.fork()
    if pid == 0:
        os.environ.clear()
        os.environ.update({**installation.full_environ, "TERM": "xterm", "COLUMNS": "140", "PYTHONPATH": os.getcwd()})  # noqa: PTH109
        os.execv(installation.command[0], [*installation.command, *arguments])
    shown = b""
    while True:
        try:
            piece = os.read(screen, 65536)
        except OSError:  # how a terminal says that the other end is closed
            break
        if not piece:
            break
        shown += piece
    _, status = os.waitpid(pid, 0)
    os.close(screen)
    return os.waitstatus_to_exitcode(status), shown.decode()


def test_sync_shows_a_table_on_a_terminal(tmp_path, shop):
    with running(FaultyShop(7)) as good:
        shop.fault = "broken"
        code, shown = on_terminal(Installation(tmp_path, config(good, "good"), config(shop.url, "bad")), "sync")
    assert code == 1
    for word in ("source", "outcome", "what happened", "good", "7", "The shop answered 500."):
        assert word in shown
    assert '"event"' not in shown
    assert "Traceback" not in shown


def test_the_table_of_a_sync_has_one_row_for_each_source_whatever_happened():
    reports = [make_report(outcome.value, outcome, error=f"why {outcome}") for outcome in Outcome]
    table = cli._report_table(reports)
    assert table.row_count == len(Outcome)
    assert list(table.columns[0].cells) == [outcome.value for outcome in Outcome]
    assert list(table.columns[-1].cells) == [f"why {outcome}" for outcome in Outcome]


def test_sync_in_this_process_shows_its_table_when_standard_error_is_a_terminal(installation, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "140")
    result = invoke(installation, "sync")
    assert result.exit_code == 0
    rows = [line.split() for line in result.stderr.splitlines() if "acme" in line and "┃" not in line]
    assert rows[-1][1] == "acme"
    assert (rows[-1][5], rows[-1][9]) == ("60", "60")  # products, new


# check


def test_check_shows_what_each_source_gave(tmp_path, shop):
    bad = FaultyShop()
    bad.fault = "html"
    shop.restock(250)
    with running(bad) as url:
        result = invoke(Installation(tmp_path, config(shop.url, "good"), config(url, "bad")), "check")
    assert result.exit_code == 1
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in result.stdout.splitlines() if "│" in line]
    assert rows == [
        ["good", "dummyjson", "yes", "yes", "200 of 250", "0"],
        ["bad", "dummyjson", "yes", "no", "0", "0"],
    ]
    for heading in ("source", "kind", "reachable", "usable", "products seen", "rejected"):
        assert heading in result.stdout
    assert result.stdout.splitlines()[-1] == "bad: The answer is not the JSON expected: it is an HTML or XML page."


def test_check_ends_with_0_when_everything_is_right_and_stores_nothing(installation):
    assert invoke(installation, "check").exit_code == 0
    assert not (installation.folder / "data").exists()


# settings, help


@pytest.mark.parametrize("command", ["sync", "check"])
def test_every_fault_of_the_settings_is_printed_on_a_line_of_its_own(tmp_path, command):
    wrong = [{"name": "Acme!", "kind": "nothing", "url": "ftp://x", "every": "soon"}]
    result = invoke(Installation(tmp_path, *wrong, greeting={"default": 1}, colour="red"), command)
    assert (result.exit_code, result.stdout) == (1, "")
    lines = result.stderr.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "colour",
        "greeting.default",
        "sources[0].every (source Acme!)",
        "sources[0].kind (source Acme!)",
        "sources[0].name",
        "sources[0].url (source Acme!)",
    ]
    assert all("allowed: " in line for line in lines)


def test_a_missing_config_is_one_line(tmp_path):
    installation = Installation(tmp_path)
    (tmp_path / "config.yml").unlink()
    result = invoke(installation, "check")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "AISLE_CONFIG" in result.stderr


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_names_the_commands_and_their_options(tmp_path, option):
    runner = CliRunner()
    assert all(word in runner.invoke(cli.main, [option]).stdout for word in ("sync", "check", "Aisle"))
    assert all(word in runner.invoke(cli.main, ["sync", option]).stdout for word in ("--source NAME", "--watch", "--force"))
    assert runner.invoke(cli.main, ["--version"]).stdout == f"aisle, version {__version__}\n"


def test_the_module_runs_as_a_program(installation):
    shown = installation.run("--help")
    assert (shown.returncode, "Usage:" in shown.stdout, shown.stderr) == (0, True, "")
    assert installation.run("nonsense").returncode == 2
    synced = installation.run("sync")
    assert (synced.returncode, synced.stdout) == (0, "")
    assert "source.synced" in synced.stderr
