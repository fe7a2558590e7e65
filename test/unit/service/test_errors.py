import inspect
import re

import pytest

from main.service import errors
from main.service.errors import (
    AisleError,
    InvalidQuery,
    NotFound,
    NothingYet,
    RecordRejected,
    StoreDown,
    Unavailable,
    UpstreamRefused,
    UpstreamThrottled,
)
from main.service.model import Fault

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, AisleError)]


def test_the_tree_in_the_modules_text_is_the_tree_of_the_classes():
    drawn, above = {}, {-1: None}
    for line in errors.__doc__.split("::")[1].splitlines():
        found = re.match(r"    ((?:\|   |    )*)(?:\+-- )?(\w+)", line)
        if found:
            depth = (found.start(2) - 4) // 4
            above[depth] = drawn[found[2]] = found[2]
            drawn[found[2]] = above[depth - 1]
    assert drawn == {kind.__name__: kind.__base__.__name__ if kind is not AisleError else None for kind in CLASSES}


def test_errors_carry_what_their_reader_needs():
    assert (NotFound("product", "acme:1").what, NotFound("product", "acme:1").name) == ("product", "acme:1")
    assert InvalidQuery({"q": ["is too long"]}).errors == {"q": ["is too long"]}
    assert (Unavailable("later").retry_after, Unavailable("later", retry_after=9).retry_after) == (5, 9)
    assert NothingYet([]).statuses == []
    assert UpstreamRefused("no", 404).status == 404
    throttled = UpstreamThrottled("slow down", 429, 3.0)
    assert (throttled.status, throttled.retry_after) == (429, 3.0)


def test_a_rejection_reads_as_its_faults():
    rejection = RecordRejected([Fault("price", "is negative"), Fault("name", "is missing")], "7")
    assert (str(rejection), rejection.record_id) == ("price: is negative; name: is missing", "7")
    assert rejection.faults == (Fault("price", "is negative"), Fault("name", "is missing"))


@pytest.mark.parametrize("error", [NotFound("product", "<script>"), InvalidQuery({"q": ["x"]}), StoreDown()])
def test_no_message_repeats_what_the_caller_sent(error):
    assert "<script>" not in str(error)
