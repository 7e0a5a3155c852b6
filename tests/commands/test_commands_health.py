"""`/cs health`: what a person reads of one account and of all theirs, figures worked out from the stored rows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.blocks.health import factor_lines, health_line, sparkline, weekly
from commands.blocks.health_gaps import gap_words
from commands.health.health import SLICE, health
from rules.errors import UserError
from rules.health.factors import FACTORS
from rules.health.health import weigh
from rules.health.readings import Gap, Reading, ReadingState
from rules.records import Band, Role
from storage.accounts.accounts import AccountRow
from storage.health.health import HealthScoreRow, save_scores
from tests.commands.conftest import Desk
from tests.conftest import NOW
from words.reader import Reader

TODAY = NOW.date()
READER = Reader("en-US", "UTC")
FACTS: dict[str, dict[str, Any]] = {
    "utilisation": {"active": 17.0, "seats": 60, "gauge": "weekly-active-users", "last_day": "2026-03-09"},
    "trend": {"current": 1200.0, "previous": 2400.0, "change": -0.5},
    "breadth": {"used": 2, "core": 4},
    "targets": {"judged": 2, "good": 1, "stale": 1},
    "support": {"running": 2, "slow": 1, "escalated": 1, "satisfaction": 4.5, "answers": 2},
    "payment": {"overdue_days": 6},
}


def add_score(desk: Desk, account: AccountRow, day: date, x: dict[str, float], band: Band, **more: Any) -> None:
    factors = {name: {"x": value, "w": 10.0, "state": "present", "facts": FACTS[name]} for name, value in x.items()}
    score = weigh({name: (value, 10.0) for name, value in x.items()})
    values = {"score": score, "band": band, "coverage": 1.0, "capped_by": "", "model": "default-1", "factors": factors}
    save_scores(desk.tx, [{"account_id": account.id, "day": day, **values, **more}])


def test_an_account_explained(desk: Desk):
    acme = desk.add_account("Acme <Corp>")
    add_score(desk, acme, TODAY - timedelta(14), {"utilisation": 80, "trend": 80, "support": 56}, Band.YELLOW)
    add_score(desk, acme, TODAY, {"utilisation": 35, "trend": 80, "support": 65}, Band.YELLOW)
    said = desk.say(health, "acme")
    assert "*Acme &lt;Corp&gt;*  🟡 health 60 · −12 in 14 days" in said
    assert "72 → 60 since 24 Feb: Active users −15 · Support +3" in said
    assert "🔴 *Active users*  35 · 17 of 60 seats active in a week" in said
    assert "🟢 *Use over time*  80 · 1,200 in 28 days, 2,400 in the 28 days before (−50\u202f%)" in said
    assert "2 open tickets · 1 for more than 5 days · 1 escalated · satisfaction 4.5 of 5" in said
    assert f"{'·' * 9}▆·▅  84 days" in said


def test_what_is_missing_says_how_to_supply_it(desk: Desk):
    acme = desk.add_account("Acme")
    readings = {
        "utilisation": Reading.not_applicable(Gap.NO_SEATS),
        "trend": Reading.missing(Gap.OLD_USAGE, last_day="2026-02-01"),
    }
    factors = {
        name: {"x": None, "w": 15.0, "state": r.state.value, "facts": dict(r.facts)} for name, r in readings.items()
    }
    add_score(desk, acme, TODAY, {}, Band.UNKNOWN, factors=factors, coverage=0.25, capped_by="notice")
    said = desk.say(health, "acme")
    assert "⚪ health unknown: only 25\u202f% of what it needs is there · notice received" in said
    assert "▫️ *Active users*  not counted: no seats known" in said
    assert "⚪ *Use over time*  missing: the last usage of any account is of 1 Feb 2026" in said


def test_a_capped_score_says_why(desk: Desk):
    acme = desk.add_account("Acme")
    add_score(desk, acme, TODAY, {"payment": 80}, Band.RED, score=49.0, capped_by="overdue")
    assert "🔴 health 49 · at most 49: an invoice is more than 30 days late" in desk.say(health, "acme")


def test_no_score_yet(desk: Desk):
    desk.add_account("Acme")
    assert "has no health score yet" in desk.say(health, "acme")


def test_a_name_of_several_offers_them(desk: Desk):
    desk.add_account("Northwind")
    desk.add_account("Northwest")
    with pytest.raises(UserError) as caught:
        desk.do(health, "northw")
    assert sorted(label for _, label in caught.value.nearest) == ["Northwest", "Northwind"]


def test_ones_own_accounts_by_band(desk: Desk):
    ada, bob = desk.person(), desk.person(Role.CSM, "U0000002", "Bob")
    for name, owner, before, after, band in [
        ("Red", ada, 72, 41, Band.RED),
        ("Yellow", ada, 70, 66, Band.YELLOW),
        ("Green", ada, 80, 90, Band.GREEN),
        ("Others", bob, 90, 20, Band.RED),
    ]:
        account = desk.add_account(name)
        account.owner_id = owner.id
        add_score(desk, account, TODAY - timedelta(15), {"trend": before}, Band.GREEN)
        add_score(desk, account, TODAY - timedelta(1), {"trend": after}, band)
    desk.add_account("New").owner_id = ada.id
    said = desk.say(health, person=ada)
    assert "*Your 4 accounts*  🔴 1  🟡 1  🟢 1  ⚪ 1" in said
    assert "*Lowest*\n🔴 41  Red" in said
    assert "*Fell most in 14 days*\n🔴 72 → 41 (−31)  Red\n🟡 70 → 66 (−4)  Yellow" in said
    assert "as of 9 Mar" in said
    assert "Others" not in said


def test_who_owns_none_sees_all(desk: Desk):
    add_score(desk, desk.add_account("Acme"), TODAY, {"trend": 80}, Band.GREEN)
    said = desk.say(health)
    assert "*All accounts: 1 (you own none)*  🔴 0  🟡 0  🟢 1  ⚪ 0" in said
    assert "Fell most" not in said


def test_no_accounts_at_all(desk: Desk):
    assert "There are no accounts yet" in desk.say(health)


def test_lost_and_archived_accounts_are_not_counted(desk: Desk):
    lost, archived = desk.add_account("Lost"), desk.add_account("Archived")
    lost.state, archived.archived_at = "lost", NOW  # type: ignore[assignment]
    assert "There are no accounts yet" in desk.say(health)


def test_it_is_a_read():
    assert [(command.name, command.access) for command in SLICE.commands] == [("health", "reads")]


@pytest.mark.parametrize("locale", ["en-US", "zh-CN", "zh-TW"])
@pytest.mark.parametrize("gap", list(Gap))
def test_every_gap_has_its_words(gap: Gap, locale: str):
    facts = {"why": gap.value, "last_day": "2026-02-01", "first_use": "2026-02-01", "days": 56, "active_days": 1}
    assert gap_words(Reader(locale, "UTC"), facts)


def test_every_factor_has_its_words():
    factors = {
        factor.slug: {"x": 50.0, "w": 10.0, "state": ReadingState.PRESENT.value, "facts": FACTS[factor.slug]}
        for factor in FACTORS
    }
    row = HealthScoreRow(account_id="a", day=TODAY, score=50.0, band=Band.YELLOW, coverage=1.0, factors=factors)
    lines = factor_lines(READER, row)
    assert [line.split("*")[1] for line in lines] == [factor.name for factor in FACTORS]
    assert all(" · " in line for line in lines)


def test_a_line_without_a_score_or_a_day_before():
    assert health_line(READER, None) == "⚪ no health score yet"
    row = HealthScoreRow(account_id="a", day=TODAY, score=72.5, band=Band.YELLOW, coverage=0.8)
    assert health_line(READER, row) == "🟡 health 73 · coverage 80\u202f%"
    assert health_line(READER, row, row) == "🟡 health 73 · the same as 0 days ago · coverage 80\u202f%"


@given(st.lists(st.none() | st.floats(0, 100), max_size=30))
def test_a_curve_has_one_sign_per_value_and_rises_with_it(values: list[float | None]):
    drawn = sparkline(values)
    assert len(drawn) == len(values)
    known = [(value, sign) for value, sign in zip(values, drawn, strict=True) if value is not None]
    assert [sign for _, sign in sorted(known)] == sorted(sign for _, sign in known)
    assert all(sign == "·" for value, sign in zip(values, drawn, strict=True) if value is None)


def test_a_week_shows_its_last_known_score():
    scores = {TODAY - timedelta(ago): score for ago, score in [(0, None), (3, 40.0), (6, 90.0), (7, 50.0), (90, 1.0)]}
    assert weekly(scores, TODAY, 3) == [None, 50.0, 40.0]
