"""What the commands refuse and show; test/integration/test_cli.py runs them for real."""

import pytest
from click.testing import CliRunner
from rich.console import Console

from main import cli
from main.service.check import SourceCheck
from main.service.model import Outcome
from test.fakes import make_report, make_source


def shown(table):
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_force_is_not_for_a_watch():
    result = CliRunner().invoke(cli.main, ["sync", "--watch", "--force"])
    assert result.exit_code == 2
    assert "--force is for one look by a person" in result.output


def test_a_source_that_is_named_twice_is_synced_once(settings):
    assert [source.name for source in cli._choose(settings, ("parts", "lumen", "parts"))] == ["parts", "lumen"]


def test_an_unknown_source_is_refused_with_the_names_there_are(settings, capsys):
    with pytest.raises(SystemExit):
        cli._choose(settings, ("nope",))
    assert "there is no source nope; allowed: lumen, depot, parts" in capsys.readouterr().err


def test_what_a_shop_says_is_text_not_markup():
    fault = "record [/b]: name: is [red]empty[/red]"
    assert fault in shown(cli._check_table([SourceCheck(make_source(), reachable=False, fault=fault)]))
    assert fault in shown(cli._report_table([make_report(outcome=Outcome.FAILED, error=fault)]))
