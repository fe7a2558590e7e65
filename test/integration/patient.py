"""The application as workers serve it, except that whoever counts is waited for.

On a busy machine a quarter of a second is over soon, and then each counts alone.
"""

from __future__ import annotations

from main.resources.limits import files, storages

LONG = 30.0  # seconds

files.PATIENCE = storages.TIMEOUT = LONG

from main.wsgi import app  # noqa: E402, F401 - it makes its counters when it is imported
