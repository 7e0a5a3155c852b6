"""Customers who said that they leave: until their contract ends they are customers like any other. Owns on which day
one is lost, and which other contract keeps it; refuses to say how a renewal ended (`rules.renewals.outcomes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from rules.renewals.renewals import ContractFacts, Term, find_end


@dataclass(frozen=True)
class Leaving:
    """A renewal that ended with a loss; `ends_on` is the contract's last day."""

    renewal_id: str
    account_id: str
    contract_id: str
    ends_on: date


@dataclass(frozen=True)
class SettleLeaving:
    """The last day is over: the account is lost, or (`is_lost` False) stays for the sake of another contract."""

    renewal_id: str
    account_id: str
    is_lost: bool
    on: date


def decide_leaving(
    leaving: Iterable[Leaving], contracts: Mapping[str, Iterable[ContractFacts]], today: date
) -> list[SettleLeaving]:
    """What becomes of those whose last day is before `today`; `contracts` are all that their accounts have."""
    return [
        SettleLeaving(each.renewal_id, each.account_id, not _is_kept(each, contracts), today)
        for each in leaving
        if each.ends_on < today
    ]


def runs_after(term: Term, day: date) -> bool:
    """Whether a contract goes on after that day; one that was given notice of ends with its period."""
    is_going_on = term.runs_on and term.notice_received_on is None
    return is_going_on or find_end(term, day).ends_on > day


def _is_kept(leaving: Leaving, contracts: Mapping[str, Iterable[ContractFacts]]) -> bool:
    others = (each for each in contracts.get(leaving.account_id, ()) if each.id != leaving.contract_id)
    return any(runs_after(each.term, leaving.ends_on) for each in others)
