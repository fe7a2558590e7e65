"""The shape of config.yml as marshmallow schemas that load into frozen settings."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from marshmallow import RAISE, Schema, ValidationError, fields, pre_load, validate, validates_schema

from main.service.model import HashRules, LiveRules, Source, TaskRules
from main.settings import model
from main.settings.access import HideSchema, Hosts, Origins
from main.settings.basics import Section, boolean, integer, one_of, text
from main.settings.fields import CurrencyCode, Duration, LimitRate, Percent, Size, write_duration
from main.settings.servers import SERVERS, ServerUrl, TaskUrl
from main.settings.sources import SourceSchema, read_files
from main.settings.tokens import TokensSchema
from main.util.logs import LEVELS


class ServiceSchema(Section):
    """``service``."""

    into = model.Service
    name = text()
    description = text()
    id = text()


class GreetingSchema(Section):
    """``greeting``."""

    into = model.Greeting
    default_name = text()


class StoreSchema(Section):
    """``store``."""

    into = model.Store
    url = text(
        validate=validate.Regexp(r"sqlite:///.+", error="sqlite:///FILE, relative to the data folder, or sqlite:////PATH")
    )


class RulesSchema(Section):
    """``tasks.rules``."""

    into = TaskRules
    quarantine = boolean()
    stale_source = boolean()
    missing_image = boolean()
    missing_description = boolean()
    mismatch = boolean()
    price_spread = Percent(1, 1_000)


class TasksSchema(Section):
    """``tasks``."""

    into = model.Tasks
    url = TaskUrl()
    rules = fields.Nested(RulesSchema)

    @pre_load
    def replace_files(self, data: Any, **_: Any) -> Any:
        """Replace ``url_file`` by ``url`` with the file's content."""
        return read_files(data, ("url_file",)) if isinstance(data, dict) else data


class CacheSchema(Section):
    """``cache``."""

    into = model.Cache
    kind = text(validate=one_of("memory", "file", "memcached", "redis"))
    url = ServerUrl()
    path = text()

    @pre_load
    def replace_files(self, data: Any, **_: Any) -> Any:
        """Replace ``url_file`` by ``url`` with the file's content."""
        return read_files(data, ("url_file",)) if isinstance(data, dict) else data

    @validates_schema
    def check_kind(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what another kind takes, and a kind without what it needs."""
        kind = data.get("kind", "memory")
        faults: dict[str, list[str]] = {}
        if kind in SERVERS and ("url" not in data or urlsplit(data["url"].reveal()).scheme not in SERVERS[kind]):
            faults["url"] = [" | ".join(f"{scheme}://HOST:PORT" for scheme in SERVERS[kind])]
        if kind not in SERVERS and "url" in data:
            faults["url"] = [f"only for kind {' or '.join(SERVERS)}"]
        if kind != "file" and "path" in data:
            faults["path"] = ["only for kind file"]
        if faults:
            raise ValidationError(faults)


class Argon2Schema(Section):
    """``auth.argon2``; the least is what OWASP advises."""

    into = HashRules
    memory = Size(at_least=19 * 1024**2, at_most=1024**3)
    time = integer(2, 100)
    parallelism = integer(1, 16)


class AuthSchema(TokensSchema):
    """``auth``."""

    into = model.Auth
    anonymous = text(validate=one_of("none", "reader"))
    argon2 = fields.Nested(Argon2Schema)
    password_min = integer(8, 128)
    hash_slots = integer(1, 64)
    hide = fields.Nested(HideSchema)
    origins = Origins()


class CurrencySchema(Section):
    """``currency``."""

    into = model.Currency
    base = CurrencyCode()


class LoggerSchema(Section):
    """``logger``."""

    into = model.Logger
    kind = text(validate=one_of("auto", "console", "json"))
    level = text(validate=one_of(*LEVELS))


class ServerSchema(Section):
    """``server``."""

    into = model.Server
    proxies = integer(0, 10)


class LimitsSchema(Section):
    """``limits``."""

    into = model.Limits
    api = LimitRate()
    login_address = LimitRate()


class SearchSchema(Section):
    """``search``."""

    into = model.Search
    cached_pages = integer(0, 100_000)


class LiveSchema(Section):
    """``live``."""

    into = LiveRules
    deadline = Duration(at_least=timedelta(milliseconds=50))
    max_deadline = Duration(at_least=timedelta(milliseconds=50))
    fresh = Duration(at_least=timedelta(milliseconds=100))
    revalidate = Duration(at_least=timedelta(milliseconds=100))
    max_stale = Duration(at_least=timedelta(seconds=1))

    @validates_schema
    def check_order(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse times that contradict each other, each at a key that was set."""
        rules, told = LiveRules(**data), partial(_tell_time, data)
        faults: dict[str, list[str]] = {}
        if rules.deadline > rules.max_deadline:
            longer = "deadline" in data
            allowed = f"not longer than {told('max_deadline')}" if longer else f"not shorter than {told('deadline')}"
            faults["deadline" if longer else "max_deadline"] = [f"a time that is {allowed}"]
        if rules.fresh + rules.revalidate > rules.max_stale:
            kept = f"{told('fresh')} and, after it, {told('revalidate')} within {told('max_stale')}"
            key = next(key for key in ("max_stale", "revalidate", "fresh") if key in data)
            faults[key] = [f"a time that keeps {kept}, which begins together with fresh"]
        if faults:
            raise ValidationError(faults)


def _tell_time(data: dict[str, Any], key: str) -> str:
    """Give the key with the time that counts, whether it was set or is the default."""
    time = write_duration(data.get(key, getattr(LiveRules(), key)))
    return f"live.{key} ({time})" if key in data else f"live.{key} ({time} by default)"


class ConsoleSchema(Section):
    """``console``."""

    into = model.Console
    image_hosts = Hosts()


class ConfigSchema(Schema):
    """config.yml, whole."""

    class Meta:
        """Unknown keys are faults."""

        unknown = RAISE

    service = fields.Nested(ServiceSchema)
    greeting = fields.Nested(GreetingSchema)
    store = fields.Nested(StoreSchema)
    tasks = fields.Nested(TasksSchema)
    cache = fields.Nested(CacheSchema)
    auth = fields.Nested(AuthSchema)
    currency = fields.Nested(CurrencySchema)
    logger = fields.Nested(LoggerSchema)
    search = fields.Nested(SearchSchema)
    server = fields.Nested(ServerSchema)
    live = fields.Nested(LiveSchema)
    limits = fields.Nested(LimitsSchema)
    console = fields.Nested(ConsoleSchema)
    sources = fields.List(fields.Nested(SourceSchema), error_messages={"invalid": "a list of sources"})

    @validates_schema(skip_on_field_errors=False)
    def check_names(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse two sources of one name."""
        sources = data.get("sources") or ()
        names = [source.name if isinstance(source, Source) else source.get("name") for source in sources]
        twice = [index for index, name in enumerate(names) if name is not None and name in names[:index]]
        if twice:
            raise ValidationError({"sources": {index: {"name": ["a name that no other source has"]} for index in twice}})
