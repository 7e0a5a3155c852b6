"""What should be posted in the quarter, worked out a second time from the promises alone: each morning at each person's
09:00 and 09:10, on their working days. Owns this small model; it shares no code with the product.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import partial
from itertools import count

from tests.flows.flow_stage import CHANNEL
from tests.flows.quarter_calendar import (
    count_working_days,
    find_local_day,
    find_moment,
    find_working_day,
    is_first_of_week,
    is_working_day,
)
from tests.flows.quarter_plan import (
    ACCOUNTS,
    ALERTS,
    AMARA,
    ANSWERS,
    ASLEEP,
    AWAKE,
    BEGIN,
    BERLIN,
    COUNTRIES,
    DEEDS,
    END,
    LENA,
    WEI,
    ZONES,
    Account,
    AddTask,
    Advance,
    Alert,
    Answer,
    ChangeZone,
    Decide,
    Deed,
    FinishTask,
    GoAway,
    Log,
    Move,
    Settle,
    StartJourney,
    TakeAlert,
)
from tests.flows.quarter_records import Expected, Offer, Renewal, Reply

_DAY = timedelta(days=1)
_RHYTHM = {"A": 14, "B": 30, "C": 90}
_SPEECHES = (120, 90, 30, 14)

_Turn = tuple[datetime, Callable[[datetime], None]]
"""When something is looked at or done, and what."""


class Quarter:
    """Plays the quarter on paper. `posts` are the messages to come, `replies` what people do with their check-ins."""

    def __init__(self) -> None:
        self.posts: list[Expected] = []
        self.replies: list[Reply] = []
        self._accounts = {each.name: each for each in ACCOUNTS}
        self._zones = dict(ZONES)
        self._offers: dict[str, Offer] = {}
        self._last = {each.name: each.started_on for each in ACCOUNTS}
        self._put_off: dict[str, date] = {}
        self._milestones: dict[tuple[str, str], date] = {}
        self._tasks: dict[str, date] = {}
        self._renewals: dict[str, Renewal] = {}
        self._decided: set[str] = set()
        self._lost: set[str] = set()
        self._onboarding: set[str] = set()
        self._walking: set[str] = set()
        self._absences: list[GoAway] = []
        self._news: list[Log] = []
        self._made: dict[str, datetime] = {}
        self._told_on: set[tuple[str, str, date]] = set()
        self._queue: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._numbers = count()

    def play(self) -> None:
        """From beginning to end."""
        for moment, act in [*self._list_clockwork(), *((each.at, partial(self._do, each)) for each in DEEDS)]:
            self._plan(moment, act)
        while self._queue:
            moment, _number, act = heapq.heappop(self._queue)
            act(moment)
        self.posts.sort()

    def _plan(self, moment: datetime, act: Callable[[datetime], None]) -> None:
        if BEGIN <= moment < END:
            heapq.heappush(self._queue, (moment, next(self._numbers), act))

    def _list_clockwork(self) -> Iterator[_Turn]:
        """Everybody's mornings and the channel's; those slept over come on waking, if it is still working time."""
        for number in range((END - BEGIN).days + 2):
            day = BEGIN.date() + _DAY * number
            for who in (LENA, AMARA, WEI):
                for zone in (ZONES[who], *(each.zone for each in DEEDS if isinstance(each, ChangeZone))):
                    yield from self._list_mornings(who, day, zone)
            for act in (self._tell_team, self._tell_renewals):
                yield from self._wake_up(find_moment(day, 9, 10, BERLIN), find_moment(day, 17, 30, BERLIN), act)
        yield from ((each.told, self._tell_alert) for each in ALERTS if each.told is not None)
        yield from ((at, partial(self._escalate, each, n)) for each in ALERTS for n, at in enumerate(each.levels, 1))

    def _list_mornings(self, who: str, day: date, zone: str) -> Iterator[_Turn]:
        """What is looked for where the person may be on that day."""
        evening = find_moment(day, 17, 30, zone)
        for minute, act in ((0, self._offer), (10, self._digest)):
            yield from self._wake_up(find_moment(day, 9, minute, zone), evening, partial(self._run_for, act, who, zone))

    def _wake_up(self, morning: datetime, evening: datetime, act: Callable[[datetime], None]) -> Iterator[_Turn]:
        if not ASLEEP < morning < AWAKE:
            yield morning, act
        elif evening > AWAKE:
            yield AWAKE, act

    def _run_for(self, act: Callable[[str, datetime, date], None], who: str, zone: str, moment: datetime) -> None:
        day = find_local_day(moment, zone)
        is_there = self._zones[who] == zone and is_working_day(day, COUNTRIES[who]) and not self._is_away(who, day)
        if is_there:
            act(who, moment, day)

    # ------------------------------------------------------------ who

    def _is_away(self, who: str, day: date) -> bool:
        return any(each.who == who and each.first <= day <= each.last for each in self._absences)

    def _is_reader(self, who: str, owner: str, day: date) -> bool:
        """Whether on a day of theirs a person looks after what is another's, or nobody's."""
        whose = owner or LENA
        covers = [each.cover for each in self._absences if each.who == whose and each.first <= day <= each.last]
        return who in covers if covers else who == whose

    def _list_of(self, who: str, day: date) -> list[Account]:
        return [each for each in ACCOUNTS if self._is_reader(who, each.owner, day)]

    # ------------------------------------------------------------ check-ins

    def _find_rhythm(self, account: Account, day: date) -> int | None:
        days = _RHYTHM.get(account.tier)
        if days is None or account.name in self._lost:
            return None
        is_new = account.name not in self._walking and day - account.started_on < 90 * _DAY
        if is_new or account.name in self._onboarding:
            return min(days, 7)
        contract = account.contract
        if account.tier in "AB" and contract and account.name not in self._decided:
            return min(days, 14) if timedelta() <= contract.decides_on - day <= 90 * _DAY else days
        return days

    def _is_due(self, account: Account, day: date, country: str) -> bool:
        rhythm = self._find_rhythm(account, day)
        if rhythm is None:
            return False
        due_on = self._put_off.get(account.name, self._last[account.name] + _DAY * rhythm)
        return find_working_day(due_on, country) <= day

    def _offer(self, who: str, moment: datetime, day: date) -> None:
        """The one message about check-ins of a person's morning."""
        country = COUNTRIES[who]
        due = {each.name for each in self._list_of(who, day) if self._is_due(each, day, country)}
        for name, offer in list(self._offers.items()):
            if (name in due and offer.member != who) or (offer.member == who and name not in due):
                del self._offers[name]
        late = {name for name in due & set(self._offers) if self._is_late(self._offers[name], day, country)}
        new = due - set(self._offers)
        if not (new or late) or ("checkins", who, day) in self._told_on:
            return
        assert len(new) <= 5, f"{who} {day}: {new} are more than one day brings"
        self._told_on.add(("checkins", who, day))
        for name in late:
            self._offers[name].is_reminded = True
        for name in new:
            self._offers[name] = offer = Offer(name, who, day)
            self._plan_reply(offer, moment)
        about = [*(("offered", name) for name in new), *(("reminded", name) for name in late)]
        self._post(moment, who, "checkin_offers", about)

    def _is_late(self, offer: Offer, day: date, country: str) -> bool:
        return not offer.is_reminded and count_working_days(offer.offered_on, day, country) >= 2

    def _plan_reply(self, offer: Offer, moment: datetime) -> None:
        answer = ANSWERS.get(offer.account)
        if answer is not None:
            at = moment + answer.after
            asleep = ASLEEP <= at <= AWAKE
            self._plan(AWAKE + timedelta(hours=1) if asleep else at, lambda at: self._reply(offer, answer, at))

    def _reply(self, offer: Offer, answer: Answer, moment: datetime) -> None:
        name, today = offer.account, find_local_day(moment, BERLIN)
        if self._offers.get(name) is not offer:
            return
        until = today + 7 * _DAY if answer.do == "later" else None
        self.replies.append(Reply(moment, offer.member, name, answer.do, until))
        del self._offers[name]
        self._last[name] = today
        self._put_off.pop(name, None)
        if until is not None:
            self._put_off[name] = until
        if answer.do == "checkin" and self._accounts[name].has_channel:
            self._post(moment, CHANNEL, "checkin", [("checkin", name)])

    # ------------------------------------------------------------ digests

    def _digest(self, who: str, moment: datetime, day: date) -> None:
        """A person's digest, if there is something: renewals alone are, on the first day of the week or when near."""
        if ("digest", who, day) in self._told_on:
            return
        self._told_on.add(("digest", who, day))
        names = {each.name for each in self._list_of(who, day)}
        things = [*self._list_open(who, names, day), *self._list_alerts(names, moment), *self._list_news(who, names)]
        coming = [each for name, each in self._renewals.items() if name in names and each.decides_on <= day + 90 * _DAY]
        is_near = any(each.decides_on <= day + 14 * _DAY for each in coming)
        self._made[who] = moment
        if things or (coming and (is_near or is_first_of_week(day, COUNTRIES[who]))):
            self._post(moment, who, "digest", [*things, *(("renewal", each.account.name) for each in coming)])

    def _list_open(self, who: str, names: set[str], day: date) -> Iterator[tuple[str, str]]:
        """Check-ins of earlier days, milestones and next steps of this day and the six to come."""
        for offer in self._offers.values():
            if offer.member == who and offer.offered_on < day:
                yield "checkin", offer.account
        for (name, _milestone), due_on in self._milestones.items():
            if name in names and due_on <= day + 6 * _DAY:
                yield "milestone", name
        for name, due_on in self._tasks.items():
            if name in names and due_on <= day + 6 * _DAY:
                yield "task", name

    def _list_alerts(self, names: set[str], moment: datetime) -> Iterator[tuple[str, str]]:
        for alert in ALERTS:
            if alert.account in names and alert.opens <= moment < alert.closes and alert.is_in_digest:
                yield "alert", alert.account

    def _list_news(self, who: str, names: set[str]) -> Iterator[tuple[str, str]]:
        """Targets reached since the person's last digest, or the look that found nothing to say."""
        for log in self._news:
            if log.account in names and log.at > self._made.get(who, BEGIN):
                yield "reached", log.account

    # ------------------------------------------------------------ the channel

    def _tell_team(self, moment: datetime) -> None:
        """Urgent alerts that nobody took within a day; once a week the table of renewals."""
        day = find_local_day(moment, BERLIN)
        if not is_working_day(day, "DE"):
            return
        left = [each for each in ALERTS if each.told and each.told <= moment - _DAY and moment < each.closes]
        unclaimed = [("alert", each.account) for each in left if each.taken is None or moment < each.taken]
        if unclaimed:
            self._post(moment, CHANNEL, "digest.team", unclaimed)
        coming = [each for each in self._renewals.values() if each.decides_on <= day + 90 * _DAY]
        if coming and is_first_of_week(day, "DE"):
            self._post(moment, CHANNEL, "digest.renewals", [])

    def _tell_renewals(self, moment: datetime) -> None:
        """120 days before a decision it is begun to be looked after; on working days what is due is said."""
        day = find_local_day(moment, BERLIN)
        for account in ACCOUNTS:
            contract, is_open = account.contract, account.name not in self._decided
            if contract and is_open and contract.decides_on <= day + 120 * _DAY:
                self._renewals.setdefault(account.name, Renewal(account, contract.decides_on))
        if is_working_day(day, "DE"):
            for renewal in self._renewals.values():
                self._speak(renewal, day, moment)

    def _speak(self, renewal: Renewal, day: date, moment: datetime) -> None:
        """The latest speech that is due; nothing is ready in this quarter, so that of 30 days is always held."""
        left = (renewal.decides_on - day).days
        due = min(each for each in _SPEECHES if left <= each)
        if due in renewal.given:
            return
        renewal.given.add(due)
        if not renewal.has_thread:
            renewal.has_thread = True
            self._post(moment, CHANNEL, "renewal", [("renewal", renewal.account.name)])
        elif due != _SPEECHES[0]:
            self._post(moment, CHANNEL, "renewal_reminder", [("renewal", renewal.account.name)])

    def _tell_alert(self, moment: datetime) -> None:
        for alert in ALERTS:
            if alert.told == moment and ("alert", alert.account, moment.date()) not in self._told_on:
                self._told_on.add(("alert", alert.account, moment.date()))
                self._post(moment, CHANNEL, "alert", [("alert", alert.account)])

    def _escalate(self, alert: Alert, level: int, moment: datetime) -> None:
        """Nobody has it yet: its thread says so, and first its owner hears of it, then the lead in the morning."""
        self._post(moment, CHANNEL, "alert_event", [])
        if level == 1:
            self._post(moment, self._accounts[alert.account].owner, "alert_reminder", [("alert", alert.account)])
        else:
            morning = find_moment(find_local_day(moment, BERLIN), 9, 10, BERLIN)
            self._post(morning, LENA, "escalation_digest", [])

    # ------------------------------------------------------------ deeds

    def _do(self, deed: Deed, _moment: datetime) -> None:
        match deed:
            case StartJourney() | Settle() | Move() | Advance():
                self._step(deed)
            case AddTask():
                self._tasks[deed.account] = deed.due_on
            case FinishTask():
                del self._tasks[deed.account]
            case Log(is_reached=True):
                self._news.append(deed)
            case Decide():
                self._decide(deed)
            case GoAway():
                self._absences.append(deed)
                self._post(deed.at, deed.cover, "team.cover", [])
            case TakeAlert():
                self._post(deed.at, CHANNEL, "alert_event", [])
            case ChangeZone():
                self._zones[deed.who] = deed.zone

    def _step(self, deed: StartJourney | Settle | Move | Advance) -> None:
        match deed:
            case StartJourney():
                self._walking.add(deed.account)
                self._onboarding.add(deed.account)
                self._milestones |= {(deed.account, name): day for name, day in deed.milestones.items()}
            case Settle():
                del self._milestones[deed.account, deed.milestone]
            case Move():
                self._milestones[deed.account, deed.milestone] = deed.to
            case Advance():
                self._onboarding.remove(deed.account)

    def _decide(self, deed: Decide) -> None:
        """The thread is told; whoever leaves is asked nothing more."""
        del self._renewals[deed.account]
        self._decided.add(deed.account)
        self._post(deed.at, CHANNEL, "renewal_outcome", [("renewal", deed.account)])
        if deed.outcome == "churned":
            self._lost.add(deed.account)

    def _post(self, moment: datetime, to: str, kind: str, about: list[tuple[str, str]]) -> None:
        self.posts.append(Expected(moment, to, kind, tuple(sorted(about))))
