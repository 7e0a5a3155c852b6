"""Renewals: when a contract ends and when that is decided. Owns the dates; refuses money and forecasts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from rules.records import RenewalVerdict

COMING_DAYS = 120
"""So many days before its decision date a renewal begins to be looked after."""
EXPIRED_DAYS = 90
"""An end so many days past is still a question: signed by then, it is a late renewal."""
EARLY_DAYS = 31
"""A contract may follow another from so many days before its end."""
ROLLING_MONTHS = 3
"""A contract that runs on by so few months at a time has no renewals to prepare, until notice is given."""
_NOT_RENEWED = frozenset({"one-off", "one_off", "service", "services", "trial"})


@dataclass(frozen=True)
class Term:
    """The dates of one contract. `end_on` None: it runs on by `term_months` (at least 1) from `start_on`; so it does
    from `end_on`, where it renews by itself.
    """

    start_on: date
    end_on: date | None = None
    term_months: int = 12
    notice_by: date | None = None
    notice_received_on: date | None = None
    is_auto_renew: bool = False

    @property
    def runs_on(self) -> bool:
        """Whether it goes on where nobody does anything."""
        return self.end_on is None or self.is_auto_renew


@dataclass(frozen=True)
class Renewal:
    """The end of a running contract; `decides_on` is its decision date: notice received, else notice deadline,
    else end.
    """

    ends_on: date
    decides_on: date
    is_notice_received: bool = False


@dataclass(frozen=True)
class ContractFacts:
    """A contract of an account. `kind` is the source's word for what was sold; money in minor units a year."""

    id: str
    account_id: str
    term: Term
    yearly_minor: int = 0
    currency: str = "EUR"
    kind: str = "subscription"


@dataclass(frozen=True)
class RenewalFacts:
    """A renewal that is not decided yet. `id` is "" before it is looked after; `notice_received_on`: when the customer
    gave notice; `ends_on` may be past.
    """

    id: str
    contract_id: str
    ends_on: date
    decides_on: date
    notice_received_on: date | None = None
    verdict: RenewalVerdict | None = None


def find_end(term: Term, today: date) -> Renewal:
    """The end that matters on `today`: a fixed one, also where it is past; of a contract that runs on by itself the
    first one on or after today, or after the notice.
    """
    notice = term.notice_received_on
    since = notice if notice is not None and notice <= today else today
    ends_on, deadline = _find_period(term, since)
    return Renewal(ends_on, notice or deadline or ends_on, notice is not None)


def find_renewal(term: Term, today: date) -> Renewal | None:
    """The coming end of a contract that runs on `today`; None where it has not begun or has ended."""
    found = find_end(term, today)
    return None if term.start_on > today or found.ends_on < today else found


def next_renewal(contracts: Iterable[ContractFacts], today: date) -> Renewal | None:
    """Of what an account has agreed to (see `list_agreed`), the end decided first from now on; a decided one only if
    none is open.
    """
    found = [find_end(each.term, max(today, each.term.start_on)) for each in list_agreed(contracts, today)]
    return min(found, key=lambda each: (each.decides_on < today, each.ends_on, each.decides_on), default=None)


def list_agreed(contracts: Iterable[ContractFacts], today: date) -> list[ContractFacts]:
    """The contracts that run on `today`; where one was signed that takes over from such a contract, that one instead:
    the question of its end is answered.
    """
    known = list(contracts)
    running = (each for each in known if find_renewal(each.term, today) is not None)
    return list({each.id: each for each in (_find_last(each, known) for each in running)}.values())


def list_questions(contracts: Iterable[ContractFacts], today: date) -> list[tuple[ContractFacts, Renewal]]:
    """The ends of one account's contracts that somebody has to decide, near or far: of contracts that have begun, that
    nothing follows, and that did not end too long ago.
    """
    known = list(contracts)
    found = [
        (each, find_end(each.term, today)) for each in known if _asks(each, today) and not is_followed(each, known)
    ]
    return [(each, end) for each, end in found if (today - end.ends_on).days <= EXPIRED_DAYS]


def is_coming(renewal: Renewal, today: date) -> bool:
    """Whether it is time to look after this end."""
    return (renewal.decides_on - today).days <= COMING_DAYS


def is_followed(contract: ContractFacts, contracts: Iterable[ContractFacts]) -> bool:
    """Whether another contract of the account takes over where this one ends."""
    return any(follows(each, contract) for each in contracts)


def _find_last(contract: ContractFacts, contracts: Iterable[ContractFacts]) -> ContractFacts:
    """The last of those that take over from a contract one after the other; itself where none does."""
    known = list(contracts)
    while (later := next((each for each in known if follows(each, contract)), None)) is not None:
        contract = later
    return contract


def follows(later: ContractFacts, contract: ContractFacts) -> bool:
    """Whether `later`, another contract of the account, takes over where `contract` ends."""
    start = later.term.start_on
    if later.kind != contract.kind or start <= contract.term.start_on or later.id == contract.id:
        return False
    ends_on = find_end(replace(contract.term, notice_received_on=None), start - timedelta(EXPIRED_DAYS)).ends_on
    is_near = -EXPIRED_DAYS <= (ends_on - start).days <= EARLY_DAYS
    return is_near and (later.term.end_on is None or later.term.end_on > ends_on)


def _asks(contract: ContractFacts, today: date) -> bool:
    term = contract.term
    is_rolling = term.runs_on and term.term_months <= ROLLING_MONTHS and term.notice_received_on is None
    return term.start_on <= today and not is_rolling and contract.kind.lower() not in _NOT_RENEWED


def _find_period(term: Term, since: date) -> tuple[date, date | None]:
    """The end that counts from `since` on, and its notice deadline."""
    if term.end_on is None:
        return _find_period_end(term.start_on, term, since), None
    if not term.is_auto_renew or term.end_on >= since:
        return term.end_on, term.notice_by
    ends_on = _find_period_end(term.end_on, term, since)
    deadline = term.notice_by
    return ends_on, ends_on - (term.end_on - deadline) if deadline else None


def _find_period_end(start: date, term: Term, since: date) -> date:
    """The first end of a period on or after `since` (or after the start)."""
    months = max(term.term_months, 1)
    past = relativedelta(max(since, start), start)
    count = (past.years * 12 + past.months) // months
    end = start + relativedelta(months=count * months)
    return end if end >= since and count else start + relativedelta(months=(count + 1) * months)
