"""What the rhythm of check-ins depends on, for a page of accounts. Owns that bulk reading, five queries whatever the
count; refuses to judge (`rules.success.cadence`) and to read renewals, which are built upon check-ins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Subquery, func
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from rules.records import OfferState
from rules.renewals.renewals import RenewalFacts
from rules.success.cadence import CadenceFacts
from storage.accounts.accounts import AccountRow, get_accounts
from storage.db import Tx
from storage.lookup import is_among
from storage.people.workspaces import get_workspace
from storage.success.checkins import CheckinOfferRow, last_checkins
from storage.success.journeys import JourneyRow

_Pause = tuple[date, date | None]
"""When a due check-in was skipped or put off, and until when."""


@dataclass(frozen=True)
class Watched:
    """An account, its owner, and what its rhythm depends on."""

    account_id: str
    owner_id: str | None
    facts: CadenceFacts


def list_cadences(
    tx: Tx, account_ids: Sequence[str], today: date, renewals: Mapping[str, Sequence[RenewalFacts]]
) -> list[Watched]:
    """The facts of those of the accounts that are in use, as of `today`; `renewals` are the undecided ones by account
    (`storage.renewals.renewals.list_renewal_facts`).
    """
    accounts = {id_: row for id_, row in get_accounts(tx, account_ids).items() if row.archived_at is None}
    zone = ZoneInfo(get_workspace(tx).zone)
    known = {id_: row.created_at.astimezone(zone).date() for id_, row in accounts.items()}
    stages, last, pauses = _list_stages(tx, accounts), last_checkins(tx, accounts), _list_pauses(tx, accounts)
    return [
        Watched(
            id_,
            row.owner_id,
            CadenceFacts(
                state=row.state,
                tier=row.tier,
                began_on=row.started_on or known[id_],
                stage_key=stages.get(id_, ""),
                decides_on=find_decision(renewals.get(id_, ()), today),
                last_on=last.get(id_),
                skipped_on=pauses.get(id_, (None, None))[0],
                resumes_on=pauses.get(id_, (None, None))[1],
                known_on=known[id_],
            ),
        )
        for id_, row in accounts.items()
    ]


def _list_stages(tx: Tx, accounts: Mapping[str, AccountRow]) -> dict[str, str]:
    rows = tx.session.exec(
        select(JourneyRow.account_id, JourneyRow.stage_key).where(
            JourneyRow.workspace_id == tx.workspace_id,
            is_among(tx, col(JourneyRow.account_id), accounts),
            col(JourneyRow.closed_at).is_(None),
        )
    )
    return dict(rows.all())


def find_decision(renewals: Iterable[RenewalFacts], today: date) -> date | None:
    """The next decision date to come."""
    return min((each.decides_on for each in renewals if each.decides_on >= today), default=None)


def _list_pauses(tx: Tx, accounts: Mapping[str, AccountRow]) -> dict[str, _Pause]:
    """The latest check-in left out of each account."""
    ranked = rank_pauses(tx, is_among(tx, col(CheckinOfferRow.account_id), accounts))
    rows = tx.session.execute(
        select_columns(ranked.c.account_id, ranked.c.settled_on, ranked.c.resumes_on).where(ranked.c.place == 1)
    )
    return {account_id: (settled_on, resumes_on) for account_id, settled_on, resumes_on in rows}


def rank_pauses(tx: Tx, *which: ColumnElement[bool]) -> Subquery:
    """Check-ins left out, by account; the latest has `place` 1."""
    newest = (col(CheckinOfferRow.settled_on).desc(), col(CheckinOfferRow.created_at).desc(), col(CheckinOfferRow.id))
    return (
        select_columns(
            col(CheckinOfferRow.account_id),
            col(CheckinOfferRow.settled_on),
            col(CheckinOfferRow.resumes_on),
            func.row_number().over(partition_by=col(CheckinOfferRow.account_id), order_by=newest).label("place"),
        )
        .where(
            col(CheckinOfferRow.workspace_id) == tx.workspace_id,
            col(CheckinOfferRow.state) == OfferState.SKIPPED,
            *which,
        )
        .subquery("pauses")
    )
