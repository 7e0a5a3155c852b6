"""The condition machine: is something wrong with an account, by one rule. Owns when a condition begins and
ends; refuses to know what is measured (`rules.alerts.signals`) and what is told to people (`rules.alerts.alerts`).

    ok → pending → firing → clearing → ok

Both ways take two distinct daily observations (one for rules that count days themselves). No data is not ok:
the condition freezes as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from rules.records import AlertKind, ConditionState

Topic = tuple[AlertKind, str]
"""What a condition or an alert of an account is about: its kind and its subject, "" for the account itself."""

Sighting = tuple[date, float]
"""A day on which something was wrong, and how bad it was (`Observation.level`)."""

OBSERVATIONS = 2
"""Distinct daily observations needed to begin and to end, unless a rule says otherwise."""
FLAPPING_OPENINGS = 3
FLAPPING_DAYS = 14
"""So many openings within so many days are flapping, until as many days pass without an opening."""


class Verdict(StrEnum):
    """What one day's look says. GOOD is past the threshold *and* its margin; BETWEEN is neither good nor bad."""

    BAD = "bad"
    BETWEEN = "between"
    GOOD = "good"
    NO_DATA = "no_data"


@dataclass(frozen=True)
class Condition:
    """State of one rule for one account and subject.

    Args:
        state: where the machine stands.
        streak: distinct days seen in the direction of the next state (pending, clearing).
        since: the day the state began.
        observed_on: the day last observed; that day and earlier ones change nothing any more.
        openings: the last few days on which it began firing, oldest first.
        is_initial: bad at every look since the first one ever.
        is_flapping: began firing too often lately.
        sightings: the days that made it begin, or are about to, with how bad it was on each; empty while ok.
    """

    state: ConditionState
    streak: int
    since: date
    observed_on: date
    openings: tuple[date, ...] = ()
    is_initial: bool = False
    is_flapping: bool = False
    sightings: tuple[Sighting, ...] = ()

    @property
    def is_on(self) -> bool:
        """Whether the account counts as having the condition: firing, or not surely clear yet."""
        return self.state in (ConditionState.FIRING, ConditionState.CLEARING)

    def is_forgettable(self, day: date) -> bool:
        """Whether nothing would change on `day` if it were forgotten: ok, and not on and off lately."""
        return self.state is ConditionState.OK and _is_quiet(self, day)

    def is_first_look(self, day: date) -> bool:
        """Whether it began firing on `day`, having been bad since the account was first looked at."""
        return self.is_initial and self.openings == (day,)


def observe(
    condition: Condition | None, verdict: Verdict, day: date, *, needed: int = OBSERVATIONS, level: float = 0.0
) -> Condition | None:
    """The condition after one day's look; None as long as nothing was ever seen.

    A day observed before changes nothing, nor does a day without data. `needed` is the number of distinct days to
    begin and to end, 1 or more; `level` how bad it is that day, which is only kept.
    """
    if verdict is Verdict.NO_DATA or (condition and day <= condition.observed_on):
        return condition
    if condition is None:
        condition = Condition(ConditionState.OK, 0, day, day, is_initial=True)
    looked = replace(
        condition,
        observed_on=day,
        is_initial=condition.is_initial and verdict is Verdict.BAD,
        is_flapping=condition.is_flapping and not _is_quiet(condition, day),
    )
    if verdict is Verdict.BAD and not condition.is_on:
        looked = replace(looked, sightings=(*condition.sightings, (day, level)))
    return _step(looked, verdict, day, needed)


def _step(condition: Condition, verdict: Verdict, day: date, needed: int) -> Condition:
    match condition.state:
        case ConditionState.OK | ConditionState.PENDING if verdict is Verdict.BAD:
            return _advance(condition, ConditionState.PENDING, day, needed)
        case ConditionState.FIRING | ConditionState.CLEARING if verdict is Verdict.GOOD:
            return _advance(condition, ConditionState.CLEARING, day, needed)
        case ConditionState.PENDING:
            return _enter(condition, ConditionState.OK, day)
        case ConditionState.CLEARING:
            return _enter(condition, ConditionState.FIRING, day)
        case _:
            return condition


def _advance(condition: Condition, towards: ConditionState, day: date, needed: int) -> Condition:
    """One more day in the direction of the next state, which is entered when enough were seen."""
    streak = condition.streak + 1
    if streak >= needed:
        is_opening = towards is ConditionState.PENDING
        return _open(condition, day) if is_opening else _enter(condition, ConditionState.OK, day)
    return replace(_enter(condition, towards, day), streak=streak)


def _enter(condition: Condition, state: ConditionState, day: date) -> Condition:
    since = condition.since if state is condition.state else day
    sightings = () if state is ConditionState.OK else condition.sightings
    return replace(condition, state=state, streak=0, since=since, sightings=sightings)


def _open(condition: Condition, day: date) -> Condition:
    openings = (*condition.openings, day)[-FLAPPING_OPENINGS:]
    is_often = len(openings) == FLAPPING_OPENINGS and (day - openings[0]).days < FLAPPING_DAYS
    return replace(
        _enter(condition, ConditionState.FIRING, day),
        openings=openings,
        is_flapping=condition.is_flapping or is_often,
    )


def _is_quiet(condition: Condition, day: date) -> bool:
    return not condition.openings or (day - condition.openings[-1]).days >= FLAPPING_DAYS
