"""Renewals follow their contracts: what is added, moved, closed, and that a second look changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.records import RenewalOutcome
from rules.renewals.keeping import AddRenewal, CloseRenewal, KeepIntent, Kept, MoveRenewal, decide_keep
from rules.renewals.renewals import ContractFacts, Term, find_end

TODAY = date(2026, 3, 10)
END = date(2026, 5, 31)
CONTRACT = ContractFacts("K1", "A1", Term(date(2025, 6, 1), END), 84_000_00)
KEPT = Kept("r1", "K1", END, END, 84_000_00)


def keep(*contracts: ContractFacts, kept: tuple[Kept, ...] = (), today: date = TODAY, lost: bool = False):
    return decide_keep(contracts, kept, today, is_watched=not lost)


def with_term(**more: object) -> ContractFacts:
    return replace(CONTRACT, term=replace(CONTRACT.term, **more))


def apply(kept: tuple[Kept, ...], intents: list[KeepIntent]) -> tuple[Kept, ...]:
    """What storage makes of the intents."""
    rows = {each.id: each for each in kept}
    for number, intent in enumerate(intents):
        if isinstance(intent, AddRenewal):
            values = {name: value for name, value in vars(intent).items() if name != "account_id"}
            rows[f"new{len(rows)}{number}"] = Kept(f"new{len(rows)}{number}", **values)
        elif isinstance(intent, MoveRenewal):
            values = {name: value for name, value in vars(intent).items() if name != "renewal_id"}
            rows[intent.renewal_id] = replace(rows[intent.renewal_id], outcome=RenewalOutcome.OPEN, **values)
        else:
            rows[intent.renewal_id] = replace(rows[intent.renewal_id], outcome=intent.outcome)
    return tuple(rows.values())


def test_an_end_is_looked_after_from_120_days_before_its_decision():
    assert keep(CONTRACT, today=END - timedelta(days=121)) == []
    [added] = keep(CONTRACT, today=END - timedelta(days=120))
    assert added == AddRenewal("A1", "K1", END, END, 84_000_00, "EUR")


def test_a_notice_moves_the_decision_and_more_money_the_amount():
    noticed = with_term(notice_received_on=date(2026, 3, 2))
    assert keep(noticed, kept=(KEPT,)) == [MoveRenewal("r1", END, date(2026, 3, 2), 84_000_00, "EUR")]
    dearer = replace(CONTRACT, yearly_minor=90_000_00)
    assert keep(dearer, kept=(KEPT,)) == [MoveRenewal("r1", END, END, 90_000_00, "EUR")]


def test_a_corrected_end_takes_its_renewal_along():
    later = with_term(end_on=date(2026, 6, 30))
    assert keep(later, kept=(KEPT,)) == [MoveRenewal("r1", date(2026, 6, 30), date(2026, 6, 30), 84_000_00, "EUR")]
    next_year = with_term(end_on=date(2027, 5, 31))
    assert keep(next_year, kept=(KEPT,)) == [CloseRenewal("r1", RenewalOutcome.CANCELLED, TODAY)]


@pytest.mark.parametrize("start", [date(2026, 5, 1), date(2026, 6, 1), date(2026, 8, 29)])
def test_a_contract_that_follows_leaves_nothing_to_decide(start: date):
    following = ContractFacts("K2", "A1", Term(start, date(2027, 5, 31)))
    assert keep(CONTRACT, following, kept=(KEPT,)) == [CloseRenewal("r1", RenewalOutcome.CANCELLED, TODAY)]


def test_a_contract_beside_it_or_of_another_kind_does_not_follow():
    beside = ContractFacts("K2", "A1", Term(date(2025, 9, 1), date(2027, 8, 31)))
    services = ContractFacts("K3", "A1", Term(date(2026, 6, 1), date(2027, 5, 31)), kind="services")
    assert keep(CONTRACT, beside, services, kept=(KEPT,)) == []


def test_a_contract_or_account_that_is_gone_closes_quietly():
    closed = [CloseRenewal("r1", RenewalOutcome.CANCELLED, TODAY)]
    assert keep(kept=(KEPT,)) == closed
    assert keep(CONTRACT, kept=(KEPT,), lost=True) == closed


def test_what_was_cancelled_opens_again_when_it_is_asked_again():
    cancelled = replace(KEPT, outcome=RenewalOutcome.CANCELLED)
    assert keep(CONTRACT, kept=(cancelled,)) == [MoveRenewal("r1", END, END, 84_000_00, "EUR")]


def test_an_end_without_a_word_stays_open_but_old_history_is_not_dug_up():
    assert keep(CONTRACT, kept=(KEPT,), today=END + timedelta(days=200)) == []
    assert len(keep(CONTRACT, today=END + timedelta(days=90))) == 1
    assert keep(CONTRACT, today=END + timedelta(days=91)) == []


def test_a_contract_that_runs_on_renews_by_itself_unless_notice_was_given():
    runs_on, later = with_term(is_auto_renew=True), END + timedelta(days=1)
    assert keep(runs_on, kept=(KEPT,), today=later) == [CloseRenewal("r1", RenewalOutcome.RENEWED, END)]
    noticed = with_term(is_auto_renew=True, notice_received_on=date(2026, 4, 1))
    kept = replace(KEPT, decides_on=date(2026, 4, 1))
    assert keep(noticed, kept=(kept,), today=later) == []


def test_an_end_under_notice_stays_open_until_somebody_says_what_became_of_it():
    noticed = with_term(is_auto_renew=True, notice_received_on=END + timedelta(days=10))
    [moved] = keep(noticed, kept=(KEPT,), today=END + timedelta(days=500))
    assert isinstance(moved, MoveRenewal)
    assert moved.ends_on > END
    kept = replace(KEPT, ends_on=moved.ends_on, decides_on=moved.decides_on)
    assert keep(noticed, kept=(kept,), today=END + timedelta(days=500)) == []


def test_a_contract_by_the_month_is_no_renewal_until_notice():
    monthly = ContractFacts("K1", "A1", Term(date(2025, 6, 1), None, 1))
    assert keep(monthly) == []
    [added] = keep(replace(monthly, term=replace(monthly.term, notice_received_on=date(2026, 3, 5))))
    assert isinstance(added, AddRenewal)
    assert (added.ends_on, added.decides_on) == (date(2026, 4, 1), date(2026, 3, 5))


def test_a_decided_end_is_left_alone():
    for outcome in (RenewalOutcome.RENEWED, RenewalOutcome.CHURNED):
        assert keep(CONTRACT, kept=(replace(KEPT, outcome=outcome),), today=END + timedelta(days=5)) == []


DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))


@st.composite
def contracts(draw: st.DrawFn) -> ContractFacts:
    start = draw(DAYS)
    end = draw(st.none() | st.integers(20, 800).map(lambda days: start + timedelta(days)))
    term = Term(
        start,
        end,
        draw(st.integers(1, 24)),
        draw(st.none() | st.integers(0, 100).map(lambda days: end - timedelta(days))) if end else None,
        draw(st.none() | DAYS.filter(lambda day: day >= start)),
        draw(st.booleans()),
    )
    return ContractFacts(draw(st.sampled_from(["K1", "K2", "K3"])), "A1", term, draw(st.integers(0, 10**7)))


@given(st.lists(contracts(), max_size=3, unique_by=lambda each: each.id), st.lists(DAYS, min_size=1, max_size=6))
def test_a_second_look_on_any_day_changes_nothing(known: list[ContractFacts], days: list[date]):
    kept: tuple[Kept, ...] = ()
    for today in sorted(days):
        kept = apply(kept, decide_keep(known, kept, today))
        assert decide_keep(known, kept, today) == []
        keys = [(each.contract_id, each.ends_on) for each in kept]
        assert len(keys) == len(set(keys))


@given(contracts(), DAYS)
def test_an_end_that_moves_on_never_lies_before_today(contract: ContractFacts, today: date):
    end = find_end(contract.term, today)
    if contract.term.runs_on and contract.term.notice_received_on is None:
        assert end.ends_on >= today
