"""What the rules about contracts see: a notice at once, an end without a word the day after, each by its dates."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from rules.alerts.conditions import Verdict
from rules.alerts.evidence import Evidence, Observation, find_object
from rules.alerts.renewal_signals import RULES, observe_expired, observe_notices
from rules.records import AlertKind, Severity
from rules.renewals.renewals import RenewalFacts

TODAY = date(2026, 3, 10)
RENEWAL = RenewalFacts("r1", "K:1", date(2026, 5, 31), date(2026, 5, 31))


def see(renewal: RenewalFacts, day: date = TODAY) -> tuple[Observation, Observation]:
    evidence = Evidence(day, renewals=(renewal,))
    [notice], [expired] = observe_notices(evidence), observe_expired(evidence)
    return notice, expired


def test_a_running_contract_without_notice_is_good():
    assert [each.verdict for each in see(RENEWAL)] == [Verdict.GOOD, Verdict.GOOD]


def test_a_notice_is_critical_from_its_day_on():
    noticed = replace(RENEWAL, notice_received_on=TODAY)
    notice, _expired = see(noticed)
    assert (notice.verdict, notice.severity, notice.facts["notice_on"]) == (
        Verdict.BAD,
        Severity.CRITICAL,
        "2026-03-10",
    )
    assert see(noticed, TODAY - timedelta(days=1))[0].verdict is Verdict.GOOD


def test_an_end_without_a_word_is_high_and_provisional_for_thirty_days():
    end = RENEWAL.ends_on
    assert see(RENEWAL, end)[1].verdict is Verdict.GOOD
    first, last, later = (see(RENEWAL, end + timedelta(days=days))[1] for days in (1, 30, 31))
    assert (first.verdict, first.severity) == (Verdict.BAD, Severity.HIGH)
    assert [each.facts["is_provisional"] for each in (first, last, later)] == [True, True, False]
    assert later.level == 31


def test_a_date_that_moves_is_another_subject_of_the_same_contract():
    before, after = see(RENEWAL)[1], see(replace(RENEWAL, ends_on=date(2026, 6, 30)))[1]
    assert before.subject != after.subject
    assert find_object(before.subject) == find_object(after.subject) == "K.1"


def test_an_account_without_open_renewals_shows_nothing():
    assert [list(rule.observe(Evidence(TODAY))) for rule in RULES] == [[], []]
    assert [rule.kind for rule in RULES] == [AlertKind.NOTICE_RECEIVED, AlertKind.CONTRACT_EXPIRED]
