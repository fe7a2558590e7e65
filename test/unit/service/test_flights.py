import pytest

from main.service.flights import LATE, Flight, Ticket, part
from main.service.lookentry import make_entry
from main.service.model import Look, LookState, Wanted

OLD = make_entry(1000.0, b'{"stock":3}')
ANSWER = Look(LookState.LIVE, 0.0, b'{"stock":4}')


def stand_in(flight, state, reason):
    return Look(state, reason=f"{flight.key}: {reason}")


def flight(key="1", **given):
    return Flight(stand_in, Wanted(key), key, 0.0, 1000.0, **given)


def test_whoever_waits_no_longer_is_told_that_it_came_too_late():
    assert flight().finish() == Look(LookState.TIMEOUT, reason=f"1: {LATE}")
    assert flight(rescue=OLD).finish() == Look(LookState.TIMEOUT, reason=f"1: {LATE}")


@pytest.mark.parametrize(("rescue", "over"), [(None, False), (None, True), (OLD, True)])
def test_what_has_landed_is_the_answer(rescue, over):
    landed = flight(rescue=rescue, over=over)
    landed.landed.keep(ANSWER)
    assert landed.finish() is ANSWER


def test_an_old_answer_that_was_served_early_is_looked_at_anew_while_the_shop_is_still_asked():
    early = flight(rescue=OLD)
    early.landed.keep(ANSWER)
    assert early.finish() == Look(LookState.TIMEOUT, reason="1: None")


@pytest.mark.parametrize(
    ("look", "joined", "told"),
    [(ANSWER, True, True), (ANSWER, False, False), (Look(LookState.CACHED, 3.0, b"{}"), True, False)],
)
def test_only_who_waited_for_the_call_of_another_has_joined_it(look, joined, told):
    shared = flight(over=True)
    shared.landed.keep(look)
    found = Ticket(shared, joined).finish()
    assert (found.state, found.figures, found.joined) == (look.state, look.figures, told)


def test_renewals_are_parted_from_what_somebody_waits_for_and_the_order_stays():
    flights = [flight(key, refresh=key in "24") for key in "12345"]
    waited, renewals = part(flights)
    assert ["".join(each.key for each in some) for some in (waited, renewals)] == ["135", "24"]
    assert part([]) == ([], [])


def test_two_flights_are_never_the_same_one():
    assert flight() != flight()
