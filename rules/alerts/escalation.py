"""The timers of an alert: who is told next while nobody takes it, and when who took it is asked whether they are still
on it. Owns the moments and what a timer does when it is due; refuses to know who the owner and the lead are.

The plan is made when an alert begins to wait and kept with it, so that it does not change under people's feet: a list
of `{"level": n, "at": moment}`, n from 0 (where it counts from) to 3; whom level 1 told is added to it as "told". It
counts from the telling: from the announcement, or from the digest to which a full budget left the alert.

    level 1   its owner again, or the leads where it is nobody's: in the thread, if it has one, and by direct message
    level 2   the lead, with all others of that day
    level 3   the lead's channel

A timer carries the epoch it was set in. Whatever stops the wait begins a new epoch, so a timer that was read before and
acts late finds that it is no longer meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from rules.alerts.alerts import ChangeEpisode, change, keep
from rules.alerts.episodes import Episode
from rules.alerts.standing import BY_BUDGET, Values, open_values
from rules.people.working_time import (
    WorkingTime,
    add_working_days,
    add_working_hours,
    next_digest,
    next_working_moment,
)
from rules.records import EpisodeState, Severity, Tier

ESCALATE, ASK, RETURN = "escalate", "ask", "return"
LEVELS = 3
CRITICAL_HOURS = 4
"""Working hours until the owner of a critical alert is told again; then 1 and 2 working days until the lead is."""
CRITICAL_DAYS, HIGH_DAYS = (1, 2), (1, 2, 3)
ESCALATED_TIERS = frozenset({Tier.A, Tier.B})
"""Accounts whose alerts of high severity escalate; those of the others wait in digests."""
ASK_DAYS, ASK_DAYS_TOP = 7, 3
"""Working days without a sign of work until whoever took an alert is asked, and for accounts of tier A."""
ANSWER_DAYS = 2
"""Working days to answer until the alert is open again."""
LATE = timedelta(hours=1)
"""A level this late or later moves the next one as far, so that a program that slept tells nobody twice at once."""


@dataclass(frozen=True)
class Watch:
    """What timers need to know of an alert's account and of who is to act.

    `working` is that person's time, else the workspace's.
    """

    severity: Severity
    tier: Tier | None = None
    working: WorkingTime = field(default_factory=WorkingTime)


@dataclass(frozen=True)
class Due:
    """A timer as it was read, maybe long ago."""

    step: str
    epoch: int


@dataclass(frozen=True)
class Scene:
    """What is known when a timer is due: whom level 1 tells (members' ids), and the latest human act on the account."""

    watch: Watch
    told: tuple[str, ...] = ()
    acted_at: datetime | None = None


@dataclass(frozen=True)
class SetTimer:
    """New values of the timer's columns, if the alert is still at `version`. No transition: nothing anybody sees."""

    episode_id: str
    version: int
    values: Mapping[str, object]


# ---------------------------------------------------------------- setting


def plan_escalation(watch: Watch, start: datetime) -> list[dict[str, Any]]:
    """The plan of an alert that waits since `start`; empty for one that never escalates."""
    time = watch.working
    if watch.severity is Severity.CRITICAL:
        moments = [add_working_hours(start, CRITICAL_HOURS, time)]
        moments += [add_working_days(start, days, time) for days in CRITICAL_DAYS]
    elif watch.severity is Severity.HIGH and watch.tier in ESCALATED_TIERS:
        moments = [add_working_days(start, days, time) for days in HIGH_DAYS]
    else:
        return []
    ordered = [max(moments[: at + 1]) for at in range(LEVELS)]  # where days are shorter than the hours of level 1
    return [{"level": level, "at": at.isoformat()} for level, at in enumerate([start, *ordered])]


def arm(state: EpisodeState, epoch: int, watch: Watch, now: datetime, quiet_reason: str = "") -> Values:
    """The timer's columns of an alert that has just come to `state`, and its plan where it begins to wait: now, or once
    the next digest tells of it.
    """
    if state is EpisodeState.OPEN:
        plan = plan_escalation(watch, next_digest(now, watch.working) if quiet_reason in BY_BUDGET else now)
        fresh = {"escalation": plan, "escalated_to": 0, "escalated_at": None}
        return fresh | _timer(ESCALATE, _find_moment(plan, 1), epoch)
    if state is EpisodeState.ACKED:
        return _timer(ASK, _plan_question(watch, now), epoch)
    return _timer("", None, epoch)


def _plan_question(watch: Watch, since: datetime) -> datetime:
    days = ASK_DAYS_TOP if watch.tier is Tier.A else ASK_DAYS
    return add_working_days(since, days, watch.working)


def _find_moment(plan: Sequence[Mapping[str, Any]], level: int) -> datetime | None:
    return datetime.fromisoformat(plan[level]["at"]) if level < len(plan) else None


def _timer(step: str, at: datetime | None, epoch: int) -> Values:
    return {"timer_step": step if at else "", "timer_at": at, "timer_epoch": epoch}


# ---------------------------------------------------------------- due


def decide_due(episode: Episode | None, due: Due, scene: Scene, now: datetime) -> ChangeEpisode | SetTimer | None:
    """What a timer that is due does to the alert as it stands now; None where it is no longer meant."""
    if episode is None or not episode.is_open or due.epoch != episode.epoch or due.step != episode.timer_step:
        return None
    if episode.timer_at is None or now < episode.timer_at:
        return None
    opening = next_working_moment(now, scene.watch.working)
    if opening > now:
        return _wait(episode, due.step, opening)
    if due.step == ESCALATE:
        return _escalate(episode, scene, now)
    return _ask(episode, scene, now) if due.step == ASK else _return(episode, scene)


def _wait(episode: Episode, step: str, until: datetime | None, **more: object) -> SetTimer:
    return SetTimer(episode.id, episode.version, _timer(step, until, episode.epoch) | more)


def _escalate(episode: Episode, scene: Scene, now: datetime) -> ChangeEpisode | SetTimer:
    """The next level. What nobody was told of, or may not be told of now, is looked at again after an hour of work; its
    plan counts from when it was told.
    """
    if not _is_told(episode):
        look_again = add_working_hours(now, 1, scene.watch.working)
        return _wait(episode, ESCALATE, look_again, escalation=plan_escalation(scene.watch, now))
    plan, level = _count_from_telling(episode, scene), episode.escalated_to + 1
    at = _find_moment(plan, level)
    if at is None or at > now:
        return _wait(episode, ESCALATE, at, escalation=plan)
    following = _find_moment(plan, level + 1)
    if following and now - at >= LATE:
        following = next_working_moment(following + (now - at), scene.watch.working)
    told: dict[str, Any] = {"told": list(scene.told)} if level == 1 else {}
    plan = [*plan[:level], {**plan[level], **told}, *plan[level + 1 :]]
    values: Values = {"escalated_to": level, "escalated_at": now, "escalation": plan}
    return change(episode, "escalated", values | _timer(ESCALATE, following, episode.epoch))


def _is_told(episode: Episode) -> bool:
    """By a message of its own, or by a digest because enough was told that day."""
    return episode.quiet_reason in BY_BUDGET or not (episode.is_quiet or episode.announced_at is None)


def _count_from_telling(episode: Episode, scene: Scene) -> list[Mapping[str, Any]]:
    start, told_at = _find_moment(episode.escalation, 0), episode.announced_at
    if episode.escalated_to == 0 and start and told_at and start < told_at:
        return [*plan_escalation(scene.watch, told_at)]
    return list(episode.escalation)


def _ask(episode: Episode, scene: Scene, now: datetime) -> ChangeEpisode | SetTimer:
    """Ask, unless somebody did something on the account since: then the days count from there."""
    if scene.acted_at is not None and (again := _plan_question(scene.watch, scene.acted_at)) > now:
        return _wait(episode, ASK, again)
    answer_by = add_working_days(now, ANSWER_DAYS, scene.watch.working)
    asked = {"asked_at": now, "owner_id": episode.owner_id, "taken_by": episode.taken_by}
    return change(episode, "asked", asked | _timer(RETURN, answer_by, episode.epoch))


def _return(episode: Episode, scene: Scene) -> ChangeEpisode:
    """Open again, unless somebody did something on the account since the question: work is an answer."""
    if scene.acted_at is not None and episode.asked_at is not None and scene.acted_at > episode.asked_at:
        return replace(keep(episode), is_told=False)
    return change(episode, "returned", open_values() | {"asked_at": episode.asked_at}, is_new_epoch=True)
