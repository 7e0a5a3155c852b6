"""What a renewal lacks, and the verdict that the figures give."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.records import Band, RenewalVerdict
from rules.renewals.readiness import Check, Lack, ReadinessFacts, TargetProof, assess_readiness
from rules.renewals.verdicts import compute_verdict, disagrees, measure_gap

TODAY = date(2026, 3, 10)
GOOD = TargetProof(is_fresh=True, is_good=True, is_judged=True)
BAD = TargetProof(is_fresh=True, is_judged=True)
READY = ReadinessFacts(
    TODAY,
    has_sponsor=True,
    targets=(GOOD,),
    verdict=RenewalVerdict.RENEWS,
    last_touch=TODAY - timedelta(days=14),
    touch_days=14,
)


def test_with_everything_in_place_it_is_ready():
    assert assess_readiness(READY).is_ready


@pytest.mark.parametrize(
    ("change", "lack"),
    [
        ({"has_sponsor": False}, Lack(Check.SPONSOR)),
        ({"targets": ()}, Lack(Check.TARGET)),
        ({"targets": (replace(GOOD, is_fresh=False),)}, Lack(Check.VALUE)),
        ({"targets": (BAD,)}, Lack(Check.RESULT)),
        ({"verdict": None}, Lack(Check.VERDICT)),
        ({"unclaimed_alerts": 2}, Lack(Check.ALERTS, 2)),
        ({"urgent_tickets": 3}, Lack(Check.TICKETS, 3)),
        ({"is_overdue": True}, Lack(Check.INVOICE)),
        ({"last_touch": TODAY - timedelta(days=15)}, Lack(Check.TOUCH)),
        ({"last_touch": None}, Lack(Check.TOUCH)),
    ],
)
def test_each_thing_that_lacks_is_named_alone(change: dict[str, object], lack: Lack):
    assert assess_readiness(replace(READY, **change)).missing == (lack,)  # type: ignore[arg-type]


def test_without_a_standard_nobody_has_to_be_called():
    assert assess_readiness(replace(READY, last_touch=None, touch_days=None)).is_ready


def test_every_check_can_fail_at_once_in_its_order():
    bare = ReadinessFacts(TODAY, unclaimed_alerts=1, urgent_tickets=1, is_overdue=True, touch_days=14)
    checks = [lack.check for lack in assess_readiness(bare).missing]
    assert checks == [each for each in Check if each not in (Check.VALUE, Check.RESULT)]


@pytest.mark.parametrize(
    ("band", "targets", "verdict"),
    [
        (Band.RED, (GOOD,), RenewalVerdict.AT_RISK),
        (Band.GREEN, (BAD,), RenewalVerdict.AT_RISK),
        (Band.YELLOW, (GOOD, BAD), RenewalVerdict.RENEWS),
        (Band.GREEN, (replace(GOOD, is_achieved=True),), RenewalVerdict.EXPANDS),
        (Band.GREEN, (replace(GOOD, is_achieved=True), BAD), RenewalVerdict.RENEWS),
        (Band.GREEN, (), RenewalVerdict.RENEWS),
        (Band.UNKNOWN, (GOOD,), RenewalVerdict.RENEWS),
        (Band.UNKNOWN, (TargetProof(),), None),
    ],
)
def test_the_rule_is_the_sentence(band: Band, targets: tuple[TargetProof, ...], verdict: RenewalVerdict | None):
    assert compute_verdict(band, targets) is verdict
    assert compute_verdict(band, targets, is_notice_received=True) is RenewalVerdict.CHURNS


@given(st.sampled_from([None, *RenewalVerdict]), st.sampled_from([None, *RenewalVerdict]))
def test_a_disagreement_is_mutual_and_never_with_nothing(own: RenewalVerdict | None, other: RenewalVerdict | None):
    assert disagrees(own, other) is disagrees(other, own)
    assert not disagrees(own, own)
    if disagrees(own, other):
        assert measure_gap(own, other) >= 1
