"""Workspaces: one Slack team or org each. Owns finding, adopting and setting them up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import Field, Session, SQLModel, col, select

from rules.errors import StaleError
from rules.people.setup import ChangeSetup
from rules.records import Actor, Change
from storage.audit import AuditRow, record
from storage.db import Tx
from storage.fields import moment
from storage.types import new_id

CHANGED = "workspace.changed"
_LATEST = 50


class WorkspaceRow(SQLModel, table=True):
    """One installation. `team_id` is empty until `milepost run` first meets Slack.

    `country` (ISO 3166) and `work_from`, `work_until` ("HH:MM") hold for everybody who has no own; `digest_at` "" means
    ten minutes after the working day begins. `weekly_on` is the weekday of weekly digests, 0 = Monday. `locale` is the
    language of what is posted in channels. `is_hiding_amounts`: no money in channels. `version` grows with each change
    of these settings; `installer_id` is Slack's id of who was shown the first steps. `announcing_turn` grows with each
    write of announcing (`storage.alerts.announcing_turns`).
    """

    __tablename__ = "workspaces"

    id: str = Field(default_factory=new_id, primary_key=True)
    team_id: str | None = Field(default=None, unique=True)
    name: str = ""
    bot_user_id: str = ""
    installer_id: str = ""
    zone: str = "UTC"
    locale: str = "en-US"
    country: str = ""
    currency: str = "EUR"
    team_channel_id: str = ""
    lead_id: str | None = None
    work_from: str = "09:00"
    work_until: str = "17:30"
    digest_at: str = ""
    weekly_on: int = 0
    is_hiding_amounts: bool = False
    version: int = 1
    announcing_turn: int = 0
    is_paused: bool = False
    paused_reason: str = ""
    created_at: datetime = moment()


def list_workspaces(session: Session) -> list[WorkspaceRow]:
    """All workspaces, oldest first."""
    return list(session.exec(select(WorkspaceRow).order_by("created_at", "id")))


def find_by_team(session: Session, team_id: str) -> WorkspaceRow | None:
    """The workspace of a Slack team (or org) id."""
    return session.exec(select(WorkspaceRow).where(WorkspaceRow.team_id == team_id)).first()


def adopt_team(session: Session, team_id: str, name: str, now: datetime) -> WorkspaceRow:
    """The workspace of `team_id`; else the one an import made that waits for its first connection; else a new one."""
    row = find_by_team(session, team_id)
    if row is None:
        row = session.exec(select(WorkspaceRow).where(col(WorkspaceRow.team_id).is_(None))).first()
        row = row or WorkspaceRow(created_at=now)
        row.team_id = team_id
    row.name = name
    session.add(row)
    session.flush()
    return row


def get_or_create_sole(session: Session, now: datetime) -> WorkspaceRow:
    """The first workspace, made if there is none yet: what the command line works on before Slack is connected."""
    rows = list_workspaces(session)
    if rows:
        return rows[0]
    row = WorkspaceRow(name="(not connected yet)", created_at=now)
    session.add(row)
    session.flush()
    return row


def get_workspace(tx: Tx) -> WorkspaceRow:
    """The workspace the transaction is in: read once in each, however many ask."""
    row = tx.session.get_one(WorkspaceRow, tx.workspace_id)
    tx.session.info[WorkspaceRow] = row  # alone, a session forgets the rows that nobody holds
    return row


def apply_setup(tx: Tx, intents: Sequence[ChangeSetup], actor: Actor, now: datetime) -> list[str]:
    """Write changed settings; returns the audit's line of each change.

    Raises `StaleError` where somebody changed them since the version that an intent names.
    """
    return [_change(tx, intent, actor, now) for intent in intents]


def is_changed_since(tx: Tx, line: AuditRow) -> bool:
    """Whether anything that the line changed has another value by now."""
    row = get_workspace(tx)
    return any(getattr(row, name) != value for name, value in (line.after or {}).items())


def take_back(tx: Tx, line: AuditRow, actor: Actor, now: datetime) -> None:
    """Set what the line changed to what it was before."""
    _write(get_workspace(tx), line.before or {})
    tx.session.flush()
    record(tx, Change("change.undone", "change", line.id, before=line.after, after=line.before), actor, now)


def find_setting(tx: Tx, name: str) -> AuditRow | None:
    """The change that gave a setting its present value, among the latest fifty; None where it is the default."""
    lines = tx.session.exec(
        select(AuditRow)
        .where(AuditRow.workspace_id == tx.workspace_id, AuditRow.object_kind == "workspace", AuditRow.verb == CHANGED)
        .order_by(col(AuditRow.at).desc())
        .limit(_LATEST)
    )
    value = getattr(get_workspace(tx), name)
    return next((line for line in lines if name in (line.after or {}) and (line.after or {})[name] == value), None)


def _change(tx: Tx, intent: ChangeSetup, actor: Actor, now: datetime) -> str:
    row = get_workspace(tx)
    if intent.version is not None and row.version != intent.version:
        raise StaleError("Somebody changed the setup while this form was open. Open it once more with `/cs setup`.")
    before: dict[str, object] = {name: getattr(row, name) for name in intent.changes}
    _write(row, intent.changes)
    tx.session.flush()
    change = Change(CHANGED, "workspace", row.id, before=before, after=dict(intent.changes))
    return record(tx, change, actor, now)


def _write(row: WorkspaceRow, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.version += 1
