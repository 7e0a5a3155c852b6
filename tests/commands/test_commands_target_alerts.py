"""Targets that slip, from rows to messages: what a daily scan opens and ends, and what people read."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlmodel import select

from commands.alerts.alert_views import find_view
from commands.blocks.alert_why import Case, render_why
from commands.blocks.alerts import render_alert
from commands.slice import Whisper
from commands.success.measurements import log
from pipeline import scan
from playground.blockkit.check import check_blocks
from rules.records import Actor, AlertKind, EpisodeState, TargetKind, Tier
from rules.success.plans import MeasurementDraft, TargetDraft, decide_add_target, decide_log
from rules.success.target_changes import decide_pause
from storage.alerts.alerts import EpisodeRow
from storage.db import Database
from storage.success.target_changes import apply_target_changes, get_known
from storage.success.target_writes import apply_targets
from storage.success.targets import TargetRow
from tests.alert_rows import add_account
from tests.commands.conftest import Desk, shown
from tests.conftest import NOW, add_workspace
from words.reader import Reader

TODAY, DAY = NOW.date(), timedelta(days=1)
ACTOR = Actor("member", "m1")
DRAFT = TargetDraft(
    "", "conversion", TargetKind.LEVEL, "%", Decimal(5), Decimal(10), TODAY, date(2027, 3, 10),
    agreed_on=TODAY, customer_owner="Head of <Sales>",
)  # fmt: skip


def at(day: date) -> datetime:
    return NOW + (day - TODAY)


@pytest.fixture
def sqlite_workspace(sqlite_database: Database) -> str:
    return add_workspace(sqlite_database)


def begin(database: Database, workspace_id: str, tier: Tier = Tier.A) -> None:
    with database.writing(workspace_id) as tx:
        account = add_account(tx, "acme", tier=tier)
        apply_targets(tx, decide_add_target(replace(DRAFT, account_id=account.id), TODAY), ACTOR, NOW)


def measure(database: Database, workspace_id: str, value: str, day: date) -> None:
    with database.writing(workspace_id) as tx:
        row = tx.session.exec(select(TargetRow)).one()
        draft = MeasurementDraft(row.account_id, row.metric_key, Decimal(value), day)
        apply_targets(tx, decide_log(draft, day), ACTOR, at(day))


def work(database: Database, workspace_id: str, first: date, days: int = 1) -> list[EpisodeRow]:
    for offset in range(days):
        scan.run(database, workspace_id, at(first + offset * DAY))
    with database.reading(workspace_id) as tx:
        return list(tx.session.exec(select(EpisodeRow).order_by(EpisodeRow.opened_at, EpisodeRow.kind)))


def read(database: Database, workspace_id: str, row: EpisodeRow, locale: str = "en-US") -> str:
    reader = Reader(locale, "UTC")
    with database.reading(workspace_id) as tx:
        view = find_view(tx, reader, row.id)
        assert view is not None
        said = render_alert(reader, view)
        check_blocks(list(said.blocks), "message")
        why = render_why(reader, Case(view))
        check_blocks(why, "modal")
        return shown(Whisper(replace(said, blocks=(*said.blocks, *why)))).replace("\u202f", " ")


def test_behind_opens_after_two_days_and_ends_with_a_better_value(sqlite_database: Database, sqlite_workspace: str):
    database, workspace = sqlite_database, sqlite_workspace
    begin(database, workspace)
    june = date(2026, 6, 18)
    measure(database, workspace, "5.1", june)
    assert [row for row in work(database, workspace, june - DAY) if row.kind is AlertKind.TARGET_BEHIND] == []
    rows = [row for row in work(database, workspace, june, 2) if row.kind is AlertKind.TARGET_BEHIND]
    assert [(row.state, row.severity, row.is_quiet) for row in rows] == [(EpisodeState.OPEN, "high", False)]
    text = read(database, workspace, rows[0])
    assert "conversion is 92 days behind: 5.1 % on 18 Jun 2026 (goal 10 % by 10 Mar 2027)" in text
    assert "the plan had 5.1 % on 18 Mar 2026" in text
    assert "░░░░░░░░░░ 2 % of the way" in text
    assert "them: Head of &lt;Sales&gt;" in text
    assert "The plan: 5 % 10 Mar 2026 → " in text
    assert "Log a value" in text
    assert "转化率" in read(database, workspace, rows[0], "zh-CN")
    assert work(database, workspace, june + 2 * DAY, 2)[-1].closed_at is None
    measure(database, workspace, "6.4", june + 4 * DAY)
    behind = [row for row in work(database, workspace, june + 4 * DAY, 2) if row.kind is AlertKind.TARGET_BEHIND]
    assert [row.state for row in behind] == [EpisodeState.RESOLVED]


def test_targets_of_small_accounts_wait_for_the_digest(sqlite_database: Database, sqlite_workspace: str):
    begin(sqlite_database, sqlite_workspace, Tier.C)
    june = date(2026, 6, 18)
    measure(sqlite_database, sqlite_workspace, "5.1", june)
    rows = [row for row in work(sqlite_database, sqlite_workspace, june, 2) if row.kind is AlertKind.TARGET_BEHIND]
    assert [(row.is_quiet, row.severity) for row in rows] == [(True, "notice")]


def test_no_value_for_two_cadences_is_stale_until_it_is_paused(sqlite_database: Database, sqlite_workspace: str):
    database, workspace = sqlite_database, sqlite_workspace
    begin(database, workspace)
    stale_on = TODAY + timedelta(days=61)
    (row,) = [row for row in work(database, workspace, stale_on) if row.kind is AlertKind.TARGET_STALE]
    assert row.is_quiet
    assert "conversion was never measured, for 61 days" in read(database, workspace, row)
    with database.writing(workspace) as tx:
        target = tx.session.exec(select(TargetRow)).one()
        apply_target_changes(tx, decide_pause(get_known(tx, target.id), stale_on), ACTOR, at(stale_on))
    assert all(row.closed_at for row in work(database, workspace, stale_on + DAY))


def test_a_value_logged_ends_what_asked_for_it_at_once(sqlite_database: Database, sqlite_workspace: str):
    database, workspace = sqlite_database, sqlite_workspace
    begin(database, workspace)
    stale_on = TODAY + timedelta(days=61)
    assert [row.kind for row in work(database, workspace, stale_on)] == [AlertKind.TARGET_STALE]
    with database.writing(workspace) as tx:
        desk = Desk(tx, at(stale_on))
        desk.do(log, "acme conversion 5.2%")
    rows = [row for row in work(database, workspace, stale_on, 2) if row.kind is AlertKind.TARGET_STALE]
    assert [row.closed_at for row in rows] == [at(stale_on)]


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_a_step_is_due_until_it_is_measured(sqlite_database: Database, sqlite_workspace: str, locale: str):
    database, workspace = sqlite_database, sqlite_workspace
    begin(database, workspace)
    step = date(2026, 6, 9)
    measure(database, workspace, "6.2", step - 20 * DAY)
    (row,) = work(database, workspace, step - 7 * DAY)
    assert (row.kind, row.subject.partition(":")[2], row.is_quiet) == (AlertKind.STEP_DUE, "2026-06-09", True)
    assert "6.25" in read(database, workspace, row, locale)
    measure(database, workspace, "6.3", step - DAY)
    (row,) = work(database, workspace, step - DAY)
    assert row.closed_at is not None
