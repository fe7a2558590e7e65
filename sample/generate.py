"""A shop of any size made of invented products, the same for the same seed."""

import random
from collections.abc import Iterator
from itertools import accumulate, product
from threading import Lock

from flask import Flask, Response

from sample.dialects import dummyjson_app
from sample.dialects.web import answer_object
from sample.records import Record, Records

ONSETS = ("b", "br", "d", "f", "gl", "h", "k", "l", "m", "n", "p", "r", "s", "st", "t", "v", "w", "z")
VOWELS = ("a", "e", "i", "o", "u", "ei", "ou")
CODAS = ("", "l", "n", "r", "s", "x")
WORDS, BRANDS, CATEGORIES = 20_000, 200, 40
TITLE_WORDS, TEXT_WORDS = 4, 27
STAMP = "2026-01-15T09:00:00.000Z"


class Vocabulary:
    """Invented words; the one of rank r is drawn in proportion to 1/r, as in real text."""

    def __init__(self, rng: random.Random) -> None:
        """Make the words, brands and categories."""
        syllables = ["".join(parts) for parts in product(ONSETS, VOWELS, CODAS)]
        names = _invent_names(rng, syllables, WORDS + BRANDS + CATEGORIES)
        self.brands = [name.capitalize() for name in names[:BRANDS]]
        self.categories = names[BRANDS : BRANDS + CATEGORIES]
        self._words = names[BRANDS + CATEGORIES :]
        self._weights = list(accumulate(1 / rank for rank in range(1, WORDS + 1)))
        self._rng = rng

    def draw(self, count: int) -> list[str]:
        """Return this many words."""
        return self._rng.choices(self._words, cum_weights=self._weights, k=count)


def generated_app(count: int, seed: int = 1, changed_share: float = 0.0) -> Flask:
    """Return a DummyJSON-like shop of that many products; POST /_change prices the share of them anew."""
    records = Records(generate_products(count, seed))
    rng = random.Random(f"changes {seed}")  # noqa: S311 - repeatable on purpose
    lock = Lock()
    app = dummyjson_app(records)

    @app.post("/_change")
    def change_prices() -> Response:
        with lock:
            chosen = rng.sample(range(count), round(count * changed_share))
            for place in chosen:
                records.update(place, {"price": _draw_price(rng)})
        return answer_object({"changed": len(chosen)})

    return app


def generate_products(count: int, seed: int = 1) -> Iterator[Record]:
    """Return that many products, their ids counting up from 1."""
    rng = random.Random(seed)  # noqa: S311 - repeatable on purpose
    vocabulary = Vocabulary(rng)
    return (_make_product(rng, vocabulary, number) for number in range(1, count + 1))


def _make_product(rng: random.Random, vocabulary: Vocabulary, number: int) -> Record:
    """Return one product of the size a real shop sends."""
    words = vocabulary.draw(TITLE_WORDS + TEXT_WORDS)
    category, stock = rng.choice(vocabulary.categories), rng.randrange(0, 120)
    image = f"https://images.example/{category}/{number}"
    return {
        "id": number,
        "title": " ".join(words[:TITLE_WORDS]).capitalize(),
        "description": " ".join(words[TITLE_WORDS:]).capitalize() + ".",
        "category": category,
        "price": _draw_price(rng),
        "rating": round(rng.uniform(1, 5), 2),
        "stock": stock,
        "tags": [category, words[0]],
        "brand": rng.choice(vocabulary.brands),
        "sku": f"{category[:3].upper()}-{number:07d}",
        "weight": rng.randrange(1, 40),
        "dimensions": {side: round(rng.uniform(2, 60), 2) for side in ("width", "height", "depth")},
        "availabilityStatus": "In Stock" if stock else "Out of Stock",
        "minimumOrderQuantity": 1,
        "meta": {"createdAt": STAMP, "updatedAt": STAMP, "barcode": ""},
        "images": [f"{image}/1.webp", f"{image}/2.webp"],
        "thumbnail": f"{image}/thumbnail.webp",
    }


def _draw_price(rng: random.Random) -> float:
    """Return a price with two decimals, cheap ones being the more common."""
    return round(min(1 + rng.expovariate(1 / 60), 5000), 2)


def _invent_names(rng: random.Random, syllables: list[str], count: int) -> list[str]:
    """Return different pronounceable names of two or three syllables."""
    names: dict[str, None] = {}
    while len(names) < count:
        names["".join(rng.choices(syllables, k=rng.choice((2, 2, 3))))] = None
    return list(names)
