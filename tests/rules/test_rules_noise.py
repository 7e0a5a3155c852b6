"""Noise control: every alert comes out once, budgets hold, what is held is held until work begins."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.alerts.announcements import FIRST_LOOK, Announcement, Waiting, season_batch
from rules.alerts.mutes import Mute, Scope
from rules.alerts.noise import Decision, Desk, Hold, House, Quieten, Silence, Told, decide_noise
from rules.alerts.noise_settings import DEFAULTS, NoiseSettings
from rules.alerts.quiet_times import find_release
from rules.people.working_time import WorkingTime, next_working_moment
from rules.records import AlertKind, QuietReason, Severity, Tier

BERLIN = WorkingTime("Europe/Berlin", country="DE")
NEW_YORK = WorkingTime("America/New_York", country="US")
TUESDAY = datetime(2026, 3, 10, 10, tzinfo=UTC)
"""Eleven in Berlin, six in the morning in New York."""
LATER = datetime(2026, 3, 10, 15, tzinfo=UTC)
"""Both are at work."""
SEVERITIES = list(Severity)
_numbers = count()


def waiting(account: str = "acme", **more: Any) -> Waiting:
    values: dict[str, Any] = {
        "episode_id": f"e{next(_numbers)}",
        "kind": AlertKind.HEALTH_DROP,
        "severity": Severity.HIGH,
        "level": 20.0,
        "channel": "C1",
        "reader_id": "ada",
        "owner_id": "ada",
    }
    return Waiting(account_id=account, **values | more)


def told(account: str, at: datetime = LATER - timedelta(hours=1), **more: str) -> Told:
    values = {"message": f"m-{account}", "channel": "C1", "reader_id": "ada"}
    return Told(account_id=account, at=at, **values | more)


def house(settings: NoiseSettings = DEFAULTS, **more: Any) -> House:
    people = {"ada": Desk(BERLIN, settings), "bob": Desk(NEW_YORK, settings)}
    return House(Desk(BERLIN, settings), **({"people": people} | more))


def outcomes(decisions: list[Decision]) -> dict[str, Decision]:
    """By alert; fails where one came out twice."""
    found: dict[str, Decision] = {}
    for each in decisions:
        for id_ in each.episode_ids if isinstance(each, Announcement) else (each.episode_id,):
            assert id_ not in found
            found[id_] = each
    return found


def reasons(decisions: list[Decision]) -> list[tuple[str, int]]:
    return [(each.reason.value, each.count) for each in decisions if isinstance(each, Quieten)]


# ---------------------------------------------------------------- one rule at a time


def test_while_somebody_works_they_are_told():
    alert = waiting()
    assert decide_noise([alert], house(), LATER) == [
        Announcement("C1", (alert.episode_id,), is_summary=False, readers={alert.episode_id: "ada"})
    ]


@pytest.mark.parametrize(
    ("moment", "release"),
    [
        (datetime(2026, 3, 13, 22, tzinfo=ZoneInfo("Europe/Berlin")), "2026-03-16 09:00"),
        (datetime(2026, 4, 2, 18, tzinfo=ZoneInfo("Europe/Berlin")), "2026-04-07 09:00"),
        (datetime(2026, 3, 28, 23, tzinfo=ZoneInfo("Europe/Berlin")), "2026-03-30 09:00"),
        (datetime(2026, 3, 10, 5, tzinfo=ZoneInfo("Europe/Berlin")), "2026-03-10 09:00"),
    ],
    ids=["Friday night", "Easter", "the clock goes forward", "early morning"],
)
@pytest.mark.parametrize("severity", [Severity.HIGH, Severity.CRITICAL])
def test_what_comes_in_quiet_hours_is_held_until_work_begins(moment: datetime, release: str, severity: Severity):
    [hold] = decide_noise([waiting(severity=severity)], house(), moment)
    assert isinstance(hold, Hold)
    assert f"{hold.until.astimezone(ZoneInfo('Europe/Berlin')):%Y-%m-%d %H:%M}" == release


def test_each_reader_has_their_own_hours():
    early, late = waiting("acme"), waiting("bolt", reader_id="bob", owner_id="bob")
    found = outcomes(decide_noise([early, late], house(), TUESDAY))
    assert isinstance(found[early.episode_id], Announcement)
    assert found[late.episode_id] == Hold(late.episode_id, datetime(2026, 3, 10, 13, tzinfo=UTC))


@pytest.mark.parametrize(
    ("hours", "days", "moment", "release"),
    [
        (True, False, "2026-03-14 11:00", "2026-03-14 11:00"),
        (True, False, "2026-03-14 20:00", "2026-03-15 09:00"),
        (False, True, "2026-03-10 03:00", "2026-03-10 03:00"),
        (False, True, "2026-03-14 11:00", "2026-03-16 00:00"),
        (False, False, "2026-03-15 03:00", "2026-03-15 03:00"),
    ],
)
def test_hours_and_days_off_are_quiet_by_choice(*, hours: bool, days: bool, moment: str, release: str):
    settings = NoiseSettings(is_quiet_off_hours=hours, is_quiet_off_days=days)
    zone = ZoneInfo("Europe/Berlin")
    found = find_release(datetime.fromisoformat(moment).replace(tzinfo=zone), BERLIN, settings)
    assert f"{found.astimezone(zone):%Y-%m-%d %H:%M}" == release


def test_the_fourth_of_a_day_waits_for_the_digest_and_the_most_urgent_are_told():
    alerts = [waiting(name, level=level) for name, level in zip("abcde", (10.0, 50.0, 30.0, 20.0, 40.0), strict=True)]
    decisions = decide_noise(alerts, house(), LATER)
    shown = [each.episode_ids[0] for each in decisions if isinstance(each, Announcement)]
    assert shown == [alerts[at].episode_id for at in (1, 4, 2)]
    assert reasons(decisions) == [("budget", 3), ("budget", 3)]


def test_what_was_left_to_digests_keeps_the_budget_that_held():
    people = {"ada": Desk(BERLIN, NoiseSettings(owner_daily=1))}
    spent = house(people=people, told=[told(name) for name in "ab"])
    full = house(NoiseSettings(channel_daily=2), told=[told(name, reader_id="") for name in "abc"])
    found = [left for each in (spent, full) for left in decide_noise([waiting()], each, LATER)]
    counts = [(each.reason, each.count, each.limit) for each in found if isinstance(each, Quieten)]
    assert counts == [(QuietReason.BUDGET, 2, 1), (QuietReason.CHANNEL, 3, 2)]


def test_yesterdays_do_not_count_and_a_day_is_the_readers_own():
    yesterday = [told(name, datetime(2026, 3, 9, 22, tzinfo=UTC)) for name in "abc"]
    assert reasons(decide_noise([waiting()], house(told=yesterday), LATER)) == []
    this_night = [told(name, datetime(2026, 3, 9, 23, 30, tzinfo=UTC)) for name in "abc"]
    assert reasons(decide_noise([waiting()], house(told=this_night), LATER)) == [("budget", 3)]
    in_new_york = [told(name, datetime(2026, 3, 10, 3, tzinfo=UTC), reader_id="bob") for name in "abc"]
    assert reasons(decide_noise([waiting(reader_id="bob")], house(told=in_new_york), LATER)) == []


def test_what_is_critical_passes_budgets_and_tiers():
    spent = house(told=[told(f"a{each}") for each in range(12)])
    alert = waiting(severity=Severity.CRITICAL, tier=Tier.D)
    assert isinstance(outcomes(decide_noise([alert], spent, LATER))[alert.episode_id], Announcement)


@pytest.mark.parametrize(
    ("tier", "reason"), [(None, []), (Tier.B, []), (Tier.C, [("tier", 0)]), (Tier.D, [("tier", 0)])]
)
def test_low_tiers_are_for_digests(tier: Tier | None, reason: list[tuple[str, int]]):
    assert reasons(decide_noise([waiting(tier=tier)], house(), LATER)) == reason


def test_a_person_may_want_the_graver_ones_alone():
    people = {"ada": Desk(BERLIN, NoiseSettings(at_once_from=Severity.HIGH))}
    alerts = [waiting("a", severity=Severity.NOTICE), waiting("b")]
    assert reasons(decide_noise(alerts, house(people=people), LATER)) == [("severity", 0)]


def test_alerts_of_one_account_are_one_message():
    alerts = [waiting("acme", level=10.0), waiting("acme", level=30.0), waiting("bolt", level=20.0)]
    shown = [each.episode_ids for each in decide_noise(alerts, house(), LATER) if isinstance(each, Announcement)]
    ids = [each.episode_id for each in alerts]
    assert shown == [(ids[1], ids[0]), (ids[2],)]


def test_an_account_told_today_in_one_message_counts_once():
    parts = [told("acme", message="m1"), told("acme", message="m1"), told("bolt", message="m2")]
    assert reasons(decide_noise([waiting("calm")], house(told=parts), LATER)) == []


def test_more_than_five_messages_of_a_run_are_a_summary():
    alerts = [waiting(f"a{each}", reader_id="", owner_id="") for each in range(6)]
    [summary] = decide_noise(alerts, house(), LATER)
    assert isinstance(summary, Announcement)
    assert (summary.is_summary, len(summary.episode_ids)) == (True, 6)


def test_a_channel_takes_ten_messages_a_day():
    spent = house(told=[told(f"a{each}", reader_id="") for each in range(9)])
    alerts = [waiting(name, level=level, reader_id="", owner_id="") for name, level in (("x", 9.0), ("y", 5.0))]
    decisions = decide_noise(alerts, spent, LATER)
    assert reasons(decisions) == [("channel", 10)]
    assert alerts[0].episode_id in {
        id_ for each in decisions if isinstance(each, Announcement) for id_ in each.episode_ids
    }


def test_a_season_is_one_summary_whatever_the_tier_and_budget():
    alerts = [waiting(f"a{each}", tier=Tier.D, batch=season_batch("DE")) for each in range(4)]
    spent = house(told=[told(name) for name in "abc"])
    [summary] = decide_noise(alerts, spent, LATER)
    assert isinstance(summary, Announcement)
    assert summary.is_summary


def test_a_first_look_leaves_low_tiers_out_and_tells_a_single_one_by_itself():
    alerts = [waiting("a", batch=FIRST_LOOK), waiting("b", batch=FIRST_LOOK, tier=Tier.C)]
    found = outcomes(decide_noise(alerts, house(), LATER))
    single = found[alerts[0].episode_id]
    assert isinstance(single, Announcement)
    assert not single.is_summary
    assert isinstance(found[alerts[1].episode_id], Quieten)


def test_a_cover_is_told_in_place_of_who_is_away():
    alert = waiting(owner_id="bob", reader_id="ada")
    [said] = decide_noise([alert], house(), LATER)
    assert isinstance(said, Announcement)
    assert (said.readers, said.stand_ins) == ({alert.episode_id: "ada"}, {alert.episode_id: "bob"})


@pytest.mark.parametrize(
    ("scope", "is_muted"),
    [
        (Scope(), True),
        (Scope("acme"), True),
        (Scope("bolt"), False),
        (Scope(kind=AlertKind.HEALTH_DROP), True),
        (Scope(kind=AlertKind.SILENCE), False),
        (Scope("acme", AlertKind.SILENCE), False),
    ],
)
def test_a_mute_silences_what_it_covers_also_what_is_critical(scope: Scope, *, is_muted: bool):
    alert = waiting(severity=Severity.CRITICAL)
    mutes = [Mute("m1", scope, LATER + timedelta(days=1))]
    [decision] = decide_noise([alert], house(mutes=mutes), LATER)
    assert (decision == Silence(alert.episode_id, "m1")) is is_muted


# ---------------------------------------------------------------- all at once

zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"])
times = st.builds(
    WorkingTime,
    zones,
    work_from=st.sampled_from([time(7), time(9), time(22)]),
    work_until=st.sampled_from([time(12), time(17, 30), time(23, 45)]),
    country=st.sampled_from(["", "DE", "US", "CN"]),
)
settings = st.builds(
    NoiseSettings,
    owner_daily=st.integers(0, 4),
    channel_daily=st.integers(1, 6),
    summary_above=st.integers(1, 6),
    digest_tiers=st.frozensets(st.sampled_from(Tier)),
    is_quiet_off_hours=st.booleans(),
    is_quiet_off_days=st.booleans(),
    at_once_from=st.sampled_from(Severity),
)
moments = st.integers(0, 365 * 24 * 12).map(
    lambda fives: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=5 * fives)
)
alerts = st.lists(
    st.builds(
        Waiting,
        episode_id=st.uuids().map(str),
        account_id=st.sampled_from("abcdefgh"),
        kind=st.sampled_from(AlertKind),
        severity=st.sampled_from(Severity),
        level=st.integers(0, 9).map(float),
        channel=st.sampled_from(["C1", "C2"]),
        reader_id=st.sampled_from(["", "ada", "bob"]),
        tier=st.sampled_from([None, *Tier]),
        batch=st.sampled_from(["", "", "", FIRST_LOOK, season_batch("DE")]),
    ),
    max_size=25,
    unique_by=lambda each: each.episode_id,
)
history = st.lists(
    st.builds(
        Told,
        message=st.sampled_from(["m1", "m2", "m3", "m4", "m5"]),
        channel=st.sampled_from(["C1", "C2"]),
        account_id=st.sampled_from("abc"),
        reader_id=st.sampled_from(["", "ada", "bob"]),
        at=st.just(datetime(2026, 3, 10, tzinfo=UTC)),
    ),
    max_size=8,
)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[list[Waiting], House, datetime]:
    now = draw(moments)
    earlier = [Told(each.message, each.channel, each.account_id, each.reader_id, now) for each in draw(history)]
    people = {name: Desk(draw(times), draw(settings)) for name in ("ada", "bob")}
    scopes = st.builds(Scope, st.sampled_from([None, "a", "b"]), st.sampled_from([None, *AlertKind]))
    mutes = [Mute(str(at), scope, now + timedelta(1)) for at, scope in enumerate(draw(st.lists(scopes, max_size=2)))]
    return draw(alerts), House(Desk(draw(times), draw(settings)), people, mutes, earlier), now


@given(scenes())
def test_nothing_is_lost_and_nothing_held_past_the_next_working_moment(scene: tuple[list[Waiting], House, datetime]):
    waits, home, now = scene
    found = outcomes(decide_noise(waits, home, now))
    assert set(found) == {each.episode_id for each in waits}
    for each in waits:
        decision = found[each.episode_id]
        if isinstance(decision, Hold):
            bounds = [next_working_moment(now, desk.times) for desk in (home.home, home.find_desk(each.reader_id))]
            assert now < decision.until <= max(bounds)
        elif isinstance(decision, Quieten):
            assert decision.reason in set(QuietReason)
            assert each.severity is not Severity.CRITICAL


@given(scenes())
def test_budgets_hold_but_for_what_is_critical(scene: tuple[list[Waiting], House, datetime]):
    waits, home, now = scene
    by_id = {each.episode_id: each for each in waits}
    said = [each for each in decide_noise(waits, home, now) if isinstance(each, Announcement)]
    posts = Counter(channel for channel, _message in {(each.channel, each.message) for each in home.told})
    for each in said:
        posts[each.channel] += 1
        if by_id[each.episode_ids[0]].severity is not Severity.CRITICAL:
            assert posts[each.channel] <= home.home.settings.channel_daily
    own = Counter(reader for reader, *_part in {(each.reader_id, each.message, each.account_id) for each in home.told})
    for reader in ("ada", "bob"):
        limit = home.people[reader].settings.owner_daily
        plain = {
            by_id[id_].account_id
            for each in said
            if not (each.is_summary and by_id[each.episode_ids[0]].batch)
            for id_ in each.episode_ids
            if _leads(id_, each, by_id) and by_id[id_].reader_id == reader
        }
        grave = {each.account_id for each in waits if each.severity is Severity.CRITICAL and each.reader_id == reader}
        assert len(plain - grave) <= max(0, limit - own[reader])


def _leads(id_: str, said: Announcement, by_id: dict[str, Waiting]) -> bool:
    """Whether it is the most urgent one of its account in the message."""
    account = [each for each in said.episode_ids if by_id[each].account_id == by_id[id_].account_id]
    return account[0] == id_


@given(scenes())
def test_who_is_told_of_one_thing_is_told_of_nothing_less_urgent_instead(scene: tuple[list[Waiting], House, datetime]):
    waits, home, now = scene
    by_id = {each.episode_id: each for each in waits}
    decisions = decide_noise(waits, home, now)
    for reader in ("ada", "bob"):
        left = [
            by_id[each.episode_id]
            for each in decisions
            if isinstance(each, Quieten) and each.reason is QuietReason.BUDGET
        ]
        over = max((_rank(each) for each in left if each.reader_id == reader and _is_lead(each, left)), default=None)
        leads = [
            by_id[each.episode_ids[0]] for each in decisions if isinstance(each, Announcement) and not each.is_summary
        ]
        shown = min((_rank(each) for each in leads if each.reader_id == reader), default=None)
        assert over is None or shown is None or shown >= over


def _rank(each: Waiting) -> tuple[int, float]:
    return SEVERITIES.index(each.severity), each.level


def _is_lead(each: Waiting, left: list[Waiting]) -> bool:
    same = [other for other in left if (other.account_id, other.channel) == (each.account_id, each.channel)]
    return min(same, key=lambda other: other.urgency) is each


@given(scenes())
def test_deciding_does_not_depend_on_the_order(scene: tuple[list[Waiting], House, datetime]):
    waits, home, now = scene
    forwards, backwards = decide_noise(waits, home, now), decide_noise(waits[::-1], home, now)
    assert sorted(map(repr, forwards)) == sorted(map(repr, backwards))


def test_a_holiday_is_the_readers_own():
    may_day = datetime.combine(date(2026, 5, 1), time(15), UTC)
    berlin, new_york = waiting("a"), waiting("b", reader_id="bob", owner_id="bob")
    found = outcomes(decide_noise([berlin, new_york], house(), may_day))
    assert isinstance(found[berlin.episode_id], Hold)
    assert isinstance(found[new_york.episode_id], Announcement)
