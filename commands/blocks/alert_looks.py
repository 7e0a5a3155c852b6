"""How one kind of alert looks, and what every look is given. Owns these two shapes; refuses to know any kind (the
subjects' `*_alerts` beside it do) and to lay a message out (`commands.blocks.alerts`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from commands.blocks.accounts import shown_name
from commands.kit import Element
from storage.accounts.accounts import AccountRow
from storage.alerts.alerts import EpisodeRow
from storage.people.members import MemberRow
from words.reader import Reader

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class AlertView:
    """An alert with everything its message tells; people are None where nobody is meant or they are gone.
    `pulse`: what a check-in said of the account last (1...5), and when. `changers`: who changed the rule, by id.
    `told`: whom it was announced for.
    """

    row: EpisodeRow
    account: AccountRow
    owner: MemberRow | None = None
    taker: MemberRow | None = None
    closer: MemberRow | None = None
    renews_on: date | None = None
    worth: str = ""
    pulse: tuple[int, date] | None = None
    changers: Mapping[str, MemberRow] = field(default_factory=dict)
    told: MemberRow | None = None

    @property
    def facts(self) -> Facts:
        """Why it fired."""
        return self.row.facts


Words = Callable[[Reader, AlertView], str]
Lines = Callable[[Reader, AlertView], Sequence[str]]


def _no_buttons(_reader: Reader, _view: AlertView) -> Sequence[Element]:
    return ()


@dataclass(frozen=True)
class Look:
    """What one kind of alert says and offers.

    Args:
        title: what and who, in one line of mrkdwn: it begins with the account's name and is all that a list and a
            phone show.
        why: why it fired, in a line.
        next_steps: what to do, one or two short sentences.
        rule: the rule in a sentence; with `sums` enough to do the sum again by hand.
        buttons: buttons of its own, shown before those that every alert has; one of them may be primary.
        sums: the lines of the whole calculation; None: `why` says it all.
        sources: what the sum is made of and how old that is, beside the rule's version; None: the day it
            was seen.
        level: how bad it was on a day, in words; None: that it was so is all there is to say.
    """

    title: Words
    why: Words
    next_steps: Lines
    rule: Callable[[Reader], str]
    buttons: Callable[[Reader, AlertView], Sequence[Element]] = _no_buttons
    sums: Lines | None = None
    sources: Lines | None = None
    level: Callable[[Reader, float], str] | None = None


def between_days(reader: Reader, facts: Facts, earlier: str, later: str) -> str:
    """From one ISO day in `facts` to another, as a sum: "3 Mar 2026 → 10 Mar 2026 = 7 days"; "" without both."""
    days = [date.fromisoformat(facts[name]) for name in (earlier, later) if facts.get(name)]
    if len(days) != len((earlier, later)):
        return ""
    return f"{reader.date(days[0])} → {reader.date(days[1])} = {reader.span((days[1] - days[0]).days)}"


def account_words(view: AlertView) -> str:
    """The account's name, bold, as a title begins."""
    return f"*{shown_name(view.account)}*"


def shown_day(reader: Reader, facts: Facts, name: str) -> str:
    """The ISO day that stands in `facts` under `name`, as the reader writes it; a dash where there is none."""
    found = facts.get(name)
    return reader.date(date.fromisoformat(found)) if found else "—"
