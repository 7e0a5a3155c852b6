"""Digests are made in each person's own morning, once, for the right people, and hold what is theirs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from benchmarks.jobs import counted
from pipeline import digest
from rules.delivery.channels import Sharing
from rules.records import AlertKind, DigestKind, DigestWish, EpisodeState, Role, Severity
from storage.db import Database
from storage.delivery.digests import DigestRow, apply_digests
from storage.people.workspaces import get_workspace
from tests.agenda_rows import add_milestone, add_offer, add_reached, add_renewal, add_task
from tests.alert_rows import TODAY, add_account, add_episode, add_member, list_outbox
from tests.channel_rows import look_at
from tests.conftest import NOW

BERLIN, TOKYO, NEW_YORK = "Europe/Berlin", "Asia/Tokyo", "America/New_York"
MORNING = NOW.replace(hour=9, minute=10)  # Tuesday, in UTC


def digests(database: Database, workspace_id: str, kind: DigestKind = DigestKind.PERSON) -> dict[str, DigestRow]:
    """The latest by recipient."""
    with database.reading(workspace_id) as tx:
        rows = tx.session.exec(select(DigestRow).where(DigestRow.workspace_id == tx.workspace_id)).all()
    return {row.recipient: row for row in sorted(rows, key=lambda each: each.day) if row.kind is kind}


def told(row: DigestRow) -> set[str]:
    """The ids it tells of."""
    return {id_ for section in row.contents.values() for _matter, id_ in section["ids"]}


def sent(database: Database, workspace_id: str) -> list[str]:
    return [row.channel for row in list_outbox(database, workspace_id) if row.kind == "digest"]


def test_each_gets_theirs_in_their_own_morning_and_once(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        for slack_id, zone in (("U1", BERLIN), ("U2", TOKYO), ("U3", NEW_YORK)):
            member = add_member(tx, slack_id, zone=zone)
            add_account(tx, f"a-{slack_id}", owner_id=member.id)
            add_episode(tx, f"a-{slack_id}", owner_id=member.id)
    day = datetime(2026, 3, 10, tzinfo=UTC)
    expected = {(0, 9): [], (0, 10): ["U2"], (8, 9): ["U2"], (8, 10): ["U2", "U1"], (13, 10): ["U2", "U1", "U3"]}
    for (hour, minute), channels in expected.items():  # New York is at UTC−4 since two days, Berlin still at UTC+1
        for _again in range(2):
            digest.run(database, workspace_id, day.replace(hour=hour, minute=minute))
        assert [each for each in sent(database, workspace_id) if each != "C0000001"] == channels


def test_what_it_tells_by_section(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        ada = add_member(tx, "U1")
        add_account(tx, "acme", owner_id=ada.id)
        wanted = {
            "today": {
                add_episode(tx, "acme", owner_id=ada.id).id,
                add_offer(tx, "acme", ada.id).id,
                add_milestone(tx, "acme", days=-2).id,
                add_task(tx, "acme").id,
            },
            "week": {
                add_episode(tx, "acme", kind=AlertKind.TARGET_STALE, severity=Severity.NOTICE, is_quiet=True).id,
                add_milestone(tx, "acme", days=6).id,
                add_task(tx, "acme", days=1).id,
            },
            "renewals": {add_renewal(tx, "acme", days=90).id},
            "news": {add_reached(tx, "acme", saved_at=NOW - timedelta(hours=1)).id},
        }
        left_out(tx, ada.id)
    digest.run(database, workspace_id, MORNING)
    row = digests(database, workspace_id)["U1"]
    assert {name: {id_ for _, id_ in each["ids"]} for name, each in row.contents.items()} == wanted


def left_out(tx: Any, member_id: str) -> None:
    """What no digest tells of."""
    yesterday = NOW - timedelta(days=1)
    add_episode(tx, "acme", kind=AlertKind.MILESTONE_OVERDUE, subject="told by the milestone")
    add_episode(tx, "acme", kind=AlertKind.SILENCE, state=EpisodeState.SNOOZED, snoozed_until=NOW)
    add_episode(tx, "acme", kind=AlertKind.STEP_DUE, state=EpisodeState.RESOLVED, closed_at=NOW)
    add_milestone(tx, "acme", "too early", days=7)
    add_milestone(tx, "acme", "gone", removed_at=yesterday)
    add_task(tx, "acme", "done", done_at=yesterday)
    add_account(tx, "new", owner_id=member_id)
    add_offer(tx, "new", member_id, offered_on=TODAY)
    add_renewal(tx, "new", days=91)
    add_account(tx, "archived", owner_id=member_id, archived_at=yesterday)
    add_task(tx, "archived")
    add_renewal(tx, "archived")


def test_nothing_to_say_is_remembered_and_not_sent(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        add_member(tx, "U1")
    report = digest.run(database, workspace_id, MORNING)
    assert report.counts == {"made": 0, "empty": 2}  # the person's and the channel's
    assert digests(database, workspace_id)["U1"].is_empty
    assert sent(database, workspace_id) == []
    assert digest.run(database, workspace_id, MORNING).counts == {"made": 0, "empty": 0}


@pytest.mark.parametrize(
    ("changes", "moment", "is_made"),
    [
        ({}, MORNING, True),
        ({}, MORNING - timedelta(minutes=1), False),
        ({}, MORNING + timedelta(hours=8), True),
        ({}, MORNING + timedelta(hours=9), False),  # the working day is over
        ({}, MORNING + timedelta(days=4), False),  # Saturday
        ({"country": "DE"}, datetime(2026, 4, 3, 9, 10, tzinfo=UTC), False),  # Good Friday
        ({"country": "US"}, datetime(2026, 4, 3, 9, 10, tzinfo=UTC), True),
        ({"digest_wish": DigestWish.OFF}, MORNING, False),
        ({"digest_wish": DigestWish.WEEKLY}, MORNING - timedelta(days=1), True),
        ({"digest_at": "08:30"}, MORNING.replace(hour=8, minute=30), True),
        ({"is_active": False}, MORNING, False),
        ({"away_from": TODAY, "away_until": TODAY}, MORNING, False),
    ],
)
def test_who_gets_one_when(
    database: Database, workspace_id: str, changes: dict[str, Any], moment: datetime, is_made: bool
):
    with database.writing(workspace_id) as tx:
        add_member(tx, "U1", **changes)
    digest.run(database, workspace_id, moment)
    assert ("U1" in digests(database, workspace_id)) is is_made


def test_what_is_weekly_comes_once_a_week_and_later_when_its_day_was_slept_over(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        add_member(tx, "U1", digest_wish=DigestWish.WEEKLY)
    monday = MORNING - timedelta(days=1)
    awake = [0, 1, 2, 3, 4, 9, 10, 11, 14, 15]  # the Monday and Tuesday of the second week are slept over
    for day in awake:
        digest.run(database, workspace_id, monday + timedelta(days=day))
    with database.reading(workspace_id) as tx:
        rows = tx.session.exec(select(DigestRow).where(DigestRow.kind != DigestKind.TEAM)).all()
    made = {kind: sorted((row.day - monday.date()).days for row in rows if row.kind == kind) for kind in DigestKind}
    assert made[DigestKind.PERSON] == [0, 9, 14]
    assert made[DigestKind.RENEWALS] == [0, 9, 14]


def test_on_the_nights_the_clock_changes_there_is_one(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        add_member(tx, "U1", zone=BERLIN, digest_wish=DigestWish.DAILY)
    for hour in range(24 * 8):
        digest.run(database, workspace_id, datetime(2026, 3, 26, tzinfo=UTC) + timedelta(hours=hour, minutes=10))
    with database.reading(workspace_id) as tx:
        rows = tx.session.exec(select(DigestRow).where(DigestRow.recipient == "U1")).all()
    made = sorted((row.day, row.created_at.hour) for row in rows)
    assert made == [
        (date(2026, 3, 26), 8), (date(2026, 3, 27), 8), (date(2026, 3, 30), 7), (date(2026, 3, 31), 7),
        (date(2026, 4, 1), 7), (date(2026, 4, 2), 7),
    ]  # fmt: skip


def test_who_covers_reads_what_they_cover(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        ben = add_member(tx, "U2")
        ada = add_member(tx, "U1", cover_id=ben.id, away_from=TODAY, away_until=TODAY)
        add_account(tx, "acme", owner_id=ada.id)
        task = add_task(tx, "acme").id
    digest.run(database, workspace_id, MORNING)
    found = digests(database, workspace_id)
    assert told(found["U2"]) == {task}
    assert "U1" not in found


def test_the_lead_reads_what_is_nobodys(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        add_member(tx, "U1", role=Role.CSM)
        gone = add_member(tx, "U3", is_active=False)
        add_member(tx, "U2", role=Role.LEAD)
        add_account(tx, "nobodys")
        add_account(tx, "orphaned", owner_id=gone.id)
        ids = {add_task(tx, name).id for name in ("nobodys", "orphaned")}
    digest.run(database, workspace_id, MORNING)
    found = digests(database, workspace_id)
    assert told(found["U2"]) == ids
    assert found["U1"].is_empty


def test_good_news_are_told_once(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        ada = add_member(tx, "U1")
        add_account(tx, "acme", owner_id=ada.id)
        target = add_reached(tx, "acme", saved_at=NOW - timedelta(hours=1)).id
    digest.run(database, workspace_id, MORNING)
    assert told(digests(database, workspace_id)["U1"]) == {target}
    digest.run(database, workspace_id, MORNING + timedelta(days=1))
    assert digests(database, workspace_id)["U1"].is_empty


def test_the_channel_gets_urgent_alerts_nobody_took_for_a_day(database: Database, workspace_id: str):
    day_ago = MORNING - timedelta(days=1)
    with database.writing(workspace_id) as tx:
        add_account(tx, "acme")
        ids = [add_episode(tx, "acme", opened_at=day_ago).id]
        critical = {"severity": Severity.CRITICAL, "kind": AlertKind.NOTICE_RECEIVED}
        ids.insert(0, add_episode(tx, "acme", opened_at=day_ago, **critical).id)
        fresh = day_ago + timedelta(minutes=1)
        add_episode(tx, "acme", kind=AlertKind.SILENCE, opened_at=fresh)
        add_episode(tx, "acme", kind=AlertKind.HEALTH_RED, opened_at=day_ago, state=EpisodeState.ACKED)
        add_episode(tx, "acme", kind=AlertKind.TARGET_STALE, opened_at=day_ago, severity=Severity.NOTICE)
    digest.run(database, workspace_id, MORNING)
    row = digests(database, workspace_id, DigestKind.TEAM)["C0000001"]
    assert row.contents == {"alerts": ids, "count": 2}


def test_what_became_urgent_this_morning_is_not_unclaimed_for_a_day(database: Database, workspace_id: str):
    opened_at, told_at = MORNING - timedelta(days=8), MORNING - timedelta(hours=3)
    with database.writing(workspace_id) as tx:
        add_account(tx, "acme")
        late = {"kind": AlertKind.MILESTONE_OVERDUE, "opened_at": opened_at, "announced_at": told_at}
        id_ = add_episode(tx, "acme", **late).id
    digest.run(database, workspace_id, MORNING)
    assert digests(database, workspace_id, DigestKind.TEAM)["C0000001"].is_empty
    digest.run(database, workspace_id, MORNING + timedelta(days=1))
    assert digests(database, workspace_id, DigestKind.TEAM)["C0000001"].contents == {"alerts": [id_], "count": 1}


def test_the_channel_gets_renewals_once_a_week(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        add_account(tx, "acme")
        add_renewal(tx, "acme")
    digest.run(database, workspace_id, MORNING)
    assert digests(database, workspace_id, DigestKind.RENEWALS) == {}
    digest.run(database, workspace_id, MORNING + timedelta(days=6))
    row = digests(database, workspace_id, DigestKind.RENEWALS)["C0000001"]
    assert (row.day, row.is_empty) == (TODAY + timedelta(days=6), False)


def test_without_a_channel_nothing_goes_to_one(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        get_workspace(tx).team_channel_id = ""
        add_account(tx, "acme")
        add_episode(tx, "acme", opened_at=MORNING - timedelta(days=2))
    assert digest.run(database, workspace_id, MORNING).counts == {"made": 0, "empty": 0}


def test_a_team_channel_that_others_read_gets_no_digest(database: Database, workspace_id: str):
    look_at(database, workspace_id, "C0000001", sharing=Sharing.SHARED)
    with database.writing(workspace_id) as tx:
        add_account(tx, "acme")
        add_episode(tx, "acme", opened_at=MORNING - timedelta(days=2))
    assert digest.run(database, workspace_id, MORNING).counts == {"made": 0, "empty": 0}


def test_a_digest_made_meanwhile_is_not_made_again(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        wanted = [digest.MakeDigest(DigestKind.PERSON, "U1", TODAY, stored={"today": {"ids": [], "count": 0}})]
        assert len(apply_digests(tx, wanted, NOW)) == 1
        assert apply_digests(tx, wanted, NOW) == []
    assert sent(database, workspace_id) == ["U1"]


def test_the_same_digest_asked_for_twice_at_once_is_made_once(database: Database, workspace_id: str):
    wanted = digest.MakeDigest(DigestKind.PERSON, "U1", TODAY, stored={"today": {"ids": [], "count": 0}})
    with database.writing(workspace_id) as tx:
        assert len(apply_digests(tx, [wanted, wanted], NOW)) == 1
    assert sent(database, workspace_id) == ["U1"]


def test_statements_do_not_grow_with_people_and_accounts(database: Database, workspace_id: str):
    counts = []
    for day, people in enumerate((2, 20)):
        with database.writing(workspace_id) as tx:
            for number in range(people):
                member = add_member(tx, f"U{day}{number}")
                add_account(tx, f"a{day}{number}", owner_id=member.id)
                add_task(tx, f"a{day}{number}")
        with counted(database) as statements:
            digest.run(database, workspace_id, MORNING + timedelta(days=day))
        counts.append(statements.count)
    assert counts[1] <= counts[0] + 2
