"""What is known of an account on the day its renewal is decided: the numbers a reason is tied to. Owns reading them;
refuses to judge (`rules.renewals.outcomes`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from rules.health.health import show_score
from rules.renewals.outcomes import Figures, TargetFigure
from rules.renewals.readiness import Check
from rules.success.targets import TargetStatus, assess
from storage.db import Tx
from storage.renewals.readiness import list_prospects
from storage.renewals.renewals import RenewalRow
from storage.success.metrics import name_metrics
from storage.success.targets import list_target_facts

_HIDDEN = frozenset({TargetStatus.DRAFT, TargetStatus.REPLACED})


def find_figures(tx: Tx, row: RenewalRow, today: date) -> Figures:
    """The figures of the renewal's account on `today`."""
    prospect = list_prospects(tx, [row], today)[row.id]
    missing = {lack.check: lack.count for lack in prospect.readiness.missing}
    health = prospect.health
    use = (health.factors.get("utilisation") or {}).get("x") if health else None
    return Figures(
        score=show_score(health.score) if health and health.score is not None else None,
        band=prospect.band.value,
        targets=tuple(_list_targets(tx, row.account_id, today)),
        utilisation=None if use is None else round(use),
        has_sponsor=Check.SPONSOR not in missing,
        urgent_tickets=missing.get(Check.TICKETS, 0),
        is_overdue=Check.INVOICE in missing,
    )


def read_figures(stored: Mapping[str, Any]) -> Figures:
    """As `RenewalRow.figures` holds them; what is not there is not known."""
    targets = tuple(
        TargetFigure(each["metric"], TargetStatus(each["status"]), each["share"]) for each in stored.get("targets", ())
    )
    names = ("score", "band", "utilisation", "has_sponsor", "urgent_tickets", "is_overdue")
    return Figures(targets=targets, **{name: stored[name] for name in names if name in stored})


def _list_targets(tx: Tx, account_id: str, today: date) -> Iterator[TargetFigure]:
    known = list_target_facts(tx, [account_id], today).get(account_id, [])
    names = name_metrics(tx, {row.metric_key for row, _facts in known})
    for row, facts in known:
        found = assess(facts, today)
        if found.status not in _HIDDEN:
            share = None if found.progress is None else round(found.progress * 100)
            yield TargetFigure(names[row.metric_key], found.status, share)
