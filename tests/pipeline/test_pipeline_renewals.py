"""The job of renewals over rows made by hand: one thread each, each reminder once, holidays, moved dates, floods."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import col, select

from pipeline import renewals
from rules.delivery.channels import Sharing
from rules.records import AccountState, RenewalOutcome
from storage.accounts.accounts import get_account
from storage.audit import AuditRow
from storage.db import Database
from storage.delivery.outbox import OutboxRow
from storage.people.workspaces import get_workspace
from storage.renewals.contracts import ContractRow, get_contract
from storage.renewals.keeping import keep_renewals
from storage.renewals.reminders import Telling, apply_tellings
from storage.renewals.renewals import RenewalReminderRow, RenewalRow, list_coming, list_renewal_facts
from tests.alert_rows import add_account, add_member
from tests.channel_rows import look_at
from tests.conftest import NOW, add_workspace

TODAY = NOW.date()
DAY = timedelta(days=1)


def add_contract(database: Database, workspace_id: str, name: str, ends_on: date, **more: Any) -> None:
    """An account with a contract of the same name."""
    account = {key: more.pop(key) for key in ("channel_id", "owner_id") if key in more}
    with database.writing(workspace_id) as tx:
        add_account(tx, name, **account)
        values = {"start_on": date(2025, 1, 1), "yearly_minor": 84_000_00, "is_auto_renew": False} | more
        ids = {"workspace_id": tx.workspace_id, "external_id": f"K-{name}", "account_id": name}
        tx.session.add(ContractRow(end_on=ends_on, **ids, **values))


def run(database: Database, workspace_id: str, day: date) -> dict[str, int]:
    """Ten past nine of that day."""
    return dict(renewals.run(database, workspace_id, at(day)).counts)


def at(day: date) -> datetime:
    return NOW + (day - TODAY) + timedelta(minutes=10)


def rows(database: Database, workspace_id: str) -> list[RenewalRow]:
    with database.reading(workspace_id) as tx:
        return list(tx.session.exec(select(RenewalRow).order_by(col(RenewalRow.account_id), col(RenewalRow.ends_on))))


def posts(database: Database, workspace_id: str) -> list[tuple[str, str]]:
    """(kind, channel) of every message that is no update, in order."""
    with database.reading(workspace_id) as tx:
        query = select(OutboxRow).where(col(OutboxRow.is_update).is_(other=False)).order_by(col(OutboxRow.seq))
        return [(row.kind, row.channel) for row in tx.session.exec(query)]


def ticked(database: Database, workspace_id: str) -> list[tuple[date, int]]:
    with database.reading(workspace_id) as tx:
        found = tx.session.exec(select(RenewalReminderRow)).all()
        return sorted((row.decides_on, row.days_before) for row in found)


def mark_sent(database: Database, workspace_id: str) -> None:
    with database.writing(workspace_id) as tx:
        for row in tx.session.exec(select(OutboxRow)):
            row.state = "sent"


def change(database: Database, workspace_id: str, name: str, **more: Any) -> None:
    with database.writing(workspace_id) as tx:
        row = get_contract(tx, f"K-{name}")
        for key, value in more.items():
            setattr(row, key, value)


def test_four_reminders_of_one_renewal_in_one_thread(database: Database, workspace_id: str):
    end = date(2026, 9, 15)
    add_contract(database, workspace_id, "acme", end, channel_id="C0ACME")
    look_at(database, workspace_id, "C0ACME")
    for left in range(125, -20, -1):
        run(database, workspace_id, end - timedelta(days=left))
    kinds = [kind for kind, _channel in posts(database, workspace_id)]
    assert kinds == ["renewal", "renewal_reminder", "renewal_reminder", "renewal_reminder"]
    assert {channel for _kind, channel in posts(database, workspace_id)} == {"C0ACME"}
    assert ticked(database, workspace_id) == [(end, 14), (end, 30), (end, 90), (end, 120)]
    [row] = rows(database, workspace_id)
    assert (row.outcome, row.decides_on, row.thread_channel) == (RenewalOutcome.OPEN, end, "C0ACME")


def test_a_second_run_of_the_day_changes_nothing(database: Database, workspace_id: str):
    add_contract(database, workspace_id, "acme", TODAY + 60 * DAY)
    assert run(database, workspace_id, TODAY) == {"added": 1, "said": 1, "looked_at": 1}
    before = rows(database, workspace_id)[0].model_dump()
    assert run(database, workspace_id, TODAY) == {}
    assert rows(database, workspace_id)[0].model_dump() == before
    assert posts(database, workspace_id) == [("renewal", "C0000001")]
    assert ticked(database, workspace_id) == [(TODAY + 60 * DAY, 90)]


def test_of_reminders_missed_while_asleep_only_the_latest_comes(database: Database, workspace_id: str):
    add_contract(database, workspace_id, "acme", TODAY + 118 * DAY)
    run(database, workspace_id, TODAY)
    run(database, workspace_id, TODAY + 106 * DAY)
    assert [kind for kind, _channel in posts(database, workspace_id)] == ["renewal", "renewal_reminder"]
    assert [days for _day, days in ticked(database, workspace_id)] == [14, 120]


def test_a_run_that_comes_in_the_evening_leaves_it_to_the_morning(database: Database, workspace_id: str):
    add_contract(database, workspace_id, "acme", TODAY + 118 * DAY)
    renewals.run(database, workspace_id, at(TODAY) + timedelta(hours=10))
    assert rows(database, workspace_id), "kept all the same"
    assert posts(database, workspace_id) == []
    run(database, workspace_id, TODAY + DAY)
    assert [kind for kind, _channel in posts(database, workspace_id)] == ["renewal"]


def test_a_reminder_due_on_a_holiday_comes_on_the_next_working_day(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        get_workspace(tx).country = "DE"
    good_friday = date(2026, 4, 3)
    add_contract(database, workspace_id, "acme", good_friday + 120 * DAY)
    for day in (good_friday, good_friday + DAY, good_friday + 3 * DAY):
        assert "said" not in run(database, workspace_id, day)
    assert posts(database, workspace_id) == []
    assert run(database, workspace_id, good_friday + 4 * DAY)["said"] == 1


def test_a_date_that_moves_is_spoken_of_anew_in_the_same_thread(database: Database, workspace_id: str):
    end = TODAY + 100 * DAY
    add_contract(database, workspace_id, "acme", end)
    run(database, workspace_id, TODAY)
    mark_sent(database, workspace_id)
    change(database, workspace_id, "acme", notice_by=TODAY + 50 * DAY)
    assert run(database, workspace_id, TODAY + DAY)["moved"] == 1
    [row] = rows(database, workspace_id)
    assert (row.ends_on, row.decides_on) == (end, TODAY + 50 * DAY)
    assert [kind for kind, _channel in posts(database, workspace_id)] == ["renewal", "renewal_reminder"]
    assert ticked(database, workspace_id) == [(TODAY + 50 * DAY, 90), (end, 120)]


def test_after_an_outcome_nobody_is_reminded(database: Database, workspace_id: str):
    end = TODAY + 100 * DAY
    add_contract(database, workspace_id, "acme", end)
    run(database, workspace_id, TODAY)
    with database.writing(workspace_id) as tx:
        tx.session.exec(select(RenewalRow)).one().outcome = RenewalOutcome.RENEWED
    for left in range(99, -5, -1):
        assert run(database, workspace_id, end - timedelta(days=left)) == {}
    assert len(posts(database, workspace_id)) == 1


def test_who_was_said_to_leave_is_lost_once_after_the_last_day(database: Database, workspace_id: str):
    add_contract(database, workspace_id, "acme", TODAY + 2 * DAY)
    add_contract(database, workspace_id, "beta", TODAY + 2 * DAY)
    run(database, workspace_id, TODAY)
    with database.writing(workspace_id) as tx:
        tx.session.exec(
            select(RenewalRow).where(RenewalRow.account_id == "acme")
        ).one().outcome = RenewalOutcome.CHURNED
    assert "lost" not in run(database, workspace_id, TODAY + 2 * DAY)
    assert run(database, workspace_id, TODAY + 6 * DAY)["lost"] == 1
    assert "lost" not in run(database, workspace_id, TODAY + 6 * DAY)
    with database.reading(workspace_id) as tx:
        states = [get_account(tx, name).state for name in ("acme", "beta")]
        line = tx.session.exec(select(AuditRow).where(AuditRow.verb == "renewal.left")).one()
    assert states == [AccountState.LOST, AccountState.CUSTOMER]
    assert (line.actor_kind, line.before, line.after) == ("job", {"state": "customer"}, {"state": "lost"})


def test_an_account_that_is_gone_closes_its_renewal_and_its_message(database: Database, workspace_id: str):
    add_contract(database, workspace_id, "acme", TODAY + 100 * DAY)
    add_contract(database, workspace_id, "beta", TODAY + 100 * DAY)
    run(database, workspace_id, TODAY)
    mark_sent(database, workspace_id)
    with database.writing(workspace_id) as tx:
        get_account(tx, "acme").state = AccountState.LOST
        get_account(tx, "beta").archived_at = NOW
    assert run(database, workspace_id, TODAY + DAY) == {"closed": 2}
    assert {row.outcome for row in rows(database, workspace_id)} == {RenewalOutcome.CANCELLED}
    with database.reading(workspace_id) as tx:
        updates = tx.session.exec(select(OutboxRow).where(col(OutboxRow.is_update))).all()
        assert len(updates) == 2


def test_a_flood_of_contracts_opens_five_threads_a_day_the_most_urgent_first(database: Database, workspace_id: str):
    for number in range(12):
        add_contract(database, workspace_id, f"a{number:02}", TODAY + (80 - number) * DAY)
    assert run(database, workspace_id, TODAY) == {"added": 12, "said": 5, "looked_at": 5, "waiting": 7}
    told = [row.account_id for row in rows(database, workspace_id) if row.thread_channel]
    assert told == ["a07", "a08", "a09", "a10", "a11"]
    assert run(database, workspace_id, TODAY) == {"waiting": 7}
    assert run(database, workspace_id, TODAY + DAY)["said"] == 5
    assert run(database, workspace_id, TODAY + 2 * DAY) == {"said": 2, "looked_at": 2}


def test_a_run_that_dies_while_writing_leaves_all_to_the_next(database: Database, workspace_id: str):
    add_contract(database, workspace_id, "acme", TODAY + 60 * DAY)
    add_contract(database, workspace_id, "beta", TODAY + 60 * DAY)
    with database.writing(workspace_id) as tx:
        keep_renewals(tx, ["acme", "beta"], TODAY, renewals.ACTOR, NOW)
    tellings = [
        Telling(row.id, row.decides_on, {}, 90, is_said=True, channel="C1") for row in rows(database, workspace_id)
    ]
    with pytest.raises(KeyboardInterrupt), database.writing(workspace_id) as tx:
        assert apply_tellings(tx, tellings, NOW) == 2
        raise KeyboardInterrupt
    assert (posts(database, workspace_id), ticked(database, workspace_id)) == ([], [])
    assert run(database, workspace_id, TODAY)["said"] == 2
    with database.writing(workspace_id) as tx:
        assert apply_tellings(tx, tellings, NOW) == 0
    assert len(posts(database, workspace_id)) == 2


def test_where_there_is_no_channel_the_owner_is_told_and_without_one_it_waits(database: Database, workspace_id: str):
    with database.writing(workspace_id) as tx:
        get_workspace(tx).team_channel_id = ""
        owner = add_member(tx, "U0000001")
    add_contract(database, workspace_id, "acme", TODAY + 100 * DAY, owner_id=owner.id)
    add_contract(database, workspace_id, "beta", TODAY + 100 * DAY)
    assert run(database, workspace_id, TODAY) == {"added": 2, "said": 1, "looked_at": 1, "without_channel": 1}
    assert posts(database, workspace_id) == [("renewal", "U0000001")]
    with database.writing(workspace_id) as tx:
        get_workspace(tx).team_channel_id = "C0000001"
    assert run(database, workspace_id, TODAY + DAY)["said"] == 1


def test_what_is_coming_is_listed_by_decision_with_its_account(database: Database, workspace_id: str):
    add_contract(database, workspace_id, "acme", TODAY + 100 * DAY)
    add_contract(database, workspace_id, "beta", TODAY - 10 * DAY)
    run(database, workspace_id, TODAY)
    with database.reading(workspace_id) as tx:
        assert [account.name for _row, account in list_coming(tx, TODAY + 120 * DAY)] == ["beta", "acme"]
        assert [account.name for _row, account in list_coming(tx, TODAY)] == ["beta"]
        assert list_coming(tx, TODAY + 120 * DAY, "nobody") == []


def test_facts_for_alerts_come_from_the_contracts_before_any_job_ran(database: Database, workspace_id: str):
    notice = TODAY - DAY
    add_contract(database, workspace_id, "acme", TODAY + 200 * DAY, notice_received_on=notice)
    with database.reading(workspace_id) as tx:
        [facts] = list_renewal_facts(tx, ["acme"], TODAY)["acme"]
    assert (facts.id, facts.contract_id, facts.decides_on, facts.notice_received_on) == ("", "K-acme", notice, notice)
    run(database, workspace_id, TODAY)
    with database.writing(workspace_id) as tx:
        tx.session.exec(select(RenewalRow)).one().outcome = RenewalOutcome.CHURNED
        assert list_renewal_facts(tx, ["acme"], TODAY) == {}


@contextmanager
def counting(database: Database) -> Iterator[list[str]]:
    statements: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    engines = (database._writer, database._reader)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", count)
    yield statements
    for engine in engines:
        if event.contains(engine, "before_cursor_execute", count):
            event.remove(engine, "before_cursor_execute", count)


def test_a_renewal_of_a_channel_that_others_read_is_the_teams(database: Database, workspace_id: str):
    add_contract(database, workspace_id, "acme", TODAY + 100 * DAY, channel_id="C0ACME")
    look_at(database, workspace_id, "C0ACME", sharing=Sharing.SHARED)
    run(database, workspace_id, TODAY)
    assert posts(database, workspace_id) == [("renewal", "C0000001")]


def test_a_quiet_day_asks_as_often_for_forty_renewals_as_for_four(sqlite_database: Database):
    workspace_id = add_workspace(sqlite_database)
    counts = []
    for first, last in ((0, 4), (4, 40)):
        for number in range(first, last):
            add_contract(sqlite_database, workspace_id, f"a{number:02}", TODAY + 100 * DAY, channel_id=f"C{number:03}")
        run(sqlite_database, workspace_id, TODAY)
        with counting(sqlite_database) as statements:
            run(sqlite_database, workspace_id, TODAY)
        counts.append(len(statements))
    assert counts[0] == counts[1]
