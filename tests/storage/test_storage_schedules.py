"""Each occurrence once: when it is late, when processes die, when two of them try."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from benchmarks.jobs import counted
from storage.db import Database, Tx
from storage.delivery.leases import acquire, is_held, release
from storage.delivery.schedules import (
    AGAIN_AFTER,
    MOST_ATTEMPTS,
    Run,
    ScheduleRow,
    ScheduleRunRow,
    ensure_schedules,
    fail_run,
    finish_run,
    forget_runs,
    has_due,
    list_failures,
    next_due,
    start_due,
    wanted_rhythms,
)
from storage.people.workspaces import get_workspace
from tests.alert_rows import add_member
from tests.conftest import NOW

DAY = timedelta(days=1)
SIX = NOW.replace(hour=6) + DAY


def rows(tx: Tx) -> dict[str, ScheduleRow]:
    """The schedules of the workspace itself, by job."""
    return {job: row for (job, audience), row in all_rows(tx).items() if not audience}


def all_rows(tx: Tx) -> dict[tuple[str, str], ScheduleRow]:
    found = tx.session.exec(select(ScheduleRow).where(ScheduleRow.workspace_id == tx.workspace_id))
    return {(row.job, row.audience): row for row in found}


def audiences(tx: Tx, job: str) -> set[str]:
    return {audience for name, audience in all_rows(tx) if name == job}


def started(tx: Tx, now: datetime, epoch: int = 1) -> list[tuple[str, object]]:
    return [(run.job, run.occurrence) for run in start_all(tx, now, epoch)]


def start_all(tx: Tx, now: datetime, epoch: int = 1) -> list[Run]:
    """What starts at once, and what starts when the daily job is done."""
    first = start_due(tx, now, epoch)
    for run in first:
        if run.job == "daily":
            assert finish_run(tx, run, epoch, now)
    return [*first, *start_due(tx, now, epoch)]


def test_every_workspace_has_its_schedules_once(tx: Tx):
    ensure_schedules(tx, NOW)
    ensure_schedules(tx, NOW + DAY)
    assert {job: row.next_at for job, row in rows(tx).items()} == {
        "daily": SIX,
        "wake": NOW + timedelta(minutes=5),
        "cleanup": SIX.replace(hour=3, minute=30),
        "renewals": NOW.replace(minute=10),
    }


def test_people_of_three_zones_have_their_own_mornings(tx: Tx):
    add_member(tx, "U1", zone="Europe/Berlin")
    add_member(tx, "U2", zone="America/New_York")
    add_member(tx, "U3", zone="Asia/Shanghai", work_from="08:00")
    add_member(tx, "U4", zone="Europe/Berlin")
    ensure_schedules(tx, NOW)
    assert audiences(tx, "checkins") == {
        "UTC 09:00", "Europe/Berlin 09:00", "America/New_York 09:00", "Asia/Shanghai 08:00"
    }  # fmt: skip
    assert audiences(tx, "digest") == {
        "UTC 09:10", "Europe/Berlin 09:10", "America/New_York 09:10", "Asia/Shanghai 08:10"
    }  # fmt: skip
    due = {row.audience: row.next_at for row in all_rows(tx).values() if row.job == "digest"}
    assert due["Europe/Berlin 09:10"] == NOW.replace(hour=8, minute=10) + DAY
    assert due["America/New_York 09:10"] == NOW.replace(hour=13, minute=10)
    assert due["Asia/Shanghai 08:10"] == NOW.replace(hour=0, minute=10) + DAY


def test_who_moves_or_leaves_takes_their_morning_along(tx: Tx):
    person = add_member(tx, "U1", zone="Europe/Berlin")
    ensure_schedules(tx, NOW)
    person.own_zone, person.digest_at = "Asia/Tokyo", "08:30"
    tx.session.flush()
    ensure_schedules(tx, NOW)
    assert audiences(tx, "digest") == {"UTC 09:10", "Asia/Tokyo 08:30"}
    assert audiences(tx, "checkins") == {"UTC 09:00", "Asia/Tokyo 09:00"}
    person.is_active = False
    tx.session.flush()
    ensure_schedules(tx, NOW)
    assert audiences(tx, "digest") == {"UTC 09:10"}


def test_a_schedule_that_goes_takes_its_runs_along(tx: Tx):
    person = add_member(tx, "U1", zone="Asia/Tokyo")
    ensure_schedules(tx, NOW)
    later = NOW + timedelta(hours=16)
    (run,) = [each for each in start_due(tx, later, 1) if each.job == "digest" and "Tokyo" in each.audience]
    person.is_active = False
    tx.session.flush()
    ensure_schedules(tx, later)
    assert not finish_run(tx, run, 1, later)


def test_a_morning_that_is_over_is_not_made_up_for(tx: Tx):
    add_member(tx, "U1", zone="Europe/Berlin")
    ensure_schedules(tx, NOW)
    berlin = NOW.replace(hour=8, minute=10) + DAY
    before_its_morning = berlin + DAY - timedelta(hours=2)
    assert ("digest", berlin) not in started(tx, before_its_morning)
    assert ("digest", berlin + DAY) in started(tx, berlin + DAY + timedelta(hours=6))


def test_what_is_late_takes_its_own_time_for_the_present_but_a_morning_the_true_one(tx: Tx):
    ensure_schedules(tx, NOW)
    late = NOW + DAY + timedelta(hours=10)
    moments = {run.job: run.moment for run in start_all(tx, late)}
    assert moments["daily"] == SIX
    assert (moments["checkins"], moments["digest"], moments["renewals"]) == (late, late, late)


def test_a_morning_cut_short_is_not_begun_again_the_day_after(tx: Tx):
    ensure_schedules(tx, NOW)
    at = NOW.replace(minute=10)
    assert ("digest", at) in started(tx, at)
    again = [job for job, _ in started(tx, at + DAY - timedelta(hours=1), epoch=2)]
    assert "digest" not in again
    assert "the day it was for is over" in {row.error for row in list_failures(tx)}.pop()


def test_the_wanted_schedules_are_read_in_two_queries(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        for number in range(30):
            add_member(tx, f"U{number}", zone=["Europe/Berlin", "Asia/Tokyo"][number % 2])
    with counted(database) as statements, database.reading(workspace_id) as tx:
        assert len(wanted_rhythms(tx)) == 4 + 2 * 3
    assert statements.count <= 4  # one of them and another begin or end the transaction


def test_another_zone_moves_what_is_due(tx: Tx):
    ensure_schedules(tx, NOW)
    get_workspace(tx).zone = "Asia/Shanghai"
    ensure_schedules(tx, NOW)
    assert rows(tx)["daily"].next_at == NOW.replace(hour=22)
    assert audiences(tx, "digest") == {"Asia/Shanghai 09:10"}


def test_what_is_due_starts_once(tx: Tx):
    ensure_schedules(tx, NOW)
    assert not has_due(tx, NOW, 1)
    assert has_due(tx, NOW + timedelta(minutes=5), 1)
    assert started(tx, NOW + timedelta(minutes=6)) == [("wake", NOW + timedelta(minutes=5))]
    assert started(tx, NOW + timedelta(minutes=6)) == []


def test_missed_occurrences_become_one_for_the_latest(tx: Tx):
    ensure_schedules(tx, NOW)
    late = SIX + 3 * DAY + timedelta(hours=2)
    runs = started(tx, late)
    assert ("daily", SIX + 3 * DAY) in runs
    assert [job for job, _ in runs] == ["cleanup", "daily", "wake", "renewals"]
    assert rows(tx)["daily"].next_at == SIX + 4 * DAY


def test_an_unfinished_run_starts_again_under_the_next_lease_only(tx: Tx):
    ensure_schedules(tx, NOW)
    (run,) = start_due(tx, NOW + timedelta(minutes=5), 1)
    assert not has_due(tx, NOW + timedelta(minutes=6), 1)
    assert has_due(tx, NOW + timedelta(minutes=6), 2)
    assert start_due(tx, NOW + timedelta(minutes=6), 2) == [run]
    assert not finish_run(tx, run, 1, NOW)
    assert finish_run(tx, run, 2, NOW)
    assert start_due(tx, NOW + timedelta(minutes=6), 3) == []


def test_a_run_that_keeps_ending_its_process_is_given_up(tx: Tx):
    ensure_schedules(tx, NOW)
    due = NOW + timedelta(minutes=5)
    tries = [len(start_due(tx, due, epoch)) for epoch in range(1, MOST_ATTEMPTS + 3)]
    assert sum(tries) == MOST_ATTEMPTS
    (failed,) = list_failures(tx)
    assert "ended 3 times" in failed.error


def test_finished_runs_are_forgotten_in_time(tx: Tx):
    ensure_schedules(tx, NOW)
    (run,) = start_due(tx, NOW + timedelta(minutes=5), 1)
    assert forget_runs(tx, NOW + DAY) == 0
    assert finish_run(tx, run, 1, NOW, "ValueError: no")
    assert forget_runs(tx, NOW) == 0
    assert forget_runs(tx, NOW + DAY) == 1
    assert tx.session.exec(select(ScheduleRunRow).where(ScheduleRunRow.workspace_id == tx.workspace_id)).all() == []


def test_the_next_due_time_skips_polls_and_paused_workspaces(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        ensure_schedules(tx, NOW)
    with database.read() as session:
        assert next_due(session) == NOW.replace(minute=10)
    with database.writing(workspace_id) as tx:
        get_workspace(tx).is_paused = True
    with database.read() as session:
        assert next_due(session) is None


def test_one_process_holds_the_lease_until_it_lets_go_or_dies(tx: Tx):
    session = tx.session
    later = NOW + timedelta(seconds=31)
    assert acquire(session, "scheduler", "a", NOW, 30) == 1
    assert acquire(session, "scheduler", "b", NOW + timedelta(seconds=29), 30) is None
    assert acquire(session, "scheduler", "a", NOW + timedelta(seconds=10), 30) == 1
    assert acquire(session, "scheduler", "b", later, 30) is None
    assert acquire(session, "scheduler", "b", later + timedelta(seconds=10), 30) == 2
    assert not is_held(session, "scheduler", "a", 1, 30)
    assert is_held(session, "scheduler", "b", 2, 30)
    release(session, "scheduler", "a", later, 30)
    assert acquire(session, "scheduler", "a", later + timedelta(seconds=11), 30) is None
    release(session, "scheduler", "b", later, 30)
    assert acquire(session, "scheduler", "a", later + timedelta(seconds=11), 30) == 3


def test_a_clock_put_back_does_not_keep_a_lease_for_ever(tx: Tx):
    assert acquire(tx.session, "scheduler", "a", NOW + DAY, 30) == 1
    assert acquire(tx.session, "scheduler", "b", NOW, 30) == 2


def test_what_tells_of_the_day_waits_for_the_daily_job(tx: Tx):
    ensure_schedules(tx, NOW)
    late = SIX + timedelta(hours=4)
    first = start_due(tx, late, 1)
    assert {run.job for run in first} == {"cleanup", "daily", "wake"}
    assert not has_due(tx, late, 1)
    (daily,) = [run for run in first if run.job == "daily"]
    assert finish_run(tx, daily, 1, late)
    assert {run.job for run in start_due(tx, late, 1)} == {"checkins", "digest", "renewals"}


def test_a_schedule_waits_while_its_last_run_goes_on(tx: Tx):
    ensure_schedules(tx, NOW)
    (run,) = start_due(tx, NOW + timedelta(minutes=5), 1)
    later = NOW + timedelta(minutes=26)
    ten_minutes = {"renewals", "digest", "checkins"}
    assert {each.job for each in start_due(tx, later, 1)} <= ten_minutes
    assert finish_run(tx, run, 1, later)
    assert started(tx, later) == [("wake", NOW + timedelta(minutes=25))]


def test_a_run_that_failed_is_tried_again_later_and_not_for_ever(tx: Tx):
    ensure_schedules(tx, NOW)
    now, tries = SIX, 0
    for _ in range(100):
        for run in start_due(tx, now, 1):
            is_daily = run.job == "daily"
            tries += is_daily
            assert (fail_run if is_daily else finish_run)(tx, run, 1, now, "ValueError: no")
        now += timedelta(minutes=1)
    assert tries == MOST_ATTEMPTS
    (row,) = [each for each in list_failures(tx, 100) if each.schedule_id == rows(tx)["daily"].id]
    assert (row.attempts, row.error) == (MOST_ATTEMPTS, "ValueError: no")
    assert row.finished_at == SIX + AGAIN_AFTER + 2 * AGAIN_AFTER


def test_a_failure_of_what_comes_every_few_minutes_is_left_to_the_next(tx: Tx):
    ensure_schedules(tx, NOW)
    (run,) = start_due(tx, NOW + timedelta(minutes=5), 1)
    assert fail_run(tx, run, 1, NOW + timedelta(minutes=5), "ValueError: no")
    assert not fail_run(tx, run, 1, NOW + timedelta(minutes=5), "ValueError: no")
    assert started(tx, NOW + timedelta(minutes=9), epoch=2) == []


@pytest.mark.parametrize("jump", [timedelta(hours=1), DAY, 40 * DAY], ids=str)
def test_after_a_clock_ran_ahead_and_was_put_back_each_day_still_has_its_run(tx: Tx, jump: timedelta):
    """Never zero, never two: from the morning of the jump, hour by hour, for as long as the jump was and longer."""
    ensure_schedules(tx, NOW)
    seen: list[datetime] = []
    wakes = 0

    def live(now: datetime) -> None:
        nonlocal wakes
        for run in start_due(tx, now, 1):
            assert finish_run(tx, run, 1, now)
            wakes += run.job == "wake"
            if run.job == "daily":
                seen.append(run.occurrence)

    before = SIX - timedelta(minutes=30)
    live(before)
    live(before + jump)
    ensure_schedules(tx, before)  # the scheduler does so when it sees the clock go back
    wakes = 0
    hours = int((jump + 3 * DAY) / timedelta(hours=1))
    for hour in range(hours):
        live(before + timedelta(hours=hour))
    assert len(seen) == len(set(seen))
    assert {SIX + number * DAY for number in range(hours // 24)} <= set(seen)
    assert wakes >= hours - 1
