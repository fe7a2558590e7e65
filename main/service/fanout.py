"""Threads for waiting on shops: the only place that makes a pool."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from main.service.errors import CrawlStopped

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from main.service.ports import Connector, CrawlPage

_TICK = 0.25
_TICK_RECORDS = 500
T = TypeVar("T")
R = TypeVar("R")


def crawl_pages(
    connector: Connector, concurrency: int, stop: threading.Event, on_tick: Callable[[], None]
) -> Iterator[CrawlPage]:
    """Give the pages of a crawl as they arrive: the first alone, then the rest with ``concurrency`` calls under way.

    A new call begins only when the consumer comes back for the next page, so no more than ``concurrency`` pages ever wait.
    ``on_tick`` is called at least four times a second while waiting, and every few hundred records: a feed is one long page.

    Raises:
        UpstreamError: any call failed; the calls not yet begun are dropped.
        CrawlStopped: ``stop`` was set.
    """
    pool = ThreadPoolExecutor(max_workers=concurrency, thread_name_prefix="crawl")
    waiting: list[Hashable | None] = [None]
    asked: set[Hashable | None] = {None}
    running: set[Future[CrawlPage]] = set()
    try:
        while waiting or running:
            while waiting and len(running) < concurrency:
                running.add(pool.submit(connector.fetch, waiting.pop(0)))
            done, running = wait(running, timeout=_TICK, return_when=FIRST_COMPLETED)
            _attend(stop, on_tick)
            for future in done:
                page = future.result()
                waiting += [call for call in page.upcoming if call not in asked]
                asked.update(page.upcoming)
                yield replace(page, records=_attended(page.records, stop, on_tick))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _attended(records: Iterable[bytes], stop: threading.Event, on_tick: Callable[[], None]) -> Iterator[bytes]:
    for number, record in enumerate(records, 1):
        yield record
        if number % _TICK_RECORDS == 0:
            _attend(stop, on_tick)


def _attend(stop: threading.Event, on_tick: Callable[[], None]) -> None:
    if stop.is_set():
        raise CrawlStopped("The crawl was told to stop.")
    on_tick()


def run_together(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Do the work for every item at once, a thread each, and give the results in the items' order."""
    chosen = list(items)
    if not chosen:
        return []
    with ThreadPoolExecutor(max_workers=len(chosen), thread_name_prefix="source") as pool:
        return list(pool.map(work, chosen))
