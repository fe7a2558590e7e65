"""Generated shops: any size, the same for the same seed, with prices that can change."""

import statistics
from collections import Counter

import orjson
import requests

from sample.generate import generate_products, generated_app
from sample.server import running


def test_the_same_seed_makes_the_same_products() -> None:
    assert list(generate_products(50, seed=3)) == list(generate_products(50, seed=3))
    assert list(generate_products(50, seed=3)) != list(generate_products(50, seed=4))


def test_a_product_is_as_large_as_a_real_one() -> None:
    sizes = [len(orjson.dumps(product)) for product in generate_products(500)]
    assert 700 <= statistics.mean(sizes) <= 900


def test_the_text_has_common_and_rare_words() -> None:
    products = list(generate_products(3000))
    counts = Counter(word for product in products for word in set(product["description"].lower().strip(".").split()))
    assert counts.most_common(1)[0][1] > 1500
    assert sum(1 for count in counts.values() if count <= 3) > 1000
    assert len({product["brand"] for product in products}) == 200
    assert len({product["category"] for product in products}) == 40


def test_prices_are_positive_with_two_decimals() -> None:
    assert all(product["price"] > 0 and product["price"] == round(product["price"], 2) for product in generate_products(500))


def test_a_change_prices_the_asked_share_anew() -> None:
    with running(generated_app(200, changed_share=0.1)) as base_url:
        before = requests.get(f"{base_url}/products?limit=0", timeout=5).json()["products"]
        assert requests.post(f"{base_url}/_change", timeout=5).json() == {"changed": 20}
        after = requests.get(f"{base_url}/products?limit=0", timeout=5).json()["products"]
    assert sum(old != new for old, new in zip(before, after, strict=True)) == 20
    assert [{**old, "price": 0} for old in before] == [{**new, "price": 0} for new in after]


def test_nothing_changes_unless_asked() -> None:
    with running(generated_app(20)) as base_url:
        assert requests.post(f"{base_url}/_change", timeout=5).json() == {"changed": 0}
