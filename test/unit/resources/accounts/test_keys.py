from datetime import timedelta

from main.service.model import ApiKey, Role
from test.fakes import NOW


def test_every_part_of_a_key_comes_back(store):
    key = ApiKey(
        id="k1",
        name="till 4",
        role=Role.EDITOR,
        created_at=NOW,
        expires_at=NOW + timedelta(days=90),
        revoked_at=NOW + timedelta(days=1),
        last_used_at=NOW + timedelta(hours=2),
    )
    store.add_key(key, b"\x00\xff")
    assert store.find_key(b"\x00\xff") == key
