"""Where an account's renewal is spoken of. Owns that choice, for many accounts in two queries."""

from __future__ import annotations

from collections.abc import Iterable

from storage.accounts.accounts import AccountRow
from storage.db import Tx
from storage.people.members import get_members
from storage.people.workspaces import get_workspace


def list_places(tx: Tx, accounts: Iterable[AccountRow]) -> dict[str, str]:
    """By account its own channel, else the team's, else its owner (a direct message), else ""."""
    rows, team = list(accounts), get_workspace(tx).team_channel_id
    owners = get_members(tx, [row.owner_id for row in rows if row.owner_id])
    slack_ids = {id_: row.slack_id for id_, row in owners.items() if row.is_active}
    return {row.id: row.channel_id or team or slack_ids.get(row.owner_id or "", "") for row in rows}
