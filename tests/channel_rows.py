"""Channels that were looked at, as tests need them."""

from __future__ import annotations

from rules.delivery.channels import Sharing
from storage.db import Database, Tx
from storage.delivery.channels import Look, save_looks
from tests.conftest import NOW


def know_channels(tx: Tx, *slack_ids: str, sharing: Sharing = Sharing.INTERNAL, error: str = "") -> None:
    """What Slack said of the channels."""
    save_looks(tx, [Look(each, sharing, name=each.lower(), error=error) for each in slack_ids], NOW)


def look_at(
    database: Database, workspace_id: str, *slack_ids: str, sharing: Sharing = Sharing.INTERNAL, error: str = ""
) -> None:
    """The same in a transaction of its own."""
    with database.writing(workspace_id) as tx:
        know_channels(tx, *slack_ids, sharing=sharing, error=error)
