"""An account's alerts as a machine: scans, people and the clock in any order, on both databases, against a model
written from the table of states. After each step every row is as the model has it; at the end also each line of
history and audit, and every message that was to be sent, no more and no fewer.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import bindparam, event, select

from pipeline.wake import run_clock, run_timers
from rules.alerts.alerts import (
    COOLDOWN,
    Assign,
    Cleared,
    Dismiss,
    Event,
    Fired,
    Keep,
    Resolve,
    Snooze,
    Take,
    TakeBack,
    decide,
)
from rules.alerts.conditions import Condition
from rules.alerts.hushing import hush
from rules.alerts.noise import Quieten
from rules.errors import UserError
from rules.records import Actor, AlertKind, ConditionState, DismissReason, QuietReason, Role, Severity, Tier
from storage.accounts.accounts import AccountRow
from storage.alerts.alert_writes import apply_alerts
from storage.alerts.alerts import AlertEventRow, EpisodeRow, get_episode, to_episode
from storage.alerts.conditions import save_conditions
from storage.alerts.timers import DueTimer, list_due_timers
from storage.alerts.undoing import find_last_event, read_before
from storage.alerts.watching import list_latest_episodes
from storage.audit import AuditRow
from storage.db import Database, Tx
from storage.delivery.outbox import OutboxRow
from storage.people.members import MemberRow
from storage.people.workspaces import WorkspaceRow
from tests.pipeline.alert_model import TEAM, Alert, RefusedError, World

KIND = AlertKind.HEALTH_DROP
SUBJECTS = ("", "m1:2026-03-24")
PEOPLE = ("UOWN", "UTWO")
BEGIN = datetime(2026, 3, 5, 10, 0, tzinfo=UTC)  # a Thursday: the weekend is near
UNDOABLE = {"taken", "resolved", "dismissed"}
PAUSES = st.sampled_from([1, 1, 4, 8, 9, 16, 33, 48, 48, 96, 144, 200, 400]).map(
    lambda slots: timedelta(minutes=30) * slots
)
Sight = tuple[Severity, float, bool]
SIGHTS = st.sampled_from(
    [None, None, None, *itertools.product([*Severity, Severity.HIGH], [20.0, 35.0], [False, True])]
)
"""Severity, level and whether it is for digests alone; None: all is well."""
TIERS = st.sampled_from([Tier.A, Tier.B, Tier.C, None])
ACTS = st.sampled_from(
    ["take", "take", "take", "keep", "keep", "snooze", "assign", "resolve", "dismiss", "undo", "none"]
)
PICKS = st.integers(0, 5)
WALKS = settings(max_examples=200, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck))
COLUMNS = (
    *("id", "subject", "severity", "level", "state", "version", "epoch", "is_quiet", "announced_at", "owner_id"),
    *("taken_by", "taken_at", "snoozed_until", "closed_at", "is_latched", "asked_at", "escalated_to", "escalated_at"),
    *("timer_step", "timer_at", "timer_epoch", "escalation"),
)
ROWS = select(*(getattr(EpisodeRow, name) for name in COLUMNS)).where(EpisodeRow.workspace_id == bindparam("workspace"))
_numbers = itertools.count()


class Alerts(RuleBasedStateMachine):
    """One account in a fresh workspace of `database`; ids carry the workspace's number, as all share their tables."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database

    @initialize(tier=TIERS, has_owner=st.booleans(), seen=SIGHTS, is_full=st.booleans())
    def begin(self, tier: Tier | None, seen: Sight | None, *, has_owner: bool, is_full: bool) -> None:
        self.number = next(_numbers)
        self.world = World(tier, "UOWN" if has_owner else None, BEGIN)
        self.ids: list[str] = []
        self.read: Sequence[DueTimer] = ()
        row = WorkspaceRow(team_id=f"T{self.number}", team_channel_id=TEAM, digest_at="09:30", created_at=BEGIN)
        self.workspace_id, self.account_id = row.id, f"acme-{self.number}"
        with self.database.write() as session:
            session.add(row)
        with self.writing() as tx:
            people = {"UOWN": Role.CSM, "UTWO": Role.CSM, "ULEAD": Role.LEAD}
            for slack_id, role in people.items():
                row_id = self.member(slack_id)
                tx.session.add(MemberRow(id=row_id, workspace_id=self.workspace_id, slack_id=slack_id, role=role))
            tx.session.flush()
            owner = self.member("UOWN") if has_owner else None
            named = {"name": "Acme", "slug": "acme", "tier": tier, "owner_id": owner, "created_at": BEGIN}
            tx.session.add(AccountRow(id=self.account_id, workspace_id=self.workspace_id, **named))
        self.scan(SUBJECTS[0], seen)
        self.announce(is_full=is_full)

    def writing(self) -> Any:
        return self.database.writing(self.workspace_id)

    def member(self, slack_id: str | None) -> str | None:
        return f"{slack_id}-{self.number}" if slack_id else None

    # ------------------------------------------------------------ acting

    def latest(self, tx: Tx, subject: str) -> EpisodeRow | None:
        found = list_latest_episodes(tx, [self.account_id], self.world.now - COOLDOWN, is_locking=True)
        return found.get(self.account_id, {}).get((KIND, subject))

    def happen(self, subject: str, what: Event, by: str = "") -> None:
        actor = Actor("member", str(self.member(by))) if by else Actor.job("scan")
        with self.writing() as tx:
            row = self.latest(tx, subject)
            changed = apply_alerts(
                tx, decide(to_episode(row) if row else None, what, self.world.now), actor, self.world.now
            )
        self.ids += [row.id for row in changed if row.id not in self.ids]

    def choose(self, pick: int) -> str:
        """Mostly the subject of an open alert."""
        found = [each.subject for each in self.world.alerts if each.is_open]
        return found[pick % len(found)] if found and pick else SUBJECTS[pick % 2]

    def do(self, subject: str, what: Event, by: str, expect: Callable[[], None]) -> None:
        """A person's act, which the table and the code allow or refuse alike."""
        try:
            expect()
        except RefusedError:
            with pytest.raises(UserError):
                self.happen(subject, what, by)
        else:
            self.happen(subject, what, by)

    # ------------------------------------------------------------ what may happen

    @rule(subject=st.sampled_from(SUBJECTS), seen=SIGHTS)
    def scan(self, subject: str, seen: Sight | None) -> None:
        """A condition is on, or back to ok."""
        self.set_condition(subject, is_on=seen is not None)
        if seen is None:
            self.happen(subject, Cleared())
            self.world.clear(subject)
            return
        severity, level, is_quiet = seen
        why = QuietReason.FLAPPING.value if is_quiet else ""
        facts = (self.account_id, KIND, severity, level, 10.0, "drop-1", {"level": level}, subject, "", is_quiet)
        self.happen(subject, Fired(*facts, quiet_reason=why))
        self.world.fire(subject, severity.value, level, is_quiet=is_quiet)

    def set_condition(self, subject: str, *, is_on: bool) -> None:
        if self.world.is_on.get(subject) is not is_on:
            state = ConditionState.FIRING if is_on else ConditionState.OK
            condition = Condition(state, 0, self.world.now.date(), self.world.now.date())
            with self.writing() as tx:
                save_conditions(tx, {self.account_id: {(KIND, subject): condition}}, {})

    def announce(self, *, is_full: bool = False) -> None:
        """Everything that waits for it; here as posts in the team's channel. On a full day only what is critical."""
        if not self.list_untold():
            return
        with self.writing() as tx:
            if is_full:
                self.leave_to_digest(tx, [each for each in self.list_untold() if each.severity != Severity.CRITICAL])
            for alert in self.list_untold():
                row = get_episode(tx, self.ids[self.world.alerts.index(alert)])
                row.announced_at, row.channel_id = self.world.now, TEAM
                tx.session.add(row)
                tx.session.add(self.as_sent(row, alert))
                self.world.tell(alert)

    def leave_to_digest(self, tx: Tx, alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            row = get_episode(tx, self.ids[self.world.alerts.index(alert)], is_locking=True)
            full = hush(to_episode(row), Quieten(row.id, QuietReason.BUDGET, 3, 3))
            apply_alerts(tx, [full], Actor.job("noise"), self.world.now)
            self.world.leave(alert)

    def list_untold(self) -> list[Alert]:
        return [
            each
            for each in self.world.alerts
            if each.state == "open" and not each.is_quiet and each.announced_at is None
        ]

    def as_sent(self, row: EpisodeRow, alert: Alert) -> OutboxRow:
        return OutboxRow(
            workspace_id=self.workspace_id,
            seq=1_000_000 * self.number + row.epoch,
            kind="alert",
            reference=row.id,
            channel=TEAM,
            dedupe_key=f"alert:{row.id}:{alert.epoch}",
            state="sent",
            created_at=self.world.now,
        )

    # ------------------------------------------------------------ people

    @rule(what=ACTS, pick=PICKS, by=st.sampled_from(PEOPLE), days=st.sampled_from([-1, 0, 1, 2, 2, 30, 31]))
    def act(self, what: str, pick: int, by: str, days: int) -> None:
        """One rule for all that people do: as many rules, hypothesis would leave most of them out of each example."""
        subject, until, world = self.choose(pick), self.world.now + timedelta(days=days), self.world
        me, note = str(self.member(by)), "because" if days > 0 else ""
        match what:
            case "take":
                self.do(subject, Take(me), by, lambda: world.take(subject, by))
            case "keep":
                self.do(subject, Keep(), by, lambda: world.keep(subject, by))
            case "snooze":
                self.do(subject, Snooze(until), by, lambda: world.snooze(subject, by, until))
            case "assign":
                self.do(subject, Assign(me), "UOWN", lambda: world.assign(subject, "UOWN", by))
            case "resolve":
                self.do(subject, Resolve(me), by, lambda: world.resolve(subject, by))
            case "dismiss":
                why = Dismiss(me, DismissReason.OTHER, note)
                self.do(subject, why, by, lambda: world.dismiss(subject, by, has_reason=bool(note)))
            case "undo":
                self.undo(by)

    def undo(self, by: str) -> None:
        """What was done last to an alert that news would still be about, where it can be taken back."""
        found = [each for each in self.world.alerts if each.steps[-1].verb in UNDOABLE]
        alert = next((each for each in found if self.world.latest(each.subject) is each), None)
        if alert is None:
            return
        with self.writing() as tx:
            row = get_episode(tx, self.ids[self.world.alerts.index(alert)], is_locking=True)
            last = find_last_event(tx, row)
            assert last is not None
            intents = decide(to_episode(row), TakeBack(read_before(last)), self.world.now)
            apply_alerts(tx, intents, Actor("member", str(self.member(by))), self.world.now)
        self.world.undo(alert, by)

    # ------------------------------------------------------------ the clock

    @rule(pause=PAUSES, is_next=st.booleans(), is_full=st.booleans())
    def wake(self, pause: timedelta, *, is_next: bool, is_full: bool) -> None:
        """After a while, or just when the next timer is due."""
        due = [each.due for each in self.world.alerts if each.due]
        self.world.now = max(self.world.now, min(due)) if is_next and due else self.world.now + pause
        run_clock(self.database, self.workspace_id, self.world.now)
        self.world.wake()
        self.announce(is_full=is_full)

    @rule(what=ACTS, pick=PICKS, by=st.sampled_from(PEOPLE), pause=PAUSES)
    def act_between(self, what: str, pick: int, by: str, pause: timedelta) -> None:
        """A program reads what is due and is stopped; meanwhile somebody acts and time passes; then it goes on."""
        due = [each.due for each in self.world.alerts if each.due]
        self.world.now = max(self.world.now, min(due, default=self.world.now))
        self.read_timers()
        self.act(what, pick, by, 1)
        self.world.now += pause
        self.act_late()

    def read_timers(self) -> None:
        with self.database.reading(self.workspace_id) as tx:
            self.read = list_due_timers(tx, self.world.now)

    def act_late(self) -> None:
        """The timers that were read before act now, whatever happened since."""
        if not self.read:
            return
        with self.writing() as tx:
            run_timers(tx, self.read, self.world.now)
        late = [(timer.due, self.world.alerts[self.ids.index(timer.episode_id)]) for timer in self.read]
        self.world.run_timers(
            alert for due, alert in late if alert.is_open and due.epoch == alert.epoch and due.step == alert.step
        )
        self.read = ()

    # ------------------------------------------------------------ what must hold

    @invariant()
    def storage_is_as_the_table_says(self) -> None:
        if not hasattr(self, "world"):
            return
        with self.database.reading(self.workspace_id) as tx:
            found = tx.session.execute(ROWS, {"workspace": self.workspace_id}).all()
        rows = {row.id: tuple(row) for row in found}
        assert rows == {self.ids[at]: self.expect(alert, self.ids[at]) for at, alert in enumerate(self.world.alerts)}
        is_open = Counter(row.subject for row in found if row.closed_at is None)
        assert all(count == 1 for count in is_open.values())

    def expect(self, alert: Alert, id_: str) -> tuple[Any, ...]:
        plan: list[dict[str, Any]] = [{"level": level, "at": at.isoformat()} for level, at in enumerate(alert.plan)]
        if alert.told:
            plan[1]["told"] = [self.member(alert.told)]
        return (
            *(id_, alert.subject, alert.severity, alert.level, alert.state, alert.version, alert.epoch, alert.is_quiet),
            *(alert.announced_at, self.member(alert.owner), self.member(alert.taker), alert.taken_at, alert.until),
            *(alert.closed_at, alert.is_latched, alert.asked_at, alert.reached, alert.reached_at),
            *(alert.step, alert.due, alert.timer_epoch, plan),
        )

    def teardown(self) -> None:
        """Every transition has its line of history and of audit, and what was to be told was told, once."""
        if not hasattr(self, "world"):
            return
        with self.database.reading(self.workspace_id) as tx:
            history = self.list_steps(tx, AlertEventRow, AlertEventRow.episode_id, "")
            audit = self.list_steps(tx, AuditRow, AuditRow.object_id, "alert.")
            posts = select(OutboxRow.kind, OutboxRow.channel).where(
                OutboxRow.workspace_id == self.workspace_id, OutboxRow.is_update.is_(False), OutboxRow.state == "queued"
            )
            said = Counter(map(tuple, tx.session.execute(posts)))
        wanted = sorted(
            (self.ids[at], step.at, step.verb, str(self.member(step.actor)) if step.actor else "")
            for at, alert in enumerate(self.world.alerts)
            for step in alert.steps
        )
        assert history == wanted
        assert audit == wanted
        assert said == Counter((post.kind, post.channel) for post in self.world.posts)

    def list_steps(self, tx: Tx, table: Any, about: Any, prefix: str) -> list[tuple[str, datetime, str, str]]:
        """(alert, moment, verb, member or "" for a job) of each line."""
        query = select(about, table.at, table.verb, table.actor_kind, table.actor_id)
        found = tx.session.execute(query.where(table.workspace_id == self.workspace_id)).all()
        return sorted(
            (id_, at, verb.removeprefix(prefix), who if kind == "member" else "") for id_, at, verb, kind, who in found
        )


def make_fast(database: Database) -> None:
    """Commits need not survive a power cut here."""
    statement = "PRAGMA synchronous=OFF" if database.is_sqlite else "SET synchronous_commit TO off"

    @event.listens_for(database.engine, "connect")
    def relax(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(statement)
        cursor.close()


def test_alerts_live_as_the_table_of_states_says(database: Database):
    make_fast(database)
    run_state_machine_as_test(lambda: Alerts(database), settings=WALKS)
