"""Where an account's renewal is spoken of. Owns asking for many accounts at once, in a fixed number of queries; the
choice is `rules.delivery.channels`'.
"""

from __future__ import annotations

from collections.abc import Iterable

from rules.delivery.channels import choose_channel
from storage.accounts.accounts import AccountRow
from storage.db import Tx
from storage.delivery.channels import list_own_places, read_team_place
from storage.people.members import get_members


def list_places(tx: Tx, accounts: Iterable[AccountRow]) -> dict[str, str]:
    """By account its own channel where nobody else reads it, else the team's, else its owner (a direct message), else
    "".
    """
    rows, team = list(accounts), read_team_place(tx)
    own = list_own_places(tx, rows)
    owners = get_members(tx, [row.owner_id for row in rows if row.owner_id])
    slack_ids = {id_: row.slack_id for id_, row in owners.items() if row.is_active}
    return {row.id: choose_channel(own[row.id], team, [slack_ids.get(row.owner_id or "", "")]) for row in rows}
