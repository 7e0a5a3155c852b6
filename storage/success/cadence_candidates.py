"""The accounts whose check-in may be due, of all that there are, as plain columns. Owns letting the database leave out
those we were in touch with too recently; refuses to judge the others (`rules.success.cadence`) and to read renewals.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, ScalarSelect, and_, case, func, or_, select
from sqlmodel import col

from rules.records import Tier
from rules.success.cadence import ONBOARDING_STAGES, WATCHED_STATES, CadenceFacts, shortest_days
from storage.accounts.accounts import AccountRow, is_in_use
from storage.db import Tx
from storage.people.workspaces import get_workspace
from storage.success.cadences import Watched, rank_pauses
from storage.success.checkins import CheckinRow
from storage.success.journeys import JourneyRow


def list_candidates(tx: Tx, owner_id: str | None, today: date) -> list[Watched]:
    """The accounts of an owner (None: of anybody) whose check-in may be due on `today`, in one query; of their facts
    only the decision dates are missing. Whoever is left out has none due.
    """
    last, pause = _last_checkin(tx), rank_pauses(tx)
    touched = func.coalesce(last, col(AccountRow.started_on))
    columns = (
        *map(col, (AccountRow.id, AccountRow.owner_id, AccountRow.state, AccountRow.tier, AccountRow.started_on)),
        *map(col, (AccountRow.created_at, JourneyRow.stage_key)),
        last,
        *(pause.c.settled_on, pause.c.resumes_on),
    )
    zone = ZoneInfo(get_workspace(tx).zone)
    query = (
        select(*columns)
        .select_from(AccountRow)
        .outerjoin(JourneyRow, _is_journey_of_account(tx))
        .outerjoin(pause, and_(pause.c.account_id == col(AccountRow.id), pause.c.place == 1))
        .where(is_in_use(tx), col(AccountRow.state).in_(sorted(WATCHED_STATES)), _has_rhythm())
        .where(or_(touched.is_(None), touched <= _latest_touch(today), pause.c.resumes_on <= today))
    )
    if owner_id is not None:
        query = query.where(col(AccountRow.owner_id) == owner_id)
    return [_to_watched(tuple(row), zone) for row in tx.session.execute(query)]


def _to_watched(row: tuple[Any, ...], zone: ZoneInfo) -> Watched:
    id_, owner_id, state, tier, started_on, created_at, stage_key, last_on, skipped_on, resumes_on = row
    known_on = created_at.astimezone(zone).date()
    facts = CadenceFacts(
        state=state,
        tier=tier,
        began_on=started_on or known_on,
        stage_key=stage_key or "",
        last_on=last_on,
        skipped_on=skipped_on,
        resumes_on=resumes_on,
        known_on=known_on,
    )
    return Watched(id_, owner_id, facts)


def _last_checkin(tx: Tx) -> ScalarSelect[date]:
    checkin = CheckinRow
    return (
        select(func.max(col(checkin.happened_on)))
        .where(
            col(checkin.workspace_id) == tx.workspace_id,
            col(checkin.account_id) == col(AccountRow.id),
            col(checkin.removed_at).is_(None),
        )
        .correlate(AccountRow)
        .scalar_subquery()
    )


def _is_journey_of_account(tx: Tx) -> ColumnElement[bool]:
    journey = JourneyRow
    is_here = and_(col(journey.workspace_id) == tx.workspace_id, col(journey.closed_at).is_(None))
    return and_(col(journey.account_id) == col(AccountRow.id), is_here)


def _has_rhythm() -> ColumnElement[bool]:
    without = [tier for tier in Tier if shortest_days(tier, may_be_onboarding=True) is None]
    return or_(col(AccountRow.tier).is_(None), col(AccountRow.tier).not_in(without))


def _latest_touch(today: date) -> ColumnElement[date]:
    """The latest day of a check-in (else of the beginning) after which the next one may be due by `today`."""
    stage = col(JourneyRow.stage_key)
    may_be_onboarding = or_(stage.is_(None), stage.in_(sorted(ONBOARDING_STAGES)))
    ways = [
        (and_(is_tier, is_so), today - timedelta(days))
        for tier, is_tier in _list_tiers()
        for may_be, is_so in ((True, may_be_onboarding), (False, ~may_be_onboarding))
        if (days := shortest_days(tier, may_be_onboarding=may_be)) is not None
    ]
    return case(*ways)


def _list_tiers() -> list[tuple[Tier | None, ColumnElement[bool]]]:
    named = [(tier, col(AccountRow.tier) == tier) for tier in Tier]
    return [(None, col(AccountRow.tier).is_(None)), *named]
