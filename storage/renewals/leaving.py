"""Accounts of which somebody recorded that they leave: found when their last day is over, lost with an audit line, and
brought back. Owns these reads and writes; refuses to judge (`rules.renewals.leaving`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

from sqlmodel import col, select

from rules.accounts.accounts import ChangeAccount
from rules.records import AccountState, Actor, Change, RenewalOutcome
from rules.renewals.leaving import Leaving, SettleLeaving, decide_leaving
from storage.accounts.account_writes import apply_accounts
from storage.accounts.accounts import AccountRow, find_account, get_accounts, is_in_use
from storage.audit import find_change, record
from storage.db import Tx
from storage.renewals.contracts import list_contracts, to_facts
from storage.renewals.renewals import RenewalRow

LEFT = "renewal.left"
"""The verb of the audit, by which undo finds what the account was before."""


def page_leaving_ids(tx: Tx, today: date, limit: int = 200) -> list[str]:
    """Accounts in use with a loss whose last day is before `today`, and that nobody drew the conclusion from yet."""
    query = select(RenewalRow.account_id).join(AccountRow, col(AccountRow.id) == col(RenewalRow.account_id))
    query = query.where(
        is_in_use(tx),
        RenewalRow.workspace_id == tx.workspace_id,
        RenewalRow.outcome == RenewalOutcome.CHURNED,
        RenewalRow.ends_on < today,
        col(RenewalRow.left_on).is_(None),
    )
    return list(tx.session.exec(query.distinct().order_by(col(RenewalRow.account_id)).limit(limit)))


def settle_leaving(tx: Tx, account_ids: Sequence[str], today: date, actor: Actor, now: datetime) -> Counter[str]:
    """Lose those of a page of accounts that have left by `today`; how many were lost, and how many another contract
    keeps. A second time changes nothing.
    """
    rows = {row.id: row for row in _lock_leaving(tx, account_ids)}
    contracts = {id_: map(to_facts, found) for id_, found in list_contracts(tx, account_ids).items()}
    facts = {id_: list(found) for id_, found in contracts.items()}
    intents = decide_leaving(map(_to_leaving, rows.values()), facts, today)
    return apply_leaving(tx, [(rows[each.renewal_id], each) for each in intents], actor, now)


def apply_leaving(
    tx: Tx, settled: Sequence[tuple[RenewalRow, SettleLeaving]], actor: Actor, now: datetime
) -> Counter[str]:
    """Carry the intents out, with audit; an account that is lost already is only noted."""
    accounts = get_accounts(tx, sorted({intent.account_id for _row, intent in settled}))
    counts: Counter[str] = Counter()
    for row, intent in settled:
        row.left_on = intent.on
        account = accounts.get(intent.account_id)
        if not intent.is_lost or account is None or account.state is AccountState.LOST:
            counts["kept"] += 1
            continue
        before = account.state.value
        apply_accounts(tx, [ChangeAccount(account.id, {"state": AccountState.LOST})], actor, now)
        change = Change(LEFT, "renewal", row.id, account.id, {"state": before}, {"state": AccountState.LOST.value})
        record(tx, change, actor, now)
        counts["lost"] += 1
    tx.session.flush()
    return counts


def take_back_leaving(tx: Tx, row: RenewalRow, actor: Actor, now: datetime) -> None:
    """The account becomes what it was, where this renewal lost it and nobody changed that since."""
    account, left = find_account(tx, row.account_id), find_change(tx, LEFT, row.id)
    is_lost_by_this = row.left_on is not None and left is not None and (left.after or {}).get("state") == "lost"
    row.left_on = None
    if is_lost_by_this and left is not None and account is not None and account.state is AccountState.LOST:
        state = AccountState((left.before or {})["state"])
        apply_accounts(tx, [ChangeAccount(account.id, {"state": state})], actor, now)


def _lock_leaving(tx: Tx, account_ids: Sequence[str]) -> list[RenewalRow]:
    query = select(RenewalRow).where(
        RenewalRow.workspace_id == tx.workspace_id,
        col(RenewalRow.account_id).in_(account_ids),
        RenewalRow.outcome == RenewalOutcome.CHURNED,
        col(RenewalRow.left_on).is_(None),
    )
    ordered = query.order_by(col(RenewalRow.id)).with_for_update().execution_options(populate_existing=True)
    return sorted(tx.session.exec(ordered), key=lambda row: (row.ends_on, row.id))


def _to_leaving(row: RenewalRow) -> Leaving:
    return Leaving(row.id, row.account_id, row.contract_id, row.ends_on)
