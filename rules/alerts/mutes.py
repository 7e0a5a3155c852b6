"""Mutes: for how long nobody is told of an account's alerts, of one kind, or of all. Owns what a mute covers and which
ones are allowed; refuses to know who may set one (`commands.alerts.mutes`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.errors import StaleError, UserError
from rules.notes import check_note
from rules.records import AlertKind

LONGEST_MUTE = timedelta(days=90)
REASON_LENGTH = 300


@dataclass(frozen=True)
class Scope:
    """What a mute is about: an account, a kind of alert, or with neither the whole workspace."""

    account_id: str | None = None
    kind: AlertKind | None = None

    def covers(self, account_id: str, kind: AlertKind) -> bool:
        """Whether an alert of that kind and account is muted by it."""
        return self.account_id in (None, account_id) and self.kind in (None, kind)


@dataclass(frozen=True)
class Mute:
    """A mute that nobody has ended; it is over from `until` on."""

    id: str
    scope: Scope
    until: datetime


@dataclass(frozen=True)
class AddMute:
    """Mute `scope` until then."""

    scope: Scope
    until: datetime
    reason: str = ""


@dataclass(frozen=True)
class ChangeMute:
    """Give a mute another end and another reason."""

    mute_id: str
    until: datetime
    reason: str = ""


@dataclass(frozen=True)
class EndMute:
    """The mute is over."""

    mute_id: str


MuteIntent = AddMute | ChangeMute | EndMute


def decide_mute(
    scope: Scope, until: datetime, reason: str, known: Iterable[Mute], now: datetime
) -> AddMute | ChangeMute:
    """Mute `scope` until then; a mute of the same scope among `known` gets the new end instead.

    Raises `UserError` for an end that is past or more than `LONGEST_MUTE` ahead, and for too long a reason.
    """
    if until <= now:
        raise UserError("Pick a day in the future for the end of the mute.", field="until")
    if until > now + LONGEST_MUTE:
        sentence = "Alerts can be muted for {days} days at most. Pick an earlier day."
        raise UserError(sentence, field="until", days=LONGEST_MUTE.days)
    check_note(reason, REASON_LENGTH)
    same = next((each for each in known if each.scope == scope), None)
    return ChangeMute(same.id, until, reason) if same else AddMute(scope, until, reason)


def decide_unmute(mute: Mute | None) -> EndMute:
    """End a mute that is still on. Raises `StaleError` where it is not."""
    if mute is None:
        raise StaleError("This mute is over already. Nothing was changed.")
    return EndMute(mute.id)


def find_cover(mutes: Iterable[Mute], account_id: str, kind: AlertKind) -> Mute | None:
    """Of the mutes that cover an alert, the one that lasts longest."""
    covering = (each for each in mutes if each.scope.covers(account_id, kind))
    return max(covering, key=lambda each: (each.until, each.id), default=None)
