"""The welcome: the first lead or admin whom Slack tells us about gets it, once. Owns that decision's write; refuses to
know what it says.
"""

from __future__ import annotations

from datetime import datetime

from rules.records import Actor, Change, Enqueue, Role
from storage import audit
from storage.db import Tx
from storage.delivery.outbox import enqueue
from storage.people.members import MemberRow
from storage.people.workspaces import get_workspace

KIND = "welcome"
_SLACK = Actor.job("slack")


def welcome_first_lead(tx: Tx, member: MemberRow, now: datetime) -> bool:
    """Take the member for who connected Milepost and put the welcome into their direct messages, if they can set it up
    and nobody was taken for that before; returns whether it was so. `now` is business time.
    """
    home = get_workspace(tx)
    if home.installer_id or member.role not in (Role.LEAD, Role.ADMIN) or member.is_bot or not member.is_active:
        return False
    home.installer_id = member.slack_id
    tx.session.flush()
    change = Change("workspace.welcomed", "workspace", home.id, after={"installer_id": member.slack_id})
    audit.record(tx, change, _SLACK, now)
    enqueue(tx, [Enqueue(KIND, home.id, channel=member.slack_id, priority=0)], now)
    return True
