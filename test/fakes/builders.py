"""Things of the model, made with what a test says of them and something sensible for the rest."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from main.service.model import Money, Outcome, Product, Source, SyncReport, Task
from test.fakes.clock import NOW

if TYPE_CHECKING:
    from typing import Any


def make_source(name: str = "acme", **given: Any) -> Source:
    return Source(**{"name": name, "kind": "fake", "url": f"http://{name}.example", "currency": "EUR", **given})


def make_product(source_id: object = 1, source: str = "acme", *, price: int | Money | None = 1999, **given: Any) -> Product:
    money = Money(price, "EUR") if isinstance(price, int) else price
    known = {"name": f"Lamp {source_id}", "fetched_at": NOW}
    return Product(source=source, source_id=str(source_id), price=money, **{**known, **given})


def make_report(source: str = "acme", outcome: Outcome = Outcome.OK, **given: Any) -> SyncReport:
    times = {"started_at": NOW, "finished_at": NOW + dt.timedelta(milliseconds=250)}
    return SyncReport(**{"source": source, "outcome": outcome, **times, **given})


def make_task(title: str = "Mend the lamp", **given: Any) -> Task:
    made = {"created_at": NOW, "created_by": "ada", "updated_at": NOW, "updated_by": "ada"}
    return Task(**{"id": 0, "title": title, **made, **given})
