import pytest

from main.service import passwords
from main.service.passwords import find_fault, is_common, prepare

GOOD = "violet anvil hums low"


def test_a_good_password_has_no_fault():
    for good in (GOOD, "Ünbelehrbar zäh 77 Wege", "x9$Kq!v2Lm#8Wz1", "🦉 owls read at night"):
        assert find_fault(good, "ada", 15) is None


@pytest.mark.parametrize(
    ("password", "least", "fault"),
    [
        ("", 15, "is too short: 0 characters; allowed: 15 to 128"),
        ("k9$Kq!v2Lm#8Wz", 15, "is too short: 14 characters; allowed: 15 to 128"),
        ("k9$Kq!v", 1, "is too short: 7 characters; allowed: 8 to 128"),
        ("äöü12ß!", 8, "is too short: 7 characters; allowed: 8 to 128"),
        (f"{GOOD}{'x' * 108}", 8, "is too long: 129 characters; allowed: 8 to 128"),
    ],
)
def test_length_is_counted_in_characters_and_eight_is_the_least_whatever_is_asked(password, least, fault):
    assert find_fault(password, "ada", least) == fault


def test_the_bounds_themselves_are_allowed():
    assert find_fault("k9$Kq!v2", "ada", 8) is None
    assert find_fault("k9$Kq!v2Lm#8Wz1", "ada", 15) is None
    assert find_fault((GOOD * 10)[:127] + "é", "ada", 15) is None


@pytest.mark.parametrize("password", ["ada.lovelace", "ADA.Lovelace", "ada.lovelaceada.lovelace"])
def test_the_username_is_no_password(password):
    assert find_fault(password, "Ada.Lovelace", 8) == "is the username; allowed: one that cannot be guessed from it"


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "PASSWORD1",
        "P@ssw0rd",
        "letmein1",
        "iloveyou",
        "1q2w3e4r",
        "1qaz2wsx",
        "qwertyuiop",
        "qwertzuiop",
        "q1w2e3r4t5",
        "asdfghjkl",
        "123456789012345",
        "11111111",
        "abababababababa",
        "aabbaabbaabbaabb",
        "passwordpassword",
        "letmeinletmeinletmein",
        "password12345678",
        "!!password99",
        "Summer2025!",
        "correcthorsebatterystaple",
        "\uff50assword",
    ],
)
def test_common_passwords_are_refused_with_the_reason(password):
    assert "is one of the most common" in find_fault(password, "ada", 8)


def test_five_characters_must_differ():
    assert is_common("abcdabdcacbdadbc")
    assert not is_common("abcdabdcacbdadbe")


def test_up_to_four_characters_around_a_common_password_make_no_other_one():
    assert is_common("!!password99")
    assert not is_common("!!password997")


@pytest.mark.parametrize("password", ["password-of-a-lighthouse", "dragonfly kettle", "2024 was a long year"])
def test_a_common_word_within_a_longer_password_does_no_harm(password):
    assert not is_common(password)


def test_the_list_is_long_folded_and_has_no_line_twice():
    lines = passwords._COMMON.read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(set(lines)) == len(passwords._read_common()) > 3000
    assert sum(len(line) >= passwords.HARD_MINIMUM for line in lines) > 3000
    assert [line for line in lines if line != passwords.fold(line) or line != line.strip()] == []


def test_two_spellings_of_one_password_are_the_same_and_nothing_else_is():
    assert prepare("cafe\u0301 au\u00a0lait") == prepare("caf\u00e9 au lait") == "caf\u00e9 au lait"
    for one, other in (("ﬁn", "fin"), ("Abc", "abc"), (" abc", "abc"), ("①", "1")):
        assert prepare(one) != prepare(other)


def test_without_a_username_there_is_none_to_be_equal_to():
    assert find_fault(GOOD, "", 15) is None
