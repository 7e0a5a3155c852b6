"""A quarter of a team of three as it is to happen: people, accounts, and what is done when. Owns the story only; what
should follow from it is `quarter_model`'s, and how it is acted out `quarter_play`'s.

All moments are UTC. The dates of milestones and alerts are worked out by hand and stand here as facts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from tests.flows.flow_stage import CSM, LEAD, MIA

LENA, AMARA, WEI = LEAD, CSM, MIA
BERLIN, NEW_YORK, SHANGHAI, LOS_ANGELES = "Europe/Berlin", "America/New_York", "Asia/Shanghai", "America/Los_Angeles"
COUNTRIES = {LENA: "DE", AMARA: "US", WEI: "CN"}
ZONES = {LENA: BERLIN, AMARA: NEW_YORK, WEI: SHANGHAI}
EMAILS = {LENA: "lead@example.com", AMARA: "csm@example.com", WEI: "mia@example.com"}


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of the quarter."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


BEGIN, END = at(3, 2, 22), at(5, 30, 0)
ASLEEP, AWAKE = at(3, 16, 15), at(3, 19, 10, 20)
"""The process stands still from Monday afternoon to Thursday noon."""
RESTARTED = at(4, 29, 6, 30)
MOVED = at(5, 19, 12)
"""When Wei's zone changes, on a day that has been a working day in Shanghai and begins in Los Angeles."""


@dataclass(frozen=True)
class Contract:
    """A contract with a fixed end; it is decided by `notice_by`, else at the end."""

    id: str
    ends_on: date
    notice_by: date | None = None

    @property
    def decides_on(self) -> date:
        """The decision date."""
        return self.notice_by or self.ends_on


@dataclass(frozen=True)
class Account:
    """`owner` "" is nobody's, and so the lead's. `has_channel`: the team's channel is its own one too."""

    name: str
    owner: str
    tier: str
    started_on: date
    contract: Contract | None = None
    has_channel: bool = False


ACCOUNTS = (
    Account("Birch", LENA, "A", date(2024, 5, 21), Contract("K-1", date(2026, 5, 20), date(2026, 4, 20))),
    Account("Hazel", LENA, "B", date(2025, 2, 10), Contract("K-2", date(2026, 12, 31))),
    Account("Larch", LENA, "C", date(2025, 11, 30)),
    Account("Ivy", "", "B", date(2025, 6, 1)),
    Account("Cedar", AMARA, "B", date(2024, 7, 1), Contract("K-3", date(2026, 6, 30))),
    Account("Elm", AMARA, "C", date(2024, 1, 15)),
    Account("Juniper", AMARA, "A", date(2026, 3, 1)),
    Account("Oak", AMARA, "A", date(2024, 5, 2), Contract("K-4", date(2026, 5, 1)), has_channel=True),
    Account("Dogwood", WEI, "A", date(2024, 5, 8), Contract("K-5", date(2026, 5, 7))),
    Account("Fir", WEI, "D", date(2024, 3, 4)),
    Account("Ginkgo", WEI, "C", date(2026, 2, 1)),
    Account("Maple", WEI, "B", date(2025, 1, 7)),
)


@dataclass(frozen=True)
class Answer:
    """What the person asked does with an offered check-in, so long after it was offered: "checkin", "skip", "later"
    (until a week after that day).
    """

    after: timedelta
    do: str = "checkin"


_HOUR = timedelta(hours=1)
ANSWERS = {
    "Birch": Answer(2 * _HOUR),
    "Hazel": Answer(26 * _HOUR, "skip"),
    "Ivy": Answer(5 * _HOUR),
    "Cedar": Answer(28 * _HOUR),
    "Juniper": Answer(3 * _HOUR),
    "Oak": Answer(4 * _HOUR),
    "Dogwood": Answer(98 * _HOUR),
    "Ginkgo": Answer(3 * _HOUR),
    "Larch": Answer(51 * _HOUR),
    "Elm": Answer(147 * _HOUR),
    "Maple": Answer(26 * _HOUR, "later"),
}


@dataclass(frozen=True)
class Deed:
    """Something a person does. `text` is the command typed, where it is one."""

    at: datetime
    who: str
    account: str = ""
    text: str = ""


@dataclass(frozen=True)
class StartJourney(Deed):
    """The milestones that come near within the quarter, with their days."""

    milestones: dict[str, date] = field(default_factory=dict)


@dataclass(frozen=True)
class Settle(Deed):
    """A milestone is done or skipped."""

    milestone: str = ""


@dataclass(frozen=True)
class Move(Deed):
    """A milestone gets another day."""

    milestone: str = ""
    to: date = date.min


@dataclass(frozen=True)
class Advance(Deed):
    """The onboarding is over."""


@dataclass(frozen=True)
class Log(Deed):
    """A value; `is_reached`: with it a target is reached."""

    is_reached: bool = False


@dataclass(frozen=True)
class AddTask(Deed):
    """A next step."""

    due_on: date = date.min


@dataclass(frozen=True)
class FinishTask(Deed):
    """It is done."""


@dataclass(frozen=True)
class Decide(Deed):
    """How a renewal ended."""

    outcome: str = ""


@dataclass(frozen=True)
class TakeAlert(Deed):
    """Somebody takes an alert."""


@dataclass(frozen=True)
class GoAway(Deed):
    """An absence with a cover."""

    first: date = date.min
    last: date = date.min
    cover: str = ""


@dataclass(frozen=True)
class ChangeZone(Deed):
    """The person's zone in Slack changes."""

    zone: str = ""


DEEDS: tuple[Deed, ...] = (
    StartJourney(
        at(3, 3, 15),
        AMARA,
        "Juniper",
        "journey juniper start light",
        milestones={
            "Welcome": date(2026, 3, 4),
            "First use": date(2026, 3, 10),
            "Set-up call": date(2026, 3, 17),
            "In use": date(2026, 5, 4),
        },
    ),
    Settle(at(3, 4, 15), AMARA, "Juniper", "milestone juniper done welcome mail with first steps", "Welcome"),
    Move(
        at(3, 6, 16),
        AMARA,
        "Juniper",
        "milestone juniper move first use to 2026-03-16 because of the holidays",
        "First use",
        date(2026, 3, 16),
    ),
    AddTask(at(3, 9, 14), WEI, "Fir", "task Fir Send the new price list by 2026-03-25", date(2026, 3, 25)),
    Log(at(3, 10, 9), LENA, "Larch", "log larch conversion 10.2%"),
    Log(at(3, 12, 9), LENA, "Larch", "log larch conversion 10.4%", is_reached=True),
    Settle(at(3, 13, 15), AMARA, "Juniper", "milestone juniper done first use", "First use"),
    Settle(at(3, 23, 15), AMARA, "Juniper", "milestone juniper skip set-up call because they need none", "Set-up call"),
    Advance(at(3, 24, 15), AMARA, "Juniper", "journey juniper next"),
    FinishTask(at(3, 26, 3), WEI, "Fir"),
    GoAway(
        at(4, 8, 14),
        AMARA,
        text=f"team away from 16 Apr until 22 Apr cover <@{WEI}>",
        first=date(2026, 4, 16),
        last=date(2026, 4, 22),
        cover=WEI,
    ),
    Decide(at(4, 15, 9, 30), LENA, "Birch", outcome="renewed"),
    Decide(at(4, 28, 15), AMARA, "Oak", outcome="expanded"),
    Log(at(5, 6, 4), WEI, "Maple", "log maple handling time 38.6"),
    TakeAlert(at(5, 11, 8, 30), WEI, "Maple", "alerts take maple"),
    Decide(at(5, 12, 8), WEI, "Dogwood", outcome="churned"),
    Settle(at(5, 13, 15), AMARA, "Juniper", "milestone juniper done in use every week", "In use"),
    ChangeZone(MOVED, WEI, zone=LOS_ANGELES),
)


@dataclass(frozen=True)
class Alert:
    """An alert that the deeds above lead to, found by the scan at 06:00 in Berlin and over at `closes`. `told`: when it
    is posted in the channel, None for digests alone; `taken`: by when somebody has it; `levels`: when its owner is told
    again, and when it goes to the lead, as nobody has it.
    """

    account: str
    opens: datetime
    closes: datetime
    told: datetime | None = None
    taken: datetime | None = None
    is_in_digest: bool = True
    levels: tuple[datetime, ...] = ()


ALERTS = (
    # A value every 14 days was agreed on, the last one is of 20 February: two cadences are over on 20 March. The
    # next value ends it at once.
    Alert("Maple", at(3, 21, 5), at(5, 6, 4)),
    # The value of 6 May is that of February; on the second morning it is an alert, told on Friday at noon in Shanghai.
    # It is critical: four hours of work later it is four there, and a working day later Monday noon.
    Alert(
        "Maple",
        at(5, 8, 4),
        END,
        told=at(5, 8, 4),
        taken=at(5, 11, 8, 30),
        levels=(at(5, 8, 8), at(5, 11, 4)),
    ),
    # The contract ended on 7 May; the outcome ends the alert. It is high: one working day, and two.
    Alert("Dogwood", at(5, 8, 4), at(5, 12, 8), told=at(5, 8, 4), levels=(at(5, 11, 4), at(5, 12, 4))),
    # Its journey stands still since 23 March, and from 5 May on a milestone of the stage is overdue.
    Alert("Juniper", at(5, 5, 4), at(5, 14, 4)),
    # Due on 4 May; the account is of tier A, so it is told after seven days, when the day begins in New York. The
    # digest names the milestone itself. A working day later it is nine there again.
    Alert("Juniper", at(5, 5, 4), at(5, 13, 15), told=at(5, 12, 13), is_in_digest=False, levels=(at(5, 13, 13),)),
)
