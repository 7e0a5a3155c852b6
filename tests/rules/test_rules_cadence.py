"""How often we check in: the defaults by tier, the two times of closer watch, and the next due day for any facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.people.working_time import is_working_day
from rules.records import AccountState, Tier
from rules.success.cadence import (
    NEW_FOR,
    ONBOARDING_DAYS,
    ONBOARDING_STAGES,
    CadenceFacts,
    cadence_days,
    is_onboarding,
    next_due,
)

TODAY = date(2026, 3, 10)
DAY = timedelta(days=1)
OLD = CadenceFacts(AccountState.CUSTOMER, Tier.B, date(2024, 1, 1))

days = st.dates(date(2025, 1, 1), date(2027, 12, 31))
facts = st.builds(
    CadenceFacts,
    state=st.sampled_from(AccountState),
    tier=st.none() | st.sampled_from(Tier),
    began_on=days,
    stage_key=st.sampled_from(["", *sorted(ONBOARDING_STAGES), "adoption"]),
    decides_on=st.none() | days,
    last_on=st.none() | days,
    skipped_on=st.none() | days,
    resumes_on=st.none() | days,
    known_on=st.none() | days,
)


@pytest.mark.parametrize(("tier", "expected"), [(Tier.A, 14), (Tier.B, 30), (Tier.C, 90), (Tier.D, None), (None, 90)])
def test_each_tier_has_its_rhythm(tier: Tier | None, expected: int | None):
    assert cadence_days(replace(OLD, tier=tier), TODAY) == expected


@pytest.mark.parametrize("state", [AccountState.PROSPECT, AccountState.LOST])
def test_nobody_checks_in_with_prospects_and_the_lost(state: AccountState):
    assert cadence_days(replace(OLD, state=state), TODAY) is None
    assert next_due(replace(OLD, state=state), TODAY) is None


def test_onboarding_is_weekly_in_its_stage_and_for_the_new_without_a_journey():
    assert cadence_days(replace(OLD, stage_key="onboarding"), TODAY) == ONBOARDING_DAYS
    assert cadence_days(replace(OLD, stage_key="adoption", began_on=TODAY), TODAY) == 30
    assert cadence_days(replace(OLD, began_on=TODAY - NEW_FOR + DAY), TODAY) == ONBOARDING_DAYS
    assert cadence_days(replace(OLD, began_on=TODAY - NEW_FOR), TODAY) == 30
    assert cadence_days(replace(OLD, tier=Tier.D, stage_key="onboarding"), TODAY) is None


@pytest.mark.parametrize(("ahead", "expected"), [(0, 14), (90, 14), (91, 30), (-1, 30)])
def test_the_last_ninety_days_before_the_decision_are_watched_closely(ahead: int, expected: int):
    assert cadence_days(replace(OLD, decides_on=TODAY + ahead * DAY), TODAY) == expected
    assert cadence_days(replace(OLD, tier=Tier.C, decides_on=TODAY + ahead * DAY), TODAY) == 90


def test_due_a_cadence_after_the_last_or_the_beginning_on_a_working_day():
    assert next_due(replace(OLD, last_on=date(2026, 3, 2)), TODAY) == date(2026, 4, 1)
    assert next_due(replace(OLD, last_on=date(2026, 3, 5)), TODAY) == date(2026, 4, 6)  # the 4th is a Saturday
    assert next_due(replace(OLD, last_on=date(2026, 3, 5)), TODAY, "DE") == date(2026, 4, 7)  # Easter Monday
    assert next_due(OLD, TODAY) == date(2024, 1, 31)


def test_nothing_was_due_before_the_account_was_known():
    imported = replace(OLD, known_on=date(2026, 3, 7))  # a Saturday
    assert next_due(imported, TODAY) == date(2026, 3, 9)
    assert next_due(replace(imported, last_on=date(2025, 6, 2)), TODAY) == date(2026, 3, 9)
    assert next_due(replace(imported, last_on=date(2026, 3, 2)), TODAY) == date(2026, 4, 1)
    assert next_due(replace(imported, began_on=date(2026, 2, 27), tier=Tier.A), TODAY) == date(2026, 3, 9)
    assert next_due(replace(imported, began_on=date(2026, 3, 7), tier=Tier.A), TODAY) == date(2026, 3, 16)


def test_a_skipped_one_counts_and_one_put_off_comes_back_on_its_day():
    skipped = replace(OLD, last_on=date(2026, 1, 5), skipped_on=date(2026, 3, 2))
    assert next_due(skipped, TODAY) == date(2026, 4, 1)
    assert next_due(replace(skipped, resumes_on=date(2026, 3, 20)), TODAY) == date(2026, 3, 20)
    since = replace(skipped, resumes_on=date(2026, 3, 20), last_on=date(2026, 3, 3))
    assert next_due(since, TODAY) == date(2026, 4, 2)
    same_day = replace(since, last_on=date(2026, 3, 2))
    assert next_due(same_day, TODAY) == date(2026, 4, 1)


@given(facts, days, st.sampled_from(["", "DE", "US", "CN"]))
def test_the_due_day_is_a_working_day_after_the_last_one(known: CadenceFacts, today: date, country: str):
    due, cadence = next_due(known, today, country), cadence_days(known, today)
    assert (due is None) == (cadence is None)
    if due is None or cadence is None:
        return
    assert is_working_day(due, country)
    since = known.last_on or known.began_on
    is_put_off = known.skipped_on is not None and known.skipped_on >= since and known.resumes_on is not None
    is_put_off = is_put_off and known.skipped_on != known.last_on
    assert is_put_off or due >= since + timedelta(days=cadence)


@given(facts, days)
def test_closer_watch_never_makes_it_later(known: CadenceFacts, today: date):
    plain = replace(known, stage_key="adoption", decides_on=None)
    usual, closer = next_due(plain, today), next_due(known, today)
    assert usual is None or (closer is not None and closer <= usual)


@given(facts, days, st.integers(0, 400))
def test_a_later_check_in_never_makes_the_next_one_earlier(known: CadenceFacts, today: date, days_later: int):
    before = replace(known, skipped_on=None)
    later = replace(before, last_on=(before.last_on or before.began_on) + days_later * DAY)
    first, second = next_due(before, today), next_due(later, today)
    assert first is None or (second is not None and second >= first)


@given(days, days)
def test_onboarding_without_a_journey_ends_for_good(began: date, today: date):
    known = replace(OLD, began_on=began)
    if not is_onboarding(known, today) and today >= began:
        assert not is_onboarding(known, today + DAY)
