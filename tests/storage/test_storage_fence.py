"""The fence of a lease: whoever lost it commits nothing, and nobody is kept from taking it over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from storage.db import Database
from storage.delivery.leases import SCHEDULER, LeaseFence, acquire, is_held, release
from storage.errors import CutOffError, LeaseLostError
from storage.people.members import MemberRow
from tests.alert_rows import add_member
from tests.conftest import NOW

OVER = timedelta(seconds=31)
SHORT = 0.4


def take(database: Database, holder: str, at: timedelta = timedelta()) -> int:
    with database.write(wait_seconds=2.0) as session:
        epoch = acquire(session, SCHEDULER, holder, NOW + at, 30)
    assert epoch is not None
    return epoch


def renew(session: Session) -> None:
    acquire(session, SCHEDULER, "a", NOW, SHORT)


def look(session: Session) -> None:
    is_held(session, SCHEDULER, "a", 1, SHORT)


def let_go(session: Session) -> None:
    release(session, SCHEDULER, "a", NOW, SHORT)


def members(database: Database) -> list[str]:
    with database.read() as session:
        return sorted(row.slack_id for row in session.exec(select(MemberRow)))


@pytest.fixture
def other(database: Database) -> Iterator[Database]:
    """Another process's connections."""
    other = Database(database.url)
    yield other
    other.close()


def test_who_has_the_lease_writes_and_who_lost_it_does_not(database: Database, other: Database, workspace_id: str):
    fenced = database.fenced(LeaseFence(SCHEDULER, take(database, "a")))
    with fenced.writing(workspace_id) as tx:
        add_member(tx, "U1")
    take(other, "b", OVER)
    with pytest.raises(LeaseLostError), fenced.writing(workspace_id) as tx:
        add_member(tx, "U2")
    with database.writing(workspace_id) as tx:
        add_member(tx, "U3")
    assert members(database) == ["U1", "U3"], "the database itself has no fence"


def test_what_was_renewed_or_let_go_but_taken_by_nobody_is_still_ones_own(database: Database, workspace_id: str):
    fence = LeaseFence(SCHEDULER, take(database, "a"))
    take(database, "a", timedelta(minutes=5))
    with database.fenced(fence).writing(workspace_id) as tx:
        add_member(tx, "U1")
    assert members(database) == ["U1"]


def test_without_a_lease_there_is_nothing_to_lose(sqlite_database: Database):
    with pytest.raises(LeaseLostError), sqlite_database.fenced(LeaseFence(SCHEDULER, 1)).write():
        pass
    with sqlite_database.fenced(LeaseFence(SCHEDULER, 1)).fenced(None).write():
        pass


def test_nobody_waits_for_one_who_sleeps_behind_the_fence(postgres_url: str):
    """On PostgreSQL; on SQLite everybody waits for a writer, whatever it has read."""
    database, other = Database(postgres_url), Database(postgres_url)
    fence = LeaseFence(SCHEDULER, take(database, "a"))
    with pytest.raises(LeaseLostError), database.fenced(fence).write() as session:
        fence(session)
        assert take(other, "b", OVER) == fence.epoch + 1
    database.close()
    other.close()


@pytest.mark.parametrize(("act", "is_first"), [(renew, True), (renew, False), (look, False), (let_go, False)])
def test_who_says_nothing_more_in_the_middle_keeps_nobody_out(
    postgres_url: str, act: Callable[[Session], None], *, is_first: bool
):
    """On PostgreSQL: on SQLite one writes at a time, and a process that is stopped in the middle stops them all."""
    silent, other = Database(postgres_url), Database(postgres_url)
    if not is_first:
        take(silent, "a")
    with pytest.raises(CutOffError), silent.write() as session:
        act(session)
        assert take(other, "b", OVER) == (1 if is_first else 2)
    with other.write() as session:
        assert is_held(session, SCHEDULER, "b", 1 if is_first else 2, 30), "nothing of it was written"
    take(silent, "c", 2 * OVER)
    silent.close()
    other.close()
