import threading
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from main.resources.tokens.lastgood import THROTTLE
from main.resources.tokens.outside import OutsideTokens, find_role
from main.resources.upstream.document import fetch_document
from main.resources.upstream.watchdog import Watchdog
from main.service.errors import Unauthenticated, Unavailable
from main.service.model import Caller, CallerKind, Provider, Role
from test.fakes import FakeClock
from test.unit.resources.tokens.forging import by_secret, claims, join, jwk_of, pem_of
from test.unit.resources.tokens.providing import ISSUER, IdentityProvider

STRANGER = ed25519.Ed25519PrivateKey.generate()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture(params=["EdDSA", "ES256", "RS256"])
def provider(request):
    provider = IdentityProvider(request.param)
    with provider.up():
        yield provider


@pytest.fixture
def make(tmp_path, clock, provider):
    """Return a function that gives what another worker knows callers by."""
    fetch = partial(fetch_document, watchdog=Watchdog())
    return lambda **changes: OutsideTokens([provider.settings(**changes)], tmp_path / "providers", fetch, clock)


def refused(tokens, token):
    with pytest.raises(Unauthenticated) as caught:
        tokens.know(token)
    return (str(caught.value), caught.value.code) == ("Authorization token is invalid", "invalid_token")


def test_a_providers_caller_is_known(make, provider):
    tokens = make()
    tokens.open()
    tokens.ping()
    caller = tokens.know(provider.token())
    assert caller == Caller(name=f"{ISSUER}#7", kind=CallerKind.OUTSIDE, role=Role.READER, token_id="t1")
    tokens.close()


def test_a_start_has_the_keys_fetched_before_anybody_comes(make, provider):
    make().open()
    for thread in threading.enumerate():
        if thread.name == "provider-keys":
            thread.join(10)
    assert provider.fetches == 1


def test_the_longest_name_is_taken(make, provider):
    assert make().know(provider.token(sub="x" * 255)).name == f"{ISSUER}#{'x' * 255}"


@pytest.mark.parametrize(
    "header", [{"typ": "JWT"}, {"typ": "at+jwt"}, {"typ": "application/at+jwt"}, {"x5t": "AA", "nonce": "n"}]
)
def test_what_providers_put_into_headers_is_taken(make, provider, header):
    assert make().know(provider.token(header=header))


def test_a_token_without_an_id_has_none(make, provider):
    assert make().know(provider.token(jti=...)).token_id is None


def test_a_caller_whose_groups_map_to_nothing_has_no_role(make, provider):
    assert make().know(provider.token(roles=["Visitors"])).role is None


def test_tokens_of_anybody_else_are_left_to_others(make, provider):
    tokens = make()
    for issuer in ("aisle", "https://other.example", ISSUER + "/", ISSUER.upper(), ..., 1, [ISSUER]):
        assert tokens.know(provider.token(iss=issuer)) is None
    assert provider.fetches == 0


def test_without_providers_nothing_is_read(tmp_path, clock):
    assert OutsideTokens([], tmp_path, lambda _: b"", clock).know("whatever") is None


FORGERIES = {
    "no algorithm": lambda one: one.token(header={"alg": "none"}),
    "a shared secret": lambda one: join(
        {"alg": "HS256", "kid": "k1"}, claims(iss=ISSUER), by_secret(pem_of(next(iter(one.keys.values())).public_key()))
    ),
    "another algorithm": lambda one: one.token(header={"alg": "RS256" if one.algorithm != "RS256" else "ES256"}),
    "a stranger's signature": lambda one: join({"alg": one.algorithm, "kid": "k1"}, claims(iss=ISSUER), STRANGER.sign),
    "a stranger's key": lambda one: join(
        {"alg": "EdDSA", "kid": "k1", "jwk": jwk_of(STRANGER.public_key(), "k1")}, claims(iss=ISSUER), STRANGER.sign
    ),
    "an unknown key": lambda one: one.token(kid="other"),
    "another audience": lambda one: one.token(aud="other"),
    "what is over": lambda one: one.token(exp=1),
    "what is not yet": lambda one: one.token(nbf=claims()["iat"] + 60),
    "an id token": lambda one: one.token(header={"typ": "id+jwt"}),
    "a logout token": lambda one: one.token(header={"typ": "logout+jwt"}),
    "a name too long": lambda one: one.token(sub="x" * 256),
    "a name with a line end": lambda one: one.token(sub="x\ny"),
    "no name": lambda one: one.token(sub=...),
    "no end": lambda one: one.token(exp=...),
    "too large": lambda one: one.token(pad="x" * 9000),
    "below another signature": lambda one: ".".join([*one.token(sub="8").split(".")[:2], one.token().split(".")[2]]),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_token_is_refused(make, provider, name):
    tokens = make()
    assert tokens.know(provider.token())
    assert refused(tokens, FORGERIES[name](provider))
    assert provider.fetches == 1


def test_an_algorithm_that_the_settings_leave_out_is_refused(make, provider):
    others = tuple({"RS256", "ES256", "EdDSA"} - {provider.algorithm})
    assert refused(make(algorithms=others), provider.token())


def test_a_token_signed_by_an_old_key_is_refused_once_the_provider_drops_it(make, provider, clock):
    tokens, old = make(), provider.token()
    assert tokens.know(old)
    provider.rotate("k2")
    clock.advance(THROTTLE)
    assert tokens.know(provider.token())
    assert refused(tokens, old)


def test_nobody_is_locked_out_while_the_provider_is_down(make, provider, clock):
    tokens = make()
    tokens.know(provider.token())
    provider.status = 503
    clock.advance(600)
    for worker in (tokens, make()):
        worker.open()
        assert worker.know(provider.token(exp=claims()["iat"] + 9000))
        assert refused(worker, provider.token(kid="k9"))


def test_keys_that_were_never_to_be_had_are_told(make, provider):
    provider.status = 500
    with pytest.raises(Unavailable):
        make().know(provider.token())


@pytest.mark.parametrize(
    ("claim", "said", "role"),
    [
        ("roles", {"roles": ["Staff", "Chiefs", "Buyers"]}, Role.ADMIN),
        ("roles", {"roles": "Buyers"}, Role.EDITOR),
        ("roles", {"roles": "openid Buyers"}, Role.EDITOR),
        ("roles", {"roles": "All Staff"}, Role.READER),
        ("roles", {"roles": [1, None, ["Staff"], "Staff"]}, Role.READER),
        ("roles", {"roles": {"Staff": True}}, None),
        ("roles", {"roles": 7}, None),
        ("roles", {}, None),
        ("realm_access.roles", {"realm_access": {"roles": ["Buyers"]}}, Role.EDITOR),
        ("realm_access.roles", {"realm_access": ["Buyers"]}, None),
        ("https://shop.example/roles", {"https://shop.example/roles": ["Staff"]}, Role.READER),
    ],
)
def test_the_highest_role_that_a_claim_maps_to_is_given(claim, said, role):
    roles = {"Staff": Role.READER, "All Staff": Role.READER, "Buyers": Role.EDITOR, "Chiefs": Role.ADMIN}
    provider = Provider(issuer="i", audience="a", jwks_url="u", role_claim=claim, roles=roles)
    assert find_role(said, provider) == role
