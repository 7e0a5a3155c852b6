"""The episode machine: the life of one alert, from the day a condition fires to the day it is closed. Owns who may
move it where, and when; refuses to measure (`rules.alerts.signals`), to store and to say anything.

    open ⇄ acked ⇄ snoozed → resolved | dismissed

`version` grows with every change (compare-and-set); `epoch` grows whenever the alert begins or stops waiting for
somebody, so that a timer set before knows that it is too late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from rules.alerts.refusals import ClosedError, TakenError, check_snooze
from rules.errors import UserError
from rules.notes import check_note
from rules.records import AlertKind, DismissReason, EpisodeState, Severity

COOLDOWN = timedelta(days=7)
"""A condition that fires again this soon after its alert was closed reopens that alert."""
RECOVERED, ACCOUNT_GONE, GONE = "recovered", "account_gone", "gone"
"""Why an alert ended by itself; GONE: what it was about is settled, removed or has another date."""
NOTE_LENGTH = 500
OPEN_STATES = frozenset({EpisodeState.OPEN, EpisodeState.ACKED, EpisodeState.SNOOZED})
_RANK = list(Severity)


@dataclass(frozen=True)
class Episode:
    """One alert as far as decisions need it.

    `level` is how bad it was when last told of (`rules.alerts.signals`); `is_latched`: a person closed it while the
    condition went on, so it stays closed until that clears or worsens. `is_quiet`: listed, but not announced, for the
    `quiet_reason`.
    `owner_id`: whom it was assigned to; None: whoever owns the account.
    """

    id: str
    severity: Severity
    level: float
    state: EpisodeState
    version: int
    epoch: int
    owner_id: str | None = None
    taken_by: str | None = None
    taken_at: datetime | None = None
    snoozed_until: datetime | None = None
    closed_at: datetime | None = None
    is_latched: bool = False
    is_quiet: bool = False
    quiet_reason: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it still asks for something."""
        return self.state in OPEN_STATES


# ---------------------------------------------------------------- what happens


@dataclass(frozen=True)
class Fired:
    """A condition is on, seen again today with these facts.

    Args:
        account_id, kind, subject: what the alert is about; one open alert each.
        severity, level, facts, rule_version: as observed; `worse_by` is the rise of `level` that is news.
        batch: "" to be announced alone, else the name of the summary it belongs to.
        is_quiet: flapping or for digests alone; listed, but not announced. `quiet_reason` says which of the two.
    """

    account_id: str
    kind: AlertKind
    severity: Severity
    level: float
    worse_by: float
    rule_version: str
    facts: Mapping[str, object]
    subject: str = ""
    batch: str = ""
    is_quiet: bool = False
    quiet_reason: str = ""


@dataclass(frozen=True)
class Cleared:
    """The condition is back to ok, or there is nothing left to watch."""

    cause: str = RECOVERED


@dataclass(frozen=True)
class Take:
    """A member takes the alert on."""

    by: str


@dataclass(frozen=True)
class Snooze:
    """Not before `until`; `not_past` is the account's next decision date, if there is one."""

    until: datetime
    reason: str = ""
    not_past: date | None = None


@dataclass(frozen=True)
class Woke:
    """The snooze is over."""

    is_firing: bool


@dataclass(frozen=True)
class Assign:
    """The alert becomes another member's."""

    owner_id: str


@dataclass(frozen=True)
class Resolve:
    """A person says that it is dealt with."""

    by: str
    note: str = ""


@dataclass(frozen=True)
class Dismiss:
    """A person says that it should not have been raised; OTHER needs a note."""

    by: str
    reason: DismissReason
    note: str = ""


Event = Fired | Cleared | Take | Snooze | Woke | Assign | Resolve | Dismiss

# ---------------------------------------------------------------- what is to be done


@dataclass(frozen=True)
class OpenEpisode:
    """A new alert."""

    fired: Fired


@dataclass(frozen=True)
class ChangeEpisode:
    """New values of an alert's columns, if its version is still `version`.

    `verb` names the transition in history and audit; `is_told` puts a line into the alert's thread.
    `is_announced_anew` lets it be announced once more.
    """

    episode_id: str
    version: int
    verb: str
    values: Mapping[str, object] = field(default_factory=dict)
    note: str = ""
    is_told: bool = True
    is_announced_anew: bool = False


@dataclass(frozen=True)
class RefreshEpisode:
    """Today's facts for an alert that nobody was told of; lists and digests show them. No change of its state."""

    episode_id: str
    facts: Mapping[str, object]


Intent = OpenEpisode | ChangeEpisode | RefreshEpisode


def decide(episode: Episode | None, event: Event, now: datetime) -> tuple[Intent, ...]:
    """What `event` does to the latest alert of its subject (None: there never was one). Empty: nothing.

    Raises:
        ClosedError: a person acts on an alert that is closed (or gone).
        TakenError: a second person takes it.
        UserError: a snooze out of range, a note too long, or a dismissal without the words it needs.
    """
    match event:
        case Fired():
            return _fire(episode, event, now)
        case Cleared():
            return _clear(episode, event, now)
        case Woke():
            return _wake(episode, event, now)
    if episode is None or not episode.is_open:
        raise ClosedError
    match event:
        case Take():
            return _take(episode, event, now)
        case Snooze():
            return _snooze(episode, event, now)
        case Assign():
            return _assign(episode, event)
        case Resolve():
            closed = _close(now, EpisodeState.RESOLVED, event.by, "", event.note)
            return (_change(episode, "resolved", closed, note=event.note, is_new_epoch=True),)
        case Dismiss():
            return _dismiss(episode, event, now)


def is_worse(episode: Episode, fired: Fired) -> bool:
    """Whether the news is worse than what was told: a higher severity, or as high and `worse_by` further down."""
    before, after = _RANK.index(episode.severity), _RANK.index(fired.severity)
    return after > before or (after == before and fired.level >= episode.level + fired.worse_by)


def _fire(episode: Episode | None, fired: Fired, now: datetime) -> tuple[Intent, ...]:
    if episode is None:
        return (OpenEpisode(fired),)
    worse = is_worse(episode, fired)
    if episode.is_open and worse:
        return (_worsen(episode, fired),)
    if episode.is_open and episode.is_quiet:
        return (_surface(episode, fired) if _voice(episode, fired) else RefreshEpisode(episode.id, fired.facts),)
    if episode.is_open:
        return ()
    if episode.is_latched:
        return (_reopen(episode, fired, is_worse=True),) if worse else ()
    if episode.closed_at and now - episode.closed_at < COOLDOWN:
        return (_reopen(episode, fired, is_worse=worse),)
    return (OpenEpisode(fired),)


def _worsen(episode: Episode, fired: Fired) -> ChangeEpisode:
    """Tell of it where it stands; a snooze is over, a person who took it keeps it."""
    is_asleep = episode.state is EpisodeState.SNOOZED
    values = _news(fired) | _voice(episode, fired) | (_open_values() if is_asleep else {})
    return _change(episode, "worsened", values, is_new_epoch=is_asleep)


def _surface(episode: Episode, fired: Fired) -> ChangeEpisode:
    """What stood in digests alone is worth telling at once now."""
    return _change(episode, "surfaced", _news(fired) | _voice(episode, fired), is_told=False)


def _voice(episode: Episode, fired: Fired) -> dict[str, object]:
    is_louder = episode.is_quiet and not fired.is_quiet
    return {"is_quiet": False, "batch": fired.batch} if is_louder else {}


def _reopen(episode: Episode, fired: Fired, *, is_worse: bool) -> ChangeEpisode:
    values = _news(fired) | _open_values() | _close_values(None, "", "", "")
    values |= {"owner_id": None, "is_latched": False, "batch": fired.batch, "is_quiet": fired.is_quiet}
    is_anew = is_worse and not fired.is_quiet
    return _change(episode, "reopened", values, is_new_epoch=True, is_announced_anew=is_anew)


def _clear(episode: Episode | None, event: Cleared, now: datetime) -> tuple[Intent, ...]:
    if episode is None:
        return ()
    if episode.is_open:
        closed = _close(now, EpisodeState.RESOLVED, "", event.cause, "")
        return (_change(episode, "cleared", closed, is_new_epoch=True, is_told=False),)
    return (_change(episode, "unlatched", {"is_latched": False}, is_told=False),) if episode.is_latched else ()


def _wake(episode: Episode | None, event: Woke, now: datetime) -> tuple[Intent, ...]:
    if episode is None or episode.state is not EpisodeState.SNOOZED:
        return ()
    if episode.snoozed_until and now < episode.snoozed_until:
        return ()
    if not event.is_firing:
        return _clear(episode, Cleared(), now)
    return (_change(episode, "woke", _open_values(), is_new_epoch=True),)


def _take(episode: Episode, event: Take, now: datetime) -> tuple[Intent, ...]:
    if episode.state is EpisodeState.ACKED and episode.taken_by and episode.taken_at:
        raise TakenError(episode.taken_by, episode.taken_at)
    values = _open_values() | {"state": EpisodeState.ACKED, "taken_by": event.by, "taken_at": now}
    return (_change(episode, "taken", values, is_new_epoch=True),)


def _snooze(episode: Episode, event: Snooze, now: datetime) -> tuple[Intent, ...]:
    check_snooze(event.until, event.not_past, now)
    values: dict[str, object] = {"state": EpisodeState.SNOOZED, "snoozed_until": event.until}
    return (_change(episode, "snoozed", values, note=event.reason, is_new_epoch=True),)


def _assign(episode: Episode, event: Assign) -> tuple[Intent, ...]:
    if episode.owner_id == event.owner_id:
        return ()
    is_waiting = episode.state is EpisodeState.OPEN
    return (_change(episode, "assigned", {"owner_id": event.owner_id}, is_new_epoch=is_waiting),)


def _dismiss(episode: Episode, event: Dismiss, now: datetime) -> tuple[Intent, ...]:
    if event.reason is DismissReason.OTHER and not event.note.strip():
        raise UserError("Say in a few words why, so that the rule can be made better.", field="note")
    closed = _close(now, EpisodeState.DISMISSED, event.by, event.reason.value, event.note)
    return (_change(episode, "dismissed", closed, note=event.note, is_new_epoch=True),)


def _change(
    episode: Episode,
    verb: str,
    values: Mapping[str, object],
    *,
    note: str = "",
    is_new_epoch: bool = False,
    is_told: bool = True,
    is_announced_anew: bool = False,
) -> ChangeEpisode:
    check_note(note, NOTE_LENGTH)
    if is_new_epoch:
        values = {**values, "epoch": episode.epoch + 1}
    return ChangeEpisode(
        episode.id, episode.version, verb, values, note=note, is_told=is_told, is_announced_anew=is_announced_anew
    )


def _news(fired: Fired) -> dict[str, object]:
    return {
        "severity": fired.severity,
        "level": fired.level,
        "facts": dict(fired.facts),
        "rule_version": fired.rule_version,
    }


def _open_values() -> dict[str, object]:
    return {"state": EpisodeState.OPEN, "snoozed_until": None, "taken_by": None, "taken_at": None}


def _close(now: datetime, state: EpisodeState, by: str, reason: str, note: str) -> dict[str, object]:
    """A person's close latches; the condition's own end does not."""
    values = _close_values(now, by, reason, note)
    return values | {"state": state, "snoozed_until": None, "is_latched": bool(by)}


def _close_values(at: datetime | None, by: str, reason: str, note: str) -> dict[str, object]:
    return {"closed_at": at, "closed_by": by or None, "close_reason": reason, "close_note": note}
