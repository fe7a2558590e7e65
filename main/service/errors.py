"""Every error Aisle raises on purpose, as one tree.

::

    AisleError
    +-- NotFound                 the thing asked for is not there
    |   +-- Gone                 it was there, and has left
    +-- InvalidQuery             the question cannot be answered as asked; names the parameters
    +-- Unavailable              cannot answer now; may say when to come back
    |   +-- NothingYet           no source has a snapshot yet
    |   +-- StoreDown            the store does not answer
    |   +-- RequiredMissing      a source that the caller insists on could not be confirmed
    +-- SourceDisabled           the source is switched off
    +-- Outdated                 the thing has another version than the caller has seen
    +-- SwitchedMeanwhile        a source's switch is another than the caller has seen
    +-- CopyRefused              a store cannot be copied into another
    +-- Unauthenticated          nobody is known to be asking: no token, a wrong one, wrong credentials
    +-- NameTaken                there is an account of this name already
    +-- InvalidAccount           an account cannot be as asked: its name, role or password
    +-- Forbidden                whoever asks may not do this
    +-- TooManyRequests          asked too often; says when to come back
    +-- CacheDown                a cache tier does not answer; whoever asks takes it as a miss
    +-- RecordRejected           one upstream record failed validation
    +-- NothingValid             not one of a shop's records is a valid product
    +-- LeaseLost                another process took over the source
    +-- CrawlStopped             this process, or the watch over this source, is being stopped
    +-- UpstreamError            a shop did not give what was asked
        +-- UpstreamUnreachable  no connection, reset, name not found
        +-- UpstreamTimeout      no whole answer in time
        +-- UpstreamRefused      an answer with an error status
        |   +-- UpstreamThrottled  429, or 503 with Retry-After
        |   +-- TokenOutworn     401 to a token of auth.oauth2, which is fetched anew
        +-- NoAccessToken        the source's token endpoint gave none, so the shop was not asked
        +-- UpstreamGarbled      an answer that cannot be read
        |   +-- UpstreamUnsendable  a URL, header or credential of the settings that cannot be sent, so the shop was not asked
        +-- UpstreamClosed       Aisle itself gave the call up; says nothing about the shop
        +-- UpstreamHeld         no call was made: the source's guard holds calls back
        |   +-- UpstreamOpen     its breaker is open, or forced open
        |   +-- UpstreamPaused   the shop asked for a pause, or the source's rate is used up
        +-- CrawlIncomplete      every answer could be read, but they do not add up to the whole list
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from main.service.model import Fault, SourceStatus, Switch, Tombstone


class AisleError(Exception):
    """The root: catching it catches everything Aisle raises on purpose and nothing else."""


class NotFound(AisleError):
    """The thing asked for is not there."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"There is no {what} with this name or id.")
        self.what = what
        self.name = name


class Gone(NotFound):
    """The product asked for was in the catalogue, and has left it; ``tombstone`` says when."""

    def __init__(self, tombstone: Tombstone) -> None:
        super().__init__("product", tombstone.id)
        self.args = (f"This product left the catalogue at {tombstone.deleted_at:%Y-%m-%d %H:%M:%S} UTC.",)
        self.tombstone = tombstone


class InvalidQuery(AisleError):
    """The question cannot be answered as asked; ``errors`` maps each parameter to what is wrong with it."""

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        super().__init__("One or more parameters are wrong.")
        self.errors = errors


class Unavailable(AisleError):
    """Cannot answer now; ``retry_after`` is when to come back, in seconds."""

    def __init__(self, detail: str, *, retry_after: int = 5) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class NothingYet(Unavailable):
    """No source has a snapshot yet; carries how each stands."""

    def __init__(self, statuses: Sequence[SourceStatus]) -> None:
        super().__init__("No source has been synced yet, so there is no catalogue to answer from.")
        self.statuses = statuses


class StoreDown(Unavailable):
    """The store does not answer, or cannot be used by this version."""

    def __init__(self, text: str = "The store does not answer.") -> None:
        super().__init__(text)


class RequiredMissing(Unavailable):
    """Sources that the caller, or the settings, insist on could not be confirmed; ``missing`` maps each to the reason."""

    def __init__(self, missing: Mapping[str, str], *, retry_after: int = 5) -> None:
        super().__init__(f"Required, but not to be had now: {', '.join(missing)}.", retry_after=retry_after)
        self.missing = missing


class SourceDisabled(AisleError):
    """The source is switched off, in the settings or by a person; the text says which."""


class Outdated(AisleError):
    """The thing has another version than the caller has seen; nothing was changed. ``version`` is the one it has now."""

    def __init__(self, version: int) -> None:
        super().__init__(f"It has changed since it was read: it has version {version} now. Read it again.")
        self.version = version


class SwitchedMeanwhile(AisleError):
    """A source's switch is another than the caller has seen; nothing was changed. The text says how it stands."""

    def __init__(self, switch: Switch) -> None:
        enabled = "true" if switch.enabled else "false"
        super().__init__(
            f"It was switched since it was read: breaker is {switch.mode} and enabled {enabled} now. Read it again."
        )


class CopyRefused(AisleError):
    """A store cannot be copied into another; the text says why, and what was left as it was."""


class Unauthenticated(AisleError):
    """Nobody is known to be asking; ``code`` is an error code of RFC 6750 (3.1), None where no token came at all."""

    def __init__(self, detail: str, code: str | None = None) -> None:
        super().__init__(detail)
        self.code = code

    @classmethod
    def missing(cls) -> Self:
        """Give what is raised where no token came."""
        return cls("Authorization token is missing")

    @classmethod
    def invalid(cls) -> Self:
        """Give what is raised for every token that does not let in, whatever the reason: a forger learns nothing from it."""
        return cls("Authorization token is invalid", "invalid_token")


class NameTaken(AisleError):
    """There is an account of this name already."""


class InvalidAccount(AisleError):
    """An account cannot be as asked; the text says what is wrong with its name, role or password, and never the password."""


class Forbidden(AisleError):
    """Whoever asks may not do this."""


class TooManyRequests(AisleError):
    """Asked too often; ``retry_after`` is when to come back, in seconds."""

    def __init__(self, detail: str, retry_after: float) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class CacheDown(AisleError):
    """A cache tier does not answer."""


class RecordRejected(AisleError):
    """One upstream record failed validation."""

    def __init__(self, faults: Sequence[Fault], record_id: str | None = None) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.reason}" for fault in faults))
        self.faults = tuple(faults)
        self.record_id = record_id


class NothingValid(AisleError):
    """Not one of the records that a shop sent is a valid product."""

    def __init__(self, received: int) -> None:
        super().__init__(f"Not one of its {received} records is a valid product; the quarantine tells why.")


class LeaseLost(AisleError):
    """Another process took over the source while it was being crawled."""


class CrawlStopped(AisleError):
    """This process, or the watch over this source, is being stopped; the crawl in hand ends without a trace."""


class UpstreamError(AisleError):
    """A shop did not give what was asked."""


class UpstreamUnreachable(UpstreamError):
    """No connection, a reset, a name that does not resolve."""


class UpstreamTimeout(UpstreamError):
    """No whole answer in time."""


class UpstreamRefused(UpstreamError):
    """An answer with an error status."""

    def __init__(self, detail: str, status: int) -> None:
        super().__init__(detail)
        self.status = status


class UpstreamThrottled(UpstreamRefused):
    """The shop asks to be left alone; ``retry_after`` is for how long, in seconds, where it said so."""

    def __init__(self, detail: str, status: int, retry_after: float | None) -> None:
        super().__init__(detail, status)
        self.retry_after = retry_after


class TokenOutworn(UpstreamRefused):
    """The shop does not take a token of ``auth.oauth2`` any more; it says nothing of the shop before a new one was tried."""


class NoAccessToken(UpstreamError):
    """The token endpoint of a source's ``auth.oauth2`` refused, or gave what cannot be sent; ``status`` is what it answered.

    No UpstreamRefused on purpose: its 404 says nothing about a product, and its 401 nothing about a token.
    """

    def __init__(self, detail: str, status: int) -> None:
        super().__init__(detail)
        self.status = status


class UpstreamGarbled(UpstreamError):
    """An answer that cannot be read: not JSON, cut off, too large, of another shape."""


class UpstreamUnsendable(UpstreamGarbled):
    """What the source's settings say cannot be sent, so the shop was not asked."""


class UpstreamClosed(UpstreamError):
    """Aisle itself gave the call up: the source's settings changed, its crawl had failed already, the process stops or has no threads left."""


class UpstreamHeld(UpstreamError):
    """No call was made: the source's guard holds calls back, for ``retry_after`` more seconds where that is known."""

    def __init__(self, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class UpstreamOpen(UpstreamHeld):
    """The source's breaker is open, or forced open by a person."""


class UpstreamPaused(UpstreamHeld):
    """The shop asked for a pause, or the source's rate is used up."""


class CrawlIncomplete(UpstreamError):
    """Every answer could be read, but they do not add up to the whole list."""

    @classmethod
    def too_many(cls, most: int) -> Self:
        """Give what is raised for a list of more products than ``most``, whether the shop says so or it was found out."""
        return cls(f"The shop has more than the {most} products that max_products allows.")
