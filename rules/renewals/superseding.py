"""Contracts that an outcome made here, and the same ones as they come in from the system they are kept in. Owns
recognising the two as one, so that nothing is counted twice; refuses to remove and to read files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from rules.renewals.renewals import ContractFacts, follows

_MADE = "renewal-"


@dataclass(frozen=True)
class SupersedeContract:
    """The contract `made_id` is known as `by_id` elsewhere: it goes, and these renewals of it are the other's."""

    made_id: str
    by_id: str
    renewal_ids: tuple[str, ...] = ()


def make_contract_id(renewal_id: str) -> str:
    """The id of the contract that the outcome of a renewal makes."""
    return f"{_MADE}{renewal_id}"


def is_made(contract_id: str) -> bool:
    """Whether the outcome of a renewal made the contract, so that its id is no name anybody knows."""
    return contract_id.startswith(_MADE)


def list_superseded(contracts: Iterable[ContractFacts], origins: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(made, its other self) among one account's contracts. `origins`: by id of a made contract the one it was made to
    follow.

    It is a contract of another number that takes over from the same one, or that one itself where its end was moved
    past the beginning of the next. Each is the other self of one contract only, the nearest in time and money.
    """
    known = {each.id: each for each in contracts}
    made = {id_: each for id_, each in known.items() if origins.get(id_) in known}
    pairs = [
        (_distance(each, other), each.id, other.id)
        for each in made.values()
        for other in known.values()
        if other.id not in made and _is_same(each, other, known[origins[each.id]])
    ]
    taken: set[str] = set()
    for _near, made_id, other_id in sorted(pairs):
        if not taken & {made_id, other_id}:
            taken |= {made_id, other_id}
            yield made_id, other_id


def _is_same(made: ContractFacts, other: ContractFacts, origin: ContractFacts) -> bool:
    if other.id == origin.id:
        return origin.term.end_on is not None and origin.term.end_on > made.term.start_on
    return follows(other, origin)


def _distance(made: ContractFacts, other: ContractFacts) -> tuple[int, int]:
    return abs((other.term.start_on - made.term.start_on).days), abs(other.yearly_minor - made.yearly_minor)
