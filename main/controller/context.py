"""Hands the app's services to its endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import current_app

if TYPE_CHECKING:
    from flask import Flask

    from main.service.greeting import GreetingService
    from main.service.live import LiveService
    from main.service.loginlimits import LoginLimits
    from main.service.search import SearchService
    from main.service.sources import SourceService
    from main.service.status import StatusService
    from main.service.syncs import SyncsService
    from main.service.tasks import TaskService

_KEY = "aisle"


@dataclass(frozen=True, slots=True)
class Services:
    """What the endpoints may call."""

    search: SearchService
    sources: SourceService
    syncs: SyncsService
    status: StatusService
    greeting: GreetingService
    live: LiveService
    logins: LoginLimits
    tasks: TaskService


def attach_services(app: Flask, services: Services) -> None:
    """Give an app its services."""
    app.extensions[_KEY] = services


def services() -> Services:
    """Give the services of the app that handles this request."""
    return cast("Services", current_app.extensions[_KEY])
