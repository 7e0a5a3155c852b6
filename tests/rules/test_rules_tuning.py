"""Rules as their team changed them: a higher threshold is met later and left later, digests only is quieter, and every
alert says which change it was raised under.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.alerts.alerts import OpenEpisode
from rules.alerts.conditions import Verdict, observe
from rules.alerts.evidence import Evidence, Observation
from rules.alerts.health_signals import observe_drop, observe_red, observe_silence
from rules.alerts.looks import Look, advance, decide_look, look_at
from rules.alerts.signals import RULES
from rules.alerts.tuning import Adjustment, Remedy, Tuning
from rules.health.drops import MARGIN
from rules.health.health import DayScore, decide_band
from rules.health.usage import Feed, Usage
from rules.records import AlertKind, Severity
from tests.conftest import NOW

TODAY, DAY = date(2026, 3, 10), timedelta(days=1)
DROP, RED, SILENCE = AlertKind.HEALTH_DROP, AlertKind.HEALTH_RED, AlertKind.SILENCE
ORDER = [Verdict.GOOD, Verdict.BETWEEN, Verdict.BAD]


def score(day: date, x: float) -> DayScore:
    return DayScore(day, x, decide_band(x), 1.0, "", {"trend": (x, 15.0), "targets": (x, 20.0)})


def raised(kind: AlertKind, by: float) -> dict[AlertKind, Tuning]:
    return {kind: Tuning((Adjustment("a", kind, Remedy.RAISE, TODAY - 7 * DAY, "lee", by),))}


def fallen(before: float, after: float, **more: object) -> Evidence:
    scores = {TODAY: score(TODAY, after), TODAY - 9 * DAY: score(TODAY - 9 * DAY, before)}
    return replace(Evidence(TODAY, scores), **more)  # type: ignore[arg-type]  # fields by name


@given(st.floats(60, 100), st.floats(50, 100), st.sampled_from([5.0, 10.0, 15.0]))
def test_a_higher_threshold_never_finds_more(before: float, after: float, by: float):
    """Nothing that was fine becomes bad, and what was BETWEEN counts as over only with the whole margin."""
    plain = observe_drop(fallen(before, after))
    tuned = observe_drop(fallen(before, after, tunings=raised(DROP, by)))
    assert ORDER.index(tuned.verdict) <= ORDER.index(plain.verdict)
    lost = before - after
    if tuned.verdict is Verdict.BAD and "limit" in tuned.facts:
        assert lost >= float(str(tuned.facts["limit"])) - 1e-6


def test_a_drop_is_raised_and_ended_by_the_higher_threshold():
    """From 100 to 80 are 20 points, no band lost: 15 are needed, or 20."""
    assert observe_drop(fallen(100, 84)).verdict is Verdict.BAD
    assert observe_drop(fallen(100, 84, tunings=raised(DROP, 5))).verdict is Verdict.BETWEEN
    assert observe_drop(fallen(100, 100 - 20 + MARGIN + 0.1, tunings=raised(DROP, 5))).verdict is Verdict.GOOD
    bad = observe_drop(fallen(100, 79, tunings=raised(DROP, 5)))
    assert (bad.verdict, bad.facts["limit"]) == (Verdict.BAD, 20)


def test_into_red_is_told_whatever_was_raised():
    found = observe_drop(fallen(55, 45, tunings=raised(DROP, 15)))
    assert (found.verdict, found.severity, found.facts["limit"]) == (Verdict.BAD, Severity.CRITICAL, 1)


@pytest.mark.parametrize(("x", "verdict"), [(44, Verdict.BAD), (46, Verdict.BETWEEN), (49.4, Verdict.BETWEEN)])
def test_red_begins_and_ends_lower(x: float, verdict: Verdict):
    assert observe_red(fallen(90, x)).verdict is Verdict.BAD
    assert observe_red(fallen(90, x, tunings=raised(RED, 5))).verdict is verdict
    assert observe_red(fallen(90, 49.5, tunings=raised(RED, 5))).verdict is Verdict.GOOD


@pytest.mark.parametrize(("by", "verdict"), [(0.0, Verdict.BAD), (5.0, Verdict.BAD), (10.0, Verdict.BETWEEN)])
def test_silence_begins_later(by: float, verdict: Verdict):
    """Twenty working days without use."""
    usage, feed = Usage(TODAY - 200 * DAY, TODAY - 29 * DAY, active_days=40), Feed(TODAY - DAY)
    found = observe_silence(Evidence(TODAY, usage=usage, feed=feed, tunings=raised(SILENCE, by)))
    assert found.verdict is verdict


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind.value)
def test_digests_only_silences_all_but_what_is_critical(rule: object):
    kind = rule.kind  # type: ignore[attr-defined]  # a Rule
    tuning = Tuning((Adjustment("a", kind, Remedy.DIGEST, TODAY, "lee"),))
    for severity in Severity:
        seen = Observation(kind, Verdict.BAD, severity, 1.0, {"x": 1}).under(tuning)
        assert seen.is_digest_only is (severity is not Severity.CRITICAL)
        assert seen.facts["adjusted"] == [tuning.adjustments[0].facts]
    assert Observation(kind, Verdict.BAD).under(Tuning()) == Observation(kind, Verdict.BAD)


def open_first(look: Look) -> OpenEpisode:
    conditions = advance(look, {})
    (intent,) = (each for each in decide_look(look, conditions, {}, (), NOW) if isinstance(each, OpenEpisode))
    return intent


def test_an_alert_tells_the_version_and_the_days_that_raised_it():
    """Two observations: the day before counts at the very first look."""
    days = {TODAY - back * DAY: score(TODAY - back * DAY, 95.0 if back > 1 else 60.0 + back) for back in range(12)}
    for tunings, version in (({}, "drop-1"), (raised(DROP, 5), "drop-1+5")):
        evidence = Evidence(TODAY, days, tunings=tunings)
        fired = open_first(look_at("acme", "", evidence, ())).fired
        assert fired.rule_version == version
        assert fired.facts["sightings"] == [["2026-03-09", 34.0], ["2026-03-10", 35.0]]
        assert (fired.facts["seen_on"], fired.facts["needed"]) == ("2026-03-10", 2)
        assert ("adjusted" in fired.facts) is bool(tunings)


@given(st.lists(st.sampled_from([Verdict.BAD, Verdict.BETWEEN, Verdict.GOOD, Verdict.NO_DATA]), max_size=12))
def test_sightings_are_the_days_that_made_it_begin(verdicts: list[Verdict]):
    condition = None
    for at, verdict in enumerate(verdicts):
        before = condition
        condition = observe(condition, verdict, TODAY + at * DAY, level=float(at))
        if condition is None:
            continue
        if verdict is Verdict.NO_DATA:
            assert condition == before, "no data is not ok: everything stays as it was"
        if condition.is_on:
            assert len(condition.sightings) == 2
            assert condition.sightings[-1][0] == condition.openings[-1]
        else:
            assert len(condition.sightings) == condition.streak
        assert all(day == TODAY + round(level) * DAY for day, level in condition.sightings)
