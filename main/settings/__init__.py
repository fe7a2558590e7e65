"""config.yml and the environment, read into frozen, typed settings; and how changes reach processes that run."""

from main.settings.configfile import ConfigFile
from main.settings.exchange import Answer, ask_reload, wait_for_answers
from main.settings.lastgood import has_served, kept_settings, refuse_silence, start_settings
from main.settings.loader import SettingsError, load_settings, read_task_url
from main.settings.model import Settings

__all__ = [
    "Answer",
    "ConfigFile",
    "Settings",
    "SettingsError",
    "ask_reload",
    "has_served",
    "kept_settings",
    "load_settings",
    "read_task_url",
    "refuse_silence",
    "start_settings",
    "wait_for_answers",
]
