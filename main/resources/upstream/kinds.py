"""Which connector speaks to which kind of source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from main.resources.upstream.base import refuse_unreadable
from main.resources.upstream.dummyjson import DummyJsonConnector
from main.resources.upstream.ebay import EbayConnector
from main.resources.upstream.fakestore import FakeStoreConnector
from main.resources.upstream.feed import FeedConnector
from main.resources.upstream.magento2 import MagentoConnector
from main.resources.upstream.mapped import MappedConnector
from main.resources.upstream.medusa import MedusaConnector
from main.resources.upstream.openfoodfacts import OpenFoodFactsConnector
from main.resources.upstream.session import UpstreamSession
from main.resources.upstream.shopify import ShopifyConnector
from main.resources.upstream.watchdog import Watchdog
from main.resources.upstream.woocommerce import WooCommerceConnector
from main.resources.upstream.woostore import WooStoreConnector

if TYPE_CHECKING:
    from main.resources.upstream.base import BaseConnector
    from main.resources.upstream.guard import Guard
    from main.resources.upstream.kept import KeptAnswers
    from main.resources.upstream.session import Session
    from main.service.model import Source
    from main.util.clock import Clock

KINDS: dict[str, type[BaseConnector]] = {
    "dummyjson": DummyJsonConnector,
    "fakestore": FakeStoreConnector,
    "feed": FeedConnector,
    "ebay": EbayConnector,
    "magento2": MagentoConnector,
    "mapped": MappedConnector,
    "medusa": MedusaConnector,
    "openfoodfacts": OpenFoodFactsConnector,
    "shopify": ShopifyConnector,
    "woocommerce": WooCommerceConnector,
}


def connect(
    source: Source,
    clock: Clock,
    watchdog: Watchdog | None = None,
    session: Session | None = None,
    guard: Guard | None = None,
    kept: KeptAnswers | None = None,
) -> BaseConnector:
    """Give the connector for a source, with a watchdog and a guard of its own where none is shared; nothing is called yet.

    ``kept`` is where answers are kept that the shop may confirm instead of sending them again.
    """
    check = None if source.kind == "feed" else refuse_unreadable  # a feed may be CSV or XML
    session = session or UpstreamSession(source, watchdog or Watchdog(), guard, kept, check=check)
    return _connector_class(source)(source, session, clock)


def _connector_class(source: Source) -> type[BaseConnector]:
    if source.kind == "woocommerce":
        has_key = bool(source.credentials.basic or source.credentials.query)
        api = source.api or ("v3" if has_key else "store")
        return WooStoreConnector if api == "store" else WooCommerceConnector
    return KINDS[source.kind]
