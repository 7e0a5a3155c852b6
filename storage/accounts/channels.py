"""Channels of accounts' own. Owns counting them; which one an alert goes to is decided where it is announced."""

from __future__ import annotations

from sqlmodel import func, select

from storage.accounts.accounts import AccountRow, is_in_use
from storage.db import Tx


def count_own_channels(tx: Tx) -> int:
    """How many accounts in use have a channel of their own."""
    query = select(func.count()).select_from(AccountRow).where(is_in_use(tx), AccountRow.channel_id != "")
    return tx.session.exec(query).one()
