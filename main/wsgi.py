"""What a WSGI server imports: ``main.wsgi:app``."""

from __future__ import annotations

import sys

from main.app import create_app
from main.service.errors import AisleError
from main.settings import SettingsError, load_settings
from main.util.logs import configure_logs

try:
    _settings = load_settings()
    configure_logs(_settings.logger.level, terminal={"console": True, "json": False}.get(_settings.logger.kind))
    app = create_app(_settings)
except (SettingsError, AisleError) as error:
    sys.exit(f"Aisle cannot start:\n{error}")
