"""Links between the pages of a list, and to single things."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import request

from main.controller.parameters import DEPTH_LIMIT
from main.service.model import PER_PAGE

if TYPE_CHECKING:
    from main.service.model import LastSync, SyncRecord, Task

_LONGEST = 8_000


def paging_headers(page: int, pages: int, total: int) -> dict[str, str]:
    """Give ``Link`` (RFC 8288: first, prev, next, last; never to a page that is too far down to be asked for) and ``X-Total-Count``."""
    deepest = DEPTH_LIMIT // int(request.args.get("per_page", PER_PAGE))
    last = max(min(pages, deepest), 1)
    targets = {"first": 1, "prev": min(page - 1, last), "next": page + 1, "last": last}
    wanted = {rel: number for rel, number in targets.items() if 1 <= number <= last}
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "page"]
    base = f"{request.base_url}?{urlencode([*kept, ('page', '')])}"
    links = ", ".join(f'<{base}{number}>; rel="{rel}"' for rel, number in wanted.items())
    # Each link repeats the query. Proxies refuse an answer whose headers are too long: better no links than no answer.
    return {**({"Link": links} if len(links) <= _LONGEST else {}), "X-Total-Count": str(total)}


def sync_path(sync: SyncRecord | LastSync) -> str:
    """Give the path of a sync's record, under the prefix the caller sees."""
    return f"{request.script_root}/sources/{sync.source}/syncs/{sync.id}"


def task_path(task: Task) -> str:
    """Give the path of a task, under the prefix the caller sees."""
    return f"{request.script_root}/tasks/{task.id}"
