import random
import sqlite3
from contextlib import closing

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from test.fakes import make_product, put_snapshot

# Signs that JSON escapes, that SQL or the index could mistake, and letters of several scripts.
SIGNS = st.text(st.sampled_from("ab \"'\\/\0\n\täÄß\u0131İ٣مص*-()💡\u200f\u0301日"), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 9), SIGNS, SIGNS, SIGNS), max_size=12))
def test_the_index_says_what_the_products_say_after_any_change(writer, path, records):
    products = {
        number: make_product(number, name=name, brand=brand or None, description=text or None, sku=text[:3] or None)
        for number, name, brand, text in records
    }
    put_snapshot(writer, "acme", products.values())
    check_index(path)


def test_the_index_stays_whole_over_a_long_life(writer, path):
    rng = random.Random(7)
    for _ in range(30):
        numbers = rng.sample(range(400), rng.randint(0, 400))
        put_snapshot(writer, "acme", [make_product(n, name=f"Lamp {rng.randint(1, 3)}") for n in numbers])
    check_index(path)


def check_index(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO product_index (product_index) VALUES ('integrity-check')")
        connection.execute("INSERT INTO product_index (product_index, rank) VALUES ('integrity-check', 1)")
        count = "SELECT (SELECT count(*) FROM product), (SELECT count(*) FROM product_index_docsize)"
        products, indexed = connection.execute(count).fetchone()
    assert products == indexed
