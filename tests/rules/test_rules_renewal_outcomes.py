"""What an outcome must say and what follows from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from rules.errors import StaleError, UserError
from rules.records import RenewalOutcome
from rules.renewals.outcomes import (
    Around,
    EndContract,
    Figures,
    FollowContract,
    OpenRenewal,
    OutcomeDraft,
    Reason,
    RecordOutcome,
    TargetFigure,
    decide_outcome,
    plan_next_end,
    rank_reasons,
)
from rules.renewals.renewals import ContractFacts, Term
from rules.success.targets import TargetStatus

TODAY, END = date(2026, 5, 4), date(2026, 5, 31)
CONTRACT = ContractFacts("K1", "A1", Term(date(2025, 6, 1), END, notice_by=date(2026, 2, 28)), 84_000_00)
RENEWAL = OpenRenewal("r1", 3, END, RenewalOutcome.OPEN, CONTRACT)
AROUND = Around(Figures())
RENEWED = OutcomeDraft(RenewalOutcome.RENEWED, "EUR")


def decide(draft: OutcomeDraft, renewal: OpenRenewal = RENEWAL, around: Around = AROUND):
    return decide_outcome(renewal, draft, "m1", TODAY, around)


def test_a_renewal_adds_a_contract_as_long_as_the_last_with_its_deadline():
    record, follow = decide(RENEWED)
    assert isinstance(record, RecordOutcome)
    assert (record.new_yearly_minor, record.new_end_on, record.version) == (84_000_00, date(2027, 5, 31), 3)
    assert isinstance(follow, FollowContract)
    assert follow.next.term == Term(date(2026, 6, 1), date(2027, 5, 31), notice_by=date(2027, 2, 28))


def test_where_a_next_contract_is_known_none_is_added():
    [record] = decide(RENEWED, around=replace(AROUND, has_next=True))
    assert isinstance(record, RecordOutcome)


def test_a_contract_that_runs_on_at_the_same_price_is_left_alone():
    for term in (replace(CONTRACT.term, end_on=None, notice_by=None), replace(CONTRACT.term, is_auto_renew=True)):
        renewal = replace(RENEWAL, contract=replace(CONTRACT, term=term))
        [record] = decide(RENEWED, renewal)
        assert isinstance(record, RecordOutcome)
        assert record.new_end_on is None
        dearer = replace(RENEWED, outcome=RenewalOutcome.EXPANDED, new_yearly_minor=90_000_00)
        assert [type(each) for each in decide(dearer, renewal)] == [RecordOutcome, FollowContract]


def test_a_contract_that_was_given_notice_of_does_not_run_on_when_the_customer_stays_after_all():
    for term in (replace(CONTRACT.term, end_on=None, notice_by=None), replace(CONTRACT.term, is_auto_renew=True)):
        noticed = replace(term, notice_received_on=date(2026, 2, 1))
        record, follow = decide(RENEWED, replace(RENEWAL, contract=replace(CONTRACT, term=noticed)))
        assert isinstance(record, RecordOutcome)
        assert isinstance(follow, FollowContract)
        assert follow.next.term.notice_received_on is None


def test_a_loss_ends_the_contract_on_its_last_day_or_on_the_earlier_one_typed():
    lost = OutcomeDraft(RenewalOutcome.CHURNED, "EUR", reason=Reason.PRICE)
    record, ended = decide(lost)
    assert isinstance(record, RecordOutcome)
    assert (record.ends_on, record.new_yearly_minor, record.new_end_on) == (END, 0, None)
    assert ended == EndContract("r1", "K1", END)
    early = date(2026, 5, 15)
    record, ended = decide(replace(lost, new_end_on=early))
    assert isinstance(record, RecordOutcome)
    assert (record.ends_on, record.new_end_on) == (early, None)
    assert ended == EndContract("r1", "K1", early)


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (OutcomeDraft(RenewalOutcome.CHURNED, "EUR"), "reason"),
        (OutcomeDraft(RenewalOutcome.CHURNED, "EUR", reason=Reason.OTHER), "note"),
        (OutcomeDraft(RenewalOutcome.CHURNED, "EUR", reason=Reason.PRICE, new_end_on=date(2026, 6, 1)), "new_end_on"),
        (OutcomeDraft(RenewalOutcome.CHURNED, "EUR", reason=Reason.PRICE, new_end_on=date(2025, 5, 31)), "new_end_on"),
        (OutcomeDraft(RenewalOutcome.CONTRACTED, "EUR", 60_000_00), "reason"),
        (OutcomeDraft(RenewalOutcome.CONTRACTED, "EUR", 84_000_00, reason=Reason.PRICE), "amount"),
        (OutcomeDraft(RenewalOutcome.EXPANDED, "EUR"), "amount"),
        (OutcomeDraft(RenewalOutcome.EXPANDED, "EUR", 84_000_00), "amount"),
        (OutcomeDraft(RenewalOutcome.RENEWED, "EUR", 85_000_00), "amount"),
        (OutcomeDraft(RenewalOutcome.RENEWED, "EUR", -1), "amount"),
        (OutcomeDraft(RenewalOutcome.RENEWED, "USD", 84_000_00), "amount"),
        (OutcomeDraft(RenewalOutcome.RENEWED, "EUR", new_end_on=END), "new_end_on"),
        (OutcomeDraft(RenewalOutcome.RENEWED, "EUR", new_end_on=date(2046, 5, 31)), "new_end_on"),
        (OutcomeDraft(RenewalOutcome.OPEN, "EUR"), "outcome"),
        (OutcomeDraft(RenewalOutcome.RENEWED, "EUR", note="n" * 2001), "note"),
    ],
)
def test_what_does_not_fit_names_its_field(draft: OutcomeDraft, field: str):
    with pytest.raises(UserError) as refused:
        decide(draft)
    assert refused.value.field == field


def test_a_decided_renewal_is_decided():
    with pytest.raises(StaleError):
        decide(RENEWED, replace(RENEWAL, outcome=RenewalOutcome.CHURNED))


def test_a_next_period_ends_where_the_months_end():
    assert plan_next_end(Term(date(2025, 3, 1), date(2026, 2, 28)), date(2026, 2, 28)) == date(2027, 2, 28)
    assert plan_next_end(Term(date(2025, 1, 1), date(2025, 6, 30)), date(2025, 6, 30)) == date(2025, 12, 31)
    assert plan_next_end(Term(date(2025, 3, 10), date(2026, 3, 9)), date(2026, 3, 9)) == date(2027, 3, 9)


def test_a_contract_written_from_day_to_same_day_goes_on_so():
    assert plan_next_end(Term(date(2025, 4, 3), date(2026, 4, 3)), date(2026, 4, 3)) == date(2027, 4, 3)
    assert plan_next_end(Term(date(2026, 1, 15), date(2026, 7, 15)), date(2026, 7, 15)) == date(2027, 1, 15)


def test_reasons_that_the_figures_bear_out_come_first():
    figures = Figures(41, "red", (TargetFigure("conversion", TargetStatus.BEHIND, 22),), 30, has_sponsor=True)
    assert rank_reasons(figures)[:3] == [Reason.TARGETS, Reason.LOW_USE, Reason.HEALTH]
    assert sorted(rank_reasons(figures)) == sorted(Reason)
