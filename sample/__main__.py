"""python -m sample serve | behave | payloads | generate."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

import click

from sample.control import ControlFailedError, find_shop, tell
from sample.dialects import Credentials
from sample.faults import FAULTS
from sample.generate import generated_app
from sample.mount import Shop, delayed, mount
from sample.payloads import find_shops
from sample.server import exit_on_signals, serve
from sample.shops import DEMO_CREDENTIALS, SHOP_NAMES, moody_shops

Command = Callable[..., None]


def place_options(default_port: int) -> Callable[[Command], Command]:
    """Return the options every command has: where to listen, and how long to take."""
    host = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
    port = click.option(
        "--port", type=click.IntRange(0, 65535), default=default_port, show_default=True, help="0 picks a free one."
    )
    delay = click.option("--delay-ms", type=click.IntRange(min=0), default=0, help="Postpone each answer.")
    return lambda command: host(port(delay(command)))


@click.group()
def main() -> None:
    """Serve sample shops over real HTTP until SIGTERM or Ctrl-C."""
    exit_on_signals()


@main.command("serve")
@place_options(9100)
@click.option("--shop", "shops", multiple=True, type=click.Choice(SHOP_NAMES), help="Serve only this shop; may be repeated.")
@click.option("--depot-key", default=DEMO_CREDENTIALS.key, show_default=True, help="Consumer key of the depot.")
@click.option("--depot-secret", default=DEMO_CREDENTIALS.secret, show_default=True, help="Consumer secret of the depot.")
def serve_demo(shops: Sequence[str], depot_key: str, depot_secret: str, **place: Any) -> None:
    """Serve the demo shops, each below its own path; `POST /SHOP/_behave` from this machine makes one misbehave."""
    credentials = Credentials(depot_key, depot_secret)
    chosen = moody_shops(shops or None, credentials)
    _serve(mount(chosen), chosen, **place)


@main.command("behave", epilog="Faults: " + "; ".join(f"{name} {words}" for name, (words, _) in FAULTS.items()) + ".")
@click.argument("shop", type=click.Choice(SHOP_NAMES))
@click.argument("fault", type=click.Choice(list(FAULTS)), required=False)
@click.option("--seconds", type=float, help="For slow, drip and throttle: how long.")
@click.option(
    "--url", help="The shop's base URL; default: SAMPLE_LUMEN, SAMPLE_DEPOT or SAMPLE_PARTS, or as `make run` has it."
)
def behave(shop: str, fault: str | None, seconds: float | None, url: str | None) -> None:
    """Make a running demo shop misbehave, or say how it behaves."""
    if seconds is not None and fault is None:
        raise click.UsageError("--seconds goes with a fault.")
    try:
        now = tell(find_shop(shop, url), shop, fault, seconds)
    except ControlFailedError as error:
        raise click.ClickException(str(error)) from error
    length = "" if now.seconds is None else f" ({now.seconds:g} s)"
    click.echo(f"{shop}: {now.fault}{length}: {FAULTS[now.fault][0]}")


@main.command("payloads")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@place_options(0)
def serve_payloads(folder: Path, **place: Any) -> None:
    """Serve the real payloads below FOLDER as their live APIs would."""
    shops, missing = find_shops(folder)
    for name in missing:
        click.echo(f"skipped, not found: {name}", err=True)
    _serve(mount(shops), shops, **place)


@main.command("generate")
@click.option("--count", type=click.IntRange(min=0), default=100_000, show_default=True, help="Number of products.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same products.")
@click.option("--changed-share", type=click.FloatRange(0, 1), default=0.0, help="Share priced anew by each POST /_change.")
@place_options(0)
def serve_generated(count: int, seed: int, changed_share: float, **place: Any) -> None:
    """Serve a DummyJSON-like shop of invented products."""
    app = generated_app(count, seed, changed_share)
    _serve(app, [Shop("", "dummyjson", "products", count, app)], **place)


def _serve(app: WSGIApplication, shops: Sequence[Shop], host: str, port: int, delay_ms: int) -> None:
    """Say where the shops are, then serve them."""

    def announce(url: str) -> None:
        click.echo(f"sample shops on {url}")
        for shop in shops:
            click.echo(f"{'/' + shop.name:24} {shop.kind:14} {shop.records:>7} records  {url}/{shop.name}{shop.list_path}")

    serve(delayed(app, delay_ms), host, port, announce)


if __name__ == "__main__":
    main()
