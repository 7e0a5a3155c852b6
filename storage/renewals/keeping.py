"""Renewals kept in step with contracts: read, decided, written, for a page of accounts. Owns that way, which the job,
the forms and an outcome all go; refuses the decision (`rules.renewals.keeping`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

from sqlmodel import col, or_, select

from rules.records import AccountState, Actor, Change, Enqueue, RenewalOutcome
from rules.renewals.keeping import AddRenewal, CloseRenewal, KeepIntent, Kept, MoveRenewal, decide_keep, plan_early
from rules.renewals.superseding import SupersedeContract
from storage.accounts.accounts import AccountRow, get_accounts
from storage.audit import record
from storage.db import Tx
from storage.delivery.outbox import enqueue
from storage.renewals.contract_writes import SUPERSEDED, remove_contract
from storage.renewals.contracts import get_contract, list_contracts, to_facts
from storage.renewals.renewals import ROOT, RenewalRow, find_of_contract, get_of_contract, list_of_accounts

_COPIED = ("ends_on", "decides_on", "yearly_minor", "currency")


def plan_renewals(tx: Tx, account_ids: Sequence[str], today: date, *, is_locking: bool = False) -> list[KeepIntent]:
    """What is out of step, in three queries."""
    accounts, contracts = get_accounts(tx, account_ids), list_contracts(tx, account_ids)
    rows = list_of_accounts(tx, account_ids, is_locking=is_locking)
    return [
        intent
        for id_, account in accounts.items()
        for intent in decide_keep(
            [to_facts(each) for each in contracts.get(id_, ())],
            [_to_kept(each) for each in rows.get(id_, ())],
            today,
            is_watched=account.archived_at is None and account.state is not AccountState.LOST,
        )
    ]


def keep_renewals(tx: Tx, account_ids: Sequence[str], today: date, actor: Actor, now: datetime) -> Counter[str]:
    """Bring the renewals of a page of accounts in step with their contracts; how many were added, moved, closed."""
    return apply_keep(tx, plan_renewals(tx, account_ids, today, is_locking=True), actor, now)


def ensure_renewal(tx: Tx, contract_id: str, ends_on: date, today: date, actor: Actor, now: datetime) -> RenewalRow:
    """The renewal of one end of a contract, made now where it is not looked after yet.

    Raises `NotFoundError` for a contract that is gone.
    """
    contract = get_contract(tx, contract_id)
    if find_of_contract(tx, contract_id, ends_on) is None:
        keep_renewals(tx, [contract.account_id], today, actor, now)
    early = plan_early(to_facts(contract), today)
    if find_of_contract(tx, contract_id, ends_on) is None and early.ends_on == ends_on:
        apply_keep(tx, [early], actor, now)
    return get_of_contract(tx, contract_id, ends_on)


def list_gone_ids(tx: Tx, limit: int = 200) -> list[str]:
    """Accounts that are archived or lost, but still have an open renewal."""
    is_gone = or_(col(AccountRow.archived_at).is_not(None), AccountRow.state == AccountState.LOST)
    query = (
        select(AccountRow.id)
        .join(RenewalRow, col(RenewalRow.account_id) == col(AccountRow.id))
        .where(
            AccountRow.workspace_id == tx.workspace_id,
            RenewalRow.workspace_id == tx.workspace_id,
            RenewalRow.outcome == RenewalOutcome.OPEN,
            is_gone,
        )
    )
    return list(tx.session.exec(query.distinct().order_by(col(AccountRow.id)).limit(limit)))


def apply_keep(tx: Tx, intents: Sequence[KeepIntent], actor: Actor, now: datetime) -> Counter[str]:
    """Carry the intents out, with audit; a message that stands is drawn anew."""
    rows = _find_rows(tx, sorted({id_ for each in intents for id_ in _list_touched(each)}))
    for intent in intents:
        if isinstance(intent, SupersedeContract):
            _supersede(tx, [rows[id_] for id_ in intent.renewal_ids], intent, actor, now)
        elif isinstance(intent, AddRenewal):
            _add(tx, intent, actor, now)
        elif isinstance(intent, MoveRenewal):
            _move(tx, rows[intent.renewal_id], intent, actor, now)
        else:
            _close(tx, rows[intent.renewal_id], intent, actor, now)
    tx.session.flush()
    enqueue(tx, [Enqueue(ROOT, id_, is_update=True) for id_, row in rows.items() if row.thread_channel], now)
    return Counter(_NAMES[type(each)] for each in intents)


_NAMES: dict[type, str] = {
    SupersedeContract: "superseded",
    AddRenewal: "added",
    MoveRenewal: "moved",
    CloseRenewal: "closed",
}


def _list_touched(intent: KeepIntent) -> tuple[str, ...]:
    """The renewals that an intent changes."""
    if isinstance(intent, AddRenewal):
        return ()
    return intent.renewal_ids if isinstance(intent, SupersedeContract) else (intent.renewal_id,)


def _supersede(tx: Tx, rows: Sequence[RenewalRow], intent: SupersedeContract, actor: Actor, now: datetime) -> None:
    """Verdicts and threads go on under the other contract; the audit has what the made one said."""
    for row in rows:
        row.contract_id, row.version = intent.by_id, row.version + 1
    remove_contract(tx, intent.made_id, actor, now, verb=SUPERSEDED)


def _add(tx: Tx, intent: AddRenewal, actor: Actor, now: datetime) -> None:
    row = RenewalRow(workspace_id=tx.workspace_id, created_at=now, **vars(intent))
    tx.session.add(row)
    record(tx, Change("renewal.added", "renewal", row.id, row.account_id, after=_describe(row)), actor, now)


def _move(tx: Tx, row: RenewalRow, intent: MoveRenewal, actor: Actor, now: datetime) -> None:
    before = _describe(row)
    for name in _COPIED:
        setattr(row, name, getattr(intent, name))
    row.outcome, row.version = RenewalOutcome.OPEN, row.version + 1
    row.decided_on = None
    change = Change("renewal.moved", "renewal", row.id, row.account_id, before=before, after=_describe(row))
    record(tx, change, actor, now)


def _close(tx: Tx, row: RenewalRow, intent: CloseRenewal, actor: Actor, now: datetime) -> None:
    before = _describe(row)
    row.outcome, row.decided_on, row.version = intent.outcome, intent.on, row.version + 1
    row.new_yearly_minor = row.yearly_minor if intent.outcome is RenewalOutcome.RENEWED else None
    change = Change("renewal.closed", "renewal", row.id, row.account_id, before=before, after=_describe(row))
    record(tx, change, actor, now)


def _find_rows(tx: Tx, ids: Sequence[str]) -> dict[str, RenewalRow]:
    query = select(RenewalRow).where(RenewalRow.workspace_id == tx.workspace_id, col(RenewalRow.id).in_(ids))
    return {row.id: row for row in tx.session.exec(query)} if ids else {}


def _to_kept(row: RenewalRow) -> Kept:
    return Kept(**{name: getattr(row, name) for name in Kept.__dataclass_fields__})


def _describe(row: RenewalRow) -> dict[str, object]:
    return {
        "contract": row.contract_id,
        "ends_on": row.ends_on.isoformat(),
        "decides_on": row.decides_on.isoformat(),
        "yearly_minor": row.yearly_minor,
        "currency": row.currency,
        "outcome": row.outcome.value,
    }
