"""How prepared renewals are: everything the checks and the computed verdict look at, for many at once. Owns that
reading in a fixed number of queries; refuses to judge (`rules.renewals.readiness`, `rules.renewals.verdicts`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlmodel import col, or_

from rules.records import Band, EpisodeState, RenewalVerdict, Severity
from rules.renewals.readiness import Readiness, ReadinessFacts, TargetProof, assess_readiness
from rules.renewals.verdicts import compute_verdict
from rules.success.cadence import CadenceFacts, cadence_days
from rules.success.targets import Assessment, TargetFacts, TargetStatus, assess
from storage.accounts.accounts import AccountRow, get_accounts
from storage.accounts.contacts import list_sponsors
from storage.alerts.alerts import EpisodeRow
from storage.db import Tx
from storage.health.health import HealthScoreRow, list_latest
from storage.health.tickets import TicketRow
from storage.renewals.contracts import ContractRow, list_contracts
from storage.renewals.renewals import RenewalRow
from storage.success.targets import list_target_facts
from storage.success.touches import last_touches

_PAGE = 200
_URGENT = ("high", "urgent")
_OUT_OF_FORCE = frozenset({TargetStatus.DRAFT, TargetStatus.PAUSED, TargetStatus.REPLACED})
_GOOD = frozenset({TargetStatus.ACHIEVED, TargetStatus.AHEAD, TargetStatus.ON_TRACK})
_BAD = frozenset({TargetStatus.BEHIND, TargetStatus.MISSED})


@dataclass(frozen=True)
class Prospect:
    """What is known of one renewal on a day, beside the CSM's verdict on it."""

    readiness: Readiness
    computed: RenewalVerdict | None
    health: HealthScoreRow | None
    targets: tuple[TargetProof, ...] = ()

    @property
    def band(self) -> Band:
        """The account's band; unknown without a score."""
        return self.health.band if self.health else Band.UNKNOWN


def list_prospects(tx: Tx, rows: Sequence[RenewalRow], today: date) -> dict[str, Prospect]:
    """Readiness, computed verdict and health of each renewal by its id: some ten queries per 200 of them."""
    found: dict[str, Prospect] = {}
    for at in range(0, len(rows), _PAGE):
        page = rows[at : at + _PAGE]
        known = _read(tx, sorted({row.account_id for row in page}), today)
        found |= {row.id: _assess(row, known, today) for row in page}
    return found


@dataclass(frozen=True)
class _Known:
    """What is known of a page of accounts, by account."""

    accounts: dict[str, AccountRow]
    sponsors: dict[str, bool]
    targets: dict[str, tuple[TargetProof, ...]]
    alerts: dict[str, int]
    tickets: dict[str, int]
    contracts: dict[str, list[ContractRow]]
    touches: dict[str, date]
    scores: dict[str, HealthScoreRow]


def _read(tx: Tx, ids: Sequence[str], today: date) -> _Known:
    targets = list_target_facts(tx, ids, today)
    return _Known(
        accounts=get_accounts(tx, ids),
        sponsors={
            id_: any(each.left_on is None for each in several) for id_, several in list_sponsors(tx, ids).items()
        },
        targets={id_: tuple(_prove([facts for _row, facts in each], today)) for id_, each in targets.items()},
        alerts=_count_unclaimed(tx, ids),
        tickets=_count_urgent(tx, ids),
        contracts=list_contracts(tx, ids),
        touches=last_touches(tx, ids),
        scores=list_latest(tx, ids, today),
    )


def _assess(row: RenewalRow, known: _Known, today: date) -> Prospect:
    id_, targets = row.account_id, known.targets.get(row.account_id, ())
    contracts, health = known.contracts.get(id_, []), known.scores.get(id_)
    readiness = assess_readiness(
        ReadinessFacts(
            today=today,
            has_sponsor=known.sponsors.get(id_, False),
            targets=targets,
            verdict=row.verdict,
            unclaimed_alerts=known.alerts.get(id_, 0),
            urgent_tickets=known.tickets.get(id_, 0),
            is_overdue=any(each.overdue_since is not None for each in contracts),
            last_touch=known.touches.get(id_),
            touch_days=_find_touch_days(known.accounts[id_], row, today),
        )
    )
    is_noticed = any(each.external_id == row.contract_id and each.notice_received_on for each in contracts)
    band = health.band if health else Band.UNKNOWN
    return Prospect(readiness, compute_verdict(band, targets, is_notice_received=is_noticed), health, targets)


def _find_touch_days(account: AccountRow, row: RenewalRow, today: date) -> int | None:
    """The cadence of check-ins, this close to the decision."""
    began_on = account.started_on or account.created_at.date()
    return cadence_days(CadenceFacts(account.state, account.tier, began_on, decides_on=row.decides_on), today)


def _prove(facts: Sequence[TargetFacts], today: date) -> Iterator[TargetProof]:
    """The targets in force, as the checks take them."""
    for each in facts:
        found = assess(each, today)
        if found.status not in _OUT_OF_FORCE:
            is_achieved = found.status is TargetStatus.ACHIEVED
            yield TargetProof(
                is_fresh=is_achieved or _is_fresh(each, found, today),
                is_good=found.status in _GOOD,
                is_judged=found.status in _GOOD | _BAD,
                is_achieved=is_achieved,
            )


def _is_fresh(facts: TargetFacts, found: Assessment, today: date) -> bool:
    return found.measured_on is not None and (today - found.measured_on).days <= facts.cadence_days


def _count_unclaimed(tx: Tx, ids: Sequence[str]) -> dict[str, int]:
    row = EpisodeRow
    query = (
        select(col(row.account_id), func.count())
        .where(
            col(row.workspace_id) == tx.workspace_id,
            col(row.account_id).in_(ids),
            col(row.closed_at).is_(None),
            col(row.state) == EpisodeState.OPEN,
            col(row.severity).in_([Severity.HIGH, Severity.CRITICAL]),
        )
        .group_by(col(row.account_id))
    )
    return dict(tx.session.execute(query).all())


def _count_urgent(tx: Tx, ids: Sequence[str]) -> dict[str, int]:
    row = TicketRow
    query = (
        select(col(row.account_id), func.count())
        .where(
            col(row.workspace_id) == tx.workspace_id,
            col(row.account_id).in_(ids),
            col(row.closed_at).is_(None),
            or_(col(row.priority).in_(_URGENT), col(row.is_escalated)),
        )
        .group_by(col(row.account_id))
    )
    return dict(tx.session.execute(query).all())
