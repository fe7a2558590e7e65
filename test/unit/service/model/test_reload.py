from datetime import timedelta

from main.service.model import Credentials, SourcesChange, compare_sources
from main.util.secret import Secret
from test.fakes import make_source


def test_what_was_added_removed_and_changed_is_told_by_name():
    before = [make_source("kept"), make_source("gone"), make_source("other")]
    after = [make_source("new"), make_source("other", every=timedelta(hours=1)), make_source("kept")]
    assert compare_sources(before, after) == SourcesChange(added=("new",), removed=("gone",), changed=("other",))


def test_another_secret_is_a_change_and_another_order_is_none():
    one, two = (make_source("acme", credentials=Credentials(bearer=Secret(text))) for text in ("old", "new"))
    same = make_source("acme", credentials=Credentials(bearer=Secret("old")))
    assert compare_sources([one], [two]).changed == ("acme",)
    assert not compare_sources([one], [same])
    assert not compare_sources([one, make_source("b")], [make_source("b"), same])
