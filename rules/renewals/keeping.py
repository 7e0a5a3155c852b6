"""Which renewals are looked after: one per end of a contract that is near or open. Owns how they follow their
contracts; refuses to decide them (`rules.renewals.outcomes`) and to remind of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from rules.records import RenewalOutcome
from rules.renewals.renewals import ContractFacts, Renewal, find_end, is_coming, is_followed, list_questions
from rules.renewals.superseding import SupersedeContract, list_superseded, make_contract_id

Key = tuple[str, date]
"""A contract's id and one of its ends."""


@dataclass(frozen=True)
class Kept:
    """A renewal as it is stored. Money in minor units a year."""

    id: str
    contract_id: str
    ends_on: date
    decides_on: date
    yearly_minor: int = 0
    currency: str = "EUR"
    outcome: RenewalOutcome = RenewalOutcome.OPEN


@dataclass(frozen=True)
class AddRenewal:
    """Begin to look after an end."""

    account_id: str
    contract_id: str
    ends_on: date
    decides_on: date
    yearly_minor: int
    currency: str


@dataclass(frozen=True)
class MoveRenewal:
    """Follow the contract, whose dates or money changed; opens a renewal that was cancelled."""

    renewal_id: str
    ends_on: date
    decides_on: date
    yearly_minor: int
    currency: str


@dataclass(frozen=True)
class CloseRenewal:
    """Nothing is left to decide: RENEWED for a contract that ran on by itself on `on`, else CANCELLED."""

    renewal_id: str
    outcome: RenewalOutcome
    on: date


KeepIntent = SupersedeContract | AddRenewal | MoveRenewal | CloseRenewal


def decide_keep(
    contracts: Iterable[ContractFacts], kept: Sequence[Kept], today: date, *, is_watched: bool = True
) -> list[KeepIntent]:
    """What brings one account's renewals in step with its contracts; nothing where they are. `is_watched`: the account
    is in use and not lost.
    """
    known = {each.id: each for each in contracts}
    superseded = _list_superseded(known.values(), kept)
    for each in superseded:
        del known[each.made_id]
        kept = [replace(one, contract_id=each.by_id) if one.id in each.renewal_ids else one for one in kept]
    questions = list_questions(known.values(), today) if is_watched else []
    wanted = {(contract.id, end.ends_on): (contract, end) for contract, end in questions}
    followed = {id_ for id_, each in known.items() if is_followed(each, known.values())} if is_watched else set(known)
    living = {id_: each for id_, each in known.items() if id_ not in followed}
    intents = [intent for one in kept for intent in _follow(one, wanted, living, _keys(kept), today)]
    taken = _keys(kept) | {
        (_contract_of(each, kept), each.ends_on) for each in intents if isinstance(each, MoveRenewal)
    }
    return [*superseded, *intents, *_list_new(wanted, taken, today)]


def plan_early(contract: ContractFacts, today: date) -> AddRenewal:
    """To look after the contract's next end before it is time, because somebody decides it early."""
    return _add(contract, find_end(contract.term, today))


def _list_superseded(contracts: Collection[ContractFacts], kept: Sequence[Kept]) -> list[SupersedeContract]:
    """Contracts that go, with those of their renewals that the other one has not got already."""
    origins = {make_contract_id(each.id): each.contract_id for each in kept}
    keys = _keys(kept)
    return [
        SupersedeContract(made_id, by_id, _list_moving(made_id, by_id, kept, keys))
        for made_id, by_id in list_superseded(contracts, origins)
    ]


def _list_moving(made_id: str, by_id: str, kept: Iterable[Kept], taken: set[Key]) -> tuple[str, ...]:
    return tuple(each.id for each in kept if each.contract_id == made_id and (by_id, each.ends_on) not in taken)


def _list_new(
    wanted: Mapping[Key, tuple[ContractFacts, Renewal]], taken: set[Key], today: date
) -> Iterator[AddRenewal]:
    for key, (contract, end) in wanted.items():
        if key not in taken and is_coming(end, today):
            yield _add(contract, end)


def _follow(
    kept: Kept,
    wanted: Mapping[Key, tuple[ContractFacts, Renewal]],
    living: Mapping[str, ContractFacts],
    taken: set[Key],
    today: date,
) -> list[KeepIntent]:
    """What becomes of one renewal that is open, or was cancelled."""
    asked = wanted.get((kept.contract_id, kept.ends_on))
    if kept.outcome is RenewalOutcome.CANCELLED:
        return [_move(kept, *asked)] if asked and is_coming(asked[1], today) else []
    if kept.outcome is not RenewalOutcome.OPEN:
        return []
    if asked is not None:
        moved = _move(kept, *asked)
        return [moved] if moved != _stay(kept) else []
    contract = living.get(kept.contract_id)
    if contract is None:
        return [CloseRenewal(kept.id, RenewalOutcome.CANCELLED, today)]
    return _follow_end(kept, contract, taken, today)


def _follow_end(kept: Kept, contract: ContractFacts, taken: set[Key], today: date) -> list[KeepIntent]:
    """The contract lives, but this end of it is not asked for: it passed, moved, or is open for very long."""
    end, term = find_end(contract.term, today), contract.term
    goes_on = term.runs_on and term.notice_received_on is None
    if end.ends_on == kept.ends_on and not goes_on:
        return []
    if goes_on and kept.ends_on < today:
        return [CloseRenewal(kept.id, RenewalOutcome.RENEWED, kept.ends_on)]
    if is_coming(end, today) and (contract.id, end.ends_on) not in taken:
        return [_move(kept, contract, end)]
    return [CloseRenewal(kept.id, RenewalOutcome.CANCELLED, today)]


def _add(contract: ContractFacts, end: Renewal) -> AddRenewal:
    money = (contract.yearly_minor, contract.currency)
    return AddRenewal(contract.account_id, contract.id, end.ends_on, end.decides_on, *money)


def _move(kept: Kept, contract: ContractFacts, end: Renewal) -> MoveRenewal:
    return MoveRenewal(kept.id, end.ends_on, end.decides_on, contract.yearly_minor, contract.currency)


def _stay(kept: Kept) -> MoveRenewal:
    return MoveRenewal(kept.id, kept.ends_on, kept.decides_on, kept.yearly_minor, kept.currency)


def _keys(kept: Iterable[Kept]) -> set[Key]:
    return {(each.contract_id, each.ends_on) for each in kept}


def _contract_of(intent: MoveRenewal, kept: Iterable[Kept]) -> str:
    return next(each.contract_id for each in kept if each.id == intent.renewal_id)
