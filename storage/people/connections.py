"""A workspace's connection to Slack: made, paused, resumed. Owns these writes only.

Slack pauses a workspace by refusing its token, and resumes it by taking one again. What a person paused, a person
resumes.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from rules.records import Actor, Change
from storage import audit
from storage.db import Tx
from storage.people.workspaces import WorkspaceRow, adopt_team, get_workspace

BY_HAND = "by hand"
"""Why a workspace is paused that a person paused."""
_SLACK = Actor.job("slack")


def connect_team(session: Session, team_id: str, name: str, bot_user_id: str, now: datetime) -> WorkspaceRow:
    """The workspace of a Slack team whose token works (business time `now`); one that Slack had paused goes on."""
    row = adopt_team(session, team_id, name, now)
    row.bot_user_id = bot_user_id
    if row.paused_reason != BY_HAND:
        _resume(Tx(session, row.id), row, _SLACK, now)
    session.add(row)
    session.flush()
    return row


def pause_workspace(tx: Tx, reason: str, now: datetime, actor: Actor = _SLACK) -> str:
    """Stop everything for the workspace until it is resumed; the audit's line, "" if it was paused already.

    `reason` is Slack's own word, e.g. "app_uninstalled", or `BY_HAND`.
    """
    row = get_workspace(tx)
    if row.is_paused:
        return ""
    row.is_paused, row.paused_reason = True, reason
    tx.session.add(row)
    return audit.record(tx, Change("pause", "workspace", row.id, after={"reason": reason}), actor, now)


def resume_workspace(tx: Tx, actor: Actor, now: datetime) -> bool:
    """Go on; False if it was not paused."""
    row = get_workspace(tx)
    tx.session.add(row)
    return _resume(tx, row, actor, now)


def _resume(tx: Tx, row: WorkspaceRow, actor: Actor, now: datetime) -> bool:
    if not row.is_paused:
        return False
    change = Change("resume", "workspace", row.id, before={"reason": row.paused_reason})
    row.is_paused, row.paused_reason = False, ""
    audit.record(tx, change, actor, now)
    return True
