"""From what is seen of an account's objects to its conditions and alerts: each subject goes its own way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.alerts.alerts import ChangeEpisode, Intent, OpenEpisode, RefreshEpisode
from rules.alerts.conditions import Condition, Topic, Verdict
from rules.alerts.episodes import Episode
from rules.alerts.evidence import Evidence, Observation
from rules.alerts.looks import Look, advance, decide_look, list_to_keep, look_at
from rules.alerts.muting import list_muted
from rules.alerts.signals import GROUPS, RULE_OF, RULES
from rules.records import AlertKind, ConditionState, EpisodeState, Severity, Tier
from rules.success.journeys import JourneyFacts, MilestoneFacts
from tests.conftest import NOW

TODAY = NOW.date()
DAY = timedelta(days=1)
OVERDUE, DUE = AlertKind.MILESTONE_OVERDUE, AlertKind.MILESTONE_DUE
BAD, GOOD, BETWEEN, NO_DATA = Verdict.BAD, Verdict.GOOD, Verdict.BETWEEN, Verdict.NO_DATA


def seen(subject: str, verdict: Verdict = BAD, kind: AlertKind = OVERDUE) -> Observation:
    return Observation(kind, verdict, Severity.NOTICE, 1.0, {"subject": subject}, subject, is_digest_only=True)


def look(day: date, *observations: Observation) -> Look:
    return Look("acme", "", day, observations, {})


def walk(*days: tuple[Observation, ...]) -> list[dict[Topic, Condition]]:
    """The conditions kept after each day."""
    kept: dict[Topic, Condition] = {}
    found = []
    for back, observations in enumerate(days):
        each = look(TODAY + back * DAY, *observations)
        kept = list_to_keep(advance(each, kept), kept, each.day)
        found.append(kept)
    return found


def is_on(kept: Mapping[Topic, Condition], subject: str, kind: AlertKind = OVERDUE) -> bool:
    condition = kept.get((kind, subject))
    return condition is not None and condition.is_on


def episode(id_: str, **more: Any) -> Episode:
    values = {"severity": Severity.NOTICE, "level": 1.0, "state": EpisodeState.OPEN}
    return Episode(id=id_, version=1, epoch=1, **values | more)


def decided(
    today: Look, conditions: Mapping[Topic, Condition], episodes: Mapping[Topic, Episode] | None = None
) -> list[Intent]:
    return decide_look(today, advance(today, conditions), episodes or {}, (), NOW)


# ---------------------------------------------------------------- subjects


VERDICTS = st.lists(st.sampled_from(list(Verdict)), min_size=1, max_size=12)


@given(VERDICTS, VERDICTS)
def test_two_objects_of_one_kind_know_nothing_of_each_other(one: list[Verdict], two: list[Verdict]):
    length = min(len(one), len(two))
    alone = walk(*[(seen("m1", each),) for each in one[:length]])
    both = walk(*[(seen("m1", a), seen("m2", b)) for a, b in zip(one, two, strict=False)])
    assert [is_on(each, "m1") for each in alone] == [is_on(each, "m1") for each in both]


@given(VERDICTS)
def test_what_is_no_longer_there_is_over_and_leaves_no_row(verdicts: list[Verdict]):
    *_days, last, gone = walk(*[(seen("m1", each), seen("m2", GOOD)) for each in verdicts], (seen("m2", GOOD),))
    assert (OVERDUE, "m1") not in gone
    assert set(gone) <= {(OVERDUE, "")}
    assert not is_on(gone, "m1")
    assert last.keys() >= gone.keys()


@given(VERDICTS)
def test_rules_that_count_days_themselves_follow_the_latest_day(verdicts: list[Verdict]):
    expected = False
    for verdict, kept in zip(verdicts, walk(*[(seen("m1", each),) for each in verdicts]), strict=True):
        expected = {BAD: True, GOOD: False}.get(verdict, expected)
        assert is_on(kept, "m1") == expected


@given(st.lists(st.sampled_from([GOOD, BETWEEN]), min_size=1, max_size=20))
def test_objects_that_are_all_right_cost_one_row_of_their_kind(verdicts: list[Verdict]):
    today = tuple(seen(f"m{at}", each) for at, each in enumerate(verdicts))
    [first, second] = walk(today, today)
    assert set(first) == {(OVERDUE, "")}
    assert first == second


def test_one_that_was_on_and_off_lately_is_remembered():
    days = [(seen("m1", each),) for each in (BAD, GOOD, BAD, GOOD, BAD)]
    last = walk(*days)[-1][OVERDUE, "m1"]
    assert last.is_flapping
    quiet = walk(*days, *[(seen("m1", GOOD),)] * 14)
    assert (OVERDUE, "m1") in quiet[-2]
    assert (OVERDUE, "m1") not in quiet[-1]


def test_a_moved_date_ends_the_alert_of_the_old_one_and_is_judged_afresh():
    old, new = "m1:2026-03-09", "m1:2026-03-12"
    [kept] = walk((seen(old),))
    moved = look(TODAY + DAY, seen(new))
    [ended, opened] = decided(moved, kept, {(OVERDUE, old): episode("e1")})
    assert isinstance(ended, ChangeEpisode)
    assert (ended.episode_id, ended.verb, ended.values["close_reason"]) == ("e1", "cleared", "gone")
    assert isinstance(opened, OpenEpisode)
    assert (opened.fired.subject, opened.fired.batch) == (new, ""), "no first look: the kind was looked at before"


def test_a_kinds_first_objects_are_a_first_look_and_later_ones_are_news():
    [opened] = decided(look(TODAY, seen("m1")), {})
    assert isinstance(opened, OpenEpisode)
    assert opened.fired.batch == "first"
    [kept] = walk((seen("m1", GOOD),))
    [opened] = decided(look(TODAY + DAY, seen("m1", GOOD), seen("m2")), kept)
    assert isinstance(opened, OpenEpisode)
    assert (opened.fired.subject, opened.fired.batch) == ("m2", "")


def test_without_data_an_object_stays_as_it_is():
    [kept] = walk((seen("m1"),))
    unknown = look(TODAY + DAY, seen("m1", NO_DATA))
    assert decided(unknown, kept, {(OVERDUE, "m1"): episode("e1")}) == []
    assert is_on(advance(unknown, kept), "m1")


def test_a_second_look_on_the_same_day_sees_what_went_meanwhile():
    [kept] = walk((seen("m1"), seen("m2")))
    again = look(TODAY, seen("m2"))
    intents = decided(again, kept, {(OVERDUE, "m1"): episode("e1"), (OVERDUE, "m2"): episode("e2", is_quiet=True)})
    assert [each.episode_id for each in intents if isinstance(each, ChangeEpisode)] == ["e1"]
    (refreshed,) = (each for each in intents if isinstance(each, RefreshEpisode))
    assert (refreshed.episode_id, refreshed.facts["subject"], refreshed.facts["seen_on"]) == ("e2", "m2", str(TODAY))


def test_a_rule_or_one_of_its_observations_may_be_for_digests_alone():
    loud = Observation(OVERDUE, BAD, Severity.HIGH, 8.0, {}, "m1")
    always = Observation(DUE, BAD, Severity.NOTICE, 1.0, {}, "m1")
    fired = [each.fired for each in decided(look(TODAY, loud, seen("m2"), always), {}) if isinstance(each, OpenEpisode)]
    assert {(each.kind, each.subject): each.is_quiet for each in fired} == {
        (OVERDUE, "m1"): False,
        (OVERDUE, "m2"): True,
        (DUE, "m1"): True,
    }


def test_every_rule_is_asked_and_its_kind_has_one_subject_group():
    assert sorted(kind for group in GROUPS.values() for kind in group) == sorted(rule.kind for rule in RULES)
    milestone = MilestoneFacts("m1", "s1", "Go live", TODAY - 9 * DAY)
    journey = JourneyFacts("j1", "s1", "Onboarding", TODAY - 30 * DAY, None, (milestone,))
    found = look_at("acme", "", Evidence(TODAY, journey=journey, tier=Tier.A), ())
    overdue = next(each for each in found.seen if each.topic == (OVERDUE, "m1:2026-03-01"))
    assert (overdue.verdict, overdue.is_digest_only) == (BAD, False)
    assert (OVERDUE, "m1:2026-03-01") in found.seen_before
    known = look_at("acme", "", Evidence(TODAY, journey=journey), {(OVERDUE, ""): on(TODAY)})
    assert OVERDUE not in {kind for kind, _subject in known.seen_before}


# ---------------------------------------------------------------- muting


def on(day: date = TODAY) -> Condition:
    return Condition(ConditionState.FIRING, 0, day, TODAY, (day,))


DROP, RED, SILENCE = (AlertKind.HEALTH_DROP, ""), (AlertKind.HEALTH_RED, ""), (AlertKind.SILENCE, "")
NOTICE = (AlertKind.NOTICE_RECEIVED, "c1:2026-03-01")


def sees(topic: Topic, severity: Severity = Severity.HIGH, *, is_slow: bool = False) -> Observation:
    yields_to = frozenset({AlertKind.HEALTH_RED}) if is_slow else frozenset[AlertKind]()
    return Observation(topic[0], BAD, severity, subject=topic[1], yields_to=yields_to)


def muted(*observations: Observation, **episodes: Episode) -> set[Topic]:
    conditions = {each.topic: on() for each in observations}
    told = {{"drop": DROP, "red": RED}[name]: each for name, each in episodes.items()}
    return set(list_muted(RULE_OF, conditions, observations, told))


def test_a_drop_mutes_red():
    assert muted(sees(DROP), sees(RED)) == {RED}


def test_a_slow_drop_of_a_red_account_is_no_news_and_red_is():
    slow = sees(DROP, Severity.NOTICE, is_slow=True)
    assert muted(slow, sees(RED)) == {DROP}
    assert muted(sees(DROP, Severity.CRITICAL, is_slow=True), sees(RED)) == {DROP}
    assert muted(slow) == set()


@pytest.mark.parametrize("told", [episode("e1"), episode("e1", state=EpisodeState.RESOLVED, is_latched=True)])
def test_a_drop_that_was_told_of_keeps_red_muted_when_it_grows_slow(told: Episode):
    assert RED in muted(sees(DROP, Severity.NOTICE, is_slow=True), sees(RED), drop=told)


def test_a_critical_one_mutes_lesser_ones_of_every_subject_that_would_interrupt():
    behind = (AlertKind.TARGET_BEHIND, "t1")
    loud, quiet = sees(behind), seen("m1:2026-03-01")
    assert muted(sees(NOTICE, Severity.CRITICAL), sees(SILENCE), loud, quiet) == {SILENCE, behind}
    assert muted(sees(NOTICE, Severity.CRITICAL), sees(DROP, Severity.CRITICAL)) == set()
    assert muted(sees(NOTICE), sees(SILENCE)) == set()


def test_a_critical_condition_that_is_over_mutes_nothing():
    observations = [sees(NOTICE, Severity.CRITICAL), sees(SILENCE)]
    assert list_muted(RULE_OF, {SILENCE: on()}, observations, {}) == frozenset()


def test_a_critical_alert_still_mutes_while_its_condition_is_neither_bad_nor_good():
    between = Observation(AlertKind.HEALTH_DROP, BETWEEN)
    told = {DROP: episode("e1", severity=Severity.CRITICAL)}
    assert list_muted(RULE_OF, {DROP: on(), SILENCE: on()}, [between, sees(SILENCE)], told) == {SILENCE}


def test_a_kind_mutes_another_about_the_same_object_alone():
    stale, step = AlertKind.TARGET_STALE, AlertKind.STEP_DUE
    same, other = sees((step, "t1:2026-03-12")), sees((step, "t2:2026-03-12"))
    assert muted(sees((stale, "t1")), same, other) == {same.topic}


def test_what_is_open_goes_on_though_another_one_would_mute_it():
    conditions = {DROP: on(), RED: on()}
    worse = Observation(AlertKind.HEALTH_RED, BAD, Severity.HIGH, 40.0)
    today = look(TODAY + DAY, sees(DROP), worse)
    [change, _opened] = sorted(
        decided(today, conditions, {RED: episode("e1", severity=Severity.HIGH)}), key=lambda each: type(each).__name__
    )
    assert isinstance(change, ChangeEpisode)
    assert change.verb == "worsened"
