"""What comes of reading config.yml again while a process runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from main.service.model.source import Source


@dataclass(frozen=True, slots=True)
class SourcesChange:
    """How two sets of sources differ, by name."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def compare_sources(before: Iterable[Source], after: Iterable[Source]) -> SourcesChange:
    """Give what has to happen to ``before`` to become ``after``; another secret is a change too, another order is none."""
    old, new = ({source.name: source for source in sources} for sources in (before, after))
    return SourcesChange(
        added=tuple(name for name in new if name not in old),
        removed=tuple(name for name in old if name not in new),
        changed=tuple(name for name in new if name in old and new[name] != old[name]),
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """What config.yml says now: its sources, and which other sections differ from what runs; or only its ``faults``."""

    sources: tuple[Source, ...] = ()
    restart: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """What a process made of the reload that ``mark`` asked for; with ``faults`` it goes on as it was."""

    mark: str
    change: SourcesChange = SourcesChange()
    restart: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
