"""Deciding a renewal: the CSM's verdict before, the outcome after. Owns what is valid and what follows (the next
contract, or an end); refuses the day a customer is lost (`rules.renewals.leaving`), storage and words.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from dateutil.relativedelta import relativedelta

from rules.errors import StaleError, UserError
from rules.notes import check_note
from rules.records import RenewalOutcome, RenewalVerdict
from rules.renewals.renewals import ContractFacts, Term
from rules.renewals.superseding import make_contract_id
from rules.success.targets import TargetStatus

NOTE_LENGTH = 2000
LONGEST_YEARS = 10
_DAY = relativedelta(days=1)
DECIDED = (RenewalOutcome.RENEWED, RenewalOutcome.EXPANDED, RenewalOutcome.CONTRACTED, RenewalOutcome.CHURNED)
"""What a person may say."""
_END = "new_end_on"
_NEEDS_REASON = frozenset({RenewalOutcome.CONTRACTED, RenewalOutcome.CHURNED})


class Reason(StrEnum):
    """Why a customer leaves or pays less. The figures of the day are kept with it, so that it is never just "lost"."""

    TARGETS = "targets"
    LOW_USE = "low_use"
    HEALTH = "health"
    SPONSOR = "sponsor"
    SUPPORT = "support"
    PRICE = "price"
    COMPETITOR = "competitor"
    BUDGET = "budget"
    NOT_NEEDED = "not_needed"
    CLOSED = "closed"
    UNPAID = "unpaid"
    OTHER = "other"


_NEEDS_NOTE = frozenset({Reason.OTHER})


@dataclass(frozen=True)
class TargetFigure:
    """Where one target stood: `share` of the way, raw, in hundredths (None: no value)."""

    metric: str
    status: TargetStatus
    share: int | None = None


@dataclass(frozen=True)
class Figures:
    """What was known on the day of the outcome. `utilisation` is the factor of the score, 0 to 100."""

    score: int | None = None
    band: str = "unknown"
    targets: tuple[TargetFigure, ...] = field(default=())
    utilisation: int | None = None
    has_sponsor: bool = False
    urgent_tickets: int = 0
    is_overdue: bool = False


@dataclass(frozen=True)
class OpenRenewal:
    """The renewal as the decision finds it, with its contract; `version` is what the person had seen."""

    id: str
    version: int
    ends_on: date
    outcome: RenewalOutcome
    contract: ContractFacts


@dataclass(frozen=True)
class OutcomeDraft:
    """How it ended, as somebody says it. Money in minor units a year; None: as before. `new_end_on` None: as long
    again, or on as it runs; for a loss the day on which it takes effect, None: with the contract's end.
    """

    outcome: RenewalOutcome
    currency: str
    new_yearly_minor: int | None = None
    new_end_on: date | None = None
    reason: Reason | None = None
    note: str = ""


@dataclass(frozen=True)
class GiveVerdict:
    """Store the person's own call."""

    renewal_id: str
    version: int
    verdict: RenewalVerdict
    note: str
    by: str
    on: date


@dataclass(frozen=True)
class RecordOutcome:
    """Store how it ended. `new_end_on` None: the contract runs on, or is over. `ends_on` is the end that was decided:
    the contract's own, or the earlier one of a customer who leaves before.
    """

    renewal_id: str
    version: int
    ends_on: date
    draft: OutcomeDraft
    new_yearly_minor: int
    new_end_on: date | None
    by: str
    on: date
    figures: Figures


@dataclass(frozen=True)
class FollowContract:
    """End the contract on its end, and add `next` after it."""

    renewal_id: str
    contract_id: str
    ends_on: date
    next: ContractFacts


@dataclass(frozen=True)
class EndContract:
    """The contract ends on that day and does not run on."""

    renewal_id: str
    contract_id: str
    ends_on: date


OutcomeIntent = RecordOutcome | FollowContract | EndContract


def decide_verdict(renewal: OpenRenewal, verdict: RenewalVerdict, note: str, by: str, today: date) -> list[GiveVerdict]:
    """Raises `StaleError` where the renewal is decided, `UserError` with the field at fault."""
    _require_open(renewal)
    check_note(note, NOTE_LENGTH)
    return [GiveVerdict(renewal.id, renewal.version, verdict, note, by, today)]


@dataclass(frozen=True)
class Around:
    """What else matters when a renewal is decided. `has_next`: a contract that follows this one is known already."""

    figures: Figures
    has_next: bool = False


def decide_outcome(
    renewal: OpenRenewal, draft: OutcomeDraft, by: str, today: date, around: Around
) -> list[OutcomeIntent]:
    """What an outcome changes. Raises `StaleError` where it is decided already, `UserError` with the field at fault."""
    _require_open(renewal)
    _check(renewal, draft, today)
    if draft.outcome is RenewalOutcome.CHURNED:
        return _lose(renewal, draft, by, today, around)
    contract = renewal.contract
    yearly = contract.yearly_minor if draft.new_yearly_minor is None else draft.new_yearly_minor
    is_same = yearly == contract.yearly_minor and draft.new_end_on is None
    runs_on = contract.term.runs_on and is_same and contract.term.notice_received_on is None
    end = None if runs_on else draft.new_end_on or plan_next_end(contract.term, renewal.ends_on)
    record = RecordOutcome(renewal.id, renewal.version, renewal.ends_on, draft, yearly, end, by, today, around.figures)
    return [record] if runs_on or around.has_next else [record, _follow(renewal, yearly, end)]


def plan_next_end(term: Term, ends_on: date) -> date | None:
    """The end of a next period as long as this one; None where there is no fixed end.

    The end is the last day of the contract, but for one that ends on the day of the month on which it began: so many
    systems write whole months (3 April to 3 April), and they are taken as such.
    """
    if term.end_on is None:
        return None
    if term.is_auto_renew:
        return ends_on + relativedelta(months=max(term.term_months, 1))
    whole = relativedelta(term.end_on, term.start_on)
    if not whole.days:
        return ends_on + whole
    return ends_on + _DAY + relativedelta(term.end_on + _DAY, term.start_on) - _DAY


def needs_reason(outcome: RenewalOutcome) -> bool:
    """Whether an outcome needs to say why."""
    return outcome in _NEEDS_REASON


def rank_reasons(figures: Figures) -> list[Reason]:
    """All reasons, those that the figures bear out first."""
    bad = {TargetStatus.MISSED, TargetStatus.BEHIND, TargetStatus.UNPROVEN, TargetStatus.STALE}
    borne_out = {
        Reason.TARGETS: any(each.status in bad for each in figures.targets),
        Reason.LOW_USE: figures.utilisation is not None and figures.utilisation < _LOW_USE,
        Reason.HEALTH: figures.band == "red",
        Reason.SPONSOR: not figures.has_sponsor,
        Reason.SUPPORT: figures.urgent_tickets > 0,
        Reason.UNPAID: figures.is_overdue,
    }
    return sorted(Reason, key=lambda each: not borne_out.get(each, False))


_LOW_USE = 50
"""Under so much of the score's full marks for utilisation it counts as low."""


def _lose(renewal: OpenRenewal, draft: OutcomeDraft, by: str, today: date, around: Around) -> list[OutcomeIntent]:
    """The contract ends; the account is a customer until then (`rules.renewals.leaving`)."""
    ends_on = draft.new_end_on or renewal.ends_on
    record = RecordOutcome(renewal.id, renewal.version, ends_on, draft, 0, None, by, today, around.figures)
    return [record, EndContract(renewal.id, renewal.contract.id, ends_on)]


def _follow(renewal: OpenRenewal, yearly: int, new_end_on: date | None) -> FollowContract:
    contract = renewal.contract
    term = replace(
        contract.term,
        start_on=renewal.ends_on + _DAY,
        end_on=new_end_on,
        notice_by=_shift_deadline(contract.term, new_end_on),
        notice_received_on=None,
    )
    following = replace(contract, id=make_contract_id(renewal.id), term=term, yearly_minor=yearly)
    return FollowContract(renewal.id, contract.id, renewal.ends_on, following)


def _shift_deadline(term: Term, new_end_on: date | None) -> date | None:
    """As long before the new end as it was before the old one."""
    if term.notice_by is None or term.end_on is None or new_end_on is None:
        return None
    return new_end_on - (term.end_on - term.notice_by)


def _require_open(renewal: OpenRenewal) -> None:
    if renewal.outcome is not RenewalOutcome.OPEN:
        raise StaleError("Nothing was changed: this renewal is decided already.")


def _check(renewal: OpenRenewal, draft: OutcomeDraft, today: date) -> None:
    check_note(draft.note, NOTE_LENGTH)
    if draft.outcome not in DECIDED:
        raise UserError("Choose how it ended.", field="outcome")
    _check_reason(draft)
    if draft.outcome is RenewalOutcome.CHURNED:
        _check_leaving(renewal, draft)
    else:
        _check_money(renewal.contract, draft)
        _check_end(renewal, draft, today)


def _check_reason(draft: OutcomeDraft) -> None:
    if needs_reason(draft.outcome) and draft.reason is None:
        raise UserError("Say why: choose the reason that weighed most.", field="reason")
    if needs_reason(draft.outcome) and draft.reason in _NEEDS_NOTE and not draft.note:
        raise UserError("Type the reason, with a number where there is one.", field="note")


def _check_money(contract: ContractFacts, draft: OutcomeDraft) -> None:
    before, after = contract.yearly_minor, draft.new_yearly_minor
    if draft.currency != contract.currency:
        sentence = "The contract is in {currency}. Type the amount in {currency}, too."
        raise UserError(sentence, field="amount", currency=contract.currency)
    if after is not None and after <= 0:
        raise UserError("Type what they pay in a year from now on, more than nothing.", field="amount")
    if draft.outcome is RenewalOutcome.RENEWED:
        _check_same(before, after)
    elif after is None:
        raise UserError("Type what they pay in a year from now on.", field="amount")
    elif before and draft.outcome is RenewalOutcome.EXPANDED and after <= before:
        raise UserError("That is not more than before. Choose “renewed” or “contracted”.", field="amount")
    elif before and draft.outcome is RenewalOutcome.CONTRACTED and after >= before:
        raise UserError("That is not less than before. Choose “renewed” or “expanded”.", field="amount")


def _check_same(before: int, after: int | None) -> None:
    if before and after is not None and after != before:
        word = "expanded" if after > before else "contracted"
        raise UserError("That is not the same as before. Choose “{word}”.", field="amount", word=word)


def _check_leaving(renewal: OpenRenewal, draft: OutcomeDraft) -> None:
    """Early termination takes effect within the contract's time; who leaves later has a contract until then."""
    day, start = draft.new_end_on, renewal.contract.term.start_on
    if day is not None and day > renewal.ends_on:
        raise UserError("A customer who leaves does so by the contract's end. Type that day or one before.", field=_END)
    if day is not None and day < start:
        raise UserError("The contract had not begun on that day.", field=_END)


def _check_end(renewal: OpenRenewal, draft: OutcomeDraft, today: date) -> None:
    end = draft.new_end_on
    if end is not None and end <= renewal.ends_on:
        raise UserError("The new end must be after the old one.", field=_END)
    if end is not None and end > max(today, renewal.ends_on) + relativedelta(years=LONGEST_YEARS):
        raise UserError("That end is more than {years} years away.", field=_END, years=LONGEST_YEARS)
