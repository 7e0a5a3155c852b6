"""Contracts kept by hand: what is valid, and the intents that add, change or remove one. Refuses storage and words;
imports have their own way in (`pipeline.imports.contracts`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from dateutil.relativedelta import relativedelta

from rules.accounts.accounts import SEATS_LIMIT
from rules.errors import UserError

ID_LENGTH = 60
TERMS = range(1, 121)
"""Months a contract may run at a time."""
YEARS = range(1990, 2100)
LARGEST_MINOR = 10**15
"""More than any contract, and less than a database's integer holds."""


@dataclass(frozen=True)
class ContractDraft:
    """A contract as somebody describes it. `id` is that of the other system, "" for one made here. `end_on` None: it
    runs on by `term_months`. Money in minor units a year.
    """

    account_id: str
    start_on: date
    end_on: date | None = None
    term_months: int = 12
    notice_by: date | None = None
    notice_received_on: date | None = None
    yearly_minor: int = 0
    currency: str = "EUR"
    seats: int | None = None
    is_auto_renew: bool = False
    id: str = ""


@dataclass(frozen=True)
class AddContract:
    """Store this contract."""

    draft: ContractDraft


@dataclass(frozen=True)
class ChangeContract:
    """Write the columns that differ, by name."""

    contract_id: str
    changes: Mapping[str, object]


@dataclass(frozen=True)
class RemoveContract:
    """Take back a contract that was just added."""

    contract_id: str


ContractIntent = AddContract | ChangeContract | RemoveContract


def decide_add_contract(draft: ContractDraft, today: date) -> list[ContractIntent]:
    """The intent that adds it. Raises `UserError` with the field at fault."""
    _check(draft, today)
    return [AddContract(draft)]


def decide_change_contract(present: ContractDraft, wanted: ContractDraft, today: date) -> list[ContractIntent]:
    """The intent that turns it into `wanted`; none where nothing differs. Raises `UserError`."""
    _check(wanted, today)
    before = vars(present)
    changes = {name: value for name, value in vars(wanted).items() if value != before[name] and name not in _FIXED}
    return [ChangeContract(present.id, changes)] if changes else []


_FIXED = frozenset({"id", "account_id"})


def fingerprint(draft: ContractDraft) -> str:
    """What a form had seen, short: it differs where anything was changed since."""
    return sha256(repr(draft).encode()).hexdigest()[:16]


def _check(draft: ContractDraft, today: date) -> None:
    if len(draft.id) > ID_LENGTH:
        raise UserError("That is too long. Type {limit} characters at most.", field="number", limit=ID_LENGTH)
    if not 0 <= draft.yearly_minor <= LARGEST_MINOR:
        raise UserError("Type what they pay in a year, like €84k.", field="amount")
    if draft.seats is not None and not 0 < draft.seats <= SEATS_LIMIT:
        raise UserError("Seats are a whole number from 1 to {limit}.", field="seats", limit=SEATS_LIMIT)
    if draft.term_months not in TERMS:
        raise UserError("A term is {first} to {last} months.", field="term", first=TERMS[0], last=TERMS[-1])
    _check_dates(draft, today)


def _check_dates(draft: ContractDraft, today: date) -> None:
    end, notice, received = draft.end_on, draft.notice_by, draft.notice_received_on
    for field, day in (("start_on", draft.start_on), ("end_on", end), ("notice_by", notice)):
        if day is not None and day.year not in YEARS:
            raise UserError("That year is too far away.", field=field)
    if end is not None and end < draft.start_on:
        raise UserError("It cannot end before it starts.", field="end_on")
    if notice is not None and (end is None or not draft.start_on - relativedelta(years=1) <= notice <= end):
        raise UserError("The notice deadline lies between the start and a fixed end.", field="notice_by")
    if received is not None and not draft.start_on <= received <= today:
        raise UserError("A notice was received after the start, and not in the future.", field="notice_received_on")
