"""Contracts that the scan speaks of: a notice at once, an end without a word, and quiet once the outcome is known."""

from __future__ import annotations

from datetime import date, timedelta

from sqlmodel import select

from bot.registry import SLICES
from commands.blocks.renewals import OUTCOME, renewal_ref
from pipeline import renewals, scan
from rules.records import AlertKind, EpisodeState, RenewalOutcome, Severity
from storage.alerts.alerts import MESSAGE, EpisodeRow
from storage.db import Database
from storage.renewals.contracts import ContractRow, get_contract
from storage.renewals.renewals import RenewalRow
from tests.alert_rows import add_account
from tests.conftest import NOW
from words.reader import Reader

TODAY, DAY = NOW.date(), timedelta(days=1)
[RENDER] = [each.renders[MESSAGE] for each in SLICES if MESSAGE in each.renders]


def add_contract(database: Database, workspace_id: str, ends_on: date) -> None:
    with database.writing(workspace_id) as tx:
        add_account(tx, "acme")
        values = {"start_on": date(2025, 4, 1), "yearly_minor": 84_000_00}
        tx.session.add(
            ContractRow(workspace_id=workspace_id, external_id="K1", account_id="acme", end_on=ends_on, **values)
        )


def episodes(database: Database, workspace_id: str) -> list[EpisodeRow]:
    with database.reading(workspace_id) as tx:
        return list(tx.session.exec(select(EpisodeRow)).all())


def draw(database: Database, workspace_id: str, row: EpisodeRow) -> str:
    with database.reading(workspace_id) as tx:
        message = RENDER(row.id, tx, Reader())
    assert message is not None
    return f"{message.text}\n{message.blocks}"


def test_a_notice_is_told_at_once_and_ends_with_the_outcome(database: Database, workspace_id: str):
    add_contract(database, workspace_id, TODAY + 100 * DAY)
    scan.run(database, workspace_id, NOW)
    assert episodes(database, workspace_id) == []
    with database.writing(workspace_id) as tx:
        get_contract(tx, "K1").notice_received_on = TODAY
    scan.run(database, workspace_id, NOW + DAY)
    [row] = episodes(database, workspace_id)
    assert (row.kind, row.severity, row.is_quiet) == (AlertKind.NOTICE_RECEIVED, Severity.CRITICAL, False)
    shown = draw(database, workspace_id, row)
    assert "gave notice on 10 Mar 2026" in shown
    assert OUTCOME in shown
    renewals.run(database, workspace_id, NOW + DAY)
    with database.writing(workspace_id) as tx:
        tx.session.exec(select(RenewalRow)).one().outcome = RenewalOutcome.RENEWED
    scan.run(database, workspace_id, NOW + 2 * DAY)
    [row] = episodes(database, workspace_id)
    assert row.state is EpisodeState.RESOLVED


def test_an_end_without_a_word_is_told_the_day_after(database: Database, workspace_id: str):
    add_contract(database, workspace_id, TODAY)
    scan.run(database, workspace_id, NOW)
    assert episodes(database, workspace_id) == []
    scan.run(database, workspace_id, NOW + DAY)
    [row] = episodes(database, workspace_id)
    assert (row.kind, row.severity) == (AlertKind.CONTRACT_EXPIRED, Severity.HIGH)
    shown = draw(database, workspace_id, row)
    assert "the contract ended on 10 Mar 2026 and is still open" in shown
    assert str([renewal_ref("K1", TODAY).dump()])[2:-2] in shown
