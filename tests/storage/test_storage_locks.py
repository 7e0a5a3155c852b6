"""Tests of rows kept from others: while a form that was opened earlier is compared with what is there, and several of
them in one order, so that no two transactions wait for each other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from functools import partial
from typing import Any, Literal

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from rules.records import Actor, Enqueue, EpisodeState, RenewalOutcome
from storage.account_imports import import_accounts
from storage.accounts.accounts import lock_account
from storage.accounts.contacts import ContactRow, lock_contact
from storage.alerts.announcements import decide_holds_afresh
from storage.alerts.watching import list_due_snoozes, list_latest_episodes
from storage.db import Database, Tx
from storage.delivery.outbox import OutboxRow, enqueue
from storage.delivery.stuck import Wanted, drop
from storage.errors import CutOffError
from storage.owners import Orphans, give_accounts
from storage.renewals.contracts import ContractRow, lock_contract
from storage.renewals.leaving import settle_leaving
from storage.renewals.reminders import Telling, apply_tellings
from storage.renewals.renewals import list_of_accounts
from tests.agenda_rows import add_renewal
from tests.alert_rows import TODAY, add_account, add_episode, add_member
from tests.conftest import NOW, add_workspace


@pytest.mark.parametrize(
    ("lock", "id_", "table", "key"),
    [
        (lock_account, "acme", "accounts", "id"),
        (lock_contact, "jo", "contacts", "id"),
        (lock_contract, "K1", "contracts", "external_id"),
    ],
)
def test_nobody_else_gets_at_a_row_that_is_compared(
    postgres_url: str, lock: Callable[[Tx, str], None], id_: str, table: str, key: str
):
    database = Database(postgres_url)
    workspace_id = fill(database)
    with database.writing(workspace_id) as tx:
        lock(tx, id_)
        with database.engine.connect() as other, pytest.raises(OperationalError, match="could not obtain lock"):
            query = f"SELECT 1 FROM {table} WHERE workspace_id = :ws AND {key} = :id FOR UPDATE NOWAIT"  # noqa: S608  # names of ours
            other.execute(text(query), {"ws": workspace_id, "id": id_})
    database.close()


def fill(database: Database) -> str:
    """An account with a contact and a contract; the workspace's id."""
    workspace_id = add_workspace(database)
    with database.writing(workspace_id) as tx:
        add_account(tx, "acme")
        about: dict[str, Any] = {"workspace_id": tx.workspace_id, "account_id": "acme"}
        tx.session.add(ContactRow(id="jo", name="Jo", created_at=NOW, **about))
        tx.session.add(ContractRow(external_id="K1", start_on=date(2026, 1, 1), **about))
    return workspace_id


# ---------------------------------------------------------------- in one order

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HAND = Actor("member", "m-U1", "Lee")
Tables = Literal["accounts", "alert_episodes", "outbox", "renewals"]


def add_closed_and_open(tx: Tx) -> None:
    add_episode(tx, "acme", id="b", state=EpisodeState.RESOLVED, closed_at=NOW - DAY)
    add_episode(tx, "acme", id="a")


def add_snoozed(tx: Tx) -> None:
    for id_, back in (("b", 2 * HOUR), ("a", HOUR)):
        add_episode(tx, "acme", id=id_, subject=id_, state=EpisodeState.SNOOZED, snoozed_until=NOW - back)


def add_waiting(tx: Tx) -> None:
    for id_ in "ba":
        add_episode(tx, "acme", id=id_, subject=id_, announced_at=None)


def add_renewals(tx: Tx, a: int, b: int) -> None:
    for id_, days in (("b", b), ("a", a)):
        add_renewal(tx, "acme", days, id=id_)


def add_losses(tx: Tx) -> None:
    for id_, back in (("b", 2), ("a", 1)):
        add_renewal(tx, "acme", -back, id=id_, outcome=RenewalOutcome.CHURNED)


def add_messages(tx: Tx) -> None:
    for seq, id_, reference in ((1, "b", "000"), (2, "a", "299")):
        message: dict[str, Any] = {
            "kind": "note",
            "reference": reference,
            "channel": "C1",
            "dedupe_key": id_,
            "seq": seq,
        }
        tx.session.add(OutboxRow(id=id_, workspace_id=tx.workspace_id, state="dead", created_at=NOW, **message))
        tx.session.flush()


def add_accounts(tx: Tx) -> None:
    add_member(tx, "U1")
    for id_ in "ba":
        add_account(tx, id_, external_id=id_, owner_email="u1@example.com")


def say(tx: Tx, count: int) -> None:
    """A change of so many messages, from "000" to "299": more than a few are not looked up at once."""
    enqueue(tx, [Enqueue("note", f"{at * 299 // (count - 1):03}", is_update=True) for at in range(count)], NOW)


def tell_renewals(tx: Tx) -> None:
    apply_tellings(tx, [Telling(id_, TODAY) for id_ in "ba"], NOW)


def give(tx: Tx) -> None:
    give_accounts(tx, Orphans(2, email="u1@example.com"), "m-U1", HAND, NOW)


def import_two(tx: Tx) -> None:
    import_accounts(tx, [{"external_id": id_, "name": f"{id_} Ltd"} for id_ in "ba"], HAND, NOW)


LOCKS: dict[str, tuple[Tables, Callable[[Tx], None], Callable[[Tx], object]]] = {
    "a scan": (
        "alert_episodes",
        add_closed_and_open,
        lambda tx: list_latest_episodes(tx, ["acme"], NOW - 7 * DAY, is_locking=True),
    ),
    "snoozes": ("alert_episodes", add_snoozed, lambda tx: list_due_snoozes(tx, NOW)),
    "holds": ("alert_episodes", add_waiting, lambda tx: decide_holds_afresh(tx, ["acme"])),
    "keeping renewals": (
        "renewals",
        partial(add_renewals, a=30, b=60),
        lambda tx: list_of_accounts(tx, ["acme"], is_locking=True),
    ),
    "losses": ("renewals", add_losses, lambda tx: settle_leaving(tx, ["acme"], TODAY, HAND, NOW)),
    "reminders": ("renewals", partial(add_renewals, a=60, b=30), tell_renewals),
    "two messages": ("outbox", add_messages, partial(say, count=2)),
    "many messages": ("outbox", add_messages, partial(say, count=300)),
    "dead messages": ("outbox", add_messages, lambda tx: drop(tx, Wanted(), HAND, NOW)),
    "owners": ("accounts", add_accounts, give),
    "an import": ("accounts", add_accounts, import_two),
}


@pytest.mark.parametrize("who", LOCKS)
def test_several_rows_are_locked_in_the_order_of_their_ids(postgres_url: str, who: str):
    """Who waits for the first row has not got the second one."""
    table, add, act = LOCKS[who]
    database = Database(postgres_url)
    workspace_id = fill(database)
    with database.writing(workspace_id) as tx:
        add(tx)
    with ThreadPoolExecutor(1) as pool, database.engine.connect() as first:
        take(first, table, "a")
        run = pool.submit(write, database, workspace_id, act)
        while not run.done() and not is_any_waiting(first):
            threading.Event().wait(0.01)
        take(first, table, "b")
        first.rollback()
        run.result(20)
    database.close()


def take(connection: Connection, table: Tables, id_: str) -> None:
    query = f"SELECT 1 FROM {table} WHERE id = :id FOR UPDATE NOWAIT"  # noqa: S608  # names of ours
    assert connection.execute(text(query), {"id": id_}).one()


def is_any_waiting(connection: Connection) -> bool:
    return bool(connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one())


def write(database: Database, workspace_id: str, act: Callable[[Tx], object]) -> None:
    with database.writing(workspace_id) as tx:
        act(tx)


def test_who_is_stopped_in_the_middle_of_writing_keeps_its_rows_from_nobody_for_long(postgres_url: str):
    """On PostgreSQL: on SQLite one writes at a time, and a process that is stopped in the middle stops them all."""
    stopped, other = Database(postgres_url, silent_seconds=0.2), Database(postgres_url)
    workspace_id = fill(other)
    with pytest.raises(CutOffError), stopped.writing(workspace_id) as tx:
        lock_account(tx, "acme")
        with other.writing(workspace_id) as others:
            lock_account(others, "acme")
    with stopped.writing(workspace_id) as tx:
        lock_account(tx, "acme")  # on a new connection
    stopped.close()
    other.close()
