"""Says hello."""

from __future__ import annotations


class GreetingService:
    """Greets whoever is named, or the configured default."""

    def __init__(self, default_name: str) -> None:
        self._default_name = default_name

    def greet(self, name: str | None) -> str:
        """Give the greeting for a name."""
        return f"Hello, {name or self._default_name}!"
