"""config.yml and the environment, read once into frozen, typed settings."""

from main.settings.loader import SettingsError, load_settings
from main.settings.model import Settings

__all__ = ["Settings", "SettingsError", "load_settings"]
