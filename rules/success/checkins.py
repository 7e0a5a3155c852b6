"""Check-ins: which are offered to whom in the morning, when somebody is reminded, and what a valid one is. Refuses to
know how often (`rules.success.cadence`), to store and to word.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from rules.calendar import count_working_days
from rules.errors import UserError
from rules.records import OfferState, Tier
from rules.success.plans import MeasurementDraft, decide_log
from rules.success.risks import RiskDraft, decide_add_risk
from rules.success.tasks import TaskDraft, decide_add_task

OFFERS_PER_DAY = 5
"""New check-ins offered to one person on one day; what else is due follows on the next days."""
REMIND_AFTER = 2
"""Working days after the offer."""
PULSES = range(1, 6)
CHANGED_LENGTH = 2000
REASON_LENGTH = 300
LONGEST_DELAY = timedelta(days=92)
OLDEST = timedelta(days=366)
_TIERS = list(Tier)


@dataclass(frozen=True)
class Due:
    """A check-in that is due. `cadence_days` > 0 is the rhythm of the account."""

    account_id: str
    due_on: date
    cadence_days: int
    tier: Tier | None = None


@dataclass(frozen=True)
class Offer:
    """An offered check-in as decisions need it."""

    id: str
    version: int
    account_id: str
    member_id: str
    offered_on: date
    reminded_on: date | None = None
    state: OfferState = OfferState.OFFERED


@dataclass(frozen=True)
class CheckinDraft:
    """A check-in as the form holds it. `pulse` is 1 (bad) to 5 (good); `contact_id` is who it was spoken with."""

    account_id: str
    author_id: str
    happened_on: date
    pulse: int
    changed: str = ""
    contact_id: str | None = None


@dataclass(frozen=True)
class TellMember:
    """One message to one person on one day of theirs: what is offered to them (account, due), of what they are
    reminded (offers). `channel` is their Slack id.
    """

    member_id: str
    channel: str
    day: date
    offered: tuple[tuple[str, date], ...]
    reminded: tuple[str, ...] = ()


@dataclass(frozen=True)
class SettleOffer:
    """End an offer if its version is still this one."""

    offer_id: str
    version: int
    state: OfferState
    settled_on: date
    settled_by: str | None = None
    reason: str = ""
    resumes_on: date | None = None
    checkin_id: str | None = None


@dataclass(frozen=True)
class ReopenOffer:
    """Offer it again as before, if its version is still this one."""

    offer_id: str
    version: int


@dataclass(frozen=True)
class AddCheckin:
    """Store a check-in with all that was said in it, and settle the account's offer if there is one."""

    draft: CheckinDraft
    today: date
    values: tuple[MeasurementDraft, ...] = ()
    risk: RiskDraft | None = None
    step: TaskDraft | None = None
    offer: Offer | None = None


@dataclass(frozen=True)
class RemoveCheckin:
    """Take a check-in back with all that was said in it; its offer stands again."""

    checkin_id: str


CheckinIntent = TellMember | SettleOffer | ReopenOffer | AddCheckin | RemoveCheckin


def rank_due(due: Iterable[Due], today: date) -> list[Due]:
    """The most overdue first, counted in the account's own rhythm; what is late by a whole one or more goes by tier."""
    return sorted(due, key=lambda each: (-min(1.0, _lateness(each, today)), _tier_place(each.tier), *_last(each)))


def decide_morning(
    member_id: str, channel: str, due: Iterable[Due], offers: Iterable[Offer], day: date, country: str = ""
) -> TellMember | None:
    """What one person is told on the morning of `day`: new offers, and the one reminder of older ones; None where
    there is nothing. `offers` are those open for the person.
    """
    late = tuple(each.id for each in offers if is_to_remind(each, day, country))
    new = [each for each in rank_due(due, day) if each.due_on <= day][:OFFERS_PER_DAY]
    if not new and not late:
        return None
    return TellMember(member_id, channel, day, tuple((each.account_id, each.due_on) for each in new), late)


def is_to_remind(offer: Offer, day: date, country: str = "") -> bool:
    """Whether an open offer is two working days old, and nobody was reminded of it yet."""
    if offer.state is not OfferState.OFFERED or offer.reminded_on is not None:
        return False
    return count_working_days(offer.offered_on, day, country) >= REMIND_AFTER


def decide_supersede(offer: Offer, day: date) -> SettleOffer:
    """Withdraw an offer: the account is somebody else's now, or needs no check-in any more."""
    return SettleOffer(offer.id, offer.version, OfferState.SUPERSEDED, day)


def decide_skip(offer: Offer, reason: str, person_id: str, today: date) -> list[CheckinIntent]:
    """Leave this one out; the next is due a cadence later. Raises `UserError` without a reason."""
    if not reason:
        raise UserError("Why is it left out? Type a few words.", field="reason")
    _check_length("reason", reason, REASON_LENGTH)
    return [SettleOffer(offer.id, offer.version, OfferState.SKIPPED, today, person_id, reason)]


def decide_put_off(offer: Offer, until: date, person_id: str, today: date) -> list[CheckinIntent]:
    """Offer it again on a later day, at most three months ahead. Raises `UserError`."""
    if until <= today:
        raise UserError("Pick a later day: tomorrow at the earliest.", field="until")
    if until - today > LONGEST_DELAY:
        raise UserError("A check-in can be put off by three months at most. Or skip it.", field="until")
    return [SettleOffer(offer.id, offer.version, OfferState.SKIPPED, today, person_id, resumes_on=until)]


def decide_checkin(whole: AddCheckin) -> list[CheckinIntent]:
    """The intents that store a check-in with all its parts.

    Raises `UserError` with the form field at fault.
    """
    draft, today = whole.draft, whole.today
    if draft.pulse not in PULSES:
        raise UserError("How does the account feel? Choose 1 to 5.", field="pulse")
    if draft.happened_on > today:
        raise UserError("This day is still to come. Pick the day you were in touch.", field="happened_on")
    if today - draft.happened_on > OLDEST:
        raise UserError("This day is more than a year ago. Pick a later one.", field="happened_on")
    _check_length("changed", draft.changed, CHANGED_LENGTH)
    for value in whole.values:
        decide_log(value, today)
    if whole.risk is not None:
        decide_add_risk(whole.risk, today)
    if whole.step is not None:
        decide_add_task(whole.step, today)
    return [whole]


def _check_length(field: str, text: str, limit: int) -> None:
    if len(text) > limit:
        raise UserError("That is too long. Type {limit} characters at most.", field=field, limit=limit)


def _lateness(due: Due, today: date) -> float:
    return (today - due.due_on).days / due.cadence_days


def _tier_place(tier: Tier | None) -> int:
    return _TIERS.index(tier) if tier else len(_TIERS)


def _last(due: Due) -> tuple[date, str]:
    return due.due_on, due.account_id
