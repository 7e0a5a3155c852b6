"""What a person is told in the morning, and what a valid check-in is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.errors import UserError
from rules.records import OfferState, Tier
from rules.success.checkins import (
    LONGEST_DELAY,
    OFFERS_PER_DAY,
    AddCheckin,
    CheckinDraft,
    Due,
    Offer,
    SettleOffer,
    decide_checkin,
    decide_morning,
    decide_put_off,
    decide_skip,
    is_to_remind,
    rank_due,
)
from rules.success.plans import MeasurementDraft
from rules.success.risks import RiskDraft
from rules.success.tasks import TaskDraft

TODAY = date(2026, 3, 10)  # a Tuesday
DAY = timedelta(days=1)
OFFER = Offer("o1", 1, "acme", "ada", TODAY)
WHOLE = AddCheckin(CheckinDraft("acme", "ada", TODAY, 4), TODAY)

dues = st.builds(
    Due,
    account_id=st.text("abc", min_size=1, max_size=4),
    due_on=st.dates(date(2025, 1, 1), date(2026, 6, 1)),
    cadence_days=st.sampled_from([7, 14, 30, 90]),
    tier=st.none() | st.sampled_from(Tier),
)


def test_the_most_overdue_in_its_own_rhythm_comes_first_then_the_most_valuable():
    half = Due("half", TODAY - 7 * DAY, 14, Tier.A)
    whole = Due("whole", TODAY - 30 * DAY, 30, Tier.C)
    twice = Due("twice", TODAY - 60 * DAY, 30, Tier.B)
    fresh = Due("fresh", TODAY, 14, Tier.A)
    ranked = rank_due([fresh, half, whole, twice], TODAY)
    assert [each.account_id for each in ranked] == ["twice", "whole", "half", "fresh"]


@given(st.lists(dues, max_size=30, unique_by=lambda each: each.account_id), st.randoms())
def test_the_order_depends_on_nothing_but_what_is_due(due: list[Due], random: Random):
    shuffled = list(due)
    random.shuffle(shuffled)
    assert rank_due(due, TODAY) == rank_due(shuffled, TODAY)


@given(st.lists(dues, max_size=30))
def test_at_most_a_handful_is_offered_and_nothing_that_is_not_due(due: list[Due]):
    told = decide_morning("ada", "U1", due, [], TODAY)
    ripe = [each for each in due if each.due_on <= TODAY]
    offered = told.offered if told else ()
    assert len(offered) == min(len(ripe), OFFERS_PER_DAY)
    assert all(due_on <= TODAY for _account, due_on in offered)


@pytest.mark.parametrize(("back", "is_late"), [(0, False), (1, False), (4, True), (5, True)])
def test_a_reminder_after_two_working_days(back: int, *, is_late: bool):
    """Offered on Monday, Friday or Thursday before."""
    offer = replace(OFFER, offered_on=TODAY - back * DAY)
    assert is_to_remind(offer, TODAY) is is_late
    assert not is_to_remind(replace(offer, reminded_on=TODAY - DAY), TODAY)
    assert not is_to_remind(replace(offer, state=OfferState.DONE), TODAY)


def test_nobody_is_told_nothing():
    assert decide_morning("ada", "U1", [Due("acme", TODAY + DAY, 30)], [OFFER], TODAY) is None


def test_skipping_needs_a_reason_and_a_delay_a_later_day():
    assert decide_skip(OFFER, "holidays", "ada", TODAY) == [
        SettleOffer("o1", 1, OfferState.SKIPPED, TODAY, "ada", "holidays")
    ]
    (later,) = decide_put_off(OFFER, TODAY + DAY, "ada", TODAY)
    assert isinstance(later, SettleOffer)
    assert later.resumes_on == TODAY + DAY
    for wrong in ("", "x" * 301):
        with pytest.raises(UserError) as refused:
            decide_skip(OFFER, wrong, "ada", TODAY)
        assert refused.value.field == "reason"
    for until in (TODAY, TODAY + LONGEST_DELAY + DAY):
        with pytest.raises(UserError) as refused:
            decide_put_off(OFFER, until, "ada", TODAY)
        assert refused.value.field == "until"


@pytest.mark.parametrize(
    ("whole", "field"),
    [
        (replace(WHOLE, draft=replace(WHOLE.draft, pulse=0)), "pulse"),
        (replace(WHOLE, draft=replace(WHOLE.draft, pulse=6)), "pulse"),
        (replace(WHOLE, draft=replace(WHOLE.draft, happened_on=TODAY + DAY)), "happened_on"),
        (replace(WHOLE, draft=replace(WHOLE.draft, happened_on=TODAY - 400 * DAY)), "happened_on"),
        (replace(WHOLE, draft=replace(WHOLE.draft, changed="x" * 2001)), "changed"),
        (replace(WHOLE, risk=RiskDraft("acme", "")), "risk"),
        (replace(WHOLE, risk=RiskDraft("acme", "x" * 501)), "risk"),
        (replace(WHOLE, risk=RiskDraft("acme", "x", "y" * 1001)), "plan"),
        (replace(WHOLE, step=TaskDraft("acme", "")), "step"),
        (replace(WHOLE, step=TaskDraft("acme", "call", due_on=TODAY - DAY)), "due_on"),
        (replace(WHOLE, step=TaskDraft("acme", "call", due_on=TODAY + 4000 * DAY)), "due_on"),
        (replace(WHOLE, values=(MeasurementDraft("acme", "nps", Decimal(1), TODAY + DAY),)), "measured_on"),
    ],
)
def test_a_wrong_part_names_its_field(whole: AddCheckin, field: str):
    with pytest.raises(UserError) as refused:
        decide_checkin(whole)
    assert refused.value.field == field
