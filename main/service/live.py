"""Live looks, the fan-out on the request path: all shops of a page asked at once, answered by the deadline with what is there."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from main.service.errors import NotFound
from main.service.fanout import Promise
from main.service.flights import Ticket
from main.service.looks import SourceLooks
from main.service.model import Look, LookState, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from main.service.looks import LookTools
    from main.service.model import Source
    from main.service.ports.upstream import Connector
    from main.service.registry import SourceRegistry

_UNKNOWN = "This source is no longer configured."


@dataclass(frozen=True, slots=True)
class Listed:
    """A product of a page: its source, the source's own id, and its page in the shop where that is known."""

    source: str
    wanted: Wanted


class LiveService:
    """Confirms prices and stock against the shops, within a deadline."""

    def __init__(self, registry: SourceRegistry, connect: Callable[[Source], Connector], tools: LookTools) -> None:
        self._registry = registry
        self._connect = connect
        self._tools = tools
        self._sources: tuple[Source, ...] = ()
        self._looks: dict[str, SourceLooks] = {}
        self._lock = threading.Lock()

    @property
    def fresh_s(self) -> float:
        """How many seconds a shop's answer is served as it is."""
        return self._tools.rules.fresh.total_seconds()

    def choose_deadline(self, wished_ms: int | None) -> float:
        """Give how many seconds a request may take: as wished, or the settings' usual time; never more than they allow."""
        rules = self._tools.rules
        wished = rules.deadline.total_seconds() if wished_ms is None else wished_ms / 1000
        return min(wished, rules.max_deadline.total_seconds())

    def confirm(self, listed: Sequence[Listed], seconds: float, current: Container[str] = ()) -> list[Look]:
        """Look at these products, all at once, and give in their order what is known after ``seconds`` at the latest.

        ``current`` are the names of the sources whose last sync is good and young. Answers that come later are kept for the next who
        asks.
        """
        deadline = time.monotonic() + seconds
        groups: dict[str, list[Wanted]] = {}
        for each in listed:
            groups.setdefault(each.source, []).append(each.wanted)
        begun = {name: self._begin(name, wanted, deadline, current=name in current) for name, wanted in groups.items()}
        tickets = [item for looks in begun.values() for item in looks.values() if isinstance(item, Ticket)]
        Promise.wait([ticket.landed for ticket in tickets], deadline)
        items = (begun[each.source][each.wanted.source_id] for each in listed)
        return [item.finish() if isinstance(item, Ticket) else item for item in items]

    def purge(self, name: str) -> None:
        """Make every answer kept for a source so far a miss, on every worker of this machine.

        Raises:
            NotFound: no source has this name.
        """
        if self._registry.get(name) is None:
            raise NotFound("source", name)
        now = self._tools.clock.timestamp()
        self._tools.guards.change(name, lambda state: (replace(state, purged_at=now), None))

    def open(self) -> None:
        """Do nothing: connections and threads come with the first look, after any fork."""

    def ping(self) -> None:
        """Do nothing: each source has its own state."""

    def close(self) -> None:
        """End what is under way."""
        self._tools.lanes.close()
        with self._lock:
            looks, self._looks = list(self._looks.values()), {}
        for each in looks:
            each.close()

    def _begin(self, name: str, wanted: list[Wanted], deadline: float, *, current: bool) -> dict[str, Look | Ticket]:
        looks = self._looks_at(name)
        if looks is None:
            return {each.source_id: Look(LookState.ERROR, reason=_UNKNOWN) for each in wanted}
        return looks.begin(wanted, deadline, current=current)

    def _looks_at(self, name: str) -> SourceLooks | None:
        with self._lock:
            outdated = self._drop_outdated()
            known = self._looks.get(name)
            source = next((source for source in self._sources if source.name == name), None)
            if known is None and source is not None:
                known = self._looks[name] = SourceLooks(source, self._connect(source), self._tools)
        for each in outdated:
            each.retire()
        return known

    def _drop_outdated(self) -> list[SourceLooks]:
        """Take the sources as they are now, and give what looks at those that are another or none by now."""
        sources = self._registry.all()
        if sources is self._sources:
            return []
        self._sources = sources
        current = {source.name: source for source in sources}
        outdated = [name for name, looks in self._looks.items() if current.get(name) is not looks.source]
        return [self._looks.pop(name) for name in outdated]
