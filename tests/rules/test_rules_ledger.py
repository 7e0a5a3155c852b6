"""The ledger's arithmetic: every alert counted once, intervals that hold, and proposals that are made once. What it
counts is compared with a plain calculation in `tests/storage/test_storage_ledger_model.py`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.alerts.alerts import ACCOUNT_GONE
from rules.alerts.ledger import (
    LEAST_CLOSED,
    LEAST_JUDGED,
    REST,
    Alike,
    Fate,
    Line,
    Proposal,
    Wait,
    decide_proposals,
    draw_up,
    measure_share,
    sum_up,
)
from rules.alerts.tuning import Adjustment, Remedy, tune
from rules.people.working_time import WorkingTime, add_working_hours, measure_working_time
from rules.records import AlertKind, DismissReason, EpisodeState

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DROP = AlertKind.HEALTH_DROP
ANN = WorkingTime("Europe/Berlin", country="DE")


def alike(**more: object) -> Alike:
    values: dict[str, object] = {"kind": DROP, "state": EpisodeState.OPEN, "is_old": True}
    return Alike(**(values | more))  # type: ignore[arg-type]  # fields by name


def dismissed(reason: DismissReason, count: int) -> list[Alike]:
    shape = alike(state=EpisodeState.DISMISSED, close_reason=reason.value, is_closed_by_person=True, is_answered=True)
    return [replace(shape, count=count)] if count else []


@st.composite
def groups(draw: st.DrawFn) -> Alike:
    state = draw(st.sampled_from(list(EpisodeState)))
    reasons = [each.value for each in DismissReason] if state is EpisodeState.DISMISSED else ["", ACCOUNT_GONE]
    flags = ("is_old", "is_acted", "is_closed_by_person", "is_told", "is_answered")
    return Alike(
        draw(st.sampled_from([DROP, AlertKind.SILENCE, AlertKind.TARGET_BEHIND])),
        state,
        draw(st.integers(1, 40)),
        draw(st.sampled_from(reasons)),
        **{flag: draw(st.booleans()) for flag in flags},
    )


@given(st.lists(groups(), max_size=40))
def test_every_alert_is_counted_once(found: list[Alike]):
    waits = {DROP: Wait(2.0, 1.0), None: Wait(3.0, 0.5)}
    lines, total = draw_up(found, waits), sum_up(found, waits)
    for line in (*lines, total):
        assert line.fired == line.acted + line.ignored + line.waiting + line.moot + line.dismissals
        assert line.answered <= line.told <= line.fired
        assert line.precision.n <= line.fired
        assert (line.hours, line.working_hours) == {DROP: (2, 1), None: (3, 0.5)}.get(line.kind, (None, None))
    assert total.fired == sum(each.count for each in found) == sum(line.fired for line in lines)
    assert total.acted == sum(line.acted for line in lines)
    assert [line.fired for line in lines] == sorted((line.fired for line in lines), reverse=True)


@given(st.lists(groups(), max_size=10))
def test_it_does_not_matter_how_alerts_are_heaped(found: list[Alike]):
    singly = [replace(each, count=1) for each in found for _ in range(each.count)]
    assert draw_up(singly, {}) == draw_up(found, {})


@given(st.integers(0, 200), st.integers(0, 200))
def test_an_interval_holds_its_share_and_narrows_with_more(hits: int, misses: int):
    n = hits + misses
    share = measure_share(hits, n)
    assert 0 <= share.low <= share.high <= 1
    if n:
        assert share.low - 1e-12 <= share.value <= share.high + 1e-12
        wider = share.high - share.low
        more = measure_share(4 * hits, 4 * n)
        assert more.high - more.low < wider
        mirror = measure_share(misses, n)
        assert mirror.low == pytest.approx(1 - share.high)
        assert mirror.high == pytest.approx(1 - share.low)


def test_the_interval_is_wilsons():
    """The two figures of Wilson's interval for 8 of 10, as in Agresti & Coull (1998): 0.490 to 0.943."""
    share = measure_share(8, 10)
    assert (round(share.low, 3), round(share.high, 3)) == (0.490, 0.943)
    assert (measure_share(0, 0).low, measure_share(0, 0).high) == (0, 1)
    with pytest.raises(ValueError, match="between"):
        measure_share(3, 2)


@pytest.mark.parametrize("truth", [0.1, 0.3, 0.5, 0.8])
def test_the_interval_covers_about_as_often_as_it_says(truth: float):
    n = 40
    held = (hits for hits in range(n + 1) if measure_share(hits, n).low <= truth <= measure_share(hits, n).high)
    assert sum(comb(n, hits) * truth**hits * (1 - truth) ** (n - hits) for hits in held) > 0.92


@pytest.mark.parametrize(
    ("found", "fate"),
    [
        (alike(), Fate.IGNORED),
        (alike(is_old=False), Fate.WAITING),
        (alike(state=EpisodeState.SNOOZED, is_answered=True), Fate.WAITING),
        (alike(state=EpisodeState.ACKED, is_acted=True, is_answered=True), Fate.ACTED),
        (alike(state=EpisodeState.RESOLVED), Fate.IGNORED),
        (alike(state=EpisodeState.RESOLVED, is_acted=True), Fate.ACTED),
        (alike(state=EpisodeState.RESOLVED, close_reason=ACCOUNT_GONE), Fate.MOOT),
        (alike(state=EpisodeState.DISMISSED, close_reason="known", is_acted=True), Fate.DISMISSED),
    ],
)
def test_what_became_of_an_alert(found: Alike, fate: Fate):
    assert found.fate is fate


def test_precision_leaves_out_what_says_nothing_of_the_rule():
    acted = alike(state=EpisodeState.RESOLVED, count=6, is_acted=True, is_closed_by_person=True)
    moot = alike(state=EpisodeState.RESOLVED, close_reason=ACCOUNT_GONE)
    fresh = alike(is_old=False)
    found = [acted, *dismissed(DismissReason.KNOWN, 5), *dismissed(DismissReason.WRONG_DATA, 2), moot, fresh, alike()]
    (line,) = draw_up(found, {})
    assert (line.precision.hits, line.precision.n) == (6, 9)
    assert not line.is_enough
    assert replace(line, acted=line.acted + LEAST_JUDGED).is_enough


@given(
    st.integers(0, 300 * 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    st.integers(0, 60),
    st.sampled_from([WorkingTime(), ANN, WorkingTime("America/New_York", country="US")]),
)
def test_measured_working_time_is_what_was_added(start: datetime, hours: int, working: WorkingTime):
    end = add_working_hours(start, hours, working)
    assert measure_working_time(start, end, working) == timedelta(hours=hours)
    assert measure_working_time(end, start, working) == timedelta(0)


# ---------------------------------------------------------------- proposals


def line(too_sensitive: int, others: int) -> Line:
    found = dismissed(DismissReason.TOO_SENSITIVE, too_sensitive) + dismissed(DismissReason.NOT_RELEVANT, others)
    (made,) = draw_up(found, {})
    return made


@pytest.mark.parametrize(
    ("too_sensitive", "others", "is_found"),
    [
        (4, 0, False),
        (3, 2, True),
        (2, 3, False),
        (4, 4, True),
        (4, 5, False),
        (8, 12, True),
        (7, 13, False),
        (50, 50, True),
    ],
)
def test_when_a_rule_is_found_too_sensitive(too_sensitive: int, others: int, *, is_found: bool):
    assert line(too_sensitive, others).is_too_sensitive is is_found


@given(st.integers(0, 30), st.integers(0, 30))
def test_a_proposal_needs_enough_and_more_complaints_never_end_one(complaints: int, others: int):
    if not complaints + others:
        return
    now = line(complaints, others)
    assert not now.is_too_sensitive or now.sensitivity.n >= LEAST_CLOSED
    assert line(complaints + 1, others).is_too_sensitive or not now.is_too_sensitive


def test_a_rule_is_proposed_once_and_rests_after_the_decision():
    lines = [line(5, 0)]
    (asked,) = decide_proposals(lines, {}, NOW)
    assert (asked.kind, asked.closed, asked.too_sensitive) == (DROP, 5, 5)
    assert decide_proposals(lines, {DROP: Proposal(NOW - 400 * timedelta(days=1))}, NOW) == ()
    decided = Proposal(NOW - REST, NOW - REST + HOUR)
    assert decide_proposals(lines, {DROP: decided}, NOW) == ()
    assert decide_proposals(lines, {DROP: decided}, NOW + HOUR) == (asked,)
    assert decide_proposals([line(1, 9)], {}, NOW) == ()


# ---------------------------------------------------------------- changes of rules


def change(remedy: Remedy, **more: object) -> Adjustment:
    values: dict[str, object] = {"id": "a", "kind": DROP, "remedy": remedy, "since": date(2026, 3, 1), "by": "lee"}
    return Adjustment(**(values | more))  # type: ignore[arg-type]  # fields by name


def test_changes_add_up_and_end():
    held = [change(Remedy.RAISE, amount=5.0), change(Remedy.RAISE, id="b", amount=5.0, since=date(2026, 3, 8))]
    held += [change(Remedy.MUTE, id="c", until=date(2026, 3, 9))]
    assert tune(held, date(2026, 2, 28)) == {}
    assert tune(held, date(2026, 3, 2))[DROP].name_version("drop-1") == "drop-1+5"
    ninth, tenth = tune(held, date(2026, 3, 9))[DROP], tune(held, date(2026, 3, 10))[DROP]
    assert (ninth.raised, len(ninth.adjustments), len(tenth.adjustments)) == (10, 3, 2)
    assert not ninth.is_quiet
    assert tune([change(Remedy.DIGEST)], date(2026, 3, 9))[DROP].is_quiet
