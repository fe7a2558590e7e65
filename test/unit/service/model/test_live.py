import pytest

from main.service.model import LiveRules, Look, LookState


@pytest.mark.parametrize(
    ("state", "confirmed", "answered"),
    [
        (LookState.LIVE, True, True),
        (LookState.CACHED, True, True),
        (LookState.STALE, False, True),
        (LookState.TIMEOUT, False, False),
        (LookState.ERROR, False, False),
        (LookState.OPEN, False, False),
        (LookState.RATE_LIMITED, False, False),
    ],
)
def test_only_what_the_shop_said_just_now_is_confirmed_and_only_its_figures_are_an_answer(state, confirmed, answered):
    look = Look(state)
    assert (look.confirmed, look.answered) == (confirmed, answered)


def test_a_shop_that_says_that_a_product_is_gone_has_answered():
    gone = Look(LookState.ERROR, 0.1, gone=True)
    assert (gone.confirmed, gone.answered) == (False, True)


def test_the_usual_rules_fit_into_each_other():
    rules = LiveRules()
    assert rules.deadline <= rules.max_deadline
    assert rules.fresh + rules.revalidate <= rules.max_stale
