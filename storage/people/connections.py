"""A workspace's connection to Slack: made, paused when Slack took the token away, resumed. Owns these writes only."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from rules.records import Actor, Change
from storage import audit
from storage.db import Tx
from storage.people.workspaces import WorkspaceRow, adopt_team, get_workspace

_SLACK = Actor.job("slack")


def connect_team(session: Session, team_id: str, name: str, bot_user_id: str, now: datetime) -> WorkspaceRow:
    """The workspace of a Slack team whose token works (business time `now`); a paused one goes on."""
    row = adopt_team(session, team_id, name, now)
    if row.is_paused:
        audit.record(Tx(session, row.id), Change("resume", "workspace", row.id), _SLACK, now)
    row.bot_user_id, row.is_paused, row.paused_reason = bot_user_id, False, ""
    session.add(row)
    session.flush()
    return row


def pause_workspace(tx: Tx, reason: str, now: datetime) -> bool:
    """Stop everything for the workspace until it connects again; False if it was paused already.

    `reason` is Slack's own word, e.g. "app_uninstalled".
    """
    row = get_workspace(tx)
    if row.is_paused:
        return False
    row.is_paused, row.paused_reason = True, reason
    tx.session.add(row)
    audit.record(tx, Change("pause", "workspace", row.id, after={"reason": reason}), _SLACK, now)
    return True
