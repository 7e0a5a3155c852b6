"""The life of alerts, written a second time from the table of states: what the machine test compares storage with. It
knows nothing of the code under test but the words for states and severities. All times are whole half hours, in UTC.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cache

SLOT, HOUR, DAY = timedelta(minutes=30), timedelta(hours=1), timedelta(days=1)
OPENS, DIGEST, CLOSES = time(9), time(9, 30), time(17, 30)
RANK = {"notice": 0, "high": 1, "critical": 2}
WORSE_BY = 10.0
COOLDOWN = 7 * DAY
LONGEST_SNOOZE = 30 * DAY
TEAM, LEAD = "C0000001", "ULEAD"
SATURDAY = 5


def is_work(at: datetime) -> bool:
    return at.weekday() < SATURDAY and OPENS <= at.time() < CLOSES


@cache
def next_work(at: datetime) -> datetime:
    while not is_work(at):
        at += SLOT
    return at


@cache
def hours_later(at: datetime, hours: int) -> datetime:
    at = next_work(at)
    for _slot in range(2 * hours):
        at = next_work(at + SLOT)
    return at


@cache
def days_later(at: datetime, days: int) -> datetime:
    at = next_work(at)
    for _day in range(days):
        at += DAY
        while at.weekday() >= SATURDAY:
            at += DAY
    return at


@cache
def next_digest(at: datetime) -> datetime:
    at += SLOT
    while not is_work(at) or at.time() != DIGEST:
        at += SLOT
    return at


class RefusedError(Exception):
    """The table does not let a person do this here."""


@dataclass(frozen=True)
class Post:
    """A new message, as the outbox should have it."""

    kind: str
    channel: str


@dataclass(frozen=True)
class Step:
    """A transition: one line of history, one of audit."""

    verb: str
    actor: str
    at: datetime
    version: int


@dataclass
class Alert:
    """One episode. `plan`: when it counts from, and when levels 1 to 3 are due; `due`, `step`: its timer. `is_left`: it
    is quiet because a budget was full.
    """

    subject: str
    severity: str
    level: float
    state: str = "open"
    version: int = 1
    epoch: int = 1
    is_quiet: bool = False
    is_left: bool = False
    announced_at: datetime | None = None
    has_thread: bool = False
    owner: str | None = None
    taker: str | None = None
    taken_at: datetime | None = None
    until: datetime | None = None
    closed_at: datetime | None = None
    is_latched: bool = False
    asked_at: datetime | None = None
    reached: int = 0
    reached_at: datetime | None = None
    plan: list[datetime] = field(default_factory=list)
    step: str = ""
    due: datetime | None = None
    timer_epoch: int = 0
    told: str = ""
    steps: list[Step] = field(default_factory=list)
    before: Alert | None = None

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


@dataclass
class World:
    """One account with alerts about some subjects. `owner`: its owner's id and Slack id, None for nobody."""

    tier: str | None
    owner: str | None
    now: datetime
    alerts: list[Alert] = field(default_factory=list)
    is_on: dict[str, bool] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)
    acted_at: datetime | None = None
    lead_told_at: datetime | None = None
    lead_day: date | None = None
    reminded: list[str] = field(default_factory=list)

    # ------------------------------------------------------------ what is seen

    def latest(self, subject: str) -> Alert | None:
        """The alert that news are about: the open one, else a closed one that is latched or cooling down."""
        mine = [each for each in self.alerts if each.subject == subject]
        found = next((each for each in mine if each.is_open), None)
        closed = [each for each in mine if each.closed_at and (each.is_latched or self._is_cooling(each))]
        return found or max(closed, key=lambda each: each.closed_at or self.now, default=None)

    def _is_cooling(self, alert: Alert) -> bool:
        return alert.closed_at is not None and self.now - alert.closed_at < COOLDOWN

    def fire(self, subject: str, severity: str, level: float, *, is_quiet: bool) -> None:
        self.is_on[subject] = True
        alert = self.latest(subject)
        if alert is None:
            alert = Alert(subject, severity, level, is_quiet=is_quiet)
            self.alerts.append(alert)
            alert.steps.append(Step("opened", "", self.now, 1))
            self._wait_anew(alert)
            return
        graver = RANK[severity] > RANK[alert.severity]
        worse = graver or (severity == alert.severity and level >= alert.level + WORSE_BY)
        if alert.is_open:
            self._fire_open(alert, severity, level, is_graver=graver, is_worse=worse, is_quiet=is_quiet)
        elif worse or not alert.is_latched:
            alert.severity, alert.level, alert.owner = severity, level, None
            alert.is_quiet, alert.is_left = is_quiet, False
            self._open(alert, "reopened", is_told=not is_quiet)
            if worse and not is_quiet:
                alert.announced_at = None

    def _fire_open(
        self, alert: Alert, severity: str, level: float, *, is_graver: bool, is_worse: bool, is_quiet: bool
    ) -> None:
        is_louder = alert.is_quiet and not is_quiet and (is_graver or not alert.is_left)
        if not is_worse and not is_louder:
            return
        alert.severity, alert.level = severity, level
        alert.is_quiet = alert.is_quiet and not is_louder
        alert.is_left = alert.is_left and not is_louder
        if not is_worse:
            is_new, told = alert.state == "open", alert.announced_at is not None
            self._step(alert, "surfaced", is_new_epoch=is_new, is_told=told)
        elif alert.state == "snoozed":
            self._open(alert, "worsened", is_told=not alert.is_quiet)
            return
        else:
            is_new = alert.state == "open" and is_graver
            self._step(alert, "worsened", is_new_epoch=is_new, is_told=not alert.is_quiet)
            if alert.state == "acked" and alert.asked_at is None:
                self._watch(alert)
        if is_new:
            self._wait_anew(alert)

    def clear(self, subject: str) -> None:
        self.is_on[subject] = False
        alert = self.latest(subject)
        if alert is None:
            return
        if alert.is_open:
            self._close(alert, "cleared", "resolved", "", is_told=False)
        elif alert.is_latched:
            alert.is_latched = False
            self._step(alert, "unlatched", is_told=False)

    def tell(self, alert: Alert) -> None:
        """It is announced, in the team's channel."""
        alert.announced_at, alert.has_thread = self.now, True

    def leave(self, alert: Alert) -> None:
        """Enough was told that day: the next digest tells of it, and its wait counts from there."""
        alert.is_quiet = alert.is_left = True
        self._step(alert, "quietened", is_told=False)
        self._wait_anew(alert)

    # ------------------------------------------------------------ what people do

    def take(self, subject: str, by: str) -> None:
        alert = self._get_open(subject)
        if alert.state == "acked":
            raise RefusedError
        alert.before = replace(alert)
        self._open(alert, "taken", by, state="acked")
        alert.taker, alert.taken_at, alert.owner = by, self.now, by if alert.owner else None
        self._watch(alert)

    def keep(self, subject: str, by: str) -> None:
        alert = self._get_open(subject)
        if alert.state != "acked" or alert.asked_at is None:
            raise RefusedError
        self._keep(alert, by)

    def snooze(self, subject: str, by: str, until: datetime) -> None:
        alert = self._get_open(subject)
        if not self.now < until <= self.now + LONGEST_SNOOZE:
            raise RefusedError
        alert.state, alert.until, alert.asked_at = "snoozed", until, None
        self._step(alert, "snoozed", by, is_new_epoch=True)
        self._stop(alert)

    def assign(self, subject: str, by: str, to: str) -> None:
        alert = self._get_open(subject)
        if alert.owner == to:
            return
        alert.owner = to
        if alert.state == "acked":
            alert.asked_at = None
        self._step(alert, "assigned", by, is_new_epoch=alert.state == "open")
        if alert.state == "open":
            self._wait_anew(alert)
        if alert.state == "acked":
            self._watch(alert)

    def resolve(self, subject: str, by: str) -> None:
        self._end(self._get_open(subject), "resolved", by)

    def dismiss(self, subject: str, by: str, *, has_reason: bool) -> None:
        alert = self._get_open(subject)
        if not has_reason:
            raise RefusedError
        self._end(alert, "dismissed", by)

    def undo(self, alert: Alert, by: str) -> None:
        """As before what was done last, but for the numbers that only grow; nobody is asked any more."""
        was = alert.before
        assert was is not None
        alert.state, alert.taker, alert.taken_at, alert.owner = was.state, was.taker, was.taken_at, was.owner
        alert.until, alert.closed_at, alert.is_latched, alert.asked_at = was.until, was.closed_at, was.is_latched, None
        self._step(alert, "undone", by, is_new_epoch=True)
        {"open": self._wait_anew, "acked": self._watch}.get(alert.state, self._stop)(alert)

    # ------------------------------------------------------------ what time does

    def wake(self) -> None:
        """All that is due now: snoozes, then timers, then the lead's message."""
        for alert in self.alerts:
            if alert.state == "snoozed" and alert.until and alert.until <= self.now:
                if self.is_on.get(alert.subject):
                    self._open(alert, "woke")
                else:
                    self._close(alert, "cleared", "resolved", "", is_told=False)
        self.run_timers(list(self.list_due()))
        self._tell_lead()

    def list_due(self) -> Iterator[Alert]:
        yield from sorted(
            (each for each in self.alerts if each.due and each.due <= self.now), key=lambda each: each.due or self.now
        )

    def run_timers(self, alerts: Iterable[Alert]) -> None:
        """What these alerts' own timers do. Each person is reminded of several at once."""
        for alert in alerts:
            self._run_timer(alert)
        for who, count in Counter(self.reminded).items():
            self.posts.append(Post("alert_reminder" if count == 1 else "alert_reminders", who))
        self.reminded.clear()

    def _run_timer(self, alert: Alert) -> None:
        if alert.due is None or alert.due > self.now:
            return
        if not is_work(self.now):
            alert.due = next_work(self.now)
        elif alert.step == "escalate":
            self._escalate(alert)
        elif alert.step == "ask":
            self._ask(alert)
        elif self.acted_at and alert.asked_at and self.acted_at > alert.asked_at:
            self._keep(alert, "", is_told=False)
        else:
            asked_at = alert.asked_at
            self._open(alert, "returned")
            alert.asked_at = asked_at

    def _escalate(self, alert: Alert) -> None:
        if not alert.is_left and (alert.is_quiet or alert.announced_at is None):
            alert.plan, alert.due = self._plan(alert, self.now), hours_later(self.now, 1)
            return
        if alert.reached == 0 and alert.announced_at and alert.plan[0] < alert.announced_at:
            alert.plan = self._plan(alert, alert.announced_at)
        level = alert.reached + 1
        if alert.plan[level] > self.now:
            alert.due = alert.plan[level]
            return
        late = self.now - alert.plan[level]
        alert.reached, alert.reached_at, alert.due = level, self.now, None
        if level < 3:
            alert.due = next_work(alert.plan[level + 1] + late) if late >= HOUR else alert.plan[level + 1]
        alert.step = "escalate" if alert.due else ""
        self._step(alert, "escalated")
        if level == 1:
            alert.told = self._owner_of(alert) or LEAD
            self.reminded.append(alert.told)
        if level == 3:
            self.posts.append(Post("alert_escalation", TEAM))

    def _ask(self, alert: Alert) -> None:
        if self.acted_at and (again := days_later(self.acted_at, self._days)) > self.now:
            alert.due = again
            return
        alert.asked_at, alert.step, alert.due = self.now, "return", days_later(self.now, 2)
        self._step(alert, "asked", is_told=alert.has_thread)
        asked = alert.owner or alert.taker
        if not alert.has_thread and asked:
            self.posts.append(Post("alert_event", asked))

    def _tell_lead(self) -> None:
        """In their morning, once a day, if something came to them since the last time."""
        told = [each for each in self.alerts if each.is_left or not each.is_quiet]
        waiting = [each for each in told if each.state == "open" and each.reached > 1]
        latest = max((each.reached_at for each in waiting if each.reached_at), default=None)
        is_morning = is_work(self.now) and self.now.time() >= DIGEST
        if latest is None or not is_morning or self.lead_day == self.now.date():
            return
        if self.lead_told_at is None or latest > self.lead_told_at:
            self.lead_told_at, self.lead_day = self.now, self.now.date()
            self.posts.append(Post("escalation_digest", LEAD))

    # ------------------------------------------------------------ the parts

    @property
    def _days(self) -> int:
        return 3 if self.tier == "A" else 7

    def _owner_of(self, alert: Alert) -> str | None:
        return alert.owner or alert.taker or self.owner

    def _get_open(self, subject: str) -> Alert:
        alert = self.latest(subject)
        if alert is None or not alert.is_open:
            raise RefusedError
        return alert

    def _open(self, alert: Alert, verb: str, by: str = "", *, state: str = "open", is_told: bool = True) -> None:
        alert.state, alert.taker, alert.taken_at, alert.until = state, None, None, None
        alert.closed_at, alert.is_latched, alert.asked_at = None, False, None
        self._step(alert, verb, by, is_new_epoch=True, is_told=is_told)
        if state == "open":
            self._wait_anew(alert)

    def _close(self, alert: Alert, verb: str, state: str, by: str, *, is_told: bool) -> None:
        alert.state, alert.closed_at, alert.until, alert.asked_at = state, self.now, None, None
        alert.is_latched = bool(by)
        self._step(alert, verb, by, is_new_epoch=True, is_told=is_told)
        self._stop(alert)

    def _end(self, alert: Alert, verb: str, by: str) -> None:
        alert.before = replace(alert)
        self._close(alert, verb, verb, by, is_told=True)

    def _keep(self, alert: Alert, by: str, *, is_told: bool = True) -> None:
        alert.asked_at = None
        self._step(alert, "kept", by, is_new_epoch=True, is_told=is_told)
        self._watch(alert)

    def _step(self, alert: Alert, verb: str, by: str = "", *, is_new_epoch: bool = False, is_told: bool = True) -> None:
        alert.version += 1
        alert.epoch += is_new_epoch
        alert.steps.append(Step(verb, by, self.now, alert.version))
        if by:
            self.acted_at = self.now
        if is_told and alert.has_thread:
            self.posts.append(Post("alert_event", TEAM))

    def _plan(self, alert: Alert, start: datetime) -> list[datetime]:
        if alert.severity == "critical":
            return [start, hours_later(start, 4), days_later(start, 1), days_later(start, 2)]
        if alert.severity == "high" and self.tier in ("A", "B"):
            return [start, *(days_later(start, days) for days in (1, 2, 3))]
        return []

    def _wait_anew(self, alert: Alert) -> None:
        start = next_digest(self.now) if alert.is_left else self.now
        alert.plan, alert.reached, alert.reached_at, alert.told = self._plan(alert, start), 0, None, ""
        alert.timer_epoch = alert.epoch
        alert.due = alert.plan[1] if alert.plan else None
        alert.step = "escalate" if alert.plan else ""

    def _watch(self, alert: Alert) -> None:
        alert.step, alert.due, alert.timer_epoch = "ask", days_later(self.now, self._days), alert.epoch

    def _stop(self, alert: Alert) -> None:
        alert.step, alert.due, alert.timer_epoch = "", None, alert.epoch
