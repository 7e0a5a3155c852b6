"""What time alone does to alerts: levels of escalation, the leads' message, the question and what follows it; after a
long sleep, at night, while somebody is away, and for timers that come too late.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from pipeline import wake
from rules.alerts.alerts import Act, Assign, Event, Fired, Keep, Resolve, Snooze, Take, decide
from rules.alerts.refusals import AnsweredError
from rules.delivery.channels import Sharing
from rules.records import Actor, AlertKind, EpisodeState, Role, Severity, Tier
from storage.accounts.accounts import AccountRow
from storage.alerts.alert_writes import apply_alerts
from storage.alerts.alerts import EpisodeRow, get_episode, list_history, to_episode
from storage.alerts.escalations import EscalationDigestRow
from storage.alerts.timers import DueTimer, list_due_timers
from storage.audit import AuditRow
from storage.db import Database
from storage.delivery.outbox import OutboxRow
from storage.people.members import MemberRow, get_member
from tests.alert_rows import add_account, add_member, add_sent
from tests.channel_rows import look_at
from tests.conftest import add_workspace

HAND = Actor("member", "m-UOWN", "Owner")
MONDAY = datetime(2026, 3, 9, 10, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Stage:
    """One account with an owner, a cover and a lead, all in UTC from 9:00 to 17:30, and its one alert, announced."""

    def __init__(self, database: Database, workspace_id: str) -> None:
        self.database, self.workspace_id = database, workspace_id
        with database.writing(workspace_id) as tx:
            add_member(tx, "UCOVER")
            add_member(tx, "UOWN")
            add_member(tx, "ULEAD", role=Role.LEAD)
            add_account(tx, "acme", tier=Tier.A, owner_id="m-UOWN")

    def open(
        self, severity: Severity = Severity.HIGH, at: datetime = MONDAY, *, is_told: bool = True, **more: Any
    ) -> None:
        fired = Fired("acme", AlertKind.HEALTH_DROP, severity, 20.0, 10.0, "drop-1", {"level": 20.0}, **more)
        with self.database.writing(self.workspace_id) as tx:
            [row] = apply_alerts(tx, decide(None, fired, at), Actor.job("scan"), at)
            self.id = row.id
            if is_told:
                row.announced_at, row.channel_id = at, "C0000001"
                add_sent(tx, "alert", row.id)

    def act(self, event: Event, at: datetime) -> None:
        with self.database.writing(self.workspace_id) as tx:
            apply_alerts(tx, decide(to_episode(get_episode(tx, self.id)), event, at), HAND, at)

    def change(self, table: type[Any], id_: str, **values: Any) -> None:
        with self.database.writing(self.workspace_id) as tx:
            row = tx.session.get(table, id_)
            for name, value in values.items():
                setattr(row, name, value)
            tx.session.add(row)

    def wake(self, *moments: datetime) -> list[dict[str, int]]:
        ours = {"escalated", "asked", "kept", "returned", "leads_told", "woke", "cleared"}
        reports = [wake.run(self.database, self.workspace_id, at).counts for at in moments]
        return [{name: count for name, count in report.items() if name in ours} for report in reports]

    def timers(self, at: datetime) -> Sequence[DueTimer]:
        with self.database.reading(self.workspace_id) as tx:
            return list_due_timers(tx, at)

    @property
    def row(self) -> EpisodeRow:
        with self.database.reading(self.workspace_id) as tx:
            return get_episode(tx, self.id)

    @property
    def verbs(self) -> list[str]:
        with self.database.reading(self.workspace_id) as tx:
            return [line.verb for line in list_history(tx, self.id)]

    def said(self) -> list[tuple[str, str]]:
        """New messages, each with its channel, in their order; updates aside."""
        with self.database.reading(self.workspace_id) as tx:
            query = select(OutboxRow).where(OutboxRow.is_update == False, OutboxRow.state == "queued")  # noqa: E712  # SQL
            return [(row.kind, row.channel) for row in tx.session.exec(query.order_by("seq"))]


@pytest.fixture
def stage(sqlite_database: Database) -> Stage:
    return Stage(sqlite_database, add_workspace(sqlite_database))


@pytest.fixture
def any_stage(database: Database, workspace_id: str) -> Stage:
    """On each kind of database."""
    return Stage(database, workspace_id)


# ---------------------------------------------------------------- escalation


def test_a_critical_alert_goes_to_its_owner_the_leads_and_the_team(any_stage: Stage):
    stage = any_stage
    stage.open(Severity.CRITICAL)
    at = MONDAY + 4 * HOUR
    assert stage.wake(at - timedelta(minutes=1), at, at) == [{}, {"escalated": 1}, {}]
    assert stage.said() == [("alert_event", "C0000001"), ("alert_reminder", "UOWN")]
    tuesday = MONDAY + DAY
    assert stage.wake(tuesday - timedelta(minutes=1), tuesday) == [{}, {"escalated": 1, "leads_told": 1}]
    assert stage.said()[2:] == [("alert_event", "C0000001"), ("escalation_digest", "ULEAD")]
    assert stage.wake(tuesday + DAY) == [{"escalated": 1, "leads_told": 1}]
    assert stage.said()[4:] == [
        ("alert_event", "C0000001"),
        ("alert_escalation", "C0000001"),
        ("escalation_digest", "ULEAD"),
    ]
    assert stage.wake(*(tuesday + each * DAY for each in range(2, 9))) == [{}] * 7
    assert stage.verbs == ["opened", "escalated", "escalated", "escalated"]
    assert (stage.row.escalated_to, stage.row.timer_at, stage.row.version, stage.row.epoch) == (3, None, 4, 1)


def test_where_others_read_the_team_channel_the_leads_are_told_alone(stage: Stage):
    look_at(stage.database, stage.workspace_id, "C0000001", sharing=Sharing.SHARED)
    stage.open(Severity.CRITICAL)
    stage.wake(MONDAY + 4 * HOUR, MONDAY + DAY, MONDAY + 2 * DAY)
    assert [channel for kind, channel in stage.said() if kind == "alert_escalation"] == ["ULEAD"]


@pytest.mark.parametrize("tier", list(Tier))
@pytest.mark.parametrize("severity", list(Severity))
def test_who_escalates_when(stage: Stage, severity: Severity, tier: Tier):
    stage.change(AccountRow, "acme", tier=tier)
    stage.open(severity)
    plan = [datetime.fromisoformat(each["at"]) - MONDAY for each in stage.row.escalation]
    if severity is Severity.CRITICAL:
        assert plan == [timedelta(), 4 * HOUR, DAY, 2 * DAY]
    elif severity is Severity.HIGH and tier in (Tier.A, Tier.B):
        assert plan == [timedelta(), DAY, 2 * DAY, 3 * DAY]
    else:
        assert plan == []
        assert stage.row.timer_at is None


def test_the_plan_knows_the_owners_hours_and_holidays(stage: Stage):
    stage.change(MemberRow, "m-UOWN", zone="Europe/Berlin", country="DE", work_from="08:00", work_until="12:00")
    friday = datetime(2026, 4, 2, 9, 0, tzinfo=UTC)  # 11:00 in Berlin, the Thursday before Easter
    stage.open(Severity.CRITICAL, friday)
    tuesday = datetime(2026, 4, 7, 9, 0, tzinfo=UTC)
    assert [each["at"] for each in stage.row.escalation[1:]] == [
        tuesday.isoformat(),
        tuesday.isoformat(),
        (tuesday + DAY).isoformat(),
    ]


@pytest.mark.parametrize(
    "event", [Take("m-UOWN"), Resolve("m-UOWN"), Snooze(MONDAY + 9 * DAY)], ids=["take", "end", "sleep"]
)
def test_any_answer_stops_it(stage: Stage, event: Act):
    stage.open(Severity.CRITICAL)
    stage.act(event, MONDAY + HOUR)
    assert stage.wake(*(MONDAY + each * DAY for each in range(1, 3))) == [{}, {}]
    assert stage.said() == [("alert_event", "C0000001")]


def test_assigning_begins_it_anew_only_while_nobody_has_it(stage: Stage):
    stage.open(Severity.CRITICAL)
    stage.act(Assign("m-UCOVER"), MONDAY + 3 * HOUR)
    assert stage.wake(MONDAY + 4 * HOUR, MONDAY + 7 * HOUR) == [{}, {"escalated": 1}]
    assert ("alert_reminder", "UCOVER") in stage.said()
    stage.act(Take("m-UCOVER"), MONDAY + 7 * HOUR)
    stage.act(Assign("m-UOWN"), MONDAY + 7 * HOUR)
    assert (stage.row.state, stage.row.epoch, stage.row.timer_step) == (EpisodeState.ACKED, 3, "ask")


def test_a_timer_of_an_earlier_epoch_does_nothing(any_stage: Stage):
    stage = any_stage
    stage.open(Severity.CRITICAL)
    old = stage.timers(MONDAY + 4 * HOUR)
    stage.act(Assign("m-UCOVER"), MONDAY + HOUR)
    late = MONDAY + 6 * HOUR  # both the old timer and the new one are due
    with stage.database.writing(stage.workspace_id) as tx:
        assert wake.run_timers(tx, old, late) == {}
    assert stage.wake(late) == [{"escalated": 1}]


def test_whoever_read_a_timer_before_another_finds_it_done(stage: Stage):
    stage.open(Severity.CRITICAL)
    at = MONDAY + 4 * HOUR
    read = stage.timers(at)
    assert stage.wake(at) == [{"escalated": 1}]
    with stage.database.writing(stage.workspace_id) as tx:
        assert wake.run_timers(tx, read, at) == {}
    assert stage.said().count(("alert_reminder", "UOWN")) == 1


def test_after_a_long_sleep_one_level_at_a_time(stage: Stage):
    stage.open(Severity.CRITICAL)
    late = MONDAY + 7 * DAY
    assert stage.wake(late, late + timedelta(minutes=5), late + HOUR) == [{"escalated": 1}, {}, {}]
    gap_later = datetime(2026, 3, 17, 9, 0, tzinfo=UTC)  # twenty hours later it is six in the morning
    assert stage.row.timer_at == gap_later
    assert stage.wake(late + DAY) == [{"escalated": 1, "leads_told": 1}]


def test_at_night_nobody_is_told(stage: Stage):
    stage.open(Severity.CRITICAL)
    night = MONDAY + 13 * HOUR
    morning = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
    assert stage.wake(night, morning - timedelta(minutes=1), morning) == [{}, {}, {"escalated": 1}]


def test_what_nobody_was_told_of_waits_and_counts_from_the_telling(stage: Stage):
    stage.open(Severity.CRITICAL, is_told=False)
    stage.change(EpisodeRow, stage.id, is_quiet=True, quiet_reason="muted")
    assert stage.wake(MONDAY + 4 * HOUR, MONDAY + 6 * HOUR) == [{}, {}]
    told = MONDAY + 6.5 * HOUR
    stage.change(EpisodeRow, stage.id, is_quiet=False, quiet_reason="", announced_at=told)
    tuesday = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)  # an hour on Monday, three more on Tuesday
    assert stage.wake(told + HOUR, tuesday - timedelta(minutes=5), tuesday) == [{}, {}, {"escalated": 1}]


def test_who_is_away_is_reminded_through_their_cover(stage: Stage):
    stage.open(Severity.CRITICAL)
    away = {"away_from": date(2026, 3, 9), "away_until": date(2026, 3, 20), "cover_id": "m-UCOVER"}
    stage.change(MemberRow, "m-UOWN", **away)
    assert stage.wake(MONDAY + 4 * HOUR) == [{"escalated": 1}]
    assert stage.said()[1:] == [("alert_reminder", "UCOVER")]


def test_without_an_owner_the_leads_are_reminded(stage: Stage):
    """The announcement itself names them at once."""
    stage.change(AccountRow, "acme", owner_id=None)
    stage.open()
    assert stage.wake(MONDAY, MONDAY + DAY) == [{}, {"escalated": 1}]
    assert stage.said()[1:] == [("alert_reminder", "ULEAD")]
    assert stage.wake(MONDAY + 2 * DAY) == [{"escalated": 1, "leads_told": 1}]


def test_a_rise_in_severity_escalates_at_the_new_pace(stage: Stage):
    stage.open()
    worse = Fired("acme", AlertKind.HEALTH_DROP, Severity.CRITICAL, 30.0, 10.0, "drop-1", {})
    stage.act(worse, MONDAY + HOUR)
    assert stage.wake(MONDAY + 5 * HOUR) == [{"escalated": 1}]


# ---------------------------------------------------------------- the leads


def test_the_leads_get_one_message_a_day_in_their_morning(any_stage: Stage):
    stage = any_stage
    stage.change(MemberRow, "m-ULEAD", zone="America/New_York")
    stage.open(Severity.CRITICAL)
    stage.wake(MONDAY + 4 * HOUR)
    assert stage.wake(MONDAY + DAY) == [{"escalated": 1}]  # six in the morning in New York
    morning = datetime(2026, 3, 10, 13, 10, tzinfo=UTC)
    assert stage.wake(morning - timedelta(minutes=1), morning, morning + HOUR) == [{}, {"leads_told": 1}, {}]
    with stage.database.reading(stage.workspace_id) as tx:
        [told] = tx.session.exec(select(EscalationDigestRow)).all()
        assert (get_member(tx, told.member_id).slack_id, told.day) == ("ULEAD", date(2026, 3, 10))


def test_without_news_the_leads_hear_nothing(stage: Stage):
    stage.open(Severity.CRITICAL)
    stage.wake(MONDAY + 4 * HOUR, MONDAY + DAY)
    stage.act(Take("m-UOWN"), MONDAY + DAY + HOUR)
    assert stage.wake(*(MONDAY + each * DAY for each in range(2, 4))) == [{}, {}]


# ---------------------------------------------------------------- the question


@pytest.mark.parametrize(("tier", "days"), [(Tier.A, 3), (Tier.B, 7), (None, 7)])
def test_who_took_it_is_asked_and_without_an_answer_it_is_open_again(stage: Stage, tier: Tier | None, days: int):
    stage.change(AccountRow, "acme", tier=tier)
    stage.open(Severity.CRITICAL)
    stage.act(Take("m-UOWN"), MONDAY)
    ask = MONDAY + (days if days < 5 else days + 2) * DAY  # over a weekend
    assert stage.wake(ask - timedelta(minutes=1), ask, ask) == [{}, {"asked": 1}, {}]
    row = stage.row
    assert (row.state, row.asked_at, row.epoch) == (EpisodeState.ACKED, ask, 2)
    again = ask + (4 if ask.weekday() >= 3 else 2) * DAY
    assert stage.wake(again - timedelta(minutes=1), again) == [{}, {"returned": 1}]
    row = stage.row
    assert (row.state, row.taken_by, row.epoch, row.escalated_to) == (EpisodeState.OPEN, None, 3, 0)
    assert stage.verbs == ["opened", "taken", "asked", "returned"]
    assert stage.wake(again + 4 * HOUR) == [{"escalated": 1}]


def test_still_on_it_begins_the_days_anew(stage: Stage):
    stage.open()
    stage.act(Take("m-UOWN"), MONDAY)
    stage.wake(MONDAY + 3 * DAY)
    stage.act(Keep(), MONDAY + 4 * DAY)
    assert (stage.row.state, stage.row.asked_at, stage.row.epoch) == (EpisodeState.ACKED, None, 3)
    assert stage.wake(MONDAY + 7 * DAY, MONDAY + 9 * DAY) == [{}, {"asked": 1}]
    stage.act(Keep(), MONDAY + 9 * DAY)
    with pytest.raises(AnsweredError):
        stage.act(Keep(), MONDAY + 9 * DAY)


def _log(stage: Stage, at: datetime, *, is_refused: bool = False, kind: str = "member") -> None:
    line = AuditRow(
        workspace_id=stage.workspace_id,
        at=at,
        actor_kind=kind,
        actor_id="m-UOWN",
        verb="note.added",
        object_kind="note",
        object_id="n1",
        account_id="acme",
        is_refused=is_refused,
    )
    with stage.database.writing(stage.workspace_id) as tx:
        tx.session.add(line)


def test_work_on_the_account_puts_the_question_off(stage: Stage):
    stage.open()
    stage.act(Take("m-UOWN"), MONDAY)
    _log(stage, MONDAY + 2 * DAY)
    _log(stage, MONDAY + 3 * DAY, is_refused=True)
    _log(stage, MONDAY + 3 * DAY, kind="import")
    assert stage.wake(MONDAY + 3 * DAY, MONDAY + 4 * DAY, MONDAY + 7 * DAY) == [{}, {}, {"asked": 1}]


def test_work_on_the_account_answers_the_question(stage: Stage):
    stage.open()
    stage.act(Take("m-UOWN"), MONDAY)
    stage.wake(MONDAY + 3 * DAY)
    _log(stage, MONDAY + 3 * DAY + HOUR)
    friday = MONDAY + 7 * DAY
    assert stage.wake(friday) == [{"kept": 1}]
    assert (stage.row.state, stage.row.asked_at) == (EpisodeState.ACKED, None)


def test_an_alert_without_a_thread_is_asked_about_in_person(stage: Stage):
    stage.open(is_quiet=True, is_told=False)
    stage.act(Take("m-UOWN"), MONDAY)
    stage.wake(MONDAY + 3 * DAY)
    assert stage.said() == [("alert_event", "UOWN")]
