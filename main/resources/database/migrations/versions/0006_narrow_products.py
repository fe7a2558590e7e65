"""Products without their documents, which lie in a table of their own, and with the numbers of their facets' values."""

from alembic import op

revision = "0006"
down_revision = "0005"

_BOUNDS = (0, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)
_BAND = " ".join(f"WHEN price >= {bound * 10_000} THEN {bound * 10_000}" for bound in reversed(_BOUNDS))
_VALUES = {
    "brand": "brand",
    "category": "category",
    "source": "source",
    "availability": "availability",
    "price": f"currency || ' ' || CASE {_BAND} END",
}
_NUMBERS = ", ".join(
    f"ifnull((SELECT id FROM facet_value WHERE facet = '{facet}' AND value = {value} COLLATE BINARY), 0)"
    for facet, value in _VALUES.items()
)
_WIDTHS = "%08x" * len(_VALUES)
_COLUMNS = (
    "key, id, source, source_id, name_key, brand, category, gtin, currency, price, availability, rating, updated_at, digest"
)
_STATEMENTS = (
    # price: the currency and the lowest nominal amount of its band.
    """
    CREATE TABLE facet_value (
        id INTEGER PRIMARY KEY,
        facet TEXT NOT NULL,
        value TEXT NOT NULL,
        products INTEGER NOT NULL,
        UNIQUE (facet, value)
    )
    """,
    *(
        f"INSERT INTO facet_value (facet, value, products) SELECT '{facet}', {value} COLLATE BINARY AS value, count(*)"
        f" FROM product WHERE {value} IS NOT NULL GROUP BY 2"
        for facet, value in _VALUES.items()
    ),
    "DROP VIEW product_text",
    "CREATE TABLE product_document (key INTEGER PRIMARY KEY, document TEXT NOT NULL)",
    "INSERT INTO product_document (key, document) SELECT key, document FROM product",
    # Made anew: SQLite before 3.35 cannot drop a column.
    # facets: the ids of its values in facet_value, eight hexadecimal digits each, 0 where it has none.
    """
    CREATE TABLE narrow_product (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        source TEXT NOT NULL,
        source_id TEXT NOT NULL,
        name_key TEXT NOT NULL,
        brand TEXT COLLATE NOCASE,
        category TEXT COLLATE NOCASE,
        gtin TEXT,
        currency TEXT,
        price INTEGER,
        availability TEXT,
        rating REAL,
        updated_at INTEGER,
        digest BLOB NOT NULL,
        facets TEXT NOT NULL
    )
    """,
    f"INSERT INTO narrow_product ({_COLUMNS}, facets) SELECT {_COLUMNS}, printf('{_WIDTHS}', {_NUMBERS}) FROM product",
    "DROP TABLE product",
    "ALTER TABLE narrow_product RENAME TO product",
    "CREATE INDEX product_source ON product (source)",
    "CREATE INDEX product_name ON product (name_key)",
    "CREATE INDEX product_brand ON product (brand)",
    "CREATE INDEX product_category ON product (category)",
    "CREATE INDEX product_gtin ON product (gtin) WHERE gtin IS NOT NULL",
    "CREATE INDEX product_price ON product (price)",
    # Counts by price range and what is asked with it, without a look at any product.
    "CREATE INDEX product_filter ON product (price, currency, availability, rating)",
    "CREATE INDEX product_rating ON product (rating)",
    "CREATE INDEX product_updated ON product (updated_at)",
    """
    CREATE VIEW product_text AS
    SELECT p.key,
           json_extract(d.document, '$.name') AS name,
           p.brand,
           p.category,
           trim(coalesce(json_extract(d.document, '$.sku'), '') || ' ' || coalesce(p.gtin, '')) AS codes,
           json_extract(d.document, '$.description') AS description
    FROM product p JOIN product_document d ON d.key = p.key
    """,
)


def upgrade() -> None:
    """Bring the products over."""
    for statement in _STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
