import pytest
import yaml

from main.service.model import Provider, Role
from main.settings.model import Auth, Signing
from main.util.secret import Secret

LONG = "0123456789abcdef" * 2
PROVIDER = {
    "issuer": "https://id.example",
    "audience": "api",
    "jwks_url": "https://id.example/keys",
    "roles": {"Staff": "reader", "Chiefs": "admin"},
}
SECRET = "auth.secret: ***; allowed: at least 32 bytes, 8 of them different"


def auth(**settings):
    return yaml.safe_dump({"auth": settings})


def provider(**changes):
    whole = {name: value for name, value in {**PROVIDER, **changes}.items() if value is not ...}
    return auth(providers=[whole])


def test_nothing_needs_to_be_set(load):
    found = load("").auth
    assert found == Auth()
    assert (found.access_minutes, found.session_hours, found.refresh_days) == (15, 12, 30)
    assert (found.signing, found.secret) == (Signing("HS256"), None)


def test_everything_can_be_set(load):
    text = auth(
        issuer="me", audience="them", access_minutes=5, refresh_days=7, signing={"algorithm": "EdDSA"}, providers=[PROVIDER]
    )
    found = load(text).auth
    assert (found.issuer, found.audience, found.access_minutes, found.refresh_days) == ("me", "them", 5, 7)
    assert found.signing == Signing("EdDSA")
    assert found.providers == (
        Provider(
            issuer="https://id.example",
            audience="api",
            jwks_url="https://id.example/keys",
            roles={"Staff": Role.READER, "Chiefs": Role.ADMIN},
        ),
    )


def test_a_provider_says_its_algorithms_and_claim(load):
    (found,) = load(provider(algorithms=["ES256"], role_claim="realm_access.roles")).auth.providers
    assert (found.algorithms, found.role_claim) == (("ES256",), "realm_access.roles")


class TestTheSecret:
    def test_it_comes_from_a_variable_or_a_file_and_does_not_show(self, load, tmp_path):
        (tmp_path / "secret").write_text(LONG + "\n")
        for text in (auth(secret="${KEY}"), auth(secret_file=str(tmp_path / "secret"))):
            found = load(text, KEY=LONG)
            assert found.auth.secret == Secret(LONG)
            assert LONG not in repr(found)
        assert load("", AISLE_AUTH__SECRET=LONG).auth.secret == Secret(LONG)

    @pytest.mark.parametrize("weak", ["hunter2hunter2", LONG[:31], "a" * 64, "abcdefg" * 9])
    def test_a_weak_one_stops_the_start_and_is_not_shown(self, faults, tmp_path, weak):
        (tmp_path / "secret").write_text(weak)
        assert faults(auth(secret="${KEY}"), KEY=weak) == [SECRET]
        assert faults(auth(secret_file=str(tmp_path / "secret"))) == [SECRET]

    def test_bytes_are_counted_not_letters(self, faults):
        assert faults(auth(secret="${KEY}"), KEY="äöüßéèçñ" * 2) == []

    def test_one_that_is_missing_or_written_out_is_refused(self, faults):
        for text, environ in ((auth(secret=LONG), {}), (auth(secret="${KEY}"), {"KEY": ""})):
            (fault,) = faults(text, **environ)
            assert fault.startswith("auth.secret: ***; allowed: ${NAME}")
            assert LONG not in fault

    def test_a_file_that_is_not_there_is_told(self, faults, tmp_path):
        (fault,) = faults(auth(secret_file=str(tmp_path / "gone")))
        assert fault == "auth.secret_file: ***; allowed: a readable file (No such file or directory)"

    def test_it_is_only_for_the_algorithm_of_shared_secrets(self, faults):
        (fault,) = faults(auth(secret="${KEY}", signing={"algorithm": "RS256"}), KEY=LONG)
        assert fault == "auth.secret: ***; allowed: only for auth.signing.algorithm HS256"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (auth(access_minutes=16), "auth.access_minutes: 16; allowed: a whole number from 1 to 15"),
        (auth(access_minutes=0), "auth.access_minutes: 0; allowed: a whole number from 1 to 15"),
        (auth(session_hours=25), "auth.session_hours: 25; allowed: a whole number from 1 to 24"),
        (auth(session_hours=0), "auth.session_hours: 0; allowed: a whole number from 1 to 24"),
        (auth(refresh_days=366), "auth.refresh_days: 366; allowed: a whole number from 1 to 365"),
        (auth(signing={"algorithm": "none"}), "auth.signing.algorithm: 'none'; allowed: HS256 | RS256 | EdDSA"),
        (auth(signing={"kind": "x"}), "auth.signing.kind: unknown key; allowed: algorithm"),
        (auth(providers={}), "auth.providers: a mapping; allowed: a list of providers"),
        ("auth: x", "auth: 'x'; allowed: a mapping"),
        (provider(issuer=...), "auth.providers[0].issuer: missing; allowed: a value"),
        (provider(roles=...), "auth.providers[0].roles: missing; allowed: a value"),
        (provider(roles={}), "auth.providers[0].roles: a mapping; allowed: a mapping of the provider's values to roles"),
        (provider(roles={"a": "god"}), "auth.providers[0].roles.a: 'god'; allowed: reader | editor | admin"),
        (provider(algorithms=["HS256"]), "auth.providers[0].algorithms[0]: 'HS256'; allowed: RS256 | ES256 | EdDSA"),
        (provider(algorithms=[]), "auth.providers[0].algorithms: a list; allowed: at least one algorithm"),
        (provider(algorithms="RS256"), "auth.providers[0].algorithms: 'RS256'; allowed: a list of algorithms"),
        (
            auth(providers=[PROVIDER, {**PROVIDER, "audience": "b"}]),
            "auth.providers[1].issuer: 'https://id.example'; allowed: an issuer that no other provider has",
        ),
    ],
)
def test_a_mistake_is_told_with_what_is_allowed(faults, text, fault):
    assert faults(text) == [fault]


@pytest.mark.parametrize("url", ["http://localhost:1/keys", "http://127.9.9.9/keys", "http://[::1]:8080/keys"])
def test_keys_on_this_machine_may_come_without_tls(load, url):
    assert load(provider(jwks_url=url)).auth.providers[0].jwks_url == url


@pytest.mark.parametrize("url", ["http://id.example/keys", "http://127.0.0.1.example/", "http://10.0.0.1/"])
def test_keys_from_elsewhere_come_by_tls(faults, url):
    assert faults(provider(jwks_url=url)) == [
        f"auth.providers[0].jwks_url: {url!r}; allowed: an https:// URL, or http:// to this machine's own loopback"
    ]
