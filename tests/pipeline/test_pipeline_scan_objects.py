"""The scan over what an account has: milestones, targets and contracts, each with alerts of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event
from sqlmodel import select

from pipeline import rollup, scan
from pipeline.evidence import list_evidence, read_day
from rules.records import AlertKind, EpisodeState, MilestoneState, Tier
from storage.accounts.accounts import page_watched
from storage.alerts.alerts import EpisodeRow, list_open
from storage.alerts.conditions import ConditionRow
from storage.db import Database, Tx
from storage.renewals.contracts import ContractRow
from storage.success.journeys import JourneyRow, JourneyStageRow, MilestoneRow
from storage.success.metrics import ensure_metric
from storage.success.targets import MeasurementRow, TargetRow
from tests.alert_rows import TODAY, add_account, add_use, list_outbox
from tests.conftest import NOW, add_workspace

DAY = timedelta(days=1)
OVERDUE = AlertKind.MILESTONE_OVERDUE


def at(day: date) -> datetime:
    return NOW + (day - TODAY)


def add_journey(tx: Tx, account_id: str, milestones: dict[str, date]) -> None:
    """A journey in its only stage, which is never stuck; milestones by id."""
    journey = JourneyRow(
        id=f"j-{account_id}",
        workspace_id=tx.workspace_id,
        account_id=account_id,
        template_key="test",
        name="First year",
        started_on=TODAY - 30 * DAY,
        stage_key="start",
        stage_since=TODAY - 30 * DAY,
        created_at=NOW,
    )
    tx.session.add(journey)
    tx.session.flush()
    tx.session.add(
        JourneyStageRow(
            workspace_id=tx.workspace_id,
            journey_id=journey.id,
            key="start",
            position=0,
            name="Start",
            planned_days=None,
        )
    )
    for id_, due in milestones.items():
        tx.session.add(
            MilestoneRow(
                id=id_,
                workspace_id=tx.workspace_id,
                account_id=account_id,
                journey_id=journey.id,
                stage_key="start",
                name=f"Milestone {id_}",
                due_on=due,
                planned_on=due,
                created_at=NOW,
            )
        )
    tx.session.flush()


def add_target(tx: Tx, account_id: str, id_: str, value: str = "50") -> None:
    """From 0 to 100 over two hundred days, half of them gone."""
    ensure_metric(tx, "Cases solved")
    since = TODAY - 100 * DAY
    target = TargetRow(
        id=id_,
        workspace_id=tx.workspace_id,
        account_id=account_id,
        metric_key="cases-solved",
        baseline=Decimal(0),
        goal=Decimal(100),
        start_on=since,
        due_on=TODAY + 100 * DAY,
        agreed_on=since,
        created_at=at(since),
    )
    tx.session.add(target)
    tx.session.add(
        MeasurementRow(
            workspace_id=tx.workspace_id,
            account_id=account_id,
            metric_key=target.metric_key,
            value=Decimal(value),
            measured_on=TODAY - 2 * DAY,
            source="test",
            created_at=NOW,
        )
    )
    tx.session.flush()


def add_contract(tx: Tx, account_id: str, id_: str, end: date, notice: date | None = None) -> None:
    tx.session.add(
        ContractRow(
            workspace_id=tx.workspace_id,
            external_id=id_,
            account_id=account_id,
            start_on=end - 364 * DAY,
            end_on=end,
            notice_received_on=notice,
        )
    )
    tx.session.flush()


def episodes(database: Database, workspace_id: str) -> dict[str, EpisodeRow]:
    """By subject."""
    with database.reading(workspace_id) as tx:
        return {row.subject: row for row in tx.session.exec(select(EpisodeRow))}


def subjects(database: Database, workspace_id: str) -> list[tuple[str, str]]:
    """Of the rows of conditions."""
    with database.reading(workspace_id) as tx:
        return sorted((row.rule.value, row.subject) for row in tx.session.exec(select(ConditionRow)) if row.subject)


def change(database: Database, workspace_id: str, id_: str, **values: object) -> None:
    with database.writing(workspace_id) as tx:
        row = tx.session.exec(
            select(MilestoneRow).where(MilestoneRow.workspace_id == workspace_id, MilestoneRow.id == id_)
        ).one()
        for name, value in values.items():
            setattr(row, name, value)
        tx.session.add(row)


def test_each_milestone_has_an_alert_of_its_own_that_interrupts_nobody(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        add_account(tx, "acme")
        add_journey(tx, "acme", {"m1": TODAY - 3 * DAY, "m2": TODAY - 2 * DAY, "m3": TODAY + 60 * DAY})
    scan.run(database, workspace_id, at(TODAY))
    found = episodes(database, workspace_id)
    assert sorted(found) == ["m1:2026-03-07", "m2:2026-03-08"]
    assert {(row.kind, row.is_quiet, row.state) for row in found.values()} == {(OVERDUE, True, EpisodeState.OPEN)}
    assert list_outbox(database, workspace_id) == []
    with database.reading(workspace_id) as tx:
        assert len(list_open(tx)) == 2
    assert subjects(database, workspace_id) == [(OVERDUE, "m1:2026-03-07"), (OVERDUE, "m2:2026-03-08")]


def test_a_moved_date_ends_one_alert_and_a_done_milestone_the_other(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        add_account(tx, "acme")
        add_journey(tx, "acme", {"m1": TODAY - 3 * DAY, "m2": TODAY - 2 * DAY})
    scan.run(database, workspace_id, at(TODAY))
    change(database, workspace_id, "m1", due_on=TODAY + 60 * DAY)
    change(database, workspace_id, "m2", state=MilestoneState.DONE, settled_on=TODAY)
    report = scan.run(database, workspace_id, at(TODAY) + timedelta(hours=1))
    assert report.counts["cleared"] == 2
    closed = {(row.state, row.close_reason) for row in episodes(database, workspace_id).values()}
    assert closed == {(EpisodeState.RESOLVED, "gone")}
    assert subjects(database, workspace_id) == [], "no row is left behind"
    again = scan.run(database, workspace_id, at(TODAY) + timedelta(hours=2))
    assert "cleared" not in again.counts


def test_what_waited_in_digests_is_told_once_it_is_urgent(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        add_account(tx, "acme", tier=Tier.A)
        add_journey(tx, "acme", {"m1": TODAY - 6 * DAY})
    scan.run(database, workspace_id, at(TODAY))
    assert list_outbox(database, workspace_id) == []
    [first] = episodes(database, workspace_id).values()
    scan.run(database, workspace_id, at(TODAY + DAY))
    [second] = episodes(database, workspace_id).values()
    assert (first.facts["days"], second.facts["days"], second.version) == (6, 7, 1), "lists say how it is today"
    scan.run(database, workspace_id, at(TODAY + 2 * DAY))
    scan.run(database, workspace_id, at(TODAY + 2 * DAY) + timedelta(hours=1))
    [row] = episodes(database, workspace_id).values()
    assert (row.is_quiet, row.severity) == (False, "high")
    assert [(post.kind, post.reference) for post in list_outbox(database, workspace_id)] == [("alert", row.id)]


def test_a_notice_is_told_at_once_and_mutes_what_is_less(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        add_account(tx, "acme", tier=Tier.A)
        add_target(tx, "acme", "t1", value="1")
        add_contract(tx, "acme", "c1", TODAY + 90 * DAY, notice=TODAY - DAY)
        add_contract(tx, "acme", "c2", TODAY + 90 * DAY)
    scan.run(database, workspace_id, at(TODAY))
    scan.run(database, workspace_id, at(TODAY + DAY))
    [row] = episodes(database, workspace_id).values()
    assert (row.kind, row.severity, row.subject) == (AlertKind.NOTICE_RECEIVED, "critical", "c1:2026-03-09")
    assert [post.reference for post in list_outbox(database, workspace_id)] == [row.id]


def test_two_targets_behind_are_two_alerts(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        add_account(tx, "acme", tier=Tier.B)
        add_target(tx, "acme", "t1", value="1")
        add_target(tx, "acme", "t2", value="1")
    scan.run(database, workspace_id, at(TODAY))
    found = episodes(database, workspace_id)
    assert sorted(found) == ["t1", "t2"]
    assert {(row.kind, row.is_quiet) for row in found.values()} == {(AlertKind.TARGET_BEHIND, False)}


@contextmanager
def count_statements(database: Database) -> Iterator[list[str]]:
    """The SQL sent while the block runs."""
    sent: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    engines = {id(each): each for each in (database._writer, database._reader)}.values()
    for engine in engines:
        event.listen(engine, "before_cursor_execute", listen)
    try:
        yield sent
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", listen)


def fill(tx: Tx, name: str, objects: int) -> None:
    """An account that fell silent, with so many objects of each kind."""
    add_account(tx, name, tier=Tier.A)
    add_use(tx, name, [TODAY - each * DAY for each in range(60, 80)])
    add_journey(tx, name, {f"{name}-m{each}": TODAY - (each + 1) * DAY for each in range(objects)})
    for each in range(objects):
        add_target(tx, name, f"{name}-t{each}", value="1")
        add_contract(tx, name, f"{name}-c{each}", TODAY - DAY)


@pytest.mark.parametrize("objects", [1, 4])
def test_the_number_of_queries_does_not_depend_on_the_number_of_objects(sqlite_database: Database, objects: int):
    workspace_id = add_workspace(sqlite_database)
    counts = []
    with sqlite_database.writing(workspace_id) as tx:
        add_account(tx, "alive")
        add_use(tx, "alive", [TODAY - each * DAY for each in range(1, 40)])
    for step, more in enumerate((2, 16)):
        with sqlite_database.writing(workspace_id) as tx:
            for each in range(more):
                fill(tx, f"s{step}-{each}", objects)
        rollup.run(sqlite_database, workspace_id, at(TODAY))
        scan.run(sqlite_database, workspace_id, at(TODAY))
        with count_statements(sqlite_database) as sent:
            scan.run(sqlite_database, workspace_id, at(TODAY) + timedelta(hours=1))
        counts.append(len(sent))
    assert counts[0] == counts[1]
    with sqlite_database.reading(workspace_id) as tx:
        accounts = [each for each in page_watched(tx) if each.id.startswith("s1-")]
        today = read_day(tx, TODAY)
        with count_statements(sqlite_database) as sent:
            found = list_evidence(tx, accounts, today)
    assert (len(found), len(sent)) == (16, 16)
    assert all(each.usage.last_use for each in found)
    assert {(len(each.targets), len(each.renewals)) for each in found} == {(objects, objects)}
    assert all(each.targets[0].metric == "Cases solved" for each in found)
