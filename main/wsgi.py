"""What a WSGI server imports: ``main.wsgi:app``."""

from __future__ import annotations

import sys

import structlog

from main.app import create_app
from main.bootstrap_doors import build_accounts
from main.service.errors import AisleError
from main.settings import ConfigFile, SettingsError, has_served, start_settings
from main.util.heap import keep_heap_small, spare_the_lasting
from main.util.logs import configure_logs

keep_heap_small()
try:
    _settings, _faults = start_settings()
    configure_logs(_settings.logger.level, terminal={"console": True, "json": False}.get(_settings.logger.kind))
    for _fault in _faults:
        structlog.get_logger("settings").error("settings.faulty", fault=_fault, running="on the settings last taken")
    build_accounts(_settings).ensure_first_admin()
    app = create_app(_settings)
    ConfigFile(_settings, "api").keep()
    spare_the_lasting()
except (SettingsError, AisleError) as error:
    _text = f"Aisle cannot start:\n{error}"
    if has_served():
        sys.exit(_text)  # a worker is being replaced: the server tries it again, and the others serve on
    # A server takes a worker that exits for one that crashed and tries for ever; only an error at import makes it give up.
    sys.tracebacklimit = 0  # and where that error was raised would bury what it says
    raise RuntimeError(_text) from None
