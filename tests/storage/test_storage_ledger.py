"""What the ledger reads, and changes of rules with the proposals for them: the same on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, event
from sqlmodel import select

from pipeline import ledger as ledger_job
from rules.alerts.alerts import Cleared, Dismiss, Resolve, Snooze, Take, decide
from rules.alerts.ledger import Fate, Propose, Wait
from rules.alerts.tuning import MOST_RAISES, Remedy
from rules.errors import StaleError, UserError
from rules.records import Actor, AlertKind, DismissReason, Enqueue, Role
from storage.alerts.adjustment_writes import accept, apply_proposals, refuse, take_back
from storage.alerts.adjustments import (
    PROPOSAL,
    RuleProposalRow,
    get_proposal,
    list_adjustments,
    list_latest_proposals,
    read_tunings,
)
from storage.alerts.alert_writes import apply_alerts
from storage.alerts.alerts import EpisodeRow, to_episode
from storage.alerts.ledger import Messages, count_alerts, count_messages
from storage.alerts.ledger_waits import measure_waits
from storage.alerts.mutes import list_active
from storage.audit import AuditRow
from storage.db import Database, Tx
from storage.delivery.outbox import OutboxRow, enqueue
from tests.alert_rows import add_account, add_episode, add_member, list_outbox
from tests.conftest import NOW, add_workspace

DAY = timedelta(days=1)
TODAY, DROP = NOW.date(), AlertKind.HEALTH_DROP
SINCE, UNTIL = NOW - 90 * DAY, NOW + DAY
JOB = Actor.job("scan")


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements sent meanwhile."""
    sent: list[str] = []

    def look(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", look)
    yield sent
    event.remove(Engine, "before_cursor_execute", look)


@pytest.fixture
def lee(tx: Tx) -> Actor:
    return Actor("member", add_member(tx, "U0LEE", role=Role.LEAD).id)


def do(tx: Tx, row: EpisodeRow, what: object, actor: Actor, hours: int = 5) -> None:
    now = row.opened_at + timedelta(hours=hours)
    apply_alerts(tx, decide(to_episode(row), what, now), actor, now)  # type: ignore[arg-type]  # one of its events


def list_fates(tx: Tx, since: datetime = SINCE, until: datetime = UNTIL) -> list[Fate]:
    """What became of each alert, sorted."""
    return sorted(each.fate for each in count_alerts(tx, since, until) for _ in range(each.count))


def test_each_alert_counts_by_what_people_did(tx: Tx, lee: Actor):
    add_account(tx, "acme")
    rows = [add_episode(tx, "acme", subject=str(at), opened_at=NOW - 20 * DAY) for at in range(7)]
    do(tx, rows[0], Take(lee.id), lee)
    do(tx, rows[1], Dismiss(lee.id, DismissReason.TOO_SENSITIVE), lee)
    do(tx, rows[2], Cleared(), JOB)
    do(tx, rows[3], Cleared(), lee)
    do(tx, rows[4], Snooze(NOW - 10 * DAY), lee)
    do(tx, rows[5], Resolve(lee.id), lee)
    wanted = [Fate.ACTED, Fate.ACTED, Fate.ACTED, Fate.DISMISSED, Fate.IGNORED, Fate.IGNORED, Fate.WAITING]
    assert list_fates(tx) == wanted
    found = count_alerts(tx, SINCE, UNTIL)
    assert sum(each.count for each in found if each.is_answered) == 5
    assert sum(each.count for each in found if each.is_closed_by_person) == 2
    waits = measure_waits(tx, SINCE, UNTIL, {})
    assert waits == {DROP: Wait(5.0, waits[DROP].working_hours), None: waits[DROP]}


def test_only_alerts_of_the_period_count(tx: Tx):
    add_account(tx, "acme")
    for at, days in enumerate((91, 90, 1)):
        add_episode(tx, "acme", subject=str(at), opened_at=NOW - days * DAY)
    assert len(list_fates(tx, NOW - 90 * DAY, NOW)) == 2
    assert measure_waits(tx, SINCE, UNTIL, {}) == {}, "nobody answered"


def test_counting_reads_the_same_however_many_there_are(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        actor = Actor("member", add_member(tx, "U0LEE").id)
        add_account(tx, "acme")
        for at in range(40):
            do(tx, add_episode(tx, "acme", subject=str(at), opened_at=NOW - 20 * DAY), Take(actor.id), actor)
    with database.reading(workspace_id) as tx, counted() as sent:
        (alike,) = count_alerts(tx, SINCE, UNTIL)
        assert alike.count == 40, "one row for all"
        measure_waits(tx, SINCE, UNTIL, {})
        count_messages(tx, SINCE, UNTIL)
    assert len([each for each in sent if "SELECT" in each]) == 3


def test_messages_are_counted_by_place_and_day(tx: Tx):
    assert count_messages(tx, SINCE, UNTIL) == Messages()
    enqueue(tx, [Enqueue("note", str(at), "U0ANN") for at in range(3)], NOW)
    enqueue(tx, [Enqueue("note", "c", "C0TEAM"), Enqueue("note", "old", "U0ANN")], NOW - 3 * DAY)
    enqueue(tx, [Enqueue("note", "c", is_update=True), Enqueue("note", "w", "W0BOB")], NOW)
    enqueue(tx, [Enqueue("reply", "r", thread_kind="note", thread_reference="c")], NOW)
    for row in tx.session.exec(select(OutboxRow).where(OutboxRow.workspace_id == tx.workspace_id)):
        row.state = "queued" if row.reference == "2" else "sent"
    tx.session.flush()
    assert count_messages(tx, SINCE, UNTIL) == Messages(to_people=4, people=2, most_to_one=2, most_in_channel=1)


# ---------------------------------------------------------------- proposals


def propose(tx: Tx, kind: AlertKind = DROP) -> RuleProposalRow:
    return apply_proposals(tx, [Propose(kind, 8, 5, 0.3)], "U0LEE", JOB, NOW)[0]


def test_a_proposal_is_asked_and_decided_once(tx: Tx, lee: Actor):
    row = propose(tx)
    assert list_latest_proposals(tx)[DROP].decided_at is None
    made = accept(tx, row, Remedy.RAISE, 5.0, lee, today=TODAY, now=NOW)
    assert (made.remedy, made.amount, made.since, made.until) == (Remedy.RAISE, 5.0, TODAY, None)
    assert list_latest_proposals(tx)[DROP].decided_at == NOW
    assert read_tunings(tx, TODAY)[DROP].name_version("drop-1") == "drop-1+5"
    for again in (
        lambda: refuse(tx, row, lee, NOW),
        lambda: accept(tx, row, Remedy.DIGEST, 5.0, lee, today=TODAY, now=NOW),
    ):
        with pytest.raises(StaleError):
            again()
    assert len(list_adjustments(tx, TODAY)) == 1
    verbs = [each.verb for each in tx.session.exec(select(AuditRow).where(AuditRow.workspace_id == tx.workspace_id))]
    assert sorted(verbs) == ["rule.adjusted", "rule.proposed"]


def test_a_change_is_taken_back_once(tx: Tx, lee: Actor):
    made = accept(tx, propose(tx), Remedy.DIGEST, 5.0, lee, today=TODAY, now=NOW)
    assert read_tunings(tx, TODAY)[DROP].is_quiet
    take_back(tx, made, lee, NOW)
    assert read_tunings(tx, TODAY) == {}
    with pytest.raises(StaleError):
        take_back(tx, made, lee, NOW)


def test_a_mute_is_one_and_ends_with_the_change(tx: Tx, lee: Actor):
    made = accept(tx, propose(tx), Remedy.MUTE, 5.0, lee, today=TODAY, now=NOW)
    (mute,) = list_active(tx, NOW)
    assert (mute.scope.kind, mute.until) == (DROP, NOW + 30 * DAY)
    assert not read_tunings(tx, TODAY)[DROP].is_quiet, "the mute itself takes care"
    assert list_adjustments(tx, TODAY + 31 * DAY) == []
    take_back(tx, made, lee, NOW)
    assert list_active(tx, NOW) == []


def test_a_threshold_is_raised_only_so_often_and_only_where_there_is_one(tx: Tx, lee: Actor):
    for _at in range(MOST_RAISES):
        accept(tx, propose(tx), Remedy.RAISE, 5.0, lee, today=TODAY, now=NOW)
    with pytest.raises(UserError, match="times already"):
        accept(tx, propose(tx), Remedy.RAISE, 5.0, lee, today=TODAY, now=NOW)
    with pytest.raises(UserError, match="no threshold"):
        accept(tx, propose(tx, AlertKind.NOTICE_RECEIVED), Remedy.RAISE, 0.0, lee, today=TODAY, now=NOW)
    assert read_tunings(tx, TODAY)[DROP].raised == 15


def test_the_lead_is_asked_by_the_daily_job_once(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        lead = Actor("member", add_member(tx, "U0LEE", role=Role.LEAD).id)
        add_account(tx, "acme")
        for at in range(5):
            row = add_episode(tx, "acme", subject=str(at), opened_at=NOW - 20 * DAY)
            do(tx, row, Dismiss(lead.id, DismissReason.TOO_SENSITIVE), lead)
    for day, count in ((0, 1), (1, 0), (60, 0)):
        assert ledger_job.run(database, workspace_id, NOW + day * DAY).counts == {"proposed": count}
    asked = [row for row in list_outbox(database, workspace_id) if row.kind == PROPOSAL]
    assert [(row.channel, row.is_update) for row in asked] == [("U0LEE", False)]
    with database.writing(workspace_id) as tx:
        refuse(tx, get_proposal(tx, asked[0].reference), lead, NOW + DAY)
    assert ledger_job.run(database, workspace_id, NOW + 2 * DAY).counts == {"proposed": 0}


def test_without_a_lead_nobody_is_asked_and_the_job_says_so(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        member = Actor("member", add_member(tx, "U0ANN", role=Role.CSM).id)
        add_account(tx, "acme")
        for at in range(5):
            row = add_episode(tx, "acme", subject=str(at), opened_at=NOW - 20 * DAY)
            do(tx, row, Dismiss(member.id, DismissReason.TOO_SENSITIVE), member)
    report = ledger_job.run(database, workspace_id, NOW)
    assert report.counts == {"proposed": 0}
    assert "no lead" in report.lines[0]


def test_nothing_of_another_workspace_is_seen(database: Database, workspace_id: str):
    other = add_workspace(database, "T0000002")
    with database.writing(workspace_id) as tx:
        lead = Actor("member", add_member(tx, "U0LEE").id)
        add_account(tx, "acme")
        add_episode(tx, "acme")
        row = propose(tx)
        made = accept(tx, row, Remedy.RAISE, 5.0, lead, today=TODAY, now=NOW)
        ids = row.id, made.id
    with database.reading(other) as tx:
        assert (count_alerts(tx, SINCE, UNTIL), read_tunings(tx, TODAY), list_latest_proposals(tx)) == ([], {}, {})
        with pytest.raises(UserError):
            get_proposal(tx, ids[0])
