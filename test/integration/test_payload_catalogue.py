"""All real payloads at once, through settings, sync, store and API, as a team would have them."""

import pytest
import yaml

from main.app import create_app
from main.bootstrap import build_sync
from main.service.model import Outcome
from main.settings import load_settings
from sample.payloads import payload_app
from sample.server import running
from test.integration.test_payloads import DATA, SHOPS

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the folder shared/data is not beside the repository")


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    folder = tmp_path_factory.mktemp("payloads")
    with running(payload_app(DATA)) as url:
        sources = [{"name": name, "url": url + shop.path, **shop.settings} for name, shop in SHOPS.items()]
        (folder / "config.yml").write_text(yaml.safe_dump({"auth": {"anonymous": "reader"}, "sources": sources}))
        settings = load_settings({"AISLE_CONFIG": str(folder / "config.yml"), "AISLE_DATA": str(folder)})
        syncing = build_sync(settings)
        syncing.lifecycle.open()
        reports = syncing.sync.sync_all(settings.sources)
        syncing.lifecycle.close()
    assert {report.outcome for report in reports} == {Outcome.OK}
    # The shops are gone by now: everything below comes from the last good snapshots.
    return create_app(settings).test_client()


def test_the_source_facet_counts_exactly_what_each_shop_sells(api):
    answer = api.get("/products?facets=source").json
    counted = {bucket["value"]: bucket["count"] for bucket in answer["facets"]["source"]}
    assert counted == {name: shop.accepted for name, shop in SHOPS.items()}
    assert answer["total"] == sum(counted.values()) == 313
    assert answer["meta"]["complete"] is True


@pytest.mark.parametrize("name", SHOPS)
def test_every_other_record_is_in_quarantine_with_a_reason(api, name):
    answer = api.get(f"/sources/{name}/quarantine").json
    found = {row["record_id"]: tuple(row["faults"][0].values()) for row in answer["data"]}
    assert found == SHOPS[name].rejected
    assert api.get(f"/sources/{name}").json["rejected"] == len(SHOPS[name].rejected)


def test_a_product_with_many_variants_has_one_price_and_all_of_them(api):
    (found,) = [
        product
        for product in api.get("/products?source=popupoutlet&per_page=100").json["data"]
        if len(product["variants"]) == 28
    ]
    amounts = sorted(float(variant["price"]["amount"]) for variant in found["variants"])
    assert float(found["price"]["amount"]) == amounts[0]
    assert all(set(variant["price"]) == {"amount", "currency"} for variant in found["variants"])


@pytest.mark.parametrize(
    ("words", "least"), [("نحاس", 10), ("سلك نحاس", 10), ('"Pop Up Outlet"', 5), ("mascara", 1), ("essen*", 1)]
)
def test_words_of_any_script_find_their_products(api, words, least):
    assert api.get("/products", query_string={"q": words}).json["total"] >= least


def test_no_amount_is_ever_a_number_in_json(api):
    for page in range(1, 5):
        for product in api.get(f"/products?per_page=100&page={page}").json["data"]:
            assert isinstance(product["price"]["amount"], str)
