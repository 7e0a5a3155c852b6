"""The factors of the health score. Owns the one list `FACTORS`, the facts a factor may ask for, and the readings that
are not usage: targets, support, payment. Refuses to weigh them (`rules.health.health`) and to fetch facts.

To add a factor: a function `(AccountFacts) -> Reading`, and one entry in `FACTORS`. The property tests and
the messages go through the list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from rules.health.readings import Gap, Reading, between
from rules.health.usage import Feed, Usage, read_breadth, read_trend, read_utilisation
from rules.success.targets import TargetStatus

TICKET_FEED_DAYS = 90
"""Without a ticket opened or closed in the whole workspace for so long, support is missing."""

SATISFACTION_DAYS = 90
"""Answers older than this have expired."""

SATISFACTION_SHARE = 0.3
SLOW_DAYS = 5
ESCALATION_POINTS = 15.0
PRIORITY_POINTS = {"low": 2.0, "normal": 5.0, "high": 10.0, "urgent": 20.0}

PAYMENT_DAYS = 30
"""An invoice so many days overdue is worth nothing; more days are a knock-out."""

MOST_BEHIND_DAYS = 90
STATUS_POINTS: dict[TargetStatus, float] = {
    TargetStatus.ACHIEVED: 100,
    TargetStatus.AHEAD: 100,
    TargetStatus.ON_TRACK: 85,
    TargetStatus.BEHIND: 50,
    TargetStatus.MISSED: 10,
    TargetStatus.UNPROVEN: 10,
}
"""What each judged status is worth. Behind falls from 50 to 10 over `MOST_BEHIND_DAYS`. Stale targets expired; draft,
paused, replaced and too early ones say nothing yet."""


@dataclass(frozen=True)
class TargetStanding:
    """A target as far as health asks: its status, and days behind the curve if that is how it is behind."""

    status: TargetStatus
    days_behind: int | None = None


@dataclass(frozen=True)
class Ticket:
    """A support ticket as known at the moment of the score: not closed if closed later. `satisfaction` is 1...5."""

    opened_at: datetime
    closed_at: datetime | None = None
    priority: str = "normal"
    is_escalated: bool = False
    satisfaction: int | None = None


@dataclass(frozen=True)
class AccountFacts:
    """Everything the factors may ask of an account on score day `day`; `at` is the moment that day begins.

    Args:
        seats: of the contracts active that day, else of the account.
        core: keys of the workspace's core features.
        last_ticket_at: when any ticket of the workspace was last opened or closed; None if there never was one.
        overdue_days: age of the oldest unpaid invoice, 0 if all are paid; None where invoices are unknown.
        has_notice: the customer gave notice on a contract that still runs.
    """

    day: date
    at: datetime
    country: str = ""
    seats: int | None = None
    usage: Usage = field(default_factory=Usage)
    feed: Feed = field(default_factory=lambda: Feed(None))
    core: frozenset[str] = frozenset()
    targets: tuple[TargetStanding, ...] = ()
    tickets: tuple[Ticket, ...] = ()
    last_ticket_at: datetime | None = None
    overdue_days: int | None = None
    has_notice: bool = False


@dataclass(frozen=True)
class Factor:
    """One factor: `weight` is its default share of 100, `is_usage` counts it in the limit of usage weights."""

    slug: str
    name: str
    weight: float
    read: Callable[[AccountFacts], Reading]
    is_usage: bool = False


def read_targets(facts: AccountFacts) -> Reading:
    """The mean of `STATUS_POINTS` over the targets that can be judged."""
    agreed = [each for each in facts.targets if each.status not in _OUT_OF_PLAY]
    judged = [_target_points(each) for each in agreed if each.status in STATUS_POINTS]
    stale = sum(each.status == TargetStatus.STALE for each in agreed)
    if not agreed:
        return Reading.not_applicable(Gap.NO_TARGETS)
    if not judged:
        return (
            Reading.missing(Gap.OLD_TARGETS, stale=stale)
            if stale
            else Reading.not_applicable(Gap.TARGETS_TOO_EARLY, agreed=len(agreed))
        )
    good = sum(STATUS_POINTS.get(each.status, 0) >= STATUS_POINTS[TargetStatus.ON_TRACK] for each in agreed)
    return Reading.present(sum(judged) / len(judged), judged=len(judged), good=good, stale=stale)


_OUT_OF_PLAY = frozenset({TargetStatus.DRAFT, TargetStatus.PAUSED, TargetStatus.REPLACED})


def _target_points(target: TargetStanding) -> float:
    points = STATUS_POINTS[target.status]
    if target.status != TargetStatus.BEHIND or target.days_behind is None:
        return points
    return between(target.days_behind, (0, points), (MOST_BEHIND_DAYS, STATUS_POINTS[TargetStatus.MISSED]))


def read_support(facts: AccountFacts) -> Reading:
    """100 less points for each open ticket: by priority, twice as many once open for `SLOW_DAYS`, and
    `ESCALATION_POINTS` more if escalated. Satisfaction of the last 90 days, if anybody answered, is 30 % of it.
    """
    if facts.last_ticket_at is None:
        return Reading.not_applicable(Gap.NO_TICKETS)
    if facts.at - facts.last_ticket_at > timedelta(TICKET_FEED_DAYS):
        return Reading.missing(Gap.OLD_TICKETS, last_day=facts.last_ticket_at.date().isoformat())
    running = [each for each in facts.tickets if each.closed_at is None]
    x = max(0.0, 100 - sum(_ticket_points(each, facts.at) for each in running))
    answers = _recent_answers(facts)
    if answers:
        x = (1 - SATISFACTION_SHARE) * x + SATISFACTION_SHARE * 25 * (sum(answers) / len(answers) - 1)
    return Reading.present(
        x,
        running=len(running),
        slow=sum(_is_slow(each, facts.at) for each in running),
        escalated=sum(each.is_escalated for each in running),
        satisfaction=round(sum(answers) / len(answers), 2) if answers else None,
        answers=len(answers),
    )


def _ticket_points(ticket: Ticket, at: datetime) -> float:
    points = PRIORITY_POINTS.get(ticket.priority, PRIORITY_POINTS["normal"])
    return points * (2 if _is_slow(ticket, at) else 1) + ESCALATION_POINTS * ticket.is_escalated


def _is_slow(ticket: Ticket, at: datetime) -> bool:
    return at - ticket.opened_at > timedelta(SLOW_DAYS)


def _recent_answers(facts: AccountFacts) -> list[int]:
    since = facts.at - timedelta(SATISFACTION_DAYS)
    return [
        each.satisfaction
        for each in facts.tickets
        if each.satisfaction is not None and each.closed_at and each.closed_at >= since
    ]


def read_payment(facts: AccountFacts) -> Reading:
    """100 with nothing overdue, falling to 0 at `PAYMENT_DAYS` days."""
    if facts.overdue_days is None:
        return Reading.not_applicable(Gap.NO_INVOICES)
    x = between(facts.overdue_days, (0, 100), (PAYMENT_DAYS, 0))
    return Reading.present(x, overdue_days=facts.overdue_days)


FACTORS: tuple[Factor, ...] = (
    Factor(
        "utilisation",
        "Active users",
        15,
        lambda of: read_utilisation(of.usage, of.feed, of.seats, of.day),
        is_usage=True,
    ),
    Factor("trend", "Use over time", 15, lambda of: read_trend(of.usage, of.feed, of.day), is_usage=True),
    Factor("breadth", "Core features", 10, lambda of: read_breadth(of.usage, of.feed, of.core, of.day), is_usage=True),
    Factor("targets", "Targets", 20, read_targets),
    Factor("support", "Support", 10, read_support),
    Factor("payment", "Payment", 5, read_payment),
)
"""Every factor that has data, in the order people see them. Sponsor and relationship (15) and sentiment (10) of the
full model have none yet and are left out of the sum."""
