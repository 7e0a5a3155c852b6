"""Readings of use: gauges and their age, windows around outages, silence and rare visitors; support and payment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.calendar import count_working_days
from rules.health.factors import AccountFacts, TargetStanding, Ticket, read_payment, read_support, read_targets
from rules.health.readings import Gap, Reading, ReadingState, between
from rules.health.usage import (
    DAILY,
    MONTHLY,
    OUTAGE_DAYS,
    WEEKLY,
    Feed,
    Gauge,
    Usage,
    count_silent_days,
    find_outage,
    is_silent,
    read_breadth,
    read_trend,
    read_utilisation,
)
from rules.success.targets import TargetStatus

DAY = date(2026, 3, 10)
LAST = DAY - timedelta(1)
FEED = Feed(LAST)
AT = datetime(2026, 3, 10, tzinfo=UTC)
USED = Usage(LAST - timedelta(200), LAST, {"export": 100.0}, {"export": 100.0}, 40, {}, is_gauged=True)


def ago(days: int) -> date:
    return LAST - timedelta(days)


def utilisation(usage: Usage, seats: int | None = 50) -> Reading:
    return read_utilisation(usage, FEED, seats, DAY)


@pytest.mark.parametrize(
    ("gauges", "x"),
    [
        ({WEEKLY: Gauge(ago(0), 20)}, 50),
        ({WEEKLY: Gauge(ago(0), 40)}, 100),
        ({WEEKLY: Gauge(ago(0), 90)}, 100),
        ({WEEKLY: Gauge(ago(3), 20), MONTHLY: Gauge(ago(0), 48)}, 50),
        ({DAILY: Gauge(ago(2), 4, week_peak=20)}, 50),
        ({MONTHLY: Gauge(ago(30), 20)}, 50),
    ],
)
def test_the_best_gauge_counts_against_the_seats(gauges: dict[str, Gauge], x: float):
    assert utilisation(replace(USED, gauges=gauges)).x == x


def test_a_gauge_that_stopped_while_the_product_is_used_is_missing():
    reading = utilisation(replace(USED, gauges={WEEKLY: Gauge(ago(20), 20)}))
    assert (reading.state, reading.facts["why"]) == (ReadingState.MISSING, Gap.OLD_ACTIVE_USERS)


def test_nobody_active_for_a_week_is_zero_even_with_a_fresh_gauge():
    quiet = replace(USED, last_use=ago(7), gauges={WEEKLY: Gauge(ago(7), 20)})
    assert utilisation(quiet).x == 0
    assert utilisation(replace(quiet, last_use=ago(6))).x == 50


@pytest.mark.parametrize(
    ("seats", "is_gauged", "why"),
    [(None, True, Gap.NO_SEATS), (0, True, Gap.NO_SEATS), (9, False, Gap.NO_ACTIVE_USERS)],
)
def test_without_seats_or_active_users_it_does_not_apply(seats: int | None, is_gauged: bool, why: Gap):
    reading = utilisation(replace(USED, is_gauged=is_gauged), seats)
    assert (reading.state, reading.facts["why"]) == (ReadingState.NOT_APPLICABLE, why)


@pytest.mark.parametrize(("current", "x"), [(100, 80), (120, 100), (300, 100), (70, 40), (40, 0), (0, 0)])
def test_the_trend_compares_four_weeks_with_the_four_before(current: float, x: float):
    reading = read_trend(replace(USED, current={"export": float(current)}), FEED, DAY)
    assert reading.x == pytest.approx(x)


def test_the_trend_needs_history_and_a_few_days_of_use():
    young = read_trend(replace(USED, first_use=ago(55)), FEED, DAY)
    rare = read_trend(replace(USED, active_days=3), FEED, DAY)
    never = read_trend(Usage(), FEED, DAY)
    assert [each.facts["why"] for each in (young, rare, never)] == [Gap.SHORT_HISTORY, Gap.RARE_USE, Gap.NO_USAGE]
    assert never.state is ReadingState.NOT_APPLICABLE
    assert read_trend(replace(USED, first_use=ago(56)), FEED, DAY).x == 80


def test_the_trend_of_gauges_where_no_features_are_known():
    gauges = {WEEKLY: Gauge(LAST, 14, 14, current_mean=14, previous_mean=20)}
    assert read_trend(replace(USED, current={}, previous={}, gauges=gauges), FEED, DAY).x == pytest.approx(40)


@given(st.integers(OUTAGE_DAYS, 14), st.integers(0, 14))
def test_an_outage_of_the_feed_does_not_bend_the_trend(length: int, start: int):
    outage = frozenset(ago(start + offset) for offset in range(length) if start + offset < 28)
    use = 10.0 * (28 - len(outage))
    usage = replace(USED, current={"export": use}, previous={"export": 280.0})
    assert read_trend(usage, Feed(LAST, outage), DAY).x == pytest.approx(80, abs=0.01)


def test_a_window_that_was_mostly_out_says_nothing():
    outage = frozenset(ago(offset) for offset in range(1, 20))
    assert read_trend(USED, Feed(LAST, outage), DAY).facts["why"] == Gap.OLD_USAGE


@given(st.sets(st.integers(0, 40)))
def test_outages_are_exactly_the_long_runs_without_a_day(seen: set[int]):
    since, until = ago(40), LAST
    outage = find_outage({ago(each) for each in seen}, since, until)
    for offset in range(41):
        left = next((k for k in range(offset, 41) if k in seen), 41)
        right = next((k for k in range(offset, -1, -1) if k in seen), -1)
        is_out = offset not in seen and left - right - 1 >= OUTAGE_DAYS
        assert (ago(offset) in outage) is is_out


def test_breadth_counts_core_features_in_use():
    usage = replace(USED, current={"export": 3.0, "share": 0.0, "other": 9.0})
    assert read_breadth(usage, FEED, frozenset({"export", "share"}), DAY).x == 50
    assert read_breadth(usage, FEED, frozenset(), DAY).facts["why"] == Gap.NO_CORE_FEATURES


@given(st.integers(0, 120))
def test_a_daily_user_is_silent_after_fourteen_working_days(quiet: int):
    usage = replace(USED, last_use=ago(quiet), active_days=max(0, 56 - quiet))
    assert is_silent(usage, FEED, "", DAY) is (count_working_days(ago(quiet), LAST) >= 14)


def test_holidays_and_outages_are_no_silence():
    usage = replace(USED, last_use=date(2025, 12, 18), active_days=30)
    feed = Feed(date(2026, 1, 8))
    assert count_silent_days(usage, feed, "") == 15
    assert count_silent_days(usage, feed, "DE") == 12  # 25 and 26 December, 1 January
    assert not is_silent(usage, feed, "DE", date(2026, 1, 9))
    out = replace(feed, outage=frozenset(date(2025, 12, day) for day in range(22, 29)))
    assert count_silent_days(usage, out, "") == 10


def test_a_rare_visitor_is_silent_later():
    monthly = replace(USED, last_use=ago(25), active_days=3)  # three visits in the 31 days before
    assert not is_silent(monthly, FEED, "", DAY)
    assert is_silent(replace(monthly, last_use=ago(40), active_days=2), FEED, "", DAY)


def test_no_silence_without_use_or_while_the_feed_is_old():
    assert not is_silent(Usage(), FEED, "", DAY)
    assert not is_silent(replace(USED, last_use=ago(90), active_days=0), Feed(ago(20)), "", DAY)


FACTS = AccountFacts(DAY, AT, last_ticket_at=AT)


@pytest.mark.parametrize(
    ("tickets", "x"),
    [
        ((), 100),
        ((Ticket(AT - timedelta(1)),), 95),
        ((Ticket(AT - timedelta(6)),), 90),
        ((Ticket(AT - timedelta(6), priority="urgent", is_escalated=True),), 45),
        ((Ticket(AT - timedelta(1)), Ticket(AT - timedelta(9), AT - timedelta(8), satisfaction=1)), 66.5),
        ((Ticket(AT - timedelta(200), AT - timedelta(100), satisfaction=1),), 100),
        ((Ticket(AT - timedelta(9), priority="urgent"),) * 9, 0),
    ],
)
def test_support_falls_with_open_tickets_and_bad_answers(tickets: tuple[Ticket, ...], x: float):
    assert read_support(replace(FACTS, tickets=tickets)).x == pytest.approx(x)


@pytest.mark.parametrize(
    ("statuses", "x", "why"),
    [
        ((), None, Gap.NO_TARGETS),
        ((("draft", None), ("paused", None), ("replaced", None)), None, Gap.NO_TARGETS),
        ((("too_early", None),), None, Gap.TARGETS_TOO_EARLY),
        ((("stale", None), ("too_early", None)), None, Gap.OLD_TARGETS),
        ((("ahead", -20), ("achieved", None)), 100, None),
        ((("on_track", 3), ("stale", None)), 85, None),
        ((("behind", 45),), 30, None),
        ((("behind", 900),), 10, None),
        ((("behind", None), ("missed", None), ("unproven", None)), 70 / 3, None),
    ],
)
def test_targets_by_their_status(statuses: tuple[tuple[str, int | None], ...], x: float | None, why: Gap | None):
    targets = tuple(TargetStanding(TargetStatus(status), days) for status, days in statuses)
    reading = read_targets(replace(FACTS, targets=targets))
    assert reading.x == (x if x is None else pytest.approx(x, abs=0.01))
    assert reading.facts.get("why") == why


@pytest.mark.parametrize(("days", "x"), [(None, None), (0, 100), (15, 50), (30, 0), (99, 0)])
def test_payment_falls_to_zero_in_thirty_days(days: int | None, x: float | None):
    assert read_payment(replace(FACTS, overdue_days=days)).x == x


@given(st.floats(-200, 200), st.floats(-200, 200))
def test_the_curve_between_points_is_monotone_and_bounded(low: float, high: float):
    points = ((-50.0, 0.0), (0.0, 80.0), (20.0, 100.0))
    low, high = sorted((low, high))
    assert 0 <= between(low, *points) <= between(high, *points) <= 100
