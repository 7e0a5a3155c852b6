"""Writes of contracts one by one: each intent with its audit, in the caller's transaction. Imports have their own way
in (`storage.renewals.contracts.import_contracts`); renewals follow by `storage.renewals.keeping`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlmodel import col, select

from rules.errors import StaleError, UserError
from rules.records import Actor, Change, RenewalOutcome
from rules.renewals.contracts import AddContract, ChangeContract, ContractDraft, ContractIntent
from rules.renewals.renewals import ContractFacts
from storage.audit import record
from storage.db import Tx
from storage.merge import as_json
from storage.renewals.contracts import ContractRow, find_contract, get_contract
from storage.renewals.renewals import RenewalRow
from storage.types import new_id

ADDED, CHANGED, UNDONE = "contract.added", "contract.changed", "contract.undone"
SUPERSEDED = "contract.superseded"
LOGGED_AS = ("contract", "contracts")
"""The words by which the audit names them: imports name the table."""
_COPIED = tuple(name for name in ContractDraft.__dataclass_fields__ if name != "id")
_DAYS = frozenset({"start_on", "end_on", "notice_by", "notice_received_on"})
_TERM = ("start_on", "end_on", "term_months", "notice_by", "notice_received_on", "is_auto_renew")


def to_draft(row: ContractRow) -> ContractDraft:
    """The contract as its form shows it."""
    return ContractDraft(id=row.external_id, **{name: getattr(row, name) for name in _COPIED})


def apply_contracts(
    tx: Tx, intents: Sequence[ContractIntent], actor: Actor, now: datetime, *, verb: str = CHANGED
) -> list[ContractRow]:
    """Carry the intents out, with audit. Returns the contracts added or changed. `verb` UNDONE for a change that takes
    one back.

    Raises `UserError` for an id that is taken, `NotFoundError` for a contract that is gone.
    """
    kept = []
    for intent in intents:
        if isinstance(intent, AddContract):
            kept.append(_add(tx, _to_row(tx, intent.draft), actor, now))
        elif isinstance(intent, ChangeContract):
            kept.append(change_contract(tx, intent.contract_id, intent.changes, actor, now, verb=verb))
        else:
            remove_contract(tx, intent.contract_id, actor, now)
    return kept


def add_contract(tx: Tx, facts: ContractFacts, actor: Actor, now: datetime, *, like: str) -> ContractRow:
    """The next contract after `like`, with its seats; what is known of its payment stays with the old one."""
    old = get_contract(tx, like)
    row = ContractRow(
        workspace_id=tx.workspace_id,
        external_id=facts.id,
        account_id=facts.account_id,
        kind=facts.kind,
        yearly_minor=facts.yearly_minor,
        currency=facts.currency,
        seats=old.seats,
        is_payment_known=old.is_payment_known,
        **{name: getattr(facts.term, name) for name in _TERM},
    )
    return _add(tx, row, actor, now)


def change_contract(
    tx: Tx, contract_id: str, changes: Mapping[str, object], actor: Actor, now: datetime, *, verb: str = CHANGED
) -> ContractRow:
    """Write the columns named. Raises `NotFoundError`."""
    row = get_contract(tx, contract_id)
    before = as_json({name: getattr(row, name) for name in changes})
    for name, value in changes.items():
        setattr(row, name, value)
    tx.session.flush()
    record(tx, Change(verb, "contract", contract_id, row.account_id, before=before, after=as_json(changes)), actor, now)
    return row


def remove_contract(tx: Tx, contract_id: str, actor: Actor, now: datetime, *, verb: str = UNDONE) -> None:
    """Take the contract away; `verb` says why. Raises `StaleError` where it is gone."""
    row = find_contract(tx, contract_id)
    if row is None:
        raise StaleError("This contract no longer exists.")
    before = as_json({name: getattr(row, name) for name in _COPIED})
    tx.session.delete(row)
    tx.session.flush()
    record(tx, Change(verb, "contract", contract_id, row.account_id, before=before), actor, now)


def is_contract_decided(tx: Tx, contract_id: str) -> bool:
    """Whether somebody said how one of its ends ended."""
    undecided = (RenewalOutcome.OPEN, RenewalOutcome.CANCELLED)
    query = select(RenewalRow.id).where(
        RenewalRow.workspace_id == tx.workspace_id,
        RenewalRow.contract_id == contract_id,
        col(RenewalRow.outcome).not_in(undecided),
    )
    return tx.session.exec(query.limit(1)).first() is not None


def read_values(stored: Mapping[str, Any]) -> dict[str, object]:
    """Columns of a contract as the audit holds them."""
    return {name: date.fromisoformat(value) if name in _DAYS and value else value for name, value in stored.items()}


def _add(tx: Tx, row: ContractRow, actor: Actor, now: datetime) -> ContractRow:
    if find_contract(tx, row.external_id) is not None:
        raise UserError("There is a contract “{id}” already.", field="number", id=row.external_id)
    tx.session.add(row)
    tx.session.flush()
    after = as_json({name: getattr(row, name) for name in _COPIED})
    record(tx, Change(ADDED, "contract", row.external_id, row.account_id, after=after), actor, now)
    return row


def _to_row(tx: Tx, draft: ContractDraft) -> ContractRow:
    id_ = draft.id or f"contract-{new_id()[:12]}"
    values = {name: getattr(draft, name) for name in _COPIED}
    return ContractRow(workspace_id=tx.workspace_id, external_id=id_, **values)
