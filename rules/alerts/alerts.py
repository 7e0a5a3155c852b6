"""The episode machine: the life of one alert, from the day a condition fires to the day it is closed. Owns who may
move it where, and when; refuses to measure (`rules.alerts.signals`), to store and to say anything.

    open ⇄ acked ⇄ snoozed → resolved | dismissed

`version` grows with every change (compare-and-set); `epoch` grows whenever the alert begins or stops waiting for
somebody, so that a timer set before knows that it is too late (the timers are in `rules.alerts.escalation`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from rules.alerts.episodes import Episode
from rules.alerts.refusals import AnsweredError, ClosedError, TakenError, check_snooze
from rules.alerts.standing import BY_NOISE, Values, closed_values, news_values, open_values, quiet_values, taken_values
from rules.errors import UserError
from rules.notes import check_note
from rules.records import AlertKind, DismissReason, EpisodeState, QuietReason, Severity

COOLDOWN = timedelta(days=7)
"""A condition that fires again this soon after its alert was closed reopens that alert."""
RECOVERED, ACCOUNT_GONE, GONE = "recovered", "account_gone", "gone"
"""Why an alert ended by itself; GONE: what it was about is settled, removed or has another date."""
NOTE_LENGTH = 500
_RANK = list(Severity)


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


@dataclass(frozen=True)
class Keep:
    """Who was asked says that they are still on it."""


@dataclass(frozen=True)
class TakeBack:
    """A person takes back what was done to it last; `before` are the columns that this changed, as they were."""

    before: Mapping[str, object]


Act = Take | Keep | Snooze | Assign | Resolve | Dismiss
"""What people do to an open alert."""
Event = Fired | Cleared | Woke | TakeBack | Act


@dataclass(frozen=True)
class OpenEpisode:
    """A new alert."""

    fired: Fired


@dataclass(frozen=True)
class ChangeEpisode:
    """New values of an alert's columns, if its version is still `version`.

    `verb` names the transition in history and audit; `is_told` puts a line into the alert's thread.
    `is_announced_anew` lets it be announced once more; `is_rearmed`: its timers are set anew, as it then stands.
    """

    episode_id: str
    version: int
    verb: str
    values: Mapping[str, object] = field(default_factory=dict)
    note: str = ""
    is_told: bool = True
    is_announced_anew: bool = False
    is_rearmed: bool = False


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
        AnsweredError: nobody is asked any more whether they are still on it.
        UserError: a snooze out of range, a note too long, or a dismissal without the words it needs.
    """
    match event:
        case Fired():
            return _fire(episode, event, now)
        case Cleared():
            return _clear(episode, event, now)
        case Woke():
            return _wake(episode, event, now)
        case TakeBack():
            before = {**event.before, "asked_at": None}
            return (change(episode, "undone", before, is_new_epoch=True),) if episode else ()
    if episode is None or not episode.is_open:
        raise ClosedError
    is_idle = isinstance(event, Assign) and episode.owner_id == event.owner_id
    return () if is_idle else (_handle(episode, event, now),)


def _handle(episode: Episode, act: Act, now: datetime) -> ChangeEpisode:
    match act:
        case Take():
            return _take(episode, act, now)
        case Keep():
            return keep(episode)
        case Snooze():
            return _snooze(episode, act, now)
        case Assign():
            return _assign(episode, act)
        case Resolve():
            closed = closed_values(now, EpisodeState.RESOLVED, act.by, "", act.note)
            return change(episode, "resolved", closed, note=act.note, is_new_epoch=True)
        case Dismiss():
            return _dismiss(episode, act, now)


def is_worse(episode: Episode, fired: Fired) -> bool:
    """Whether the news is worse than what was told: a higher severity, or as high and `worse_by` further down."""
    if _is_graver(episode, fired):
        return True
    return fired.severity is episode.severity and fired.level >= episode.level + fired.worse_by


def _is_graver(episode: Episode, fired: Fired) -> bool:
    return _RANK.index(fired.severity) > _RANK.index(episode.severity)


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
    """Tell of it where it stands; a snooze is over, a person who took it keeps it. What nobody took waits anew when it
    is graver than before: its escalation begins again, at the pace of what it is now.
    """
    is_asleep, voice = episode.state is EpisodeState.SNOOZED, _voice(episode, fired)
    is_waiting_anew = is_asleep or (episode.state is EpisodeState.OPEN and _is_graver(episode, fired))
    return change(
        episode,
        "worsened",
        _news(fired) | voice | (open_values() if is_asleep else {}),
        is_new_epoch=is_waiting_anew,
        is_told=bool(voice) or not episode.is_quiet,
        is_rearmed=episode.state is EpisodeState.ACKED and episode.asked_at is None,
    )


def _surface(episode: Episode, fired: Fired) -> ChangeEpisode:
    """What stood in digests alone is worth telling at once now: in its thread where it has one."""
    values, was_told = _news(fired) | _voice(episode, fired), episode.announced_at is not None
    return change(episode, "surfaced", values, is_new_epoch=episode.state is EpisodeState.OPEN, is_told=was_told)


def _voice(episode: Episode, fired: Fired) -> Values:
    """What lets a quiet alert speak up again. A mute silences it until it ends, and what noise control made quiet stays
    so until it is graver than it was then.
    """
    reason = episode.quiet_reason
    is_settled = reason == QuietReason.MUTED or (reason in BY_NOISE and not _is_graver(episode, fired))
    if not episode.is_quiet or fired.is_quiet or is_settled:
        return {}
    return {"is_quiet": False, "quiet_reason": "", "held_until": None, "batch": fired.batch}


def _reopen(episode: Episode, fired: Fired, *, is_worse: bool) -> ChangeEpisode:
    """In the old thread, where that may be told at all; a new post only for what is worse than before."""
    values = _news(fired) | open_values() | quiet_values(fired.is_quiet, fired.quiet_reason)
    values |= {"owner_id": None, "batch": fired.batch}
    is_anew = is_worse and not fired.is_quiet
    if is_anew:
        values["announced_at"] = None
    return change(episode, "reopened", values, is_new_epoch=True, is_told=not fired.is_quiet)


def _clear(episode: Episode | None, event: Cleared, now: datetime) -> tuple[Intent, ...]:
    if episode is None:
        return ()
    if episode.is_open:
        closed = closed_values(now, EpisodeState.RESOLVED, "", event.cause, "")
        return (change(episode, "cleared", closed, is_new_epoch=True, is_told=False),)
    return (change(episode, "unlatched", {"is_latched": False}, is_told=False),) if episode.is_latched else ()


def _wake(episode: Episode | None, event: Woke, now: datetime) -> tuple[Intent, ...]:
    if episode is None or episode.state is not EpisodeState.SNOOZED:
        return ()
    if episode.snoozed_until and now < episode.snoozed_until:
        return ()
    if not event.is_firing:
        return _clear(episode, Cleared(), now)
    return (change(episode, "woke", open_values(), is_new_epoch=True),)


def _take(episode: Episode, act: Take, now: datetime) -> ChangeEpisode:
    if episode.state is EpisodeState.ACKED and episode.taken_by and episode.taken_at:
        raise TakenError(episode.taken_by, episode.taken_at)
    return change(episode, "taken", taken_values(now, act.by, was_of=episode.owner_id), is_new_epoch=True)


def keep(episode: Episode) -> ChangeEpisode:
    """Who took it is still on it. Raises `AnsweredError` unless they were asked."""
    if episode.state is not EpisodeState.ACKED or episode.asked_at is None:
        raise AnsweredError
    return change(episode, "kept", {"asked_at": None}, is_new_epoch=True)


def _snooze(episode: Episode, act: Snooze, now: datetime) -> ChangeEpisode:
    check_snooze(act.until, act.not_past, now)
    values: Values = {"state": EpisodeState.SNOOZED, "snoozed_until": act.until, "asked_at": None}
    return change(episode, "snoozed", values, note=act.reason, is_new_epoch=True)


def _assign(episode: Episode, act: Assign) -> ChangeEpisode:
    """The wait for the new owner begins only where nobody took it; an open question is answered by it."""
    is_waiting, is_taken = episode.state is EpisodeState.OPEN, episode.state is EpisodeState.ACKED
    values: Values = {"owner_id": act.owner_id, "held_until": None}  # it was held for the hours of who had it
    values |= {"asked_at": None} if is_taken and episode.asked_at else {}
    return change(episode, "assigned", values, is_new_epoch=is_waiting, is_rearmed=is_taken)


def _dismiss(episode: Episode, act: Dismiss, now: datetime) -> ChangeEpisode:
    if act.reason is DismissReason.OTHER and not act.note.strip():
        raise UserError("Say in a few words why, so that the rule can be made better.", field="note")
    closed = closed_values(now, EpisodeState.DISMISSED, act.by, act.reason.value, act.note)
    return change(episode, "dismissed", closed, note=act.note, is_new_epoch=True)


def change(
    episode: Episode,
    verb: str,
    values: Mapping[str, object],
    *,
    note: str = "",
    is_new_epoch: bool = False,
    is_told: bool = True,
    is_rearmed: bool = False,
) -> ChangeEpisode:
    """The transition `verb` of an alert as it stands. With a new epoch its timers are set anew, too."""
    check_note(note, NOTE_LENGTH)
    if is_new_epoch:
        values = {**values, "epoch": episode.epoch + 1}
    is_anew = "announced_at" in values
    return ChangeEpisode(
        episode.id, episode.version, verb, values, note, is_told, is_anew, is_rearmed=is_rearmed or is_new_epoch
    )


def _news(fired: Fired) -> Values:
    return news_values(fired.severity, fired.level, fired.facts, fired.rule_version)
