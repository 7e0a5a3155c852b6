"""Alert episodes in the database: the arrows that matter most, and what two writers may not do to each other. The
random walk through their life is in `tests/pipeline/test_pipeline_alert_machine.py`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from benchmarks.jobs import counted
from rules.alerts.alerts import (
    Assign,
    Cleared,
    Dismiss,
    Event,
    Fired,
    Resolve,
    Snooze,
    Take,
    Woke,
    decide,
)
from rules.alerts.announcements import Announcement
from rules.alerts.refusals import ClosedError, TakenError
from rules.errors import StaleError, UserError
from rules.records import Actor, AlertKind, DismissReason, EpisodeState, Severity
from storage.alerts.alert_writes import apply_alerts
from storage.alerts.alerts import (
    EpisodeRow,
    count_closed,
    count_open,
    enqueue_refresh,
    get_episode,
    list_closed,
    list_open,
    to_episode,
)
from storage.alerts.announcements import Standing, apply_announcement, list_of_summary, list_unannounced
from storage.alerts.settling import settle_alerts
from storage.audit import AuditRow
from storage.db import Database, Tx
from storage.delivery.outbox import OutboxRow
from tests.alert_rows import add_account, add_episode, add_member, add_sent
from tests.conftest import NOW, add_workspace

ACTOR = Actor.job("test")
CLOSED = {EpisodeState.RESOLVED, EpisodeState.DISMISSED}


SUBJECTS = ("", "m1:2026-03-10", "m1:2026-03-24")


def fired(
    severity: Severity = Severity.HIGH, level: float = 20.0, *, subject: str = "", is_quiet: bool = False
) -> Fired:
    kind = AlertKind.HEALTH_DROP
    return Fired("acme", kind, severity, level, 10.0, "drop-1", {"level": level}, subject, is_quiet=is_quiet)


# ---------------------------------------------------------------- the arrows that matter most


@pytest.fixture
def row(tx: Tx) -> EpisodeRow:
    """An open, posted alert on each kind of database."""
    add_account(tx, "acme")
    add_member(tx, "U1")
    add_member(tx, "U2")
    found = add_episode(tx, "acme")
    add_sent(tx, "alert", found.id)
    return found


def happen(tx: Tx, row: EpisodeRow, event: Event, now: datetime = NOW) -> EpisodeRow:
    apply_alerts(tx, decide(to_episode(row), event, now), ACTOR, now)
    return get_episode(tx, row.id)


def outbox(tx: Tx) -> list[tuple[str, bool]]:
    rows = tx.session.exec(select(OutboxRow).where(OutboxRow.state == "queued").order_by("seq")).all()
    return [(each.kind, each.is_update) for each in rows]


def test_a_dismissed_alert_stays_shut_until_it_clears_or_worsens(tx: Tx, row: EpisodeRow):
    row = happen(tx, row, Dismiss("m-U1", DismissReason.KNOWN))
    assert decide(to_episode(row), fired(level=29.9), NOW + timedelta(days=300)) == ()
    again = happen(tx, row, fired(level=30.0), NOW + timedelta(days=60))
    assert (again.state, again.is_latched, again.announced_at) == (EpisodeState.OPEN, False, None)


def test_it_may_open_anew_once_it_was_clear(tx: Tx, row: EpisodeRow):
    row = happen(tx, happen(tx, row, Resolve("m-U1")), Cleared())
    assert not row.is_latched
    again = happen(tx, row, fired(), NOW + timedelta(days=6))
    assert (again.id, again.state, again.announced_at) == (row.id, EpisodeState.OPEN, NOW)
    row = happen(tx, again, Cleared(), NOW + timedelta(days=6))
    [new] = apply_alerts(tx, decide(to_episode(row), fired(), NOW + timedelta(days=13)), ACTOR, NOW)
    assert new.id != row.id


def test_back_to_normal_edits_the_message_and_says_no_more(tx: Tx, row: EpisodeRow):
    happen(tx, row, Cleared())
    assert outbox(tx) == [("alert", True)]


def test_worse_breaks_a_snooze_and_speaks_in_the_thread(tx: Tx, row: EpisodeRow):
    row = happen(tx, row, Snooze(NOW + timedelta(days=5)))
    assert decide(to_episode(row), fired(), NOW) == ()
    row = happen(tx, row, fired(Severity.CRITICAL))
    assert (row.state, row.severity, row.epoch) == (EpisodeState.OPEN, Severity.CRITICAL, 3)
    assert outbox(tx) == [("alert", True), ("alert_event", False), ("alert_event", False)]


def test_worse_leaves_it_with_who_took_it(tx: Tx, row: EpisodeRow):
    row = happen(tx, happen(tx, row, Take("m-U1")), fired(Severity.CRITICAL))
    assert (row.state, row.taken_by, row.epoch) == (EpisodeState.ACKED, "m-U1", 2)


def test_assigning_restarts_the_wait_only_while_nobody_took_it(tx: Tx, row: EpisodeRow):
    row = happen(tx, row, Assign("m-U1"))
    assert row.epoch == 2
    row = happen(tx, happen(tx, row, Take("m-U1")), Assign("m-U2"))
    assert (row.epoch, row.owner_id, row.state) == (3, "m-U2", EpisodeState.ACKED)
    assert decide(to_episode(row), Assign("m-U2"), NOW) == ()


def test_a_snooze_may_not_pass_the_decision_date(row: EpisodeRow):
    until = NOW + timedelta(days=10)
    with pytest.raises(UserError, match="2026-03-19"):
        decide(to_episode(row), Snooze(until, not_past=date(2026, 3, 19)), NOW)
    assert decide(to_episode(row), Snooze(until, not_past=date(2026, 3, 20)), NOW)


def test_the_second_of_two_who_read_the_same_alert_is_refused(tx: Tx, row: EpisodeRow):
    seen = to_episode(row)
    apply_alerts(tx, decide(seen, Take("m-U1"), NOW), ACTOR, NOW)
    with pytest.raises(StaleError, match="changed this alert just now"):
        apply_alerts(tx, decide(seen, Take("m-U2"), NOW), ACTOR, NOW)
    assert get_episode(tx, row.id).taken_by == "m-U1"
    with pytest.raises(TakenError):
        decide(to_episode(get_episode(tx, row.id)), Take("m-U2"), NOW)


def test_nothing_acts_on_what_is_gone():
    with pytest.raises(ClosedError):
        decide(None, Take("m-U1"), NOW)
    assert decide(None, Cleared(), NOW) == decide(None, Woke(is_firing=True), NOW) == ()


def test_the_database_itself_refuses_a_second_open_alert(tx: Tx, row: EpisodeRow):
    with pytest.raises(IntegrityError):
        apply_alerts(tx, decide(None, fired(), NOW), ACTOR, NOW)
    tx.session.rollback()


# ---------------------------------------------------------------- lists, announcing, refreshing


def test_the_most_urgent_come_first(tx: Tx):
    for name, severity, state in (
        ("notice", Severity.NOTICE, EpisodeState.OPEN),
        ("taken", Severity.HIGH, EpisodeState.ACKED),
        ("high", Severity.HIGH, EpisodeState.OPEN),
        ("critical", Severity.CRITICAL, EpisodeState.ACKED),
    ):
        add_account(tx, name)
        add_episode(tx, name, severity=severity, state=state)
    assert [each.account_id for each in list_open(tx)] == ["critical", "high", "taken", "notice"]
    assert [each.account_id for each in list_open(tx, limit=2, offset=1)] == ["high", "taken"]
    assert count_open(tx, account_id="high") == 1


def test_another_workspace_sees_nothing(database: Database, workspace_id: str):
    other = add_workspace(database, "T0000002")
    with database.writing(workspace_id) as tx:
        add_account(tx, "acme")
        add_episode(tx, "acme", announced_at=None)
    with database.reading(other) as tx:
        assert list_open(tx) == list_unannounced(tx, NOW) == []
        assert count_open(tx) == 0


def test_what_was_taken_or_announced_meanwhile_is_not_announced(tx: Tx):
    for name, more in (("a", {}), ("b", {"state": EpisodeState.ACKED}), ("c", {"announced_at": NOW}), ("d", {})):
        add_account(tx, name)
        add_episode(tx, name, **{"announced_at": None, "id": name} | more)
    together = Announcement("C1", ("d", "a", "b", "c"), is_summary=True)
    seen = {name: Standing(1, None) for name in "abcd"}
    assert apply_announcement(tx, together, seen, NOW) == 2
    assert apply_announcement(tx, together, seen, NOW) == 0
    [post] = tx.session.exec(select(OutboxRow)).all()
    assert {each.id for each in list_of_summary(tx, post.reference)} == {"a", "d"}


def test_a_refresh_shows_the_open_alerts_of_the_account_anew(tx: Tx, row: EpisodeRow):
    enqueue_refresh(tx, "acme", NOW)
    enqueue_refresh(tx, "acme", NOW)
    enqueue_refresh(tx, "nobody", NOW)
    assert outbox(tx) == [("alert", True)]


# ---------------------------------------------------------------- quiet ones, and what was settled


def quiet(tx: Tx) -> EpisodeRow:
    """An open alert for digests alone."""
    add_account(tx, "acme")
    [row] = apply_alerts(tx, decide(None, fired(is_quiet=True, subject=SUBJECTS[1]), NOW), ACTOR, NOW)
    return row


def test_a_quiet_alert_is_listed_and_not_announced(tx: Tx):
    row = quiet(tx)
    assert [each.id for each in list_open(tx)] == [row.id]
    assert list_unannounced(tx, NOW) == []


@pytest.mark.parametrize("louder", [fired(Severity.CRITICAL), fired()], ids=["worse", "as bad"])
def test_a_quiet_alert_that_becomes_loud_is_announced(tx: Tx, louder: Fired):
    row = happen(tx, quiet(tx), louder)
    assert not row.is_quiet
    assert [each.episode_id for each in list_unannounced(tx, NOW)] == [row.id]


def test_a_quiet_alert_that_grows_worse_stays_quiet(tx: Tx):
    row = happen(tx, quiet(tx), fired(Severity.CRITICAL, is_quiet=True))
    assert (row.is_quiet, row.severity) == (True, Severity.CRITICAL)
    assert list_unannounced(tx, NOW) == outbox(tx) == []


def test_a_quiet_alert_tells_of_today_and_a_loud_one_of_when_it_was_told(tx: Tx):
    row = quiet(tx)
    later = happen(tx, row, fired(level=22.0, is_quiet=True), NOW + timedelta(days=1))
    assert (later.facts, later.version, later.level) == ({"level": 22.0}, 1, 20.0)
    loud = happen(tx, later, fired(level=23.0), NOW + timedelta(days=2))
    assert happen(tx, loud, fired(level=24.0), NOW + timedelta(days=3)).facts == {"level": 23.0}


def test_settling_an_object_ends_its_alerts_of_every_date_and_no_others(tx: Tx):
    add_account(tx, "acme")
    for subject in ("m1:2026-03-10", "m1:2026-03-24", "m1", "m12:2026-03-10", "m%:2026-03-10", ""):
        add_episode(tx, "acme", subject=subject)
    ended = settle_alerts(tx, "acme", "m1", ACTOR, NOW)
    assert sorted(each.subject for each in ended) == ["m1", "m1:2026-03-10", "m1:2026-03-24"]
    assert {(each.state, each.close_reason, each.is_latched) for each in ended} == {("resolved", "gone", False)}
    assert sorted(each.subject for each in list_open(tx)) == ["", "m%:2026-03-10", "m12:2026-03-10"]
    assert [each.subject for each in settle_alerts(tx, "acme", "m%", ACTOR, NOW)] == ["m%:2026-03-10"]
    assert settle_alerts(tx, "acme", "nothing", ACTOR, NOW) == []


def test_many_alerts_take_no_more_statements_than_a_few(database: Database, workspace_id: str):
    counts = []
    for names in (("a", "b"), tuple(f"many-{number}" for number in range(20))):
        with database.writing(workspace_id) as tx:
            for name in names:
                add_account(tx, name)
            intents = [each for name in names for each in decide(None, replace(fired(), account_id=name), NOW)]
            with counted(database) as statements:
                rows = apply_alerts(tx, intents, ACTOR, NOW)
                ended = [each for row in rows for each in decide(to_episode(row), Cleared(), NOW)]
                assert all(row.closed_at for row in apply_alerts(tx, ended, ACTOR, NOW))
            counts.append(statements.count)
            assert len(tx.session.exec(select(AuditRow).where(AuditRow.object_id == rows[-1].id)).all()) == 2
    assert counts[0] == counts[1]


def test_open_and_closed_alerts_are_listed_by_kind(tx: Tx):
    add_account(tx, "acme")
    for kind in AlertKind:
        add_episode(tx, "acme", kind=kind)
        add_episode(tx, "acme", kind=kind, state=EpisodeState.RESOLVED, closed_at=NOW)
    for kinds in ({AlertKind.STEP_DUE}, {AlertKind.STEP_DUE, AlertKind.SILENCE}, frozenset[AlertKind]()):
        assert {row.kind for row in list_open(tx, kinds=kinds)} == kinds
        assert {row.kind for row in list_closed(tx, kinds=kinds)} == kinds
        assert count_open(tx, kinds=kinds) == count_closed(tx, kinds=kinds) == len(kinds)
    assert count_open(tx) == count_closed(tx) == len(AlertKind)
