"""Kind ``ebay``: the Browse API's item_summary/search (developer.ebay.com/api-docs/buy/browse); the settings say what is looked for."""

from __future__ import annotations

from main.resources.upstream.mapped import MappedConnector
from main.service.model import ItemCall, Listing, Paging


class EbayConnector(MappedConnector):
    """Follows ``next``; the total is an estimate, so it is not held against the shop. No hit is an answer without a list."""

    listing = Listing(
        path="/buy/browse/v1/item_summary/search",
        items="itemSummaries || `[]`",
        params={"limit": "200"},
        page=Paging(style="next_url", next="next"),
    )
    item = ItemCall(path="/buy/browse/v1/item/{id}")
    rules = {  # noqa: RUF012 - declared as ClassVar by MappedConnector
        "id": "itemId",
        "name": "title",
        "description": "shortDescription",
        "category": "categories[0].categoryName",
        "price": "price.value",
        "currency": "price.currency",
        "availability": "estimatedAvailabilities[0].estimatedAvailabilityStatus",
        "stock": "estimatedAvailabilities[0].estimatedAvailableQuantity",
        "url": "itemWebUrl",
        "images": "[image.imageUrl, additionalImages[].imageUrl][]",
        "tags": "[condition]",
        "updated_at": "itemCreationDate",
    }

    def describe_item(self) -> ItemCall:
        """Give the call for one item, without the search's parameters; only it tells how many there are."""
        return self.item
