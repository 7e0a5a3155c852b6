"""What Slack's answers mean, and how long to wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.delivery.outbox import Outcome, Verdict, backoff_seconds, classify, limit_seconds


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (Outcome(channel="C1", ts="1.0"), Verdict.SENT),
        (Outcome("timeout", None), Verdict.UNCERTAIN),
        (Outcome("reset", None), Verdict.UNCERTAIN),
        (Outcome("refused", None, was_sent=False), Verdict.RETRY),
        (Outcome("", 500), Verdict.UNCERTAIN),
        (Outcome("", 503), Verdict.UNCERTAIN),
        (Outcome("internal_error"), Verdict.UNCERTAIN),
        (Outcome("fatal_error"), Verdict.UNCERTAIN),
        (Outcome("", 429, retry_after=3), Verdict.LIMITED),
        (Outcome("ratelimited"), Verdict.LIMITED),
        (Outcome("request_timeout"), Verdict.RETRY),
        (Outcome("token_revoked"), Verdict.TOKEN),
        (Outcome("account_inactive"), Verdict.TOKEN),
        (Outcome("not_in_channel"), Verdict.NOT_MEMBER),
        (Outcome("message_not_found"), Verdict.GONE),
        (Outcome("thread_not_found"), Verdict.GONE),
        (Outcome("channel_not_found"), Verdict.DEAD),
        (Outcome("is_archived"), Verdict.DEAD),
        (Outcome("restricted_action"), Verdict.DEAD),
        (Outcome("missing_scope"), Verdict.DEAD),
        (Outcome("a_code_slack_adds_tomorrow"), Verdict.DEAD),
    ],
)
def test_each_answer_has_one_meaning(outcome: Outcome, verdict: Verdict):
    assert classify(outcome) is verdict


@given(error=st.text(), status=st.one_of(st.none(), st.integers(100, 599)))
def test_only_a_plain_ok_counts_as_sent(error: str, status: int | None):
    is_sent = classify(Outcome(error, status)) is Verdict.SENT
    assert is_sent == (not error and status is not None and status < 500 and status != 429)


@given(attempts=st.integers(1, 10_000), luck=st.floats(0, 1))
def test_backoff_stays_between_a_second_and_a_quarter_of_an_hour(attempts: int, luck: float):
    assert 1.0 <= backoff_seconds(attempts, luck) <= 900.0


def test_backoff_grows_with_each_attempt():
    assert [backoff_seconds(attempts, 1.0) for attempts in range(1, 11)] == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900]


@given(asked=st.floats(0, 10_000), luck=st.floats(0, 1))
def test_a_limit_is_kept_as_slack_asked_or_a_little_longer(asked: float, luck: float):
    waited = limit_seconds(asked, 1, luck)
    assert min(asked, 900.0) <= waited <= 900.0
    assert waited <= asked + max(1.0, asked / 10)


def test_without_retry_after_a_limit_backs_off():
    assert limit_seconds(None, 3, 1.0) == backoff_seconds(3, 1.0)
