"""Renewals: when a contract ends and when that is decided."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.renewals.renewals import ContractFacts, Renewal, Term, find_renewal, list_agreed, next_renewal

TODAY = date(2026, 3, 10)


def test_the_decision_is_notice_received_else_the_deadline_else_the_end():
    term = Term(date(2025, 6, 1), date(2026, 5, 31))
    assert find_renewal(term, TODAY) == Renewal(date(2026, 5, 31), date(2026, 5, 31))
    term = Term(date(2025, 6, 1), date(2026, 5, 31), notice_by=date(2026, 4, 30))
    assert find_renewal(term, TODAY) == Renewal(date(2026, 5, 31), date(2026, 4, 30))
    term = Term(date(2025, 6, 1), date(2026, 5, 31), 12, date(2026, 4, 30), date(2026, 2, 1))
    assert find_renewal(term, TODAY) == Renewal(date(2026, 5, 31), date(2026, 2, 1), is_notice_received=True)


def test_contracts_that_have_ended_or_not_begun_do_not_renew():
    assert find_renewal(Term(date(2025, 1, 1), TODAY - timedelta(days=1)), TODAY) is None
    assert find_renewal(Term(TODAY + timedelta(days=1), date(2027, 1, 1)), TODAY) is None
    assert next_renewal([], TODAY) is None


def test_the_open_decision_comes_before_the_one_already_taken():
    decided = Term(date(2025, 4, 1), date(2026, 3, 31), notice_received_on=date(2026, 1, 1))
    open_one = Term(date(2025, 9, 1), date(2026, 8, 31))
    found = next_renewal([ContractFacts("K1", "A1", decided), ContractFacts("K2", "A1", open_one)], TODAY)
    assert found is not None
    assert found.ends_on == date(2026, 8, 31)


def test_a_contract_signed_to_take_over_answers_the_end_of_the_running_one():
    running = ContractFacts("K1", "A1", Term(date(2025, 4, 1), date(2026, 3, 31)), 84_000_00)
    following = ContractFacts("K2", "A1", Term(date(2026, 4, 1), date(2027, 3, 31)), 96_000_00)
    other = ContractFacts("K3", "A1", Term(date(2025, 9, 1), date(2026, 8, 31)), 10_000_00, kind="add-on")
    assert list_agreed([following, running], TODAY) == [following]
    assert next_renewal([following, running], TODAY) == Renewal(date(2027, 3, 31), date(2027, 3, 31))
    assert list_agreed([running, following, other], TODAY) == [following, other]
    assert next_renewal([running, following, other], TODAY) == Renewal(date(2026, 8, 31), date(2026, 8, 31))
    assert list_agreed([running, following], date(2026, 5, 1)) == [following]
    assert list_agreed([following], TODAY) == []


@given(st.dates(date(2020, 1, 1), date(2026, 3, 10)), st.integers(0, 36))
def test_an_open_ended_contract_ends_within_its_next_period(start: date, months: int):
    found = find_renewal(Term(start, None, months), TODAY)
    assert found is not None
    assert TODAY <= found.ends_on <= TODAY + timedelta(days=31 * max(months, 1) + 1)
    assert found.ends_on > start
