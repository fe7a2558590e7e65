from datetime import timedelta

import pytest

from main.service.model import Credentials, OAuth2
from main.util.secret import Secret
from test.fakes import make_source


@pytest.mark.parametrize(("stale_after", "fresh_s"), [(None, 180), (timedelta(seconds=20), 20)])
def test_a_snapshot_stays_fresh_for_three_rounds_or_as_long_as_the_settings_say(stale_after, fresh_s):
    source = make_source(every=timedelta(minutes=1), stale_after=stale_after)
    assert source.fresh_for.total_seconds() == fresh_s


def test_credentials_are_told_apart_without_being_told():
    every = [
        Credentials(),
        Credentials(bearer=Secret("a")),
        Credentials(bearer=Secret("b")),
        Credentials(basic=(Secret("a"), Secret("b"))),
        Credentials(header=("X-Key", Secret("a"))),
        Credentials(query=(("key", Secret("a")),)),
        Credentials(oauth2=OAuth2("http://x/token", Secret("a"), Secret("b"))),
    ]
    digests = [credentials.digest() for credentials in every]
    assert len(set(digests)) == len(every)
    assert digests == [credentials.digest() for credentials in every]
    assert all(len(digest) == 32 for digest in digests)
