"""Writes of check-ins and of the offers of them: each intent with its audit and its messages, in the caller's
transaction. Owns that a check-in and all that was said in it are stored, and taken back, together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import update
from sqlmodel import col

from rules.delivery.channels import choose_channel
from rules.errors import StaleError
from rules.records import Actor, Change, Enqueue, OfferState
from rules.success.checkins import (
    AddCheckin,
    CheckinIntent,
    Offer,
    RemoveCheckin,
    ReopenOffer,
    SettleOffer,
    TellMember,
)
from rules.success.plans import AddMeasurement, RemoveMeasurement
from rules.success.risks import AddRisk, ChangeRisk
from rules.success.tasks import AddTask, ChangeTask
from storage.accounts.accounts import AccountRow, get_account
from storage.audit import record
from storage.db import Tx
from storage.delivery.channels import list_own_places, read_team_place
from storage.delivery.outbox import enqueue
from storage.lookup import is_among
from storage.success.changes import Hand, lock_row, record_added, set_values
from storage.success.checkins import (
    CheckinOfferRow,
    CheckinRow,
    find_open_offer,
    get_checkin,
    list_settled_by,
    to_batch,
)
from storage.success.risk_writes import apply_risks
from storage.success.risks import list_risks_of_checkin
from storage.success.target_writes import apply_targets, is_any_needed
from storage.success.targets import list_measurements_of
from storage.success.task_writes import apply_tasks
from storage.success.tasks import list_tasks_of

OFFERS, SUMMARY = "checkin_offers", "checkin"
"""Kinds of outbox rows, by the reference: a batch's id, a check-in's id."""
SOURCE = "checkin"
"""Where values and next steps say they came from."""
_OPEN_AGAIN: dict[str, object] = {
    "state": OfferState.OFFERED,
    "settled_on": None,
    "settled_by": None,
    "reason": "",
    "resumes_on": None,
    "checkin_id": None,
}


def to_offer(row: CheckinOfferRow) -> Offer:
    """The record decisions are made on."""
    names = Offer.__dataclass_fields__
    return Offer(**{name: getattr(row, name) for name in names})


def apply_checkins(tx: Tx, intents: Iterable[CheckinIntent], actor: Actor, now: datetime) -> list[CheckinRow]:
    """Carry the intents out; returns the check-ins added or taken back.

    Raises `StaleError` where an offer was settled meanwhile; then nothing may be committed.
    """
    hand = Hand(actor, now)
    rows: list[CheckinRow] = []
    for intent in intents:
        match intent:
            case AddCheckin():
                rows.append(_add(tx, intent, hand))
            case RemoveCheckin():
                rows.append(_remove(tx, intent, hand))
            case TellMember():
                _tell(tx, intent, hand)
            case SettleOffer():
                _settle(tx, intent, hand)
            case ReopenOffer():
                _reopen(tx, intent, hand)
    return rows


def find_summary_channel(tx: Tx, account: AccountRow) -> str:
    """Where check-ins with the account are told: in its own channel, or in the team's if somebody else may read that
    one; nowhere ("") where it has none.
    """
    if not account.channel_id:
        return ""
    return choose_channel(list_own_places(tx, [account])[account.id], read_team_place(tx))


def is_checkin_needed(tx: Tx, row: CheckinRow) -> bool:
    """Whether something rests on it by now: a target on one of its values, or its risk or step was changed."""
    versions = [each.version for each in list_risks_of_checkin(tx, row.id)]
    versions += [each.version for each in list_tasks_of(tx, SOURCE, row.id)]
    values = list_measurements_of(tx, row.measurement_ids)
    return max(versions, default=1) > 1 or is_any_needed(tx, values)


# ---------------------------------------------------------------- offers


def _tell(tx: Tx, intent: TellMember, hand: Hand) -> None:
    """Store the offers and the reminder, and one message of both."""
    batch = to_batch(intent.member_id, intent.day)
    for account_id, due_on in intent.offered:
        row = CheckinOfferRow(
            workspace_id=tx.workspace_id,
            account_id=account_id,
            member_id=intent.member_id,
            due_on=due_on,
            batch_id=batch,
            offered_on=intent.day,
            created_at=hand.at,
        )
        record_added(tx, row, "offer", ("member_id", "due_on"), hand)
    tx.session.execute(
        update(CheckinOfferRow)
        .where(
            col(CheckinOfferRow.workspace_id) == tx.workspace_id, is_among(tx, col(CheckinOfferRow.id), intent.reminded)
        )
        .values(reminded_on=intent.day, reminder_id=batch)
    )
    enqueue(tx, [Enqueue(OFFERS, batch, channel=intent.channel)], hand.at)


def _settle(tx: Tx, intent: SettleOffer, hand: Hand) -> None:
    row = lock_row(tx, CheckinOfferRow, intent.offer_id, intent.version)
    if row.state is not OfferState.OFFERED:
        raise StaleError("Somebody settled this check-in already. See `/cs checkins` for those that are due.")
    names = ("state", "settled_on", "settled_by", "reason", "resumes_on", "checkin_id")
    set_values(tx, row, f"offer.{intent.state.value}", {name: getattr(intent, name) for name in names}, hand)
    _refresh(tx, row, hand)


def _reopen(tx: Tx, intent: ReopenOffer, hand: Hand) -> None:
    """Where another offer is open by now, that one stands instead."""
    row = lock_row(tx, CheckinOfferRow, intent.offer_id, intent.version)
    if find_open_offer(tx, row.account_id) is None:
        set_values(tx, row, "offer.undone", _OPEN_AGAIN, hand)
        _refresh(tx, row, hand)


def _refresh(tx: Tx, row: CheckinOfferRow, hand: Hand) -> None:
    batches = [batch for batch in (row.batch_id, row.reminder_id) if batch]
    enqueue(tx, [Enqueue(OFFERS, batch, is_update=True, priority=0) for batch in batches], hand.at)


# ---------------------------------------------------------------- check-ins


def _add(tx: Tx, intent: AddCheckin, hand: Hand) -> CheckinRow:
    row = CheckinRow(workspace_id=tx.workspace_id, created_at=hand.at, **vars(intent.draft))
    tx.session.add(row)
    tx.session.flush()
    values = [AddMeasurement(replace(draft, source=SOURCE)) for draft in intent.values]
    row.measurement_ids = [each.id for each in apply_targets(tx, values, hand.actor, hand.at)]
    if intent.risk is not None:
        apply_risks(tx, [AddRisk(replace(intent.risk, checkin_id=row.id), intent.today)], hand.actor, hand.at)
    if intent.step is not None:
        apply_tasks(tx, [AddTask(replace(intent.step, source_kind=SOURCE, source_id=row.id))], hand.actor, hand.at)
    if intent.offer is not None:
        offer, by = intent.offer, intent.draft.author_id
        _settle(tx, SettleOffer(offer.id, offer.version, OfferState.DONE, intent.today, by, checkin_id=row.id), hand)
    tx.session.flush()
    record(tx, Change("checkin.added", "checkin", row.id, row.account_id, after=_describe(row)), hand.actor, hand.at)
    channel = find_summary_channel(tx, get_account(tx, row.account_id))
    enqueue(tx, [Enqueue(SUMMARY, row.id, channel=channel)] if channel else [], hand.at)
    return row


def _remove(tx: Tx, intent: RemoveCheckin, hand: Hand) -> CheckinRow:
    row = get_checkin(tx, intent.checkin_id)
    row.removed_at = hand.at
    tx.session.flush()
    apply_targets(tx, [RemoveMeasurement(each) for each in row.measurement_ids], hand.actor, hand.at)
    gone = {"removed_at": hand.at}
    risks = [ChangeRisk(each.id, each.version, "undone", gone) for each in list_risks_of_checkin(tx, row.id)]
    steps = [ChangeTask(each.id, each.version, "undone", gone) for each in list_tasks_of(tx, SOURCE, row.id)]
    apply_risks(tx, risks, hand.actor, hand.at)
    apply_tasks(tx, steps, hand.actor, hand.at)
    for offer in list_settled_by(tx, row.id):
        _reopen(tx, ReopenOffer(offer.id, offer.version), hand)
    record(tx, Change("checkin.undone", "checkin", row.id, row.account_id, before=_describe(row)), hand.actor, hand.at)
    enqueue(tx, [Enqueue(SUMMARY, row.id, is_update=True, priority=0)], hand.at)
    return row


def _describe(row: CheckinRow) -> dict[str, object]:
    return {
        "happened_on": row.happened_on.isoformat(),
        "pulse": row.pulse,
        "changed": row.changed,
        "contact_id": row.contact_id,
        "measurement_ids": list(row.measurement_ids),
    }
