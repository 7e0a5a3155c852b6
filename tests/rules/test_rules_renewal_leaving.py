"""When a customer who said that they leave is lost, and which other contract keeps them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from rules.renewals.leaving import Leaving, SettleLeaving, decide_leaving
from rules.renewals.renewals import ContractFacts, Term

END = date(2026, 3, 31)
AFTER = END + timedelta(days=1)
ENDED = ContractFacts("K1", "A1", Term(date(2025, 4, 1), END))
OTHER = replace(ENDED, id="K2")
LEAVING = Leaving("r1", "A1", "K1", END)


def test_the_last_day_is_still_a_customers():
    assert decide_leaving([LEAVING], {"A1": [ENDED]}, END) == []
    assert decide_leaving([LEAVING], {"A1": [ENDED]}, AFTER) == [SettleLeaving("r1", "A1", is_lost=True, on=AFTER)]


@pytest.mark.parametrize(
    ("term", "is_lost"),
    [
        (Term(date(2025, 4, 1), END), True),
        (Term(date(2025, 4, 1), AFTER), False),
        (Term(AFTER, date(2027, 3, 31)), False),
        (Term(date(2025, 4, 1)), False),
        (Term(date(2025, 4, 1), END, is_auto_renew=True), False),
        (Term(date(2025, 9, 1), term_months=1, notice_received_on=date(2026, 2, 1)), True),
    ],
)
def test_another_contract_that_goes_on_keeps_the_customer(term: Term, is_lost: bool):
    contracts = {"A1": [ENDED, replace(OTHER, term=term)]}
    assert decide_leaving([LEAVING], contracts, AFTER) == [SettleLeaving("r1", "A1", is_lost=is_lost, on=AFTER)]


def test_a_contract_of_another_account_keeps_nobody():
    contracts = {"A1": [ENDED], "A2": [replace(OTHER, account_id="A2", term=Term(AFTER))]}
    [settled] = decide_leaving([LEAVING], contracts, AFTER)
    assert settled.is_lost
