"""How often we check in with an account, and when the next time is due. Owns the defaults by tier and the two times
of closer watch; refuses to offer anything to anybody (`rules.success.checkins`).

Defaults: A every 14 days, B 30, C 90, D never (signals only). Every 7 days while the account is being onboarded, and A
and B every 14 days in the last 90 before the decision date of their contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from rules.people.working_time import shift_to_working_day
from rules.records import AccountState, Tier

DAYS_BY_TIER: dict[Tier, int | None] = {Tier.A: 14, Tier.B: 30, Tier.C: 90, Tier.D: None}
ONBOARDING_DAYS = 7
ONBOARDING_STAGES = frozenset({"onboarding", "installation"})
"""Keys of the stages in the journey templates in which a customer begins to use what was bought."""
NEW_FOR = timedelta(days=90)
"""How long an account without a journey counts as being onboarded."""
RENEWAL_DAYS = 14
RENEWAL_WINDOW = timedelta(days=90)
WATCHED_STATES = frozenset({AccountState.CUSTOMER, AccountState.TRIAL})
"""Only these are checked in with."""
_CLOSE_TIERS = frozenset({Tier.A, Tier.B})


@dataclass(frozen=True)
class CadenceFacts:
    """What the rhythm of one account depends on.

    Args:
        state: only customers and trials are checked in with.
        tier: None is treated as C until somebody gives it one.
        began_on: when the account started, else when it was added.
        stage_key: of the journey under way; "" without one.
        decides_on: the coming decision date of its contracts.
        last_on: its latest check-in.
        skipped_on: when a due check-in was last skipped or put off.
        resumes_on: until when it was put off, with `skipped_on`.
        known_on: since when we know the account; nothing was due before.
    """

    state: AccountState
    tier: Tier | None
    began_on: date
    stage_key: str = ""
    decides_on: date | None = None
    last_on: date | None = None
    skipped_on: date | None = None
    resumes_on: date | None = None
    known_on: date | None = None


def cadence_days(facts: CadenceFacts, today: date) -> int | None:
    """Days between two check-ins as of `today`; None where none are due."""
    days = DAYS_BY_TIER[facts.tier or Tier.C]
    if days is None or facts.state not in WATCHED_STATES:
        return None
    if is_onboarding(facts, today):
        return min(days, ONBOARDING_DAYS)
    if facts.tier in _CLOSE_TIERS and _is_deciding(facts.decides_on, today):
        return min(days, RENEWAL_DAYS)
    return days


def shortest_days(tier: Tier | None, *, may_be_onboarding: bool) -> int | None:
    """The shortest rhythm an account of the tier can have, whatever else is known of it; None where none are due."""
    days = DAYS_BY_TIER[tier or Tier.C]
    if days is None or may_be_onboarding:
        return days and min(days, ONBOARDING_DAYS)
    return min(days, RENEWAL_DAYS) if tier in _CLOSE_TIERS else days


def depends_on_decision(facts: CadenceFacts, today: date) -> bool:
    """Whether the rhythm is another one before a contract's decision."""
    days = shortest_days(facts.tier, may_be_onboarding=False)
    return not is_onboarding(facts, today) and days != DAYS_BY_TIER[facts.tier or Tier.C]


def is_onboarding(facts: CadenceFacts, today: date) -> bool:
    """Whether its journey is in an onboarding stage, or it has no journey and began less than 90 days ago."""
    if facts.stage_key:
        return facts.stage_key in ONBOARDING_STAGES
    return timedelta() <= today - facts.began_on < NEW_FOR


def next_due(facts: CadenceFacts, today: date, country: str = "") -> date | None:
    """The day the next check-in is due: a cadence after the last one (else after the beginning), but not before the
    account was known, on a working day in the owner's `country`: of a customer of many years who was imported today
    the first one is due today, and not long overdue.

    A skipped one counts as the last; one that was put off is due on the day chosen, unless there was a check-in since:
    on the same day it came after, as there is nothing to put off once it is done.
    """
    days = cadence_days(facts, today)
    if days is None:
        return None
    last_on = facts.last_on or facts.began_on
    is_settled = facts.skipped_on is not None and facts.skipped_on >= last_on and facts.skipped_on != facts.last_on
    if is_settled and facts.resumes_on is not None:
        return shift_to_working_day(facts.resumes_on, country)
    since = facts.skipped_on if is_settled and facts.skipped_on else last_on
    return shift_to_working_day(max(since + timedelta(days=days), facts.known_on or date.min), country)


def _is_deciding(decides_on: date | None, today: date) -> bool:
    return decides_on is not None and timedelta() <= decides_on - today <= RENEWAL_WINDOW
