"""What the model of the quarter says and the player acts on: messages to come, check-ins and renewals
on their way, and answers to check-ins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from tests.flows.quarter_plan import Account


@dataclass(frozen=True, order=True)
class Expected:
    """A message: when (the minute, UTC), to whom (a Slack id), of which kind, about what."""

    at: datetime
    to: str
    kind: str
    about: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Reply:
    """What somebody does with an offered check-in."""

    at: datetime
    who: str
    account: str
    do: str
    until: date | None = None


@dataclass
class Offer:
    """A check-in that somebody is asked for."""

    account: str
    member: str
    offered_on: date
    is_reminded: bool = False


@dataclass
class Renewal:
    """One that is looked after: which of the speeches were due already, and whether there is a thread."""

    account: Account
    decides_on: date
    given: set[int] = field(default_factory=set)
    has_thread: bool = False
