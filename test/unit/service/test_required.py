import pytest

from main.service import freshness
from main.service.errors import RequiredMissing
from main.service.model import SourceRecord
from main.service.required import insist
from test.fakes import NOW, make_source


def status(name="acme", *, synced=True, **given):
    record = SourceRecord(name=name, synced_at=NOW if synced else None)
    return freshness.decide(make_source(name, **given), record, NOW)


def test_nothing_is_missing_where_nothing_is_required():
    insist((), [status(synced=False)], {"acme": "The shop did not answer in time."})


def test_a_source_named_by_the_caller_must_have_a_snapshot():
    with pytest.raises(RequiredMissing, match=r"^Required, but not to be had now: acme\.$") as caught:
        insist(("acme",), [status(synced=False), status("depot")])
    assert caught.value.missing == {"acme": "It has no snapshot yet."}
    insist(("depot",), [status(synced=False), status("depot")])


def test_a_source_that_the_settings_require_must_be_there_unless_it_is_off():
    with pytest.raises(RequiredMissing):
        insist((), [status(required=True, synced=False)])
    insist((), [status(required=True, enabled=False, synced=False)])


def test_a_required_source_whose_shop_gave_no_answer_is_missing_and_another_is_not():
    unconfirmed = {"acme": "The shop did not answer in time.", "depot": "The shop answered 500."}
    with pytest.raises(RequiredMissing) as caught:
        insist(("acme",), [status(), status("depot")], unconfirmed)
    assert caught.value.missing == {"acme": "The shop did not answer in time."}
