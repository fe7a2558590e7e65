"""What a WSGI server imports: ``main.wsgi:app``."""

from __future__ import annotations

import sys

import structlog

from main.app import create_app
from main.service.errors import AisleError
from main.settings import ConfigFile, SettingsError, start_settings
from main.util.logs import configure_logs

try:
    _settings, _faults = start_settings()
    configure_logs(_settings.logger.level, terminal={"console": True, "json": False}.get(_settings.logger.kind))
    for _fault in _faults:
        structlog.get_logger("settings").error("settings.faulty", fault=_fault, running="on the settings last taken")
    app = create_app(_settings)
    ConfigFile(_settings, "api").keep()
except (SettingsError, AisleError) as error:
    sys.exit(f"Aisle cannot start:\n{error}")
