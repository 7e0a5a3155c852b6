"""Why a person may not do to an alert what they ask: it is closed, taken, answered, or would sleep too long. Owns these
errors; refuses to know the alert.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from rules.errors import StaleError, UserError

LONGEST_SNOOZE = timedelta(days=30)


class ClosedError(StaleError):
    """The alert was closed before the person acted."""

    def __init__(self) -> None:
        super().__init__("This alert is closed already. Nothing was changed.")


class TakenError(StaleError):
    """Somebody took the alert before; `by` is a member's id."""

    def __init__(self, by: str, at: datetime) -> None:
        super().__init__("This alert is taken already. Nothing was changed.")
        self.by = by
        self.at = at


class AnsweredError(StaleError):
    """The alert does not ask (any more) whether somebody is still on it."""

    def __init__(self) -> None:
        super().__init__("Nobody is waiting for this answer any more. Nothing was changed.")


def check_snooze(until: datetime, not_past: date | None, now: datetime) -> None:
    """Raise `UserError` unless `until` is ahead, at most `LONGEST_SNOOZE` away and not past the day `not_past`."""
    if until <= now:
        raise UserError("Pick a day in the future to be reminded on.", field="until")
    if until > now + LONGEST_SNOOZE:
        sentence = "An alert can be snoozed for {days} days at most. Pick an earlier day."
        raise UserError(sentence, field="until", days=LONGEST_SNOOZE.days)
    if not_past and until.date() > not_past:
        raise UserError(
            "The renewal is decided on {day}: pick that day or an earlier one.", field="until", day=not_past
        )
