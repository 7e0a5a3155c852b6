"""Renewals: when a contract ends and when that is decided. Owns the dates; refuses money and forecasts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from dateutil.relativedelta import relativedelta

from rules.records import RenewalVerdict


@dataclass(frozen=True)
class Term:
    """The dates of one contract. `end_on` None: it runs on by `term_months` (at least 1) from `start_on`."""

    start_on: date
    end_on: date | None = None
    term_months: int = 12
    notice_by: date | None = None
    notice_received_on: date | None = None


@dataclass(frozen=True)
class Renewal:
    """The end of a running contract; `decides_on` is its decision date: notice received, else notice deadline,
    else end.
    """

    ends_on: date
    decides_on: date
    is_notice_received: bool = False


@dataclass(frozen=True)
class RenewalFacts:
    """A renewal that is not decided yet. `notice_received_on`: when the customer gave notice; `ends_on` may be past."""

    id: str
    contract_id: str
    ends_on: date
    decides_on: date
    notice_received_on: date | None = None
    verdict: RenewalVerdict | None = None


def find_renewal(term: Term, today: date) -> Renewal | None:
    """The coming end of a contract that runs on `today`; None where it has not begun or has ended."""
    ends_on = term.end_on or _find_period_end(term, today)
    if term.start_on > today or ends_on < today:
        return None
    deadline = term.notice_by if term.end_on else None
    decides_on = term.notice_received_on or deadline or ends_on
    return Renewal(ends_on, decides_on, term.notice_received_on is not None)


def next_renewal(terms: Iterable[Term], today: date) -> Renewal | None:
    """Of the contracts that run on `today`, the one decided first from now on; a decided one only if none is open."""
    found = [renewal for term in terms if (renewal := find_renewal(term, today)) is not None]
    return min(found, key=lambda each: (each.decides_on < today, each.ends_on, each.decides_on), default=None)


def _find_period_end(term: Term, today: date) -> date:
    """The first end of a period on or after `today` (or after the start)."""
    months = max(term.term_months, 1)
    since = relativedelta(max(today, term.start_on), term.start_on)
    count = (since.years * 12 + since.months) // months
    end = term.start_on + relativedelta(months=count * months)
    return end if end >= today and count else term.start_on + relativedelta(months=(count + 1) * months)
