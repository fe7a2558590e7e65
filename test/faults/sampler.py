"""Counts what a process and all its descendants hold on to.

    before = sample(pid)                     # .processes .threads .descriptors .sockets .rss (bytes), summed over the tree
    sample(pid, ports={shop.port})           # .sockets only of connections to these ports: the upstream ones
    each(pid)                                # the same for each process by its id: per worker
    before.drift(after)                      # {"threads": 3, ...}: what differs; rss is left out
    with Watch(pid, every=0.05) as watch:    # samples meanwhile
        ...
    watch.peak.rss, watch.peak.threads       # the most of each

A process that ends while it is looked at counts as gone. ``sockets`` are TCP connections that are not just waiting to be forgotten
(TIME_WAIT belongs to nobody); listening ones count.
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Self

import psutil

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True)
class Sample:
    processes: int = 0
    threads: int = 0
    descriptors: int = 0
    sockets: int = 0
    rss: int = 0

    def drift(self, later: Sample) -> dict[str, int]:
        mine, other = asdict(self), asdict(later)
        return {name: other[name] - mine[name] for name in mine if name != "rss" and other[name] != mine[name]}

    def combine(self, other: Sample, how: type[max] = max) -> Sample:
        return Sample(**{field.name: how(getattr(self, field.name), getattr(other, field.name)) for field in fields(Sample)})


def sample(pid: int, ports: Collection[int] | None = None) -> Sample:
    total = Sample()
    for found in each(pid, ports).values():
        total = total.combine(found, lambda one, other: one + other)
    return total


def each(pid: int, ports: Collection[int] | None = None) -> dict[int, Sample]:
    try:
        parent = psutil.Process(pid)
        processes = [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return {}
    looked_at = {process.pid: look(process, ports) for process in processes}
    return {number: found for number, found in looked_at.items() if found is not None}


def look(process: psutil.Process, ports: Collection[int] | None) -> Sample | None:
    try:
        with process.oneshot():
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            connections = process.net_connections("tcp")
            return Sample(
                processes=1,
                threads=process.num_threads(),
                descriptors=process.num_fds(),
                sockets=sum(ports is None or bool(one.raddr and one.raddr.port in ports) for one in connections),
                rss=process.memory_info().rss,
            )
    except psutil.NoSuchProcess:
        return None


class Watch:
    def __init__(self, pid: int, every: float = 0.05, ports: Collection[int] | None = None) -> None:
        self.peak = Sample()
        self._pid, self._every, self._ports = pid, every, ports
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look_on(self) -> None:
        while True:
            self.peak = self.peak.combine(sample(self._pid, self._ports))
            if self._over.wait(self._every):
                return
