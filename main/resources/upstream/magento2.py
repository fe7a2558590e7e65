"""Kind ``magento2``: REST V1 by searchCriteria (developer.adobe.com/commerce/webapi/rest); attributes are a name and value list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from marshmallow import ValidationError, fields

from main.resources.upstream.fields import web_url
from main.resources.upstream.mapped import MappedConnector, MappedSchema
from main.service.model import ItemCall, Listing, Paging

if TYPE_CHECKING:
    from collections.abc import Sequence

_MEDIA = "/media/catalog/product"
_ENABLED = 1
_NOT_ALONE = 1
_LOOK = 50
_FILTER = "searchCriteria[filter_groups][90][filters][0]"  # a group of its own, beside those of the settings


def _attribute(code: str) -> str:
    return f"custom_attributes[?attribute_code=='{code}'].value | [0]"


class MagentoSchema(MappedSchema):
    """A product of Magento 2, unless it is switched off or only a part of another one."""

    status = fields.Raw(load_default=None, allow_none=True)
    visibility = fields.Raw(load_default=None, allow_none=True)
    images = fields.Raw(load_default=None, allow_none=True)
    url = fields.Raw(load_default=None, allow_none=True)

    def parts(self, data: dict[str, Any]) -> dict[str, Any]:
        """Give the product's fields out of the loaded record."""
        status = data.pop("status")
        if status is not None and status != _ENABLED:
            raise ValidationError(f"is {status}: not on sale", "status")
        if data.pop("visibility") == _NOT_ALONE:
            raise ValidationError("is 1: a form of another product, not sold alone", "visibility")
        found = super().parts(data)
        shop = self.source.url.partition("/rest")[0]
        images = found["images"] if isinstance(found["images"], list) else []
        paths = (shop + _MEDIA + path for path in images if isinstance(path, str) and path.startswith("/"))
        key = found["url"]
        return found | {
            "images": tuple(dict.fromkeys(filter(web_url, paths))),
            "url": web_url(f"{shop}/{key}.html") if isinstance(key, str) and key else None,
        }


class MagentoConnector(MappedConnector):
    """Asks page by page up to ``total_count``, because a page past the end repeats the last one."""

    schema = MagentoSchema
    listing = Listing(
        path="/rest/V1/products",
        items="items",
        page=Paging(
            style="page",
            param="searchCriteria[currentPage]",
            size_param="searchCriteria[pageSize]",
            size=100,
            total="total_count",
        ),
    )
    item = ItemCall(
        path="/rest/V1/products",
        params={
            f"{_FILTER}[field]": "sku",
            f"{_FILTER}[condition_type]": "in",
            f"{_FILTER}[value]": "{ids}",
            "searchCriteria[pageSize]": str(_LOOK),
        },
        record="items || `[]`",
        size=_LOOK,
    )
    rules = {  # noqa: RUF012 - declared as ClassVar by MappedConnector
        "id": "sku",
        "name": "name",
        "description": _attribute("description"),
        # A bundle or a configurable product says 0: what it costs stands in its parts, unless it has a price of its own there.
        "price": f"to_number(price) > `0` && price || ({_attribute('special_price')})",
        "sku": "sku",
        "status": "status",
        "visibility": "visibility",
        "url": _attribute("url_key"),
        "images": "media_gallery_entries[?!disabled].file",
        "updated_at": "updated_at",
    }

    def call_for(self, call: ItemCall, ids: Sequence[str]) -> ItemCall:
        """Give the call by a list of SKUs, or by the one whose comma a list would be split at."""
        alone = {f"{_FILTER}[condition_type]": "eq"} if "," in ids[0] else {}
        return replace(call, params={**call.params, **alone})
