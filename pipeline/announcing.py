"""The last step of a scan: every open alert that nobody was told of is announced, channel by channel. Owns the
choice of the channel; refuses to post (the outbox does) and to word (`commands.alerts.alerts`).

A step of its own, over all alerts and not those of one run, so that a scan killed on the way loses no announcement.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rules.alerts.announcements import Waiting, decide_announcements, find_season
from storage.alerts.announcements import Unannounced, apply_announcement, list_unannounced
from storage.db import Database
from storage.people.workspaces import WorkspaceRow, get_workspace


def announce(database: Database, workspace_id: str, now: datetime) -> Mapping[str, int]:
    """Announce what waits; returns how many alerts went out in how many messages, and how many have nowhere to go."""
    with database.reading(workspace_id) as tx:
        workspace, found = get_workspace(tx), list_unannounced(tx)
    waiting = [_to_waiting(each, workspace) for each in found]
    told = messages = 0
    for announcement in decide_announcements(each for each in waiting if each.channel):
        with database.writing(workspace_id) as tx:
            count = apply_announcement(tx, announcement, now)
        told += count
        messages += min(count, 1) if announcement.is_summary else count
    return {"announced": told, "messages": messages, "without_channel": sum(not each.channel for each in waiting)}


def _to_waiting(each: Unannounced, workspace: WorkspaceRow) -> Waiting:
    return Waiting(each.episode_id, _choose_channel(each, workspace), each.severity, each.level, each.batch)


def _choose_channel(each: Unannounced, workspace: WorkspaceRow) -> str:
    """The account's own channel, else the team's, else a direct message to the owner, else to who installed Milepost.
    A season is the whole team's: it is not spread over the accounts' channels.
    """
    own = "" if find_season(each.batch) else each.account_channel
    return own or workspace.team_channel_id or each.owner_slack_id or workspace.installer_id
