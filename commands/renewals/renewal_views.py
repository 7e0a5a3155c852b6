"""Renewals with the account, the people and the figures their messages name. Owns looking these up, also for an end
that nobody looks after yet; refuses to lay out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from commands.slice import Call
from commands.typed import get_today
from rules.errors import StaleError, UserError
from rules.records import RenewalOutcome
from rules.renewals.keeping import AddRenewal, plan_early
from rules.renewals.outcomes import OpenRenewal
from rules.renewals.renewals import list_questions
from storage.accounts.accounts import AccountRow, get_account
from storage.db import Tx
from storage.people.members import MemberRow, get_members
from storage.renewals.contracts import get_contract, list_contracts, to_facts
from storage.renewals.readiness import Prospect, list_prospects
from storage.renewals.renewals import RenewalRow, find_of_contract, list_of_accounts
from words.reader import Reader


@dataclass(frozen=True)
class RenewalView:
    """An open renewal as it stands today. `row.id` begins with "new:" where it is not looked after yet."""

    row: RenewalRow
    prospect: Prospect
    judge: MemberRow | None = None


def list_views(tx: Tx, account: AccountRow, today: date) -> list[RenewalView]:
    """The undecided ends of the account's contracts, near or far, the first decision first."""
    rows = sorted(_list_open(tx, account, today), key=lambda row: (row.decides_on, row.id))
    prospects = list_prospects(tx, rows, today)
    judges = get_members(tx, [row.verdict_by for row in rows if row.verdict_by])
    return [RenewalView(row, prospects[row.id], judges.get(row.verdict_by or "")) for row in rows]


def list_past(tx: Tx, account: AccountRow) -> list[RenewalRow]:
    """The account's decided renewals, the latest first."""
    rows = list_of_accounts(tx, [account.id]).get(account.id, [])
    return [row for row in rows if row.outcome not in (RenewalOutcome.OPEN, RenewalOutcome.CANCELLED)]


def is_leaving(row: RenewalRow, today: date) -> bool:
    """Whether the customer leaves with this contract, and has not yet."""
    return row.outcome is RenewalOutcome.CHURNED and row.left_on is None and row.ends_on >= today


def get_pressed(call: Call, tx: Tx) -> tuple[RenewalRow, AccountRow]:
    """The renewal that the button or form names by its contract and end; not stored where it is not looked after yet.

    Raises `NotFoundError` or `StaleError` where the contract or the account is gone, or has another end by now.
    """
    ref = call.ref
    contract = get_contract(tx, ref.id if ref and ref.kind == "contract" else "")
    account, ends_on = get_account(tx, contract.account_id), _read_end(call)
    known = find_of_contract(tx, contract.external_id, ends_on)
    if known is not None:
        return known, account
    early = plan_early(to_facts(contract), min(ends_on, get_today(call, tx)))
    if early.ends_on != ends_on:
        raise StaleError("This contract ends on another day by now. See `/cs renewal` with the account's name.")
    return _make_row(tx, early), account


def to_open(tx: Tx, row: RenewalRow, version: int) -> OpenRenewal:
    """The renewal as its decision takes it; `version` is what the person had seen."""
    return OpenRenewal(row.id, version, row.ends_on, row.outcome, to_facts(get_contract(tx, row.contract_id)))


def require_open(call: Call, tx: Tx, row: RenewalRow) -> None:
    """Raise `StaleError`, with who decided it and when, unless the renewal is open."""
    if row.outcome is RenewalOutcome.OPEN:
        return
    decider = get_members(tx, [row.decided_by or ""]).get(row.decided_by or "")
    day = call.reader.date(row.decided_on) if row.decided_on else "—"
    sentence = {
        RenewalOutcome.CANCELLED: "Nothing was saved: since {day} there is nothing left to decide.",
        RenewalOutcome.CHURNED: "Nothing was saved: {who} recorded “churned” on {day}.",
        RenewalOutcome.CONTRACTED: "Nothing was saved: {who} recorded “contracted” on {day}.",
        RenewalOutcome.EXPANDED: "Nothing was saved: {who} recorded “expanded” on {day}.",
        RenewalOutcome.RENEWED: "Nothing was saved: {who} recorded “renewed” on {day}.",
    }[row.outcome]
    raise StaleError(sentence, who=name_person(call.reader, decider), day=day)


def require_seen(call: Call, tx: Tx, row: RenewalRow) -> int:
    """The version the form was opened on. Raises `StaleError`, with who was first, where the renewal changed since."""
    require_open(call, tx, row)
    seen = call.ref.extra.get("version", "") if call.ref else ""
    if seen.isdecimal() and int(seen) == row.version:
        return row.version
    judge = get_members(tx, [row.verdict_by or ""]).get(row.verdict_by or "")
    raise StaleError(
        "Nothing was saved: {who} changed this renewal while your form was open. Open it anew to see how it stands.",
        who=name_person(call.reader, judge),
    )


def name_person(reader: Reader, member: MemberRow | None) -> str:
    """A person in a sentence without markup."""
    return (member.name if member else "") or reader.say("somebody")


def _read_end(call: Call) -> date:
    try:
        return date.fromisoformat(call.ref.extra["end"]) if call.ref else date.min
    except (KeyError, ValueError):
        raise UserError("This button is from an older version. Open the renewal anew: `/cs renewal`.") from None


def _list_open(tx: Tx, account: AccountRow, today: date) -> Sequence[RenewalRow]:
    rows = list_of_accounts(tx, [account.id]).get(account.id, [])
    known = {(row.contract_id, row.ends_on): row for row in rows}
    found = [row for row in rows if row.outcome is RenewalOutcome.OPEN]
    contracts = map(to_facts, list_contracts(tx, [account.id]).get(account.id, []))
    for contract, end in list_questions(contracts, today):
        if (contract.id, end.ends_on) not in known:
            found.append(_make_row(tx, plan_early(contract, today)))
    return found


def _make_row(tx: Tx, early: AddRenewal) -> RenewalRow:
    """A row to show, not to store; opening a form on it sees version 1, which is what it is stored with."""
    return RenewalRow(id=f"new:{early.contract_id}", workspace_id=tx.workspace_id, **vars(early))
