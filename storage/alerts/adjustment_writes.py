"""Writes of rules' changes and proposals, with audit and outbox. Owns the one way to change a rule; refuses to decide
whether one should be asked for (`rules.alerts.ledger`) and who may (`commands`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from rules.alerts.ledger import Propose
from rules.alerts.mutes import Scope, decide_mute, decide_unmute
from rules.alerts.tuning import MOST_RAISES, MUTE_TIME, Remedy
from rules.errors import StaleError, UserError
from rules.records import Actor, AlertKind, Change, Enqueue
from storage.alerts.adjustments import (
    PROPOSAL,
    ProposalState,
    RuleAdjustmentRow,
    RuleProposalRow,
    get_adjustment,
    get_proposal,
    list_adjustments,
)
from storage.alerts.mutes import MuteRow, apply_mute, list_active
from storage.audit import record
from storage.db import Tx
from storage.delivery.outbox import enqueue

_PRIORITY = 6


def apply_proposals(
    tx: Tx, proposals: Iterable[Propose], channel: str, actor: Actor, now: datetime
) -> list[RuleProposalRow]:
    """Keep the proposals and ask them in `channel`, a person's Slack id."""
    rows = [
        RuleProposalRow(
            workspace_id=tx.workspace_id,
            kind=each.kind,
            closed=each.closed,
            too_sensitive=each.too_sensitive,
            made_at=now,
        )
        for each in proposals
    ]
    tx.session.add_all(rows)
    tx.session.flush()
    for row in rows:
        facts: dict[str, object] = {"kind": row.kind.value, "closed": row.closed, "too_sensitive": row.too_sensitive}
        record(tx, Change("rule.proposed", "rule", row.kind.value, after=facts), actor, now)
    enqueue(tx, [Enqueue(PROPOSAL, row.id, channel, priority=_PRIORITY) for row in rows], now)
    return rows


def accept(
    tx: Tx, row: RuleProposalRow, remedy: Remedy, step: float, actor: Actor, *, today: date, now: datetime
) -> RuleAdjustmentRow:
    """Do what was proposed, in the way `remedy`; `step` is what a raise adds. Raises `StaleError` where it was decided
    before, `UserError` where the threshold was raised as often as it may be.
    """
    row = _lock(tx, row)
    amount = step if remedy is Remedy.RAISE else 0.0
    _check_room(tx, row.kind, remedy, amount, today)
    mute = _mute(tx, row.kind, actor, now) if remedy is Remedy.MUTE else None
    adjustment = RuleAdjustmentRow(
        workspace_id=tx.workspace_id,
        kind=row.kind,
        remedy=remedy,
        amount=amount,
        since=today,
        until=today + MUTE_TIME if mute else None,
        mute_id=mute.id if mute else None,
        decided_by=actor.id,
        decided_at=now,
    )
    tx.session.add(adjustment)
    tx.session.flush()
    _decide(tx, row, ProposalState.ACCEPTED, actor, now, adjustment.id)
    facts: dict[str, object] = {"remedy": remedy.value, "amount": amount, "since": today.isoformat()}
    record(tx, Change("rule.adjusted", "rule", row.kind.value, after=facts), actor, now)
    return adjustment


def refuse(tx: Tx, row: RuleProposalRow, actor: Actor, now: datetime) -> None:
    """Leave the rule as it is. Raises `StaleError` where it was decided before."""
    row = _lock(tx, row)
    _decide(tx, row, ProposalState.REFUSED, actor, now)
    record(tx, Change("rule.left", "rule", row.kind.value), actor, now)


def take_back(tx: Tx, row: RuleAdjustmentRow, actor: Actor, now: datetime) -> None:
    """The rule as it was before the change, from the next look on. Raises `StaleError` where that was done before."""
    row = get_adjustment(tx, row.id, is_locking=True)
    if row.ended_at is not None:
        raise StaleError("This change was taken back already. See `/cs alerts rules`.")
    row.ended_at, row.ended_by = now, actor.id
    tx.session.add(row)
    mute = next((each for each in list_active(tx, now) if each.id == row.mute_id), None)
    if mute is not None:
        apply_mute(tx, decide_unmute(mute), actor, now)
    facts: dict[str, object] = {"remedy": row.remedy.value, "amount": row.amount, "since": row.since.isoformat()}
    record(tx, Change("rule.restored", "rule", row.kind.value, before=facts), actor, now)


def _lock(tx: Tx, row: RuleProposalRow) -> RuleProposalRow:
    """The proposal as it stands, held until the transaction ends."""
    row = get_proposal(tx, row.id, is_locking=True)
    if row.state is not ProposalState.OPEN:
        raise StaleError("This was decided already. See `/cs alerts rules` for how the rule stands.")
    return row


def _mute(tx: Tx, kind: AlertKind, actor: Actor, now: datetime) -> MuteRow:
    return apply_mute(tx, decide_mute(Scope(kind=kind), now + MUTE_TIME, "", list_active(tx, now), now), actor, now)


def _check_room(tx: Tx, kind: AlertKind, remedy: Remedy, amount: float, today: date) -> None:
    if remedy is not Remedy.RAISE:
        return
    if amount <= 0:
        raise UserError("This rule has no threshold to raise. Mute it, or leave it to digests.")
    raises = [each for each in list_adjustments(tx, today) if each.kind is kind and each.remedy is Remedy.RAISE]
    if len(raises) >= MOST_RAISES:
        sentence = "The threshold of this rule was raised {count} times already. Leave it to digests instead."
        raise UserError(sentence, count=MOST_RAISES)


def _decide(
    tx: Tx, row: RuleProposalRow, state: ProposalState, actor: Actor, now: datetime, adjustment_id: str | None = None
) -> None:
    row.state, row.decided_by, row.decided_at, row.adjustment_id = state, actor.id, now, adjustment_id
    tx.session.add(row)
    tx.session.flush()
    enqueue(tx, [Enqueue(PROPOSAL, row.id, is_update=True, priority=0)], now)
