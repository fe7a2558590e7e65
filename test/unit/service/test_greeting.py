import pytest

from main.service.greeting import GreetingService


@pytest.mark.parametrize(("name", "greeting"), [("John", "Hello, John!"), (None, "Hello, World!"), ("", "Hello, World!")])
def test_it_greets_whoever_is_named_or_the_default(name, greeting):
    assert GreetingService("World").greet(name) == greeting
