import pytest

from main.resources.catalogue.inspector import SqliteInspector
from main.service.model import Flaw, Money, Rival
from test.fakes import make_product, put_snapshot


@pytest.fixture
def inspector(path, writer):
    inspector = SqliteInspector(path)
    inspector.open()
    yield inspector
    inspector.close()


def test_products_without_a_picture_or_a_description_are_found(writer, inspector):
    whole = {"images": ("https://acme.example/1.jpg",), "description": "Bright."}
    lacking = [make_product(2, images=whole["images"]), make_product(3, description="Bright."), make_product(4)]
    put_snapshot(writer, "acme", [make_product(1, **whole), *lacking])
    put_snapshot(writer, "depot", [make_product(1, "depot")])
    assert inspector.flaws("acme") == [
        Flaw("acme:2", "Lamp 2", image=True, description=False),
        Flaw("acme:3", "Lamp 3", image=False, description=True),
        Flaw("acme:4", "Lamp 4", image=False, description=False),
    ]
    assert inspector.flaws("nobody") == []


def test_products_that_several_sources_have_are_found(writer, inspector):
    gtins = ["04006381333931", "00012345678905"]
    put_snapshot(writer, "acme", [make_product(n, gtin=gtin, brand="Halden") for n, gtin in enumerate([*gtins, None])])
    put_snapshot(writer, "depot", [make_product(1, "depot", gtin=gtins[0], price=Money(500, "USD")), make_product(2, "depot")])
    assert inspector.rivals() == [
        Rival(product="acme:0", source="acme", gtin=gtins[0], brand="Halden", currency="EUR", price=199_900),
        Rival(product="depot:1", source="depot", gtin=gtins[0], brand=None, currency="USD", price=50_000),
    ]
