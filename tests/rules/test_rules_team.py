"""Who may change which role, and what an absence and a working time may be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rules.errors import NotAllowedError, UserError
from rules.people.setup import Setup, decide_setup
from rules.people.team import (
    Absence,
    ChangeMember,
    PersonalTime,
    Teammate,
    decide_absence,
    decide_role,
    decide_time,
    merge,
)
from rules.records import Role

TODAY = date(2026, 3, 10)
ROLES = st.sampled_from(Role)
LEADING = {Role.LEAD, Role.ADMIN}
TIMES = st.times().map(lambda each: each.strftime("%H:%M"))


@given(ROLES, ROLES, ROLES, st.booleans(), st.integers(0, 2))
def test_no_decision_lets_anybody_rise_above_who_gives_the_role(
    actor: Role,
    present: Role,
    wanted: Role,
    is_slack_admin: bool,
    others: int,
):
    target = Teammate("t", present, is_slack_admin, others)
    try:
        intents = decide_role(Teammate("a", actor), target, wanted)
    except UserError:
        return
    if not intents:
        assert wanted is present
        return
    assert intents == [ChangeMember("t", {"role": wanted})]
    assert actor in LEADING
    assert not is_slack_admin
    assert actor is Role.ADMIN or Role.ADMIN not in (present, wanted)
    assert others or present not in LEADING or wanted in LEADING


@given(ROLES, ROLES)
def test_an_admin_can_give_every_role_where_others_lead_too(present: Role, wanted: Role):
    intents = decide_role(Teammate("a", Role.ADMIN), Teammate("t", present, leading_others=1), wanted)
    assert bool(intents) is (wanted is not present)


@given(st.sampled_from([Role.VIEWER, Role.CSM]), ROLES, ROLES)
def test_nobody_below_a_lead_changes_a_role(actor: Role, present: Role, wanted: Role):
    assume(present is not wanted)
    with pytest.raises(NotAllowedError):
        decide_role(Teammate("a", actor), Teammate("t", present, leading_others=1), wanted)


@given(st.integers(-30, 400), st.integers(-30, 800))
def test_a_stored_absence_has_both_days_in_order_and_is_not_over(start: int, length: int):
    wanted = Absence(TODAY + timedelta(start), TODAY + timedelta(start + length), "b")
    if not 0 <= length <= 366 or start + length < 0:
        with pytest.raises(UserError) as refused:
            decide_absence("a", Absence(), wanted, TODAY)
        assert refused.value.field == "away_until"
        return
    (intent,) = decide_absence("a", Absence(), wanted, TODAY)
    assert intent.changes == {"away_from": wanted.away_from, "away_until": wanted.away_until, "cover_id": "b"}


def test_an_absence_without_a_first_day_begins_today_and_ends_by_coming_back():
    until = TODAY + timedelta(2)
    away = Absence(TODAY, until)
    assert decide_absence("a", Absence(), Absence(None, until), TODAY)[0].changes == {
        "away_from": TODAY,
        "away_until": until,
    }
    assert decide_absence("a", away, Absence(), TODAY)[0].changes == {"away_from": None, "away_until": None}
    assert decide_absence("a", Absence(), Absence(), TODAY) == []
    assert decide_absence("a", away, away, TODAY) == []


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Absence(cover_id="b"), "away_until"),
        (Absence(TODAY), "away_until"),
        (Absence(TODAY, TODAY, "a"), "cover"),
    ],
)
def test_half_an_absence_is_refused(wanted: Absence, field: str):
    with pytest.raises(UserError) as refused:
        decide_absence("a", Absence(), wanted, TODAY)
    assert refused.value.field == field


@given(TIMES, TIMES)
def test_working_hours_are_kept_in_order(work_from: str, work_until: str):
    wanted = PersonalTime(work_from=work_from, work_until=work_until)
    if work_from < work_until:
        assert decide_time("a", PersonalTime(), wanted)[0].changes == {"work_from": work_from, "work_until": work_until}
    else:
        with pytest.raises(UserError) as refused:
            decide_time("a", PersonalTime(), wanted)
        assert refused.value.field == "work_until"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"own_zone": "Moon/Base"}, "zone"),
        ({"country": "Atlantis"}, "country"),
        ({"digest_at": "9:00"}, "digest_at"),
        ({"work_from": "24:00"}, "work_from"),
        ({"work_until": "nine"}, "work_until"),
    ],
)
def test_a_wrong_time_names_its_field(changes: dict[str, str], field: str):
    with pytest.raises(UserError) as refused:
        decide_time("a", PersonalTime(), replace(PersonalTime(), **changes))  # type: ignore[arg-type]  # text alone
    assert refused.value.field == field


def test_changes_of_one_person_are_told_as_one():
    role = [ChangeMember("a", {"role": Role.LEAD})]
    hours = [ChangeMember("a", {"work_from": "08:00"})]
    assert merge([*role, *hours], 3) == [ChangeMember("a", {"role": Role.LEAD, "work_from": "08:00"}, 3)]
    assert merge([]) == []


@pytest.mark.parametrize("day", [-1, 5, 6])
def test_weekly_things_come_on_a_working_day(day: int):
    with pytest.raises(UserError) as refused:
        decide_setup(Setup(), Setup(weekly_on=day))
    assert refused.value.field == "weekly_on"
