"""How many journeys there are. Owns counting; their tables and facts are `storage.success.journeys`'s."""

from __future__ import annotations

from sqlmodel import select

from storage.db import Tx
from storage.success.journeys import JourneyRow


def has_journey(tx: Tx) -> bool:
    """Whether any journey was ever started."""
    return (
        tx.session.exec(select(JourneyRow.id).where(JourneyRow.workspace_id == tx.workspace_id).limit(1)).first()
        is not None
    )
