"""``python -m main``: what is done from a terminal."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from main import __version__
from main.bootstrap import build_check, build_sync, build_trial
from main.bootstrap import draft as draft_mapping
from main.cli_common import fail as _fail
from main.cli_common import load as _load
from main.cli_keys import keys
from main.cli_tasks import tasks
from main.cli_users import users
from main.service.errors import AisleError
from main.service.model import Outcome, compare_sources
from main.settings import (
    Settings,
    SettingsError,
    ask_reload,
    kept_settings,
    refuse_silence,
    wait_for_answers,
)
from main.util.logs import configure_logs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from main.bootstrap import SyncServices
    from main.service.check import SourceCheck
    from main.service.model import Source, SourcesChange, SyncReport
    from main.service.sync import Progress as SyncProgress
    from main.service.trial import Trial
    from main.settings import Answer

_COLOURS = {
    Outcome.OK: "green",
    Outcome.FAILED: "red",
    Outcome.HELD: "yellow",
    Outcome.HELD_BACK: "yellow",
    Outcome.BUSY: "yellow",
    Outcome.STOPPED: "yellow",
}
_ANSWERS = {True: "[green]yes[/]", False: "[red]no[/]", None: "[yellow]not asked[/]"}
_RELOAD_PATIENCE = 5.0  # processes look once a second, and take a moment
_LINES = 60  # of a record: enough to see its shape
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aisle")
def main() -> None:
    """Aisle: one product API over all the shops and suppliers a team works with."""


main.add_command(users)
main.add_command(keys)
main.add_command(tasks)


@main.command()
@click.option("--source", "names", multiple=True, metavar="NAME", help="Only this source; may be given several times.")
@click.option("--watch", is_flag=True, help="Go on syncing each source on its schedule until stopped.")
@click.option("--force", is_flag=True, help="Accept a crawl that lost more than half of its products.")
def sync(names: tuple[str, ...], *, watch: bool, force: bool) -> None:
    """Crawl the sources into new snapshots. Ends with 1 when a source failed."""
    if watch and force:
        raise click.UsageError("--force is for one look by a person, not for --watch.")
    settings = _load(last_good=watch)
    chosen = _choose(settings, names, "--source")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    services = build_sync(settings, stop=stop, only=names)
    if watch:
        signal.signal(signal.SIGHUP, lambda *_: services.watcher.ask_reload())
    try:
        services.lifecycle.open()
        if not names:
            services.sync.retain(settings.sources)
        if watch:
            services.watcher.run()
            return
        reports = _sync_once(services, [source for source in chosen if names or services.is_enabled(source)], force=force)
    except AisleError as error:
        _fail(str(error))
    finally:
        services.lifecycle.close()
    sys.exit(0 if all(report.outcome is Outcome.OK for report in reports) else 1)


@main.command()
def check() -> None:
    """Validate config.yml and try every source. Ends with 1 when something is wrong."""
    settings = _load()
    results = build_check().run(settings.sources)
    Console().print(_check_table(results))
    for line in _check_lines(results):
        click.echo(line)
    sys.exit(0 if all(result.usable for result in results) else 1)


@main.command()
def reload() -> None:
    """Check config.yml and have every running process take its sources over. Ends with 1 when it is faulty."""
    settings = _load()
    known = kept_settings(settings)
    change = compare_sources(known.sources, settings.sources) if known else None
    try:
        refuse_silence(settings, len(known.sources) if known else 0)
        mark = ask_reload(settings.data, settings.origin.digest if settings.origin else "")
    except SettingsError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{settings.data}: {error.strerror}; allowed: a data folder that can be written to (AISLE_DATA names another)")
    click.echo(f"{settings.origin.file if settings.origin else 'config.yml'} is right: {len(settings.sources)} sources.")
    if change is not None:
        click.echo(f"Since it was last taken: {_tell_change(change)}.")
    answered, waiting = wait_for_answers(settings.data, mark, _RELOAD_PATIENCE)
    for answer in answered:
        click.echo(_tell_answer(answer))
    for answer in waiting:
        click.echo(
            f"{answer.name} {answer.pid} on {answer.host} has not looked yet; it follows when it is next asked something."
        )
    if not answered and not waiting:
        click.echo("No process that follows it was seen in this data folder: the next one to start takes it.")
    sys.exit(1 if any(answer.taken.faults for answer in answered) else 0)


@main.group()
def sources() -> None:
    """Describe a shop's API in settings, and see what comes of it."""


@sources.command("try")
@click.argument("name")
@click.option("--page", default=1, type=click.IntRange(1), show_default=True, help="Which page of the list.")
@click.option("--item", metavar="ID", help="One product, as a live look asks for it, by the shop's own id.")
@click.option("--url", help="The product's page, by which a Shopify storefront is asked for the item.")
@click.option("--file", "file", type=_FILE, help="A saved payload, read instead of calling the shop.")
def try_source(name: str, page: int, item: str | None, url: str | None, file: Path | None) -> None:
    """Show the first records of source NAME: raw, mapped, and what is wrong. Ends with 1 when one is no product."""
    if file and page > 1:
        raise click.UsageError("--file is one page: there is no other to go on to, so leave out --page.")
    source = _choose(_load(), (name,), "NAME")[0]
    try:
        trial = build_trial(file.read_bytes() if file else None)
        tried = trial.run(source, page=page) if item is None else trial.look(source, item, url)
    except (AisleError, OSError) as error:
        _fail(f"{error}{_tell_file(file, item)}")
    if item is not None and not tried.trials:
        _fail(f"The shop has no such product.{_tell_file(file, item)}")
    Console().print(_trial_table(tried.trials) if tried.trials else "The page has no records.")
    for hint in tried.hints:
        click.echo(f"Hint: {hint}.")
    sys.exit(0 if all(trial.document for trial in tried.trials) else 1)


@sources.command("draft")
@click.argument("where", metavar="URL|FILE")
def draft_source(where: str) -> None:
    """Look at the JSON at a URL or in a FILE and print a first source of kind mapped, to be edited."""
    configure_logs("warning")
    try:
        at_web = where.startswith(("http://", "https://"))
        click.echo(draft_mapping(where, None if at_web else Path(where).read_bytes()), nl=False)
    except (AisleError, OSError) as error:
        _fail(str(error))


def _tell_file(file: Path | None, item: str | None) -> str:
    """Give what a payload was taken for where a person may have meant it as something else."""
    return (
        f" {file} was read as the answer about product {item} alone; a saved list is tried without --item."
        if file and item
        else ""
    )


def _tell_answer(answer: Answer) -> str:
    who, taken = f"{answer.name} {answer.pid} on {answer.host}", answer.taken
    if taken.faults:
        return "\n  ".join([f"{who} goes on as it was; to it, the file is faulty:", *taken.faults])
    restart = f"; it needs a restart for: {', '.join(taken.restart)}" if taken.restart else ""
    return f"{who} has taken it: {_tell_change(taken.change)}{restart}."


def _tell_change(change: SourcesChange) -> str:
    parts = {"added": change.added, "removed": change.removed, "changed": change.changed}
    return "; ".join(f"{what} {', '.join(names)}" for what, names in parts.items() if names) or "no source differs"


def _choose(settings: Settings, names: tuple[str, ...], label: str) -> list[Source]:
    """Give the sources of these names, or all where none is named; ``label`` is what the command calls a name."""
    known = {source.name: source for source in settings.sources}
    unknown = [name for name in names if name not in known]
    if unknown:
        _fail(f"{label}: there is no source {', '.join(unknown)}; allowed: {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)] or list(known.values())


def _sync_once(services: SyncServices, sources: Sequence[Source], *, force: bool) -> list[SyncReport]:
    console = Console(stderr=True)
    if not console.is_terminal:
        return services.sync.sync_all(sources, force=force)
    with _progress_bar(console) as progress:
        rows = {source.name: progress.add_task(source.name, total=None) for source in sources}

        def show(step: SyncProgress) -> None:
            progress.update(rows[step.source], completed=step.records, total=step.total)

        reports = services.sync.sync_all(sources, force=force, on_progress=show)
    console.print(_report_table(reports))
    return reports


def _progress_bar(console: Console) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


def _report_table(reports: Sequence[SyncReport]) -> Table:
    table = Table("source", "outcome", "products", "rejected", "new", "changed", "gone", "ms", "what happened")
    for report in reports:
        counts = (report.products, report.rejected, report.created, report.updated, report.deleted, report.duration_ms)
        outcome = f"[{_COLOURS[report.outcome]}]{report.outcome}[/]"
        table.add_row(report.source, outcome, *map(str, counts), escape(report.error or ""))
    return table


def _check_table(results: Sequence[SourceCheck]) -> Table:
    table = Table("source", "kind", "reachable", "usable", "products seen", "rejected")
    for result in results:
        seen = f"{result.products} of {result.total}" if result.total is not None else str(result.products)
        table.add_row(
            result.source.name,
            result.source.kind,
            _ANSWERS[result.reachable],
            _ANSWERS[result.usable],
            seen,
            str(result.rejected),
        )
    return table


def _check_lines(results: Sequence[SourceCheck]) -> list[str]:
    """Give what is wrong with each source and what may be, below the table, in which there would be little room for it."""
    told = {
        result.source.name: [result.fault or result.note, *(f"Hint: {hint}." for hint in result.hints)] for result in results
    }
    return [f"{name}: {text}" for name, texts in told.items() for text in texts if text]


def _trial_table(trials: Sequence[Trial]) -> Table:
    table = Table("raw record", "product", "validation", show_lines=True)
    for trial in trials:
        faults = "\n".join(f"{fault.field}: {fault.reason}" for fault in trial.faults)
        remarks = "\n".join(f"{remark.field}: {remark.text}" for remark in trial.remarks)
        verdict = f"[red]{escape(faults)}[/]" if faults else f"[green]a product[/]\n[yellow]{escape(remarks)}[/]"
        table.add_row(escape(_pretty(trial.raw)), escape(_pretty(trial.document or b"")), verdict)
    return table


def _pretty(text: bytes) -> str:
    try:
        lines = msgspec.json.format(text, indent=1).decode().splitlines()  # figures stay as they are written
    except (msgspec.DecodeError, UnicodeDecodeError):
        lines = text.decode("utf-8", "replace")[:2000].splitlines()
    return "\n".join([*lines[:_LINES], "…"] if len(lines) > _LINES else lines)
