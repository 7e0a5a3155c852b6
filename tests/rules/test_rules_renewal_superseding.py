"""Which imported contract is the one that an outcome made here."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from rules.records import RenewalOutcome
from rules.renewals.keeping import Kept, decide_keep
from rules.renewals.renewals import ContractFacts, Term
from rules.renewals.superseding import SupersedeContract, list_superseded, make_contract_id

TODAY = date(2026, 6, 20)
OLD = ContractFacts("K1", "A1", Term(date(2025, 6, 1), date(2026, 5, 31)), 84_000_00)
MADE = ContractFacts(make_contract_id("r1"), "A1", Term(date(2026, 6, 1), date(2027, 5, 31)), 96_000_00)
IMPORTED = replace(MADE, id="K2", term=replace(MADE.term, start_on=date(2026, 6, 15)))
DONE = Kept("r1", "K1", date(2026, 5, 31), date(2026, 5, 31), outcome=RenewalOutcome.EXPANDED)
ORIGINS = {MADE.id: "K1"}


def find(*contracts: ContractFacts) -> list[tuple[str, str]]:
    return list(list_superseded(contracts, ORIGINS))


def test_a_contract_that_takes_over_from_the_same_one_is_the_made_one():
    assert find(OLD, MADE, IMPORTED) == [(MADE.id, "K2")]
    assert find(OLD, MADE) == []


def test_another_product_or_a_contract_that_ran_beside_the_old_one_is_not():
    beside = replace(IMPORTED, id="K3", term=Term(date(2026, 4, 20), date(2027, 4, 19)))
    assert find(OLD, MADE, replace(IMPORTED, kind="add-on"), beside) == []


def test_an_old_contract_that_comes_with_a_later_end_is_the_made_one():
    longer = replace(OLD, term=replace(OLD.term, end_on=date(2027, 5, 31)))
    assert find(longer, MADE) == [(MADE.id, "K1")]
    assert find(replace(OLD, term=replace(OLD.term, is_auto_renew=True)), MADE) == []


def test_of_two_made_contracts_each_finds_its_own():
    second = replace(MADE, id=make_contract_id("r2"), yearly_minor=10_000_00)
    small = replace(IMPORTED, id="K3", yearly_minor=10_000_00)
    origins = {**ORIGINS, second.id: "K9"}
    other = replace(OLD, id="K9")
    assert sorted(list_superseded([OLD, other, MADE, second, small], origins)) == [(second.id, "K3")]
    assert sorted(list_superseded([OLD, other, MADE, second, small, IMPORTED], origins)) == [
        (MADE.id, "K2"),
        (second.id, "K3"),
    ]


def test_a_renewal_of_the_made_contract_goes_on_under_the_other_unless_that_has_one():
    open_one = Kept("r2", MADE.id, date(2027, 5, 31), date(2027, 5, 31), 96_000_00)
    found = decide_keep([OLD, MADE, IMPORTED], [DONE, open_one], TODAY)
    assert found[0] == SupersedeContract(MADE.id, "K2", ("r2",))
    its_own = replace(open_one, id="r3", contract_id="K2")
    assert decide_keep([OLD, MADE, IMPORTED], [DONE, open_one, its_own], TODAY)[0] == SupersedeContract(MADE.id, "K2")
