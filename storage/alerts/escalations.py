"""What is said when nobody takes an alert: the reminder to its owner, the lead's message of the day, the line in the
team's channel. Owns who gets which, and the table of the leads' messages; refuses to decide when a level is reached
(`rules.alerts.escalation`).

    level 1   "alert_reminder", a direct message to whom the plan told, beside the line in the thread; of several at
              once one "alert_reminders", so that what one message or digest told of does not come back as a flood
    level 2   "escalation_digest", one direct message per lead and local date
    level 3   "alert_escalation", a line in the team's channel; without one, a direct message to the leads
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement
from sqlmodel import Field, SQLModel, UniqueConstraint, and_, col, func, or_, select

from rules.alerts.standing import BY_BUDGET
from rules.delivery.digests import find_digest_day
from rules.records import Enqueue, EpisodeState, Severity
from storage.accounts.accounts import AccountRow, is_in_use
from storage.alerts.alerts import ESCALATION, REMINDER, EpisodeRow, is_unclosed
from storage.db import Tx
from storage.delivery.channels import find_team_channel
from storage.delivery.outbox import enqueue
from storage.fields import key, moment, workspace
from storage.people.members import MemberRow, get_members
from storage.people.team import find_stand_ins, list_leads, list_people, list_working_times
from storage.upsert import upsert

LEADS = "escalation_digest"
"""Kind of the leads' messages; the reference is the id of an `EscalationDigestRow`."""
REMINDERS = "alert_reminders"
"""Kind of the reminder of several alerts; the reference is the id of the member it is for."""
LEAD_LEVEL, CHANNEL_LEVEL = 2, 3
_PRIORITY = 5


class EscalationDigestRow(SQLModel, table=True):
    """One lead's message of one of their local days. Which alerts it tells of is drawn when it is sent."""

    __tablename__ = "escalation_digests"
    __table_args__ = (UniqueConstraint("workspace_id", "member_id", "day"),)

    id: str = key()
    workspace_id: str = workspace(has_index=False)
    member_id: str = Field(foreign_key="members.id", index=True)
    day: date
    created_at: datetime = moment()


def list_reminders(tx: Tx, rows: Sequence[EpisodeRow]) -> list[Enqueue]:
    """What is sent at once for the levels that these alerts have just reached; two queries at most for all of them."""
    told = {row.id: row.escalation[1].get("told", ()) for row in rows if row.escalated_to == 1}
    people = get_members(tx, {id_ for ids in told.values() for id_ in ids}) if told else {}
    loud = [row for row in rows if row.escalated_to == CHANNEL_LEVEL]
    channels = _list_channels(tx) if loud else []
    own = ((member, [row for row in rows if id_ in told.get(row.id, ())]) for id_, member in people.items())
    said = [each for member, several in own for each in _remind_of(several, member)]
    return [*said, *(_remind(ESCALATION, row, channel) for row in loud for channel in channels)]


def _remind_of(rows: Sequence[EpisodeRow], member: MemberRow) -> list[Enqueue]:
    """One message, however many they are."""
    if len(rows) > 1:
        return [_remind(REMINDERS, rows[0], member.slack_id, member.id)]
    return [_remind(REMINDER, row, member.slack_id) for row in rows]


def _remind(kind: str, row: EpisodeRow, channel: str, reference: str = "") -> Enqueue:
    dedupe_key = f"{kind}:{row.id}:{row.epoch}:{channel}"
    return Enqueue(kind, reference or row.id, channel, dedupe_key, priority=_PRIORITY)


def list_reminded(tx: Tx, member_id: str) -> list[EpisodeRow]:
    """Alerts that this member was reminded of and nobody took, the most urgent first, then the longest waiting."""
    query = select(EpisodeRow).join(AccountRow, col(AccountRow.id) == col(EpisodeRow.account_id))
    found = tx.session.exec(query.where(is_in_use(tx), _waits(tx), col(EpisodeRow.escalated_to) > 0))
    return _by_urgency(row for row in found if member_id in row.escalation[1].get("told", ()))


def _list_channels(tx: Tx) -> list[str]:
    channel = find_team_channel(tx)
    if channel:
        return [channel]
    people = list_people(tx)
    leads = set(list_leads(tx, people))
    return [row.slack_id for row in people if row.id in leads]


# ---------------------------------------------------------------- the leads


def list_due_leads(tx: Tx, now: datetime) -> list[tuple[str, date]]:
    """Leads whose morning has come, with their local day, if an alert has come to them since their last message. Who
    is away is represented by who stands in.
    """
    latest = tx.session.exec(select(func.max(EpisodeRow.escalated_at)).where(_waits_for_lead(tx))).one()
    return [] if latest is None else _list_due(tx, latest, now)


def make_lead_messages(tx: Tx, due: Sequence[tuple[str, date]], now: datetime) -> int:
    """One message for each of these leads and days; returns how many. Safe to repeat."""
    rows = [
        EscalationDigestRow(workspace_id=tx.workspace_id, member_id=id_, day=day, created_at=now) for id_, day in due
    ]
    made = upsert(
        tx, EscalationDigestRow, [row.model_dump() for row in rows], keys=("workspace_id", "member_id", "day")
    )
    people = get_members(tx, [row.member_id for row in rows])
    enqueue(tx, [_tell(row, people[row.member_id]) for row in rows], now)
    return made


def _list_due(tx: Tx, latest: datetime, now: datetime) -> list[tuple[str, date]]:
    """Leads, with their local day, who have no message that is as new as what they are to be told."""
    people, times = list_people(tx), list_working_times(tx)
    found: dict[str, date] = {}
    for lead in list_leads(tx, people):
        day = find_digest_day(times[lead], now)
        if day is not None:
            found[find_stand_ins(tx, day).get(lead, lead)] = day
    told = _list_last(tx, found)
    return [
        (id_, day) for id_, day in found.items() if id_ not in told or (told[id_][0] < day and told[id_][1] < latest)
    ]


def _list_last(tx: Tx, member_ids: Iterable[str]) -> dict[str, tuple[date, datetime]]:
    """By member the day and moment of their last message."""
    row = EscalationDigestRow
    query = select(row.member_id, func.max(row.day), func.max(row.created_at)).where(
        row.workspace_id == tx.workspace_id, col(row.member_id).in_(list(member_ids))
    )
    return {id_: (day, at) for id_, day, at in tx.session.exec(query.group_by(col(row.member_id)))}


def _tell(row: EscalationDigestRow, member: MemberRow) -> Enqueue:
    return Enqueue(LEADS, row.id, member.slack_id, f"{LEADS}:{member.slack_id}:{row.day}", priority=_PRIORITY)


def find_lead_message(tx: Tx, message_id: str) -> EscalationDigestRow | None:
    """One lead's message of a day."""
    row = EscalationDigestRow
    return tx.session.exec(select(row).where(row.workspace_id == tx.workspace_id, row.id == message_id)).first()


def list_waiting_for_leads(tx: Tx) -> Sequence[EpisodeRow]:
    """Alerts that came to the leads and that nobody took, the most urgent first, then the longest waiting."""
    query = select(EpisodeRow).join(AccountRow, col(AccountRow.id) == col(EpisodeRow.account_id))
    return _by_urgency(tx.session.exec(query.where(is_in_use(tx), _waits_for_lead(tx))))


def _by_urgency(rows: Iterable[EpisodeRow]) -> list[EpisodeRow]:
    return sorted(rows, key=lambda row: (-list(Severity).index(row.severity), row.opened_at, row.id))


def _waits_for_lead(tx: Tx) -> ColumnElement[bool]:
    return and_(_waits(tx), col(EpisodeRow.escalated_to) >= LEAD_LEVEL)


def _waits(tx: Tx) -> ColumnElement[bool]:
    return and_(
        or_(col(EpisodeRow.is_quiet).is_(other=False), col(EpisodeRow.quiet_reason).in_(sorted(BY_BUDGET))),
        col(EpisodeRow.workspace_id) == tx.workspace_id,
        is_unclosed(),
        col(EpisodeRow.state) == EpisodeState.OPEN,
    )
