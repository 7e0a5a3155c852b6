"""Writes of risks: each intent with its audit, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rules.records import Actor
from rules.success.risks import AddRisk, RiskIntent
from storage.db import Tx
from storage.success.changes import Hand, lock_row, record_added, set_values
from storage.success.risks import RiskRow

_NAMES = ("text", "plan", "owner_id", "checkin_id")


def apply_risks(tx: Tx, intents: Sequence[RiskIntent], actor: Actor, now: datetime) -> list[RiskRow]:
    """Carry the intents out; returns the rows as they are now. Raises `StaleError` where one was changed meanwhile."""
    return [_apply(tx, intent, Hand(actor, now)) for intent in intents]


def _apply(tx: Tx, intent: RiskIntent, hand: Hand) -> RiskRow:
    if isinstance(intent, AddRisk):
        drafted = vars(intent.draft)
        row = RiskRow(workspace_id=tx.workspace_id, opened_on=intent.opened_on, created_at=hand.at, **drafted)
        record_added(tx, row, "risk", _NAMES, hand)
        return row
    row = lock_row(tx, RiskRow, intent.risk_id, intent.version)
    set_values(tx, row, f"risk.{intent.verb}", intent.values, hand)
    return row
