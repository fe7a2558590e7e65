"""What the log never shows, however it came there."""

import base64
import json

import pytest
import structlog

from main.util.logs import configure_logs
from main.util.masking import escape_text, mask, mask_text
from main.util.secret import MASK, Secret, known_secrets, remember_secret

CANARY = "cAnArY-5f2e9"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ." + CANARY


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {CANARY}",
        f"{{'Authorization': 'Bearer {CANARY}'}}",
        f"[('Authorization', 'Basic {base64.b64encode(CANARY.encode()).decode()}')]",
        f"Proxy-Authorization: Digest username=a, response={CANARY}",
        f"sent bearer {CANARY} and was refused",
        f"token {JWT} is over",
        f"key aisle_{CANARY}0123456789 is unknown",
        f"Set-Cookie: token={CANARY}; HttpOnly; Path=/",
        f"cookie: a=b; session={CANARY}",
        f"X-API-Key: {CANARY}",
        f"GET /products?consumer_key=ck_{CANARY}&consumer_secret={CANARY}&page=2",
        f"redis://:{CANARY}@cache:6379/0 refused",
        f"https://ada:{CANARY}@shop.example/x",
        f'{{"username": "ada", "password": "{CANARY} with spaces"}}',
        f'{{\\"password\\": \\"{CANARY}\\"}}',
        f"{{'refresh_token': '{CANARY}'}}",
        f"password={CANARY}",
        f"client_secret: {CANARY}",
        f"api_key={CANARY};x=1",
        f"{{'headers': {{'Cookie': b'token={CANARY}'}}}}",
    ],
)
def test_a_secret_of_a_known_shape_is_masked(text):
    masked = mask_text(text)
    assert CANARY not in masked
    assert base64.b64encode(CANARY.encode()).decode() not in masked
    assert MASK in masked


@pytest.mark.parametrize(
    "text",
    [
        "source.synced",
        "/products/acme:1",
        "The password is too short.",
        "https://shop.example/a?page=2",
        "3 tokens ended",
        "monkey: banana",
        "",
    ],
)
def test_what_holds_no_secret_stays_as_it_is(text):
    assert mask_text(text) == text


def test_every_secret_of_this_process_is_masked_wherever_it_stands():
    Secret("pl@nted/secret value")
    assert mask_text("it was pl@nted/secret value, truly") == f"it was {MASK}, truly"
    assert mask_text("?x=pl%40nted%2Fsecret%20value&y=1") == f"?x={MASK}&y=1"


def test_a_secret_inside_another_leaves_nothing_over():
    remember_secret("abcdefgh")
    remember_secret("abcdefgh-and-more")
    assert mask_text("abcdefgh-and-more") == MASK


def test_a_secret_too_short_to_tell_from_a_word_masks_nothing():
    Secret("lamp")
    assert mask_text("a desk lamp") == "a desk lamp"


def test_the_oldest_secrets_are_forgotten_when_there_are_very_many():
    before = known_secrets()
    for number in range(2_000):
        remember_secret(f"passing-token-{number}")
    assert len(known_secrets()) == 1_000
    assert mask_text("passing-token-1999") == MASK
    for value in before:
        remember_secret(value)


def test_what_stands_under_a_telling_name_is_masked_whole():
    event = {"password": "hunter", "nested": [{"X-API-Key": b"k"}], "count": 3, "ok": True, "none": None, "pair": ("a", 1.5)}
    assert mask(event) == {
        "password": MASK,
        "nested": [{"X-API-Key": MASK}],
        "count": 3,
        "ok": True,
        "none": None,
        "pair": ["a", 1.5],
    }


def test_anything_else_is_told_as_text():
    assert mask({"where": ValueError(f"password={CANARY}")}) == {"where": "ValueError('password=***')"}


def test_a_text_that_goes_on_and_on_is_cut():
    assert len(mask_text("a" * 1_000_000)) < 21_000


def test_a_large_hostile_text_is_masked_in_no_time():
    for text in ("password=" * 3_000, "a_" * 9_000 + "password", 'token="' * 3_000, "://" * 6_000, "eyJa." * 4_000):
        mask_text(text)


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("a\nb", r"a\x0ab"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\u2028", r"\u2028"),
        ("\x00\x9b", r"\x00\x9b"),
        ("\u202e", r"\u202e"),
        ("سلك é", "سلك é"),
    ],
)
def test_control_characters_are_spelled_out(text, spelled):
    assert escape_text(text) == spelled


def test_an_exception_with_a_secret_in_its_message_is_logged_without_it(capsys):
    for terminal in (False, True):
        configure_logs(terminal=terminal)
        try:
            raise LookupError(f"https://ada:{CANARY}@shop.example\n\x1b[2Jforged password={CANARY}")
        except LookupError:
            structlog.get_logger().exception("event.broke", headers={"Authorization": f"Bearer {CANARY}"})
        written = capsys.readouterr().err
        assert CANARY not in written
        assert "LookupError" in written
        assert "\x1b[2J" not in written
    assert not any(line.startswith("forged") for line in written.splitlines())


def test_a_terminal_sees_values_of_every_kind(capsys):
    configure_logs(terminal=True)
    structlog.get_logger().info("event", number=3, nested={"a": "b\nc"}, none=None)
    (line,) = capsys.readouterr().err.splitlines()
    assert r"b\\nc" in line


def test_json_lines_keep_their_values(capsys):
    configure_logs(terminal=False)
    structlog.get_logger().info("event", number=3, nested={"a": ["b\nc"]}, secret="hidden")
    line = json.loads(capsys.readouterr().err)
    assert (line["number"], line["nested"], line["secret"]) == (3, {"a": ["b\nc"]}, MASK)
