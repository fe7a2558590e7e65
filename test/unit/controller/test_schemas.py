from __future__ import annotations

from hypothesis import strategies as st

from main.controller.parameters import ProductQuerySchema
from main.controller.schemas import PlatformSchema, RejectedSchema
from main.service.model import Fault, Platform, Rejected
from main.util.secret import Secret

QUERY = ProductQuerySchema()


TEXTS = st.text(max_size=20)


LISTS = st.lists(TEXTS, max_size=3)


def test_a_rejected_record_shows_its_reasons():
    rejected = Rejected(16, None, (Fault("price", "is negative"),), '{"price": "-5"}')
    assert RejectedSchema().dump(rejected) == {
        "position": 16,
        "record_id": None,
        "faults": [{"field": "price", "reason": "is negative"}],
        "raw": '{"price": "-5"}',
    }


def test_the_platforms_password_is_never_shown():
    assert PlatformSchema().dump(Platform(password=Secret("hunter2")))["password"] == "***"
    assert PlatformSchema().dump(Platform())["password"] is None
