"""A demo shop that is told to misbehave, and the command that tells it."""

import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from sample.control import ControlFailedError, find_shop, tell
from sample.faults import FAULTS
from sample.mount import mount
from sample.ports import SHOP_PORTS, base_url
from sample.server import running
from sample.shops import CHANGES, SHOP_NAMES, demo_app, moody_shops
from test.faults.shops import raw_server

ROOT = Path(__file__).parents[2]
AUTH = ("demo-key", "demo-secret")
LISTS = {"lumen": "/lumen/products.json", "depot": "/depot/wp-json/wc/v3/products", "parts": "/parts/parts.csv"}


@pytest.fixture
def url():
    with running(mount(moody_shops())) as url:
        yield url


def get(url: str, shop: str = "depot", **options) -> requests.Response:
    return requests.get(url + LISTS[shop], auth=AUTH, timeout=5, **options)


def post(url: str, body: str | bytes, shop: str = "depot") -> requests.Response:
    return requests.post(f"{url}/{shop}/_behave", data=body, timeout=5)


def test_every_shop_has_a_usual_port_and_changes() -> None:
    assert tuple(SHOP_PORTS) == SHOP_NAMES == tuple(CHANGES)


def test_a_shop_says_how_it_behaves_and_what_it_could_do(url: str) -> None:
    answer = requests.get(f"{url}/depot/_behave", timeout=5).json()
    assert (answer["shop"], answer["fault"], answer["seconds"]) == ("depot", "well", None)
    assert set(answer["faults"]) == set(FAULTS)


def test_others_who_serve_the_shops_have_no_such_control() -> None:
    with running(demo_app()) as url:
        assert post(url, '{"fault": "broken"}').status_code in {401, 404}
        assert get(url).status_code == 200


@pytest.mark.parametrize("shop", SHOP_NAMES)
def test_a_throttled_shop_refuses_until_it_is_well_again_and_the_others_do_not_notice(url: str, shop: str) -> None:
    assert post(url, '{"fault": "throttle", "seconds": 7.2}', shop).json()["seconds"] == 7.2
    for name in SHOP_NAMES:
        answer = get(url, name)
        assert (answer.status_code, answer.headers.get("Retry-After")) == ((429, "8") if name == shop else (200, None))
    post(url, '{"fault": "well"}', shop)
    assert get(url, shop).status_code == 200


def test_a_broken_shop_answers_500_and_a_garbled_one_a_page(url: str) -> None:
    post(url, '{"fault": "broken"}')
    assert get(url).status_code == 500
    post(url, '{"fault": "garbled"}')
    answer = get(url)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!DOCTYPE html>")


def test_a_slow_shop_holds_its_answer_back(url: str) -> None:
    post(url, '{"fault": "slow", "seconds": 0.3}')
    started = time.monotonic()
    assert get(url).status_code == 200
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize("shop", SHOP_NAMES)
def test_a_dripping_shop_sends_its_whole_answer_bit_by_bit(url: str, shop: str) -> None:
    whole = get(url, shop)
    post(url, '{"fault": "drip", "seconds": 0.4}', shop)
    started = time.monotonic()
    with get(url, shop, stream=True) as answer:
        headers_after = time.monotonic() - started
        content = answer.content
    assert content == whole.content
    assert answer.headers["Content-Length"] == whole.headers["Content-Length"]
    assert time.monotonic() - started - headers_after >= 0.3


@pytest.mark.parametrize("shop", SHOP_NAMES)
@pytest.mark.parametrize("fault", ["price", "invalid"])
def test_one_record_changes_and_with_it_the_validators(url: str, shop: str, fault: str) -> None:
    before = get(url, shop)
    post(url, f'{{"fault": "{fault}"}}', shop)
    known = {name: before.headers[kept] for name, kept in (("If-None-Match", "ETag"),) if kept in before.headers}
    after = get(url, shop, headers=known)
    assert after.status_code == 200
    assert changed_records(before, after) == 1
    post(url, '{"fault": "well"}', shop)
    assert get(url, shop).content == before.content


def changed_records(before: requests.Response, after: requests.Response) -> int:
    pairs = zip(read(before), read(after), strict=True)
    return sum(old != new for old, new in pairs)


def read(answer: requests.Response) -> list:
    if "csv" in answer.headers["Content-Type"]:
        return answer.text.splitlines()
    content = answer.json()
    return content["products"] if isinstance(content, dict) else content


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "must be a JSON object"),
        ("[]", "must be a JSON object"),
        ("fault=slow", "must be a JSON object"),
        ("{}", "fault: null; allowed: well, slow,"),
        ('{"fault": "melt"}', 'fault: "melt"; allowed: well, slow,'),
        ('{"fault": ["slow"]}', 'fault: ["slow"]; allowed:'),
        ('{"fault": "slow", "minutes": 1}', "minutes: not known; allowed: fault, seconds."),
        ('{"fault": "broken", "seconds": 1}', "seconds: broken takes none; allowed with: slow, drip, throttle."),
        ('{"fault": "slow", "seconds": 0}', "seconds: 0; allowed: a number above 0 and up to 3600."),
        ('{"fault": "slow", "seconds": "2"}', 'seconds: "2"; allowed:'),
        ('{"fault": "slow", "seconds": true}', "seconds: true; allowed:"),
        ('{"fault": "slow", "seconds": 1e9}', "allowed: a number above 0"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_is_allowed_and_changes_nothing(url: str, body: str, words: str) -> None:
    answer = post(url, body)
    assert answer.status_code == 422
    assert words in answer.json()["message"]
    assert get(url).status_code == 200


def test_only_get_and_post_and_only_from_this_machine(url: str) -> None:
    answer = requests.delete(f"{url}/depot/_behave", timeout=5)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")
    shop = moody_shops(["lumen"])[0].app
    environ = {"PATH_INFO": "/_behave", "REQUEST_METHOD": "POST", "REMOTE_ADDR": "10.0.0.7", "wsgi.input": None}
    statuses = []
    body = b"".join(shop(environ, lambda status, _: statuses.append(status)))
    assert statuses == ["403 FORBIDDEN"]
    assert b"own machine" in body


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sample", "behave", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


def test_the_command_tells_a_shop_and_says_how_it_behaves(url: str) -> None:
    done = run("depot", "slow", "--seconds", "0.2", "--url", url)
    assert done.stdout == "depot: slow (0.2 s): holds each answer back for so many seconds\n"
    assert tell(url, "depot", None, None).fault == "slow"
    assert run("depot", "--url", url).stdout == done.stdout
    assert run("lumen", "--url", url).stdout == "lumen: well: answers as it should\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("attic", "slow"), "'attic' is not one of 'lumen', 'depot', 'parts'"),
        (("depot", "melt"), "'melt' is not one of 'well', 'slow'"),
        (("depot", "--seconds", "2"), "--seconds goes with a fault"),
        (("depot", "slow", "--url", "ftp://x"), "ftp://x is no address; allowed: http://host:port."),
        (("depot", "slow", "--url", "http://h:x"), "http://h:x is no address; allowed: http://host:port."),
        (("depot", "slow", "--url", "http://127.0.0.1:1"), "No shop at http://127.0.0.1:1"),
    ],
)
def test_the_command_says_what_was_wrong(arguments: tuple[str, ...], words: str) -> None:
    done = run(*arguments)
    assert done.returncode != 0
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_refusal_and_a_stranger_are_told(url: str) -> None:
    with pytest.raises(ControlFailedError, match="broken takes none"):
        tell(url, "depot", "broken", 3)
    with running(demo_app()) as plain, pytest.raises(ControlFailedError, match="no sample shop that can be told"):
        tell(plain, "lumen", "slow", None)
    with raw_server(b"") as silent, pytest.raises(ControlFailedError, match="No shop at"):
        tell(silent, "lumen", "slow", None)


@contextmanager
def frozen_shop():
    command = [sys.executable, "-m", "sample", "serve", "--port", "0", "--shop", "lumen"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        base = process.stdout.readline().split()[-1]
        process.send_signal(19)
        try:
            yield base
        finally:
            process.kill()


def test_a_frozen_shop_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sample.control.PATIENCE_SECONDS", 0.3)
    with frozen_shop() as base, pytest.raises(ControlFailedError, match="Is the shop frozen"):
        tell(base, "lumen", "slow", None)


def test_a_shop_is_found_where_it_was_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAMPLE_DEPOT", raising=False)
    assert find_shop("depot", None) == base_url(9102)
    monkeypatch.setenv("SAMPLE_DEPOT", "http://h:1")
    assert find_shop("depot", None) == "http://h:1"
    assert find_shop("depot", "http://h:2") == "http://h:2"
