"""One WSGI application per shop API, each paging and erring as the live API does."""

from sample.dialects.dummyjson import dummyjson_app
from sample.dialects.fakestore import fakestore_app
from sample.dialects.file import file_app
from sample.dialects.shopify import storefront_app
from sample.dialects.shopify_admin import admin_app
from sample.dialects.store_api import store_api_app
from sample.dialects.woocommerce import Credentials, woocommerce_app

__all__ = [
    "Credentials",
    "admin_app",
    "dummyjson_app",
    "fakestore_app",
    "file_app",
    "store_api_app",
    "storefront_app",
    "woocommerce_app",
]
