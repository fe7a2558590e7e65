"""The catalogue: products with their stored documents, text index, sources, leases, quarantine, syncs."""

from alembic import op

revision = "0001"
down_revision = None

_STATEMENTS = (
    """
    CREATE TABLE catalogue (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        version INTEGER NOT NULL
    )
    """,
    "INSERT INTO catalogue (id, version) VALUES (1, 0)",
    # price: nominal amount in 1/10,000 of the currency's unit, one integer scale for every currency; times: ms since 1970, UTC.
    """
    CREATE TABLE product (
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
        document TEXT NOT NULL
    )
    """,
    "CREATE INDEX product_source ON product (source)",
    "CREATE INDEX product_name ON product (name_key)",
    "CREATE INDEX product_brand ON product (brand)",
    "CREATE INDEX product_category ON product (category)",
    "CREATE INDEX product_gtin ON product (gtin) WHERE gtin IS NOT NULL",
    "CREATE INDEX product_price ON product (price)",
    "CREATE INDEX product_rating ON product (rating)",
    "CREATE INDEX product_updated ON product (updated_at)",
    # The text index keeps no copy of the text: it reads this view when an old entry has to be taken out.
    """
    CREATE VIEW product_text AS
    SELECT key,
           json_extract(document, '$.name') AS name,
           brand,
           category,
           trim(coalesce(json_extract(document, '$.sku'), '') || ' ' || coalesce(gtin, '')) AS codes,
           json_extract(document, '$.description') AS description
    FROM product
    """,
    """
    CREATE VIRTUAL TABLE product_index USING fts5(
        name, brand, category, codes, description,
        content = 'product_text', content_rowid = 'key', tokenize = 'unicode61 remove_diacritics 2'
    )
    """,
    "INSERT INTO product_index (product_index, rank) VALUES ('rank', 'bm25(10.0, 5.0, 4.0, 8.0, 1.0)')",
    """
    CREATE TABLE source (
        name TEXT PRIMARY KEY,
        products INTEGER NOT NULL DEFAULT 0,
        rejected INTEGER NOT NULL DEFAULT 0,
        synced_at INTEGER,
        attempted_at INTEGER,
        outcome TEXT,
        error_type TEXT,
        error TEXT,
        failed_at INTEGER,
        failures INTEGER NOT NULL DEFAULT 0,
        duration_ms INTEGER,
        next_sync_at INTEGER
    ) WITHOUT ROWID
    """,
    "CREATE TABLE lease (source TEXT PRIMARY KEY, owner TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE held (source TEXT NOT NULL, source_id TEXT NOT NULL, PRIMARY KEY (source, source_id)) WITHOUT ROWID",
    """
    CREATE TABLE quarantine (
        source TEXT NOT NULL,
        position INTEGER NOT NULL,
        record_id TEXT,
        faults TEXT NOT NULL,
        raw TEXT NOT NULL,
        PRIMARY KEY (source, position)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE sync (
        id INTEGER PRIMARY KEY,
        source TEXT NOT NULL,
        outcome TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        finished_at INTEGER NOT NULL,
        products INTEGER NOT NULL,
        rejected INTEGER NOT NULL,
        created INTEGER NOT NULL,
        updated INTEGER NOT NULL,
        deleted INTEGER NOT NULL,
        pages INTEGER NOT NULL,
        error_type TEXT,
        error TEXT,
        version INTEGER
    )
    """,
    "CREATE INDEX sync_source ON sync (source, id)",
)


def upgrade() -> None:
    """Create everything."""
    for statement in _STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
