"""What a full budget left to the digest: nobody takes it, and it climbs all the same, counted from the morning whose
digest tells of it. What people or rules want in digests alone does not.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from pipeline import digest, wake
from rules.alerts.alerts import Act, Assign, Fired, Resolve, Snooze, Take
from rules.alerts.hushing import hush
from rules.alerts.mutes import Scope, decide_mute
from rules.alerts.noise import Quieten
from rules.alerts.noise_settings import decide_noise_settings
from rules.records import Actor, AlertKind, DigestWish, EpisodeState, QuietReason, Severity
from storage.alerts.alert_writes import apply_alerts
from storage.alerts.alerts import EpisodeRow, get_episode, to_episode
from storage.alerts.escalations import list_reminded, list_waiting_for_leads
from storage.alerts.mutes import apply_mute
from storage.alerts.noise_settings import apply_noise_settings
from storage.db import Database
from storage.people.members import MemberRow
from tests.alert_rows import add_account, add_episode
from tests.conftest import add_workspace
from tests.pipeline.test_pipeline_wake import DAY, HAND, HOUR, MONDAY, Stage

NOISE = Actor.job("noise")
MINUTE = timedelta(minutes=1)
DIGEST = datetime(2026, 3, 10, 9, 10, tzinfo=UTC)
"""Tuesday, when the owner's digest tells of what Monday had no room for."""
GRAVER = Fired("acme", AlertKind.HEALTH_DROP, Severity.CRITICAL, 40.0, 10.0, "drop-1", {"level": 40.0})


@pytest.fixture
def stage(sqlite_database: Database) -> Stage:
    return Stage(sqlite_database, add_workspace(sqlite_database))


@pytest.fixture
def any_stage(database: Database, workspace_id: str) -> Stage:
    """On each kind of database."""
    return Stage(database, workspace_id)


def fill_day(stage: Stage) -> None:
    """The owner was told of three others on Monday."""
    with stage.database.writing(stage.workspace_id) as tx:
        for name in ("bolt", "cube", "dome"):
            add_account(tx, name, owner_id="m-UOWN")
            add_episode(tx, name, severity=Severity.NOTICE, announced_at=MONDAY - HOUR, told_id="m-UOWN")


def leave(stage: Stage, reason: QuietReason = QuietReason.BUDGET, at: datetime = MONDAY, subject: str = "") -> None:
    """A high alert of a top account that noise control left to digests."""
    stage.open(at=at, is_told=False, subject=subject)
    with stage.database.writing(stage.workspace_id) as tx:
        left = hush(to_episode(get_episode(tx, stage.id)), Quieten(stage.id, reason, 3, 3))
        apply_alerts(tx, [left], NOISE, at)


def plan_of(stage: Stage) -> list[datetime]:
    return [datetime.fromisoformat(each["at"]) for each in stage.row.escalation]


# ---------------------------------------------------------------- how it climbs


def test_the_fourth_of_a_day_climbs_from_the_digest_that_tells_of_it(any_stage: Stage):
    stage = any_stage
    fill_day(stage)
    stage.open(is_told=False)
    assert stage.wake(MONDAY) == [{}]
    row = stage.row
    assert (row.quiet_reason, row.quiet_count, row.announced_at) == (QuietReason.BUDGET, 3, None)
    assert plan_of(stage) == [DIGEST, DIGEST + DAY, DIGEST + 2 * DAY, DIGEST + 3 * DAY]
    assert digest.run(stage.database, stage.workspace_id, DIGEST).counts["made"] > 0
    assert stage.wake(DIGEST, DIGEST + DAY - MINUTE, DIGEST + DAY) == [{}, {}, {"escalated": 1}]
    assert stage.said()[-1] == ("alert_reminder", "UOWN"), "it has no thread: only the direct message"
    assert stage.wake(DIGEST + 2 * DAY) == [{"escalated": 1, "leads_told": 1}]
    assert stage.said()[-1] == ("escalation_digest", "ULEAD")
    with stage.database.reading(stage.workspace_id) as tx:
        assert [each.id for each in list_waiting_for_leads(tx)] == [stage.id]
    assert stage.wake(DIGEST + 3 * DAY) == [{"escalated": 1, "leads_told": 1}]
    assert stage.said()[-2:] == [("alert_escalation", "C0000001"), ("escalation_digest", "ULEAD")]
    assert stage.wake(DIGEST + 6 * DAY, DIGEST + 7 * DAY) == [{}, {}]
    assert stage.verbs == ["opened", "quietened", "escalated", "escalated", "escalated"]
    assert (stage.row.announced_at, stage.row.is_quiet) == (None, True)


def test_what_a_full_channel_left_climbs_too(stage: Stage):
    leave(stage, QuietReason.CHANNEL)
    assert stage.wake(DIGEST + DAY - MINUTE, DIGEST + DAY) == [{}, {"escalated": 1}]


def test_a_person_is_reminded_at_once_of_all_that_one_morning_told_of(any_stage: Stage):
    """No flood the day after a day that was full, with what had a message of its own among it."""
    stage, ids = any_stage, []
    for subject in ("one", "two", "three"):
        leave(stage, subject=subject)
        ids.append(stage.id)
    stage.open(at=DIGEST)
    ids.append(stage.id)
    assert stage.wake(DIGEST + DAY, DIGEST + DAY + 5 * MINUTE) == [{"escalated": 4}, {}]
    said = [each for each in stage.said() if each[1] == "UOWN"]
    assert said == [("alert_reminders", "UOWN")]
    with stage.database.reading(stage.workspace_id) as tx:
        assert sorted(each.id for each in list_reminded(tx, "m-UOWN")) == sorted(ids)
        assert list_reminded(tx, "m-ULEAD") == []
    stage.id = ids[0]
    stage.act(Take("m-UOWN"), DIGEST + DAY + HOUR)
    with stage.database.reading(stage.workspace_id) as tx:
        assert sorted(each.id for each in list_reminded(tx, "m-UOWN")) == sorted(ids[1:])


@pytest.mark.parametrize(
    "reason",
    [QuietReason.TIER, QuietReason.SEVERITY, QuietReason.FLAPPING, QuietReason.DIGEST_KIND, QuietReason.MUTED],
)
def test_what_is_wanted_in_digests_alone_does_not(stage: Stage, reason: QuietReason):
    leave(stage, reason)
    assert stage.wake(*(DIGEST + each * DAY for each in range(14))) == [{}] * 14
    assert stage.said() == []


def test_who_wants_nothing_at_once_has_no_full_budget(stage: Stage):
    with stage.database.writing(stage.workspace_id) as tx:
        [wish] = decide_noise_settings("m-UOWN", {}, {"owner_daily": 0})
        apply_noise_settings(tx, wish, HAND, MONDAY)
    stage.open(is_told=False)
    assert stage.wake(MONDAY, *(DIGEST + each * DAY for each in range(7))) == [{}] * 8
    assert stage.row.quiet_reason == QuietReason.SEVERITY


@pytest.mark.parametrize(
    ("at", "counts_from"),
    [
        (MONDAY - HOUR, datetime(2026, 3, 9, 9, 10, tzinfo=UTC)),  # before that day's digest
        (datetime(2026, 3, 9, 9, 10, tzinfo=UTC), DIGEST),  # that day's may have been made without it
        (MONDAY + 4 * DAY, datetime(2026, 3, 16, 9, 10, tzinfo=UTC)),  # Friday: over the weekend
    ],
)
@pytest.mark.parametrize("wish", [DigestWish.DAILY, DigestWish.OFF])
def test_it_counts_from_the_next_morning_whoever_reads_digests(
    stage: Stage, at: datetime, counts_from: datetime, wish: DigestWish
):
    stage.change(MemberRow, "m-UOWN", digest_wish=wish)
    leave(stage, at=at)
    assert plan_of(stage)[0] == counts_from


def test_the_morning_is_that_of_who_reads_it(stage: Stage):
    away = {"away_from": date(2026, 3, 9), "away_until": date(2026, 3, 20), "cover_id": "m-UCOVER"}
    stage.change(MemberRow, "m-UOWN", **away)
    stage.change(MemberRow, "m-UCOVER", zone="America/New_York", digest_at="08:00")
    leave(stage)
    assert plan_of(stage)[0] == datetime(2026, 3, 9, 12, tzinfo=UTC), "eight in New York"
    opening = datetime(2026, 3, 10, 13, tzinfo=UTC)
    assert stage.wake(opening - MINUTE, opening) == [{}, {"escalated": 1}]
    assert stage.said() == [("alert_reminder", "UCOVER")]


# ---------------------------------------------------------------- what happens meanwhile


@pytest.mark.parametrize(
    "event", [Take("m-UOWN"), Resolve("m-UOWN"), Snooze(MONDAY + 9 * DAY)], ids=["take", "end", "sleep"]
)
def test_any_answer_stops_it(stage: Stage, event: Act):
    leave(stage)
    old = stage.timers(DIGEST + DAY)
    stage.act(event, DIGEST + HOUR)
    with stage.database.writing(stage.workspace_id) as tx:
        assert wake.run_timers(tx, old, DIGEST + DAY) == {}
    assert stage.wake(DIGEST + DAY) == [{}]


def test_who_is_given_it_has_a_digest_of_their_own_first(stage: Stage):
    leave(stage)
    stage.act(Assign("m-UCOVER"), DIGEST + HOUR)
    again = DIGEST + DAY
    assert plan_of(stage) == [again, again + DAY, again + 2 * DAY, datetime(2026, 3, 16, 9, 10, tzinfo=UTC)]
    assert stage.wake(again, again + DAY) == [{}, {"escalated": 1}]
    assert stage.said() == [("alert_reminder", "UCOVER")]


def test_what_grows_graver_is_told_and_counts_from_there(stage: Stage):
    leave(stage)
    stage.act(GRAVER, DIGEST + HOUR)
    assert stage.wake(DIGEST + HOUR) == [{}]
    row = stage.row
    assert (row.is_quiet, row.announced_at) == (False, DIGEST + HOUR)
    assert stage.wake(DIGEST + 5 * HOUR - MINUTE, DIGEST + 5 * HOUR) == [{}, {"escalated": 1}]


def silence(stage: Stage, at: datetime, until: datetime) -> None:
    """The account is muted by a person."""
    wish = decide_mute(Scope("acme", None), until, "a quiet week", [], at)
    with stage.database.writing(stage.workspace_id) as tx:
        apply_mute(tx, wish, HAND, at)


def test_a_mute_stops_it_and_its_end_begins_it_anew(stage: Stage):
    leave(stage)
    assert stage.wake(DIGEST + DAY) == [{"escalated": 1}]
    muted, over = DIGEST + DAY + HOUR, DIGEST + 3 * DAY + HOUR  # a Friday
    silence(stage, muted, over)
    assert stage.wake(muted, muted + DAY) == [{}, {}]
    assert stage.row.quiet_reason == QuietReason.MUTED
    stage.wake(over)
    row, monday = stage.row, datetime(2026, 3, 16, 9, 10, tzinfo=UTC)
    assert (row.quiet_reason, row.escalated_to, row.epoch) == (QuietReason.BUDGET, 0, 2)
    assert plan_of(stage)[0] == monday
    assert stage.wake(monday, monday + DAY) == [{}, {"escalated": 1}]
    assert stage.said() == [("alert_reminder", "UOWN")] * 2


def test_the_end_of_a_mute_leaves_what_somebody_took(stage: Stage):
    leave(stage)
    silence(stage, MONDAY + HOUR, MONDAY + DAY)
    stage.wake(MONDAY + HOUR)
    stage.act(Take("m-UOWN"), MONDAY + 2 * HOUR)
    asked_about = stage.row.timer_at
    stage.wake(MONDAY + DAY)
    row = stage.row
    assert (row.quiet_reason, row.state, row.epoch) == (QuietReason.BUDGET, EpisodeState.ACKED, 2)
    assert (row.timer_step, row.timer_at) == ("ask", asked_about)


def test_it_begins_anew_when_nobody_answers(stage: Stage):
    leave(stage)
    stage.act(Take("m-UOWN"), MONDAY)
    assert stage.wake(MONDAY + 3 * DAY, MONDAY + 7 * DAY) == [{"asked": 1}, {"returned": 1}]
    tuesday = datetime(2026, 3, 17, 9, 10, tzinfo=UTC)
    assert plan_of(stage)[0] == tuesday
    assert stage.wake(tuesday + DAY) == [{"escalated": 1}]


def test_what_an_older_release_left_is_found(stage: Stage):
    """It looked again every working hour; from there it is planned like any other."""
    leave(stage)
    was = [{"level": level, "at": (MONDAY + level * DAY).isoformat()} for level in range(4)]
    stage.change(EpisodeRow, stage.id, escalation=was, timer_at=MONDAY + HOUR)
    assert stage.wake(MONDAY + HOUR, MONDAY + DAY) == [{}, {"escalated": 1}]
