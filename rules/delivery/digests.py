"""Digests: who is due one when, what is told in which section, what comes first and how much of it. Owns these
decisions over plain items; refuses to read, to word and to send.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from rules.people.working_time import WorkingTime, shift_to_working_day
from rules.records import DigestKind, DigestWish, Severity, Tier

WEEK_DAYS = 7
"""What is due within so many days is "this week"."""
RENEWAL_DAYS = 90
"""Renewals decided within so many days are told of."""
NEAR_DAYS = 14
"""A renewal this near is a reason for a digest by itself; a farther one only once a week."""
UNCLAIMED_TIME = timedelta(days=1)
"""After so long an alert that nobody took is told in the team's channel."""


class Section(StrEnum):
    """The parts of a digest, in their order."""

    TODAY = "today"
    WEEK = "week"
    RENEWALS = "renewals"
    NEWS = "news"


MOST = {Section.TODAY: 10, Section.WEEK: 8, Section.RENEWALS: 6, Section.NEWS: 4}
"""Lines told of each section; the others are counted."""


class Matter(StrEnum):
    """What an item is; of equal weight the earlier one comes first."""

    ALERT = "alert"
    CHECKIN = "checkin"
    MILESTONE = "milestone"
    TASK = "task"
    RENEWAL = "renewal"
    REACHED = "reached"


_SEVERITIES = list(Severity)
_MATTERS = list(Matter)
_TIERS = list(Tier)


@dataclass(frozen=True)
class Item:
    """One thing a digest may tell of.

    Args:
        id: of the alert, offered check-in, milestone, task, renewal or reached target.
        owner_id: the member who is to do it, None where it is nobody's.
        due_on: when it is due or decided; None where it has no date.
        severity: of an alert.
        is_taken: somebody is on it already.
    """

    matter: Matter
    id: str
    account_id: str
    owner_id: str | None = None
    due_on: date | None = None
    tier: Tier | None = None
    severity: Severity | None = None
    is_taken: bool = False


@dataclass(frozen=True)
class Contents:
    """What a digest tells: items by section, the most important first; `counts` are of all, told or not."""

    sections: Mapping[Section, tuple[Item, ...]] = field(default_factory=dict)
    counts: Mapping[Section, int] = field(default_factory=dict)

    def list_items(self) -> list[Item]:
        """All that is told, in its order."""
        return [item for section in Section for item in self.sections.get(section, ())]


@dataclass(frozen=True)
class MakeDigest:
    """Make the digest of a `recipient` (a Slack user or channel id) for their local `day`; an empty one is only
    remembered, so that nobody is looked at twice. `stored` is as `dump_contents` writes it.
    """

    kind: DigestKind
    recipient: str
    day: date
    is_empty: bool = False
    stored: Mapping[str, object] = field(default_factory=dict)


# ---------------------------------------------------------------- when


def find_digest_day(
    times: WorkingTime, now: datetime, wish: DigestWish = DigestWish.DAILY, last: date | None = None
) -> date | None:
    """The local day whose digest should be there at `now` (aware); None on days off, before its time, and after the
    working day: what was missed until then waits for the next morning. `last` is the day of the last one there was,
    for who wants it weekly.
    """
    local = times.to_local(now)
    day = local.date()
    if wish is DigestWish.OFF or not _begun(times, local.time()) or not times.is_working_day(day):
        return None
    return day if wish is DigestWish.DAILY or is_weekly_due(times, day, last) else None


def is_weekly_due(times: WorkingTime, day: date, last: date | None) -> bool:
    """Whether what comes weekly, and came last on `last`, comes on `day`: on its own day, or on a later one of the week
    if that was slept over. What never came before begins on its own day.
    """
    wanted = find_weekly_day(times, day)
    return day == wanted if last is None else last < wanted


def find_weekly_day(times: WorkingTime, day: date) -> date:
    """The latest day up to `day` on which what is weekly should have come: the chosen weekday, or the first working day
    after it.
    """
    monday = day - timedelta(days=day.weekday())
    wanted = (monday + timedelta(days=times.weekly_on - back) for back in (0, 7, 14, 21))
    return next(found for each in wanted if (found := shift_to_working_day(each, times.country)) <= day)


def _begun(times: WorkingTime, clock: time) -> bool:
    is_late = clock >= times.work_until > times.digest_at
    return clock >= times.digest_at and not is_late


# ---------------------------------------------------------------- whose


def share_out(
    items: Iterable[Item], there: Collection[str], stand_ins: Mapping[str, str], leads: Sequence[str]
) -> dict[str, list[Item]]:
    """Items by the member who should read of them: their owner; who stands in while the owner is away; the leads for
    what is nobody's. `there` are the members at work, `stand_ins` absent member → present one.
    """
    shared: dict[str, list[Item]] = {}
    for item in items:
        for reader in choose_readers(item.owner_id, there, stand_ins, leads):
            shared.setdefault(reader, []).append(item)
    return shared


def choose_readers(
    owner_id: str | None, there: Collection[str], stand_ins: Mapping[str, str], leads: Sequence[str]
) -> Sequence[str]:
    """Who reads of what is a member's, or nobody's (None)."""
    if owner_id is not None and owner_id in there:
        return (owner_id,)
    stand_in = stand_ins.get(owner_id or "")
    return (stand_in,) if stand_in else leads


# ---------------------------------------------------------------- what


def arrange(items: Iterable[Item], day: date, most: Mapping[Section, int] | None = None) -> Contents:
    """The items by section, the most important first, at most `most` of each (default `MOST`)."""
    limits = MOST if most is None else most
    found: dict[Section, list[Item]] = {section: [] for section in Section}
    for item in items:
        section = choose_section(item, day)
        if section is not None:
            found[section].append(item)
    ordered = {section: sorted(several, key=_ORDERS[section]) for section, several in found.items() if several}
    told = {section: tuple(several[: limits[section]]) for section, several in ordered.items()}
    return Contents(told, {section: len(several) for section, several in ordered.items()})


def choose_section(item: Item, day: date) -> Section | None:
    """Where an item is told on `day`; None where it is too early to tell of it."""
    match item.matter:
        case Matter.REACHED:
            return Section.NEWS
        case Matter.RENEWAL:
            return Section.RENEWALS if _is_within(item, day, RENEWAL_DAYS) else None
        case Matter.ALERT:
            return Section.TODAY if is_urgent(item) else Section.WEEK
        case _:
            if _is_within(item, day, 0):
                return Section.TODAY
            return Section.WEEK if _is_within(item, day, WEEK_DAYS - 1) else None


def is_urgent(item: Item) -> bool:
    """Whether it is an alert that somebody should take at once, and nobody has."""
    return item.severity in (Severity.HIGH, Severity.CRITICAL) and not item.is_taken


def is_worth_telling(contents: Contents, day: date, *, is_first_of_week: bool) -> bool:
    """Whether there is a reason for a digest: anything to do or to be glad of. Renewals alone are one on the first
    day of the week, and every day once one of them is near.
    """
    if any(contents.sections.get(section) for section in (Section.TODAY, Section.WEEK, Section.NEWS)):
        return True
    renewals = contents.sections.get(Section.RENEWALS, ())
    return bool(renewals) and (is_first_of_week or any(_is_within(each, day, NEAR_DAYS) for each in renewals))


def is_first_of_week(times: WorkingTime, day: date) -> bool:
    """Whether `day` is the first working day of its week (which begins on Monday)."""
    return shift_to_working_day(day - timedelta(days=day.weekday()), times.country) == day


def _is_within(item: Item, day: date, days: int) -> bool:
    return item.due_on is not None and item.due_on <= day + timedelta(days=days)


def _weigh(item: Item) -> tuple[int, int, date, int, str]:
    """Urgent alerts first; then by tier, then by how long it has been due."""
    urgency = _SEVERITIES.index(item.severity) if item.severity else 0
    return (-urgency, _rank_tier(item.tier), item.due_on or date.max, _MATTERS.index(item.matter), item.id)


def _date(item: Item) -> tuple[date, int, int, str]:
    """By date, what has none last."""
    return (item.due_on or date.max, _rank_tier(item.tier), _MATTERS.index(item.matter), item.id)


def _rank_tier(tier: Tier | None) -> int:
    return _TIERS.index(tier) if tier else len(_TIERS)


_ORDERS = {Section.TODAY: _weigh, Section.WEEK: _date, Section.RENEWALS: _date, Section.NEWS: _weigh}


# ---------------------------------------------------------------- as stored


def dump_contents(contents: Contents) -> dict[str, object]:
    """Ids by section, and how many there were in all, as JSON."""
    return {
        section.value: {
            "ids": [[item.matter.value, item.id] for item in contents.sections.get(section, ())],
            "count": contents.counts.get(section, 0),
        }
        for section in Section
        if contents.counts.get(section)
    }


def recall(stored: Mapping[str, object], items: Iterable[Item]) -> Contents:
    """A stored digest as it is now: `items` are all that are still open; what was done meanwhile falls out."""
    now = {(item.matter.value, item.id): item for item in items}
    sections: dict[Section, tuple[Item, ...]] = {}
    counts: dict[Section, int] = {}
    for section, count, names in _read(stored):
        kept = tuple(now[name] for name in names if name in now)
        counts[section] = count - len(names) + len(kept)
        if kept:
            sections[section] = kept
    return Contents(sections, counts)


def _read(stored: Mapping[str, object]) -> Iterator[tuple[Section, int, list[tuple[str, str]]]]:
    for section in Section:
        found = stored.get(section.value)
        if isinstance(found, Mapping):
            yield section, int(found["count"]), [(str(matter), str(id_)) for matter, id_ in found["ids"]]
