"""What the commands refuse and show; test/integration/test_cli.py runs them for real."""

from dataclasses import replace

import pytest
import yaml
from click.testing import CliRunner
from rich.console import Console
from werkzeug import Response

from main import cli
from main.service.check import SourceCheck
from main.service.model import Fault, Outcome, SourcesChange, Taken
from main.service.trial import Trial
from main.settings import load_settings
from main.settings.exchange import ask_reload, read_mark, write_answer
from main.settings.lastgood import keep_settings
from sample.server import running
from test.fakes import make_report, make_source
from test.unit.resources.upstream.shops import canned


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
    assert [source.name for source in cli._choose(settings, ("parts", "lumen", "parts"), "--source")] == ["parts", "lumen"]


def test_an_unknown_source_is_refused_with_the_names_there_are(settings, capsys):
    with pytest.raises(SystemExit):
        cli._choose(settings, ("nope",), "--source")
    assert capsys.readouterr().err == "--source: there is no source nope; allowed: lumen, depot, parts\n"


def test_an_unknown_source_to_try_is_told_by_the_argument_it_was_given_as(run):
    result = run("https://nobody.invalid", "try", "nope")
    assert (result.exit_code, result.output) == (1, "NAME: there is no source nope; allowed: acme\n")


def test_what_a_shop_says_is_text_not_markup():
    fault = "record [/b]: name: is [red]empty[/red]"
    assert fault in shown(cli._report_table([make_report(outcome=Outcome.FAILED, error=fault)]))


@pytest.mark.parametrize(("reachable", "told"), [(True, "yes"), (False, "no"), (None, "not asked")])
def test_a_source_that_cannot_be_used_says_whether_its_shop_answered(reachable, told):
    checked = SourceCheck(make_source(), reachable=reachable, fault="why")
    row = next(
        [cell.strip() for cell in line.split("│")] for line in shown(cli._check_table([checked])).splitlines() if "│" in line
    )
    assert row[3:5] == [told, "no"]
    assert cli._check_lines([checked]) == ["acme: why"]


def test_a_sync_that_was_held_back_says_why():
    report = make_report(outcome=Outcome.HELD_BACK, error="The shop asked to be left alone for 12 s more.")
    assert "held_back" in shown(cli._report_table([report]))
    assert "left alone for 12 s more" in shown(cli._report_table([report]))


ROWS = b'{"rows": [{"id": 1, "name": "Lamp", "price": 9.99}, {"id": 2, "name": "", "price": 1}], "more": []}'


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that runs a command beside a config.yml with one described shop."""

    def invoke(url, *words, **more):
        mapping = {"id": "id", "name": "name", "price": "price"}
        shop = {
            "name": "acme",
            "kind": "mapped",
            "url": url,
            "currency": "EUR",
            "list": {"items": "rows"},
            "fields": mapping,
            **more,
        }
        (tmp_path / "config.yml").write_text(yaml.safe_dump({"sources": [shop]}))
        monkeypatch.setenv("AISLE_CONFIG", str(tmp_path / "config.yml"))
        monkeypatch.setenv("COLUMNS", "200")
        return CliRunner().invoke(cli.main, ["sources", *words])

    return invoke


def test_a_source_is_tried_and_a_record_that_is_no_product_ends_with_1(run):
    with running(canned(lambda _: Response(ROWS))) as url:
        result = run(url, "try", "acme")
    assert result.exit_code == 1
    assert '"id": "acme:1"' in result.output
    assert "a product" in result.output
    assert "name: is empty" in result.output


def test_what_is_left_out_is_shown_beside_the_product(run):
    shop = {"id": "id", "name": "name", "price": "price", "url": "web", "brand": "maker", "sku": "code"}
    row = b'{"rows": [{"id": 1, "name": "Lamp", "price": 1, "web": "[b]/a", "maker": "Lumen"}]}'
    with running(canned(lambda _: Response(row))) as url:
        result = run(url, "try", "acme", fields=shop)
    assert result.exit_code == 0
    assert 'url: found "[b]/a"' in result.output
    assert result.output.splitlines()[-1] == "Hint: sku: `code` finds nothing in any record shown."


def test_what_may_be_wrong_with_the_settings_is_told_and_ends_with_0(run):
    listed = {"items": "rows", "page": {"style": "cursor", "param": "c", "cursor": "nxt"}}
    with running(canned(lambda _: Response(b'{"rows": [{"id": 1, "name": "Lamp", "price": 1}], "next": "x"}'))) as url:
        result = run(url, "try", "acme", list=listed)
    told = "Hint: list.page.cursor: nxt finds nothing, because there is no nxt, so the list ends here."
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, told)
    checked = SourceCheck(make_source(), reachable=True, note="record 2: [b]odd[/b]", hints=("no [i]header[/i]",))
    assert cli._check_lines([checked]) == ["acme: record 2: [b]odd[/b]", "acme: Hint: no [i]header[/i]."]


def test_a_saved_payload_is_tried_without_the_shop(run, tmp_path):
    (tmp_path / "payload.json").write_bytes(b'{"rows": [{"id": 1, "name": "Lamp", "price": 9.990}]}')
    result = run("https://nobody.invalid", "try", "acme", "--file", str(tmp_path / "payload.json"))
    assert (result.exit_code, "9.990" in result.output) == (0, True)


def test_a_saved_payload_is_one_page(run, tmp_path):
    (tmp_path / "payload.json").write_bytes(ROWS)
    result = run("https://nobody.invalid", "try", "acme", "--file", str(tmp_path / "payload.json"), "--page", "2")
    assert (result.exit_code, "--file is one page" in result.output) == (2, True)


@pytest.mark.parametrize(("payload", "told"), [(ROWS, "does not tell which product"), (b"null", "has no such product.")])
def test_a_saved_payload_that_is_not_about_the_item_says_what_it_was_taken_for(run, tmp_path, payload, told):
    (tmp_path / "saved.json").write_bytes(payload)
    words = ("try", "acme", "--item", "1", "--file", str(tmp_path / "saved.json"))
    result = run("https://nobody.invalid", *words, item={"path": "/items/{id}"})
    assert result.exit_code == 1
    assert told in result.output
    assert "saved.json was read as the answer about product 1 alone; a saved list is tried without --item." in result.output


def test_a_saved_answer_about_one_product_is_tried_as_such(run, tmp_path):
    (tmp_path / "saved.json").write_bytes(b'{"id": 1, "name": "Lamp", "price": 9.990}')
    words = ("try", "acme", "--item", "1", "--file", str(tmp_path / "saved.json"))
    assert run("https://nobody.invalid", *words, item={"path": "/items/{id}"}).exit_code == 0


def test_a_page_that_is_not_there_and_one_without_records_are_told(run):
    with running(canned(lambda _: Response(b'{"rows": []}'))) as url:
        assert "has no records" in run(url, "try", "acme").output
        result = run(url, "try", "acme", "--page", "2")
    assert (result.exit_code, result.output) == (1, "The list ends after page 1.\n")


def test_a_draft_is_made_of_a_url_or_a_file(run, tmp_path):
    with running(canned(lambda _: Response(ROWS))) as url:
        found = yaml.safe_load(run(url, "draft", f"{url}/items?page=1").stdout)["sources"][0]
    assert (found["url"], found["list"]["path"], found["list"]["items"]) == (url, "/items", "rows")
    (tmp_path / "payload.json").write_bytes(ROWS)
    assert "items: rows" in run(url, "draft", str(tmp_path / "payload.json")).output


def test_a_shop_that_wants_credentials_is_drafted_from_a_saved_answer(run):
    with running(canned(lambda _: Response(status=401))) as url:
        result = run(url, "draft", url)
    assert result.output == ("The shop answered 401. A draft calls without credentials: save an answer and give its file.\n")


@pytest.mark.parametrize("where", ["nothing.json", "http://127.0.0.1:1/"])
def test_a_draft_of_nothing_is_refused(run, where):
    result = run("https://a.example", "draft", where)
    assert result.exit_code == 1
    assert result.output


def test_a_record_that_is_no_json_or_very_long_is_shown_as_far_as_it_goes():
    long = Trial(b"[" + b"1," * 99 + b"1]", None, (Fault("record", "is [red]odd[/red]"),))
    text = shown(cli._trial_table([Trial(b"{cut", b"{}"), long]))
    assert "{cut" in text
    assert "…" in text
    assert "is [red]odd[/red]" in text


def test_one_product_is_tried_as_a_live_look_asks_for_it(run):
    item = {"path": "/items/{id}"}

    def answer(request):
        found = request.path == "/items/1"
        return Response(b'{"id": 1, "name": "Lamp", "price": 9.990}' if found else b"", 200 if found else 404)

    with running(canned(answer)) as url:
        result = run(url, "try", "acme", "--item", "1", item=item)
        assert (result.exit_code, "9.990" in result.output, "a product" in result.output) == (0, True, True)
        gone = run(url, "try", "acme", "--item", "2", item=item)
        assert (gone.exit_code, gone.output) == (1, "The shop has no such product.\n")
        assert "acme cannot be asked for single products" in run(url, "try", "acme", "--item", "1").output


@pytest.fixture
def reload(tmp_path, monkeypatch):
    """Return a function that writes a config.yml and runs the command beside it."""
    monkeypatch.setenv("AISLE_CONFIG", str(tmp_path / "config.yml"))
    monkeypatch.setenv("AISLE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(cli, "_RELOAD_PATIENCE", 0.1)

    def invoke(text):
        (tmp_path / "config.yml").write_text(text)
        return CliRunner().invoke(cli.main, ["reload"])

    return invoke


def test_a_reload_of_a_faulty_file_tells_every_fault_and_asks_nobody(reload, tmp_path):
    result = reload("more: true\nsearch: {cached_pages: many}")
    assert result.exit_code == 1
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == ["more", "search.cached_pages"]
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("text", ["x: 2026-13-45", "x: !!int foo", "x: " + "1" * 5000, "x: " + "[" * 5000, "x: \0"])
def test_a_file_that_cannot_be_read_is_one_line_and_no_trace(reload, text):
    result = reload(text)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "config.yml" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_reload_says_so_when_nobody_runs(reload, tmp_path):
    result = reload("{}")
    assert (result.exit_code, result.output.splitlines()[0]) == (0, f"{tmp_path / 'config.yml'} is right: 0 sources.")
    assert "No process that follows it was seen" in result.output
    assert read_mark(tmp_path / "data") != ""


def test_a_reload_tells_who_has_not_looked_yet_and_what_differs_from_what_was_taken(reload, tmp_path):
    reload("sources: [{name: acme, kind: shopify, url: 'https://acme.example'}]")
    keep_settings(load_settings())
    write_answer(tmp_path / "data", "api", Taken(""))
    output = reload("sources: []").output
    assert "Since it was last taken: removed acme." in output
    assert "has not looked yet" in output
    assert "no source differs" in cli._tell_change(SourcesChange())


@pytest.mark.parametrize("text", ["", "{}", "logger: {level: debug}"])
def test_a_reload_of_a_file_that_says_nothing_of_the_sources_there_were_asks_nobody(reload, tmp_path, text):
    reload("sources: [{name: acme, kind: shopify, url: 'https://acme.example'}]")
    keep_settings(load_settings())
    mark = read_mark(tmp_path / "data")
    result = reload(text)
    fault = "sources: missing, where there were 1; allowed: a list of sources ([] to remove them all)\n"
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", fault)
    assert read_mark(tmp_path / "data") == mark


@pytest.mark.parametrize(
    ("taken", "code", "told"),
    [
        (
            Taken("", SourcesChange(("a", "b"), (), ("c",)), ("logger",)),
            0,
            "taken it: added a, b; changed c; it needs a restart for: logger.",
        ),
        (
            Taken("", faults=("sources[0].url: nothing",)),
            1,
            "goes on as it was; to it, the file is faulty:\n  sources[0].url: nothing",
        ),
    ],
)
def test_a_reload_tells_what_each_process_made_of_it(reload, monkeypatch, tmp_path, taken, code, told):
    def ask_and_answer(data, digest):
        mark = ask_reload(data, digest)
        write_answer(data, "api", replace(taken, mark=mark))
        return mark

    monkeypatch.setattr(cli, "ask_reload", ask_and_answer)
    result = reload("{}")
    assert result.exit_code == code
    assert told in result.output


def test_a_reload_says_so_when_it_can_leave_no_word(reload, tmp_path):
    (tmp_path / "data").touch()
    result = reload("{}")
    assert result.exit_code == 1
    assert "allowed: a data folder that can be written to" in result.output
