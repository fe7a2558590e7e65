"""Threads for waiting on shops: the only place that makes a pool."""

from __future__ import annotations

import contextvars
import threading
import time
from collections import defaultdict, deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog

from main.service.errors import CrawlStopped

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from main.service.ports.upstream import Connector, CrawlPage

    _Step = tuple[str, Callable[[], object]]

_TICK = 0.25  # seconds
_TICK_RECORDS = 500
_MOST_THREADS = 128  # of a process, but for one a lane
_POOL = 1024  # enough for that one of every lane: threads are made when they are needed
_MOST_WAITING = 500  # pieces of work a lane, and as many that nobody waits for
_QUIET = 3.0  # seconds without work after which the pool's threads are let go
_GLANCE = 0.5  # seconds between two looks at whether they are quiet

_log = structlog.get_logger("live")

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


@dataclass(slots=True)
class _Lane:
    """One lane: how many pieces of work run in it, and those that wait, with those that nobody waits for behind the others."""

    width: int = 1
    running: int = 0
    waiting: deque[Callable[[], object]] = field(default_factory=deque)
    unhurried: deque[Callable[[], object]] = field(default_factory=deque)

    def take_next(self) -> Callable[[], object] | None:
        queue = self.waiting or self.unhurried
        return queue.popleft() if queue else None


class Lanes:
    """One pool for all live looks of a process, in which each source has a lane of its own width.

    What hangs holds its own lane and nobody else's: when as many threads run as one process should have, each lane still gets one. What
    nobody waits for stands behind what somebody does. The pool is made by the first piece of work, so after any fork. It stays as large
    as its busiest moment for as long as there is work; after three quiet seconds it is gone.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._used_at = 0.0
        self._lanes: defaultdict[str, _Lane] = defaultdict(_Lane)
        self._running = 0
        self._thread = threading.local()

    def submit(self, lane: str, width: int, work: Callable[[], object]) -> bool:
        """Do the work as soon as the lane has room; False, and nothing is done, when too much waits there already, or no thread can be had."""
        return self._submit(lane, width, work, None, hurried=True)

    def go_on(self, lane: str, width: int, work: Callable[[], object], *, hurried: bool = True) -> bool:
        """Do as :meth:`submit`, for the last step of work on another lane: where there is room, its own thread does it next.

        What is not ``hurried`` begins only when nothing else waits for the lane.
        """
        return self._submit(lane, width, work, getattr(self._thread, "following", None), hurried=hurried)

    def close(self) -> None:
        """Drop what waits; what runs ends by its own deadline."""
        with self._lock:
            pool, self._pool = self._pool, None
            for lane in self._lanes.values():
                lane.waiting.clear()
                lane.unhurried.clear()
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    def _submit(
        self, name: str, width: int, work: Callable[[], object], following: list[_Step] | None, *, hurried: bool
    ) -> bool:
        run = partial(contextvars.copy_context().run, work)
        with self._lock:
            lane = self._lanes[name]
            lane.width = width
            if not self._has_room(lane):
                queue = lane.waiting if hurried else lane.unhurried
                if len(queue) >= _MOST_WAITING:
                    return False
                queue.append(run)
                return True
            if following is not None and not following:
                following.append((name, run))
            elif not self._begin(name, run):
                return False
            self._count(lane, 1)
        return True

    def _has_room(self, lane: _Lane) -> bool:
        return lane.running == 0 or (lane.running < lane.width and self._running < _MOST_THREADS)

    def _count(self, lane: _Lane, change: int) -> None:
        lane.running += change
        self._running += change
        self._used_at = time.monotonic()

    def _begin(self, lane: str, run: Callable[[], object]) -> bool:
        """Give the work to a thread; False where the system gives not a single one."""
        pool = self._pool or ThreadPoolExecutor(_POOL, thread_name_prefix="live")
        try:
            if pool is not self._pool:
                threading.Thread(target=self._let_go, args=(pool,), name="lanes", daemon=True).start()
            pool.submit(self._run, lane, run).add_done_callback(_report)
        except RuntimeError as error:
            _log.warning("live.thread_refused", error=str(error))
            if pool is not self._pool:
                pool.shutdown(wait=False, cancel_futures=True)
                return False
            # A pool that has threads keeps what it was given when it gets no more of them, and those come to it.
        self._pool = pool
        return True

    def _let_go(self, pool: ThreadPoolExecutor) -> None:
        """End the pool's threads once nothing has been done for a while: an executor by itself keeps all it ever had."""
        while not self._is_over(pool):
            time.sleep(_GLANCE)
        pool.shutdown(wait=False)

    def _is_over(self, pool: ThreadPoolExecutor) -> bool:
        with self._lock:
            if self._pool is pool and not self._running and time.monotonic() >= self._used_at + _QUIET:
                self._pool = None
            return self._pool is not pool

    def _run(self, lane: str, work: Callable[[], object]) -> None:
        # What the work hands to go_on is done here, by the same thread, once the work's own lane has been told that it is free:
        # handing it to another thread would cost a switch between reading the cache and asking the shop.
        following: list[_Step] = []
        self._thread.following = following
        try:
            work()
        finally:
            self._hand_on(lane)
            self._thread.following = None
            for step in following:
                self._run(*step)

    def _hand_on(self, name: str) -> None:
        """Give back the place that work has held, and begin what waits for this lane, as much as there is room for."""
        with self._lock:
            lane = self._lanes[name]
            self._count(lane, -1)
            while self._pool is not None and self._has_room(lane) and (run := lane.take_next()) is not None:
                self._begin(name, run)
                self._count(lane, 1)


def _report(done: Future[None]) -> None:
    """Log what nobody foresaw: without this it would end unseen in a future that nobody reads."""
    if not done.cancelled() and (error := done.exception()) is not None:
        _log.error("live.look_broke", exc_info=error)


class Promise(Generic[T]):
    """An answer that somebody else is getting."""

    __slots__ = ("future",)

    def __init__(self) -> None:
        self.future: Future[T] = Future()

    def keep(self, answer: T) -> None:
        """Give the answer to all who wait."""
        self.future.set_result(answer)

    @property
    def kept(self) -> bool:
        """Tell whether the answer is there."""
        return self.future.done()

    @property
    def answer(self) -> T:
        """The answer, once it is there."""
        return self.future.result(0)

    @staticmethod
    def wait(promises: Iterable[Promise[T]], deadline: float) -> None:
        """Return when all of them are kept, or at the deadline (monotonic seconds)."""
        wait([promise.future for promise in promises], timeout=max(0.0, deadline - time.monotonic()))
