"""`make run`: the sample shops, a first sync, the watcher, uWSGI, and Nginx in front, as one program that stops as one.

Each sample shop is a process of its own that can be killed, frozen or throttled while the rest goes on. PORT (8080) and HOST (127.0.0.1) say where it listens, AISLE_DATA (var) where it keeps its data, AISLE_NGINX which Nginx to use (`none`: without).
AISLE_TLS_CERT and AISLE_TLS_KEY, two PEM files, switch TLS on, at TLS_PORT (8443); PORT then leads there.
"""

from __future__ import annotations

import os
import sys

from sample.banner import print_banner
from sample.chain import start_stack
from sample.plan import ROOT, make_plan
from sample.processes import Family, StartFailed, StopAsked, say


def main() -> int:
    """Runs until it is told to stop (0) or a part of it ends (1)."""
    os.chdir(ROOT)
    try:
        plan = make_plan(dict(os.environ))
    except StartFailed as failure:
        say(str(failure))
        return 1
    family = Family(plan.run)
    family.obey_signals()
    try:
        start_stack(family, plan)
        print_banner(plan, family)
        family.watch()
    except StopAsked:
        say("\nStopping.")
        return 0
    except StartFailed as failure:
        say(f"{failure}\nStopping everything.")
        return 1
    finally:
        family.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
