"""What there is to do and to be glad of, over all subjects: open alerts, check-ins, milestones, tasks, renewals and
targets that were reached, as digests and the Home tab list them. Owns reading these in a fixed number of queries, for
everybody or for some owners; refuses to order them (`rules.delivery.digests`) and to change anything.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, case, func, null, select
from sqlmodel import col

from rules.delivery.digests import RENEWAL_DAYS, WEEK_DAYS, Item, Matter, share_out
from rules.records import (
    AccountState,
    AlertKind,
    EpisodeState,
    MilestoneState,
    OfferState,
    RenewalOutcome,
    Severity,
)
from rules.success.curves import Point
from rules.success.targets import TargetFacts, TargetStatus, assess
from storage.accounts.accounts import AccountRow, get_accounts, is_in_use
from storage.alerts.alerts import EpisodeRow, responsible
from storage.db import Tx
from storage.lookup import is_among
from storage.owned import Owners, Scope, narrow
from storage.people.members import MemberRow, get_members
from storage.people.team import find_stand_ins, list_away, list_leads, list_people
from storage.renewals.renewals import RenewalRow
from storage.success.checkins import CheckinOfferRow
from storage.success.journeys import JourneyRow, MilestoneRow
from storage.success.targets import MeasurementRow, TargetRow, list_target_facts
from storage.success.tasks import TaskRow

FRESH = timedelta(days=14)
"""A value measured longer ago is no news, whenever it was typed in."""
_PAGE = 200
_TOLD_OTHERWISE = (AlertKind.MILESTONE_DUE, AlertKind.MILESTONE_OVERDUE)
"""Alerts of things that stand in the agenda themselves."""
_URGENT = (Severity.HIGH, Severity.CRITICAL)

_Row = TypeVar("_Row", EpisodeRow, CheckinOfferRow, MilestoneRow, TaskRow, RenewalRow, TargetRow)
_Fresh = dict[tuple[str, Point], datetime]
"""When a (metric, point) of an account was saved."""


def list_open_items(tx: Tx, day: date, owners: Owners | None = None) -> list[Item]:
    """Everything that is to be done, as of the local `day`: of all in five queries, of some owners in six."""
    scope = None if owners is None else Scope.of(tx, owners)
    readers = (_list_alerts, _list_checkins, _list_milestones, _list_tasks, _list_renewals)
    return [item for read in readers for item in read(tx, day, scope)]


def list_items_of(tx: Tx, member: MemberRow, day: date, since: datetime) -> list[Item]:
    """What one member should read of on their local `day`: their own, what they cover, for a lead what is nobody's;
    and the targets reached by values saved after `since`.
    """
    people, away, stand_ins = list_people(tx), list_away(tx, day), find_stand_ins(tx, day)
    leads = list_leads(tx, people)
    there = {row.id for row in people} - away | {member.id}
    owners: set[str | None] = {member.id, *(absent for absent, cover in stand_ins.items() if cover == member.id)}
    if member.id in leads:
        owners |= {None, *_list_uncovered(tx, there, stand_ins)}
    items = [*list_open_items(tx, day, owners), *(each.item for each in list_reached(tx, day, since, owners))]
    return share_out(items, there, stand_ins, leads).get(member.id, [])


def _list_uncovered(tx: Tx, there: Collection[str], stand_ins: Collection[str]) -> list[str]:
    """Who is away or gone and has nobody who stands in; robots and those who left may still own something."""
    ids = tx.session.execute(select(col(MemberRow.id)).where(col(MemberRow.workspace_id) == tx.workspace_id)).scalars()
    return [id_ for id_ in ids if id_ not in there and id_ not in stand_ins]


def list_unclaimed(tx: Tx, told_before: datetime, limit: int) -> tuple[list[str], int]:
    """Urgent alerts that nobody took though they were told before a moment: the ids of the first by severity and
    age, and how many there are. One for digests alone counts from when it was raised, any other from when it was told.
    """
    where = (
        *_is_in(tx, EpisodeRow),
        col(EpisodeRow.state) == EpisodeState.OPEN,
        col(EpisodeRow.severity).in_(_URGENT),
        col(EpisodeRow.muted_by).is_(None),
        case((col(EpisodeRow.is_quiet), col(EpisodeRow.opened_at)), else_=col(EpisodeRow.announced_at)) <= told_before,
    )
    is_critical = col(EpisodeRow.severity) == Severity.CRITICAL
    query = select(col(EpisodeRow.id)).join(AccountRow, _owns(EpisodeRow)).where(*where)
    ordered = query.order_by(is_critical.desc(), col(EpisodeRow.opened_at), col(EpisodeRow.id))
    count = select(func.count()).select_from(EpisodeRow).join(AccountRow, _owns(EpisodeRow)).where(*where)
    return list(tx.session.execute(ordered.limit(limit)).scalars()), int(tx.session.execute(count).scalar_one())


def list_next_steps(tx: Tx, account_ids: Sequence[str]) -> dict[str, TaskRow]:
    """The open next step of each account that is due first, one without a day last."""
    row = TaskRow
    query = (
        select(row)
        .join(AccountRow, _owns(row))
        .where(
            *_is_in(tx, row),
            is_among(tx, col(row.account_id), account_ids),
            col(row.done_at).is_(None),
            col(row.removed_at).is_(None),
        )
    )
    first = query.order_by(col(row.due_on).is_(None), col(row.due_on), col(row.id))
    found: dict[str, TaskRow] = {}
    for task in tx.session.execute(first).scalars():
        found.setdefault(task.account_id, task)
    return found


@dataclass(frozen=True)
class Reached:
    """A target that is reached since a value was saved, at `saved_at`."""

    item: Item
    saved_at: datetime


def list_reached(tx: Tx, day: date, since: datetime, owners: Owners | None = None) -> list[Reached]:
    """Targets reached by values saved after `since`, which would not be reached without them. One query (two for
    some owners), and four for each 200 accounts that have such values.
    """
    fresh = _list_fresh(tx, day, since, owners)
    ids, found = sorted(fresh), []
    for at in range(0, len(ids), _PAGE):
        page = ids[at : at + _PAGE]
        accounts, targets = get_accounts(tx, page), list_target_facts(tx, page, day)
        for id_, several in targets.items():
            found += [each for one in several if (each := _reach(accounts[id_], *one, fresh[id_], day)) is not None]
    return found


@dataclass(frozen=True)
class Rows:
    """The rows behind some items, by id; what is gone is left out."""

    accounts: dict[str, AccountRow] = field(default_factory=dict)
    owners: dict[str, MemberRow] = field(default_factory=dict)
    alerts: dict[str, EpisodeRow] = field(default_factory=dict)
    checkins: dict[str, CheckinOfferRow] = field(default_factory=dict)
    milestones: dict[str, MilestoneRow] = field(default_factory=dict)
    tasks: dict[str, TaskRow] = field(default_factory=dict)
    renewals: dict[str, RenewalRow] = field(default_factory=dict)
    targets: dict[str, TargetRow] = field(default_factory=dict)


def load_rows(tx: Tx, items: Sequence[Item]) -> Rows:
    """Everything that lines about the items tell of: at most eight queries."""
    ids = {matter: [item.id for item in items if item.matter is matter] for matter in Matter}
    return Rows(
        accounts=get_accounts(tx, sorted({item.account_id for item in items})) if items else {},
        owners=get_members(tx, [item.owner_id for item in items if item.owner_id]),
        alerts=load_alerts(tx, ids[Matter.ALERT]),
        checkins=_load(tx, CheckinOfferRow, ids[Matter.CHECKIN]),
        milestones=_load(tx, MilestoneRow, ids[Matter.MILESTONE]),
        tasks=_load(tx, TaskRow, ids[Matter.TASK]),
        renewals=_load(tx, RenewalRow, ids[Matter.RENEWAL]),
        targets=_load(tx, TargetRow, ids[Matter.REACHED]),
    )


def load_alerts(tx: Tx, ids: Sequence[str]) -> dict[str, EpisodeRow]:
    """Alerts by id, in the order given."""
    found = _load(tx, EpisodeRow, ids)
    return {id_: found[id_] for id_ in ids if id_ in found}


# ---------------------------------------------------------------- what is to be done


def _list_alerts(tx: Tx, _day: date, scope: Scope | None) -> list[Item]:
    row, owner = EpisodeRow, responsible()
    query = _select(row, owner, null(), col(row.severity), col(row.state)).where(
        *_is_in(tx, row),
        col(row.state).in_((EpisodeState.OPEN, EpisodeState.ACKED)),
        col(row.kind).not_in(_TOLD_OTHERWISE),
        col(row.muted_by).is_(None),
    )
    rows = tx.session.execute(narrow(query, row, scope, row.owner_id, row.taken_by))
    return [
        Item(Matter.ALERT, id_, account_id, owner_id, None, tier, severity, state is EpisodeState.ACKED)
        for id_, account_id, owner_id, _due, tier, severity, state in rows
    ]


def _list_checkins(tx: Tx, day: date, scope: Scope | None) -> list[Item]:
    """Those offered on an earlier day: today's were offered in a message of their own."""
    row = CheckinOfferRow
    query = _select(row, col(row.member_id), col(row.due_on)).where(
        *_is_in(tx, row), col(row.state) == OfferState.OFFERED, col(row.offered_on) < day
    )
    if scope is not None:
        own = (col(row.workspace_id) == tx.workspace_id, scope.has_member(row.member_id))
        is_open = col(row.state) == OfferState.OFFERED
        query = query.where(
            col(row.id).in_(select(col(row.id)).where(*own, is_open))
        )  # first, or SQLite asks by account
    return _list_dated(tx, Matter.CHECKIN, query)


def _list_milestones(tx: Tx, day: date, scope: Scope | None) -> list[Item]:
    row = MilestoneRow
    owner = func.coalesce(row.owner_id, AccountRow.owner_id)
    query = _select(row, owner, col(row.due_on)).join(JourneyRow, col(JourneyRow.id) == col(row.journey_id))
    query = query.where(
        *_is_in(tx, row),
        col(JourneyRow.workspace_id) == tx.workspace_id,
        col(JourneyRow.closed_at).is_(None),
        col(row.state) == MilestoneState.OPEN,
        col(row.removed_at).is_(None),
        col(row.due_on) < day + timedelta(days=WEEK_DAYS),
    )
    return _list_dated(tx, Matter.MILESTONE, narrow(query, row, scope, row.owner_id))


def _list_tasks(tx: Tx, day: date, scope: Scope | None) -> list[Item]:
    row = TaskRow
    owner = func.coalesce(row.owner_id, AccountRow.owner_id)
    query = _select(row, owner, col(row.due_on)).where(
        *_is_in(tx, row),
        col(row.done_at).is_(None),
        col(row.removed_at).is_(None),
        col(row.due_on) < day + timedelta(days=WEEK_DAYS),
    )
    return _list_dated(tx, Matter.TASK, narrow(query, row, scope, row.owner_id))


def _list_renewals(tx: Tx, day: date, scope: Scope | None) -> list[Item]:
    row = RenewalRow
    query = _select(row, col(AccountRow.owner_id), col(row.decides_on)).where(
        *_is_in(tx, row), _is_renewal(day + timedelta(days=RENEWAL_DAYS))
    )
    return _list_dated(tx, Matter.RENEWAL, query if scope is None else query.where(scope.has_account(row.account_id)))


def _list_dated(tx: Tx, matter: Matter, query: Any) -> list[Item]:
    return [Item(matter, *found) for found in tx.session.execute(query)]


def _select(table: Any, owner: Any, due_on: Any, *more: Any) -> Any:
    """The columns of `Item` behind its matter, in their order, and more."""
    columns = (table.id, table.account_id, owner, due_on, col(AccountRow.tier), *more)
    return select(*columns).select_from(table).join(AccountRow, _owns(table))


def _owns(table: Any) -> ColumnElement[bool]:
    is_it: ColumnElement[bool] = col(AccountRow.id) == table.account_id
    return is_it


def _is_in(tx: Tx, table: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The workspace's own, of an account in use."""
    return (is_in_use(tx), col(table.workspace_id) == tx.workspace_id)


def _is_renewal(until: date) -> ColumnElement[bool]:
    row = RenewalRow
    is_open = and_(col(row.outcome) == RenewalOutcome.OPEN, col(row.decides_on) <= until)
    return and_(is_open, col(AccountRow.state) != AccountState.LOST)


def _load(tx: Tx, table: type[_Row], ids: Sequence[str]) -> dict[str, _Row]:
    if not ids:
        return {}
    rows: Any = table
    query = select(table).where(rows.workspace_id == tx.workspace_id, is_among(tx, rows.id, ids))
    return {row.id: row for row in tx.session.execute(query).scalars()}


# ---------------------------------------------------------------- what there is to be glad of


def _list_fresh(tx: Tx, day: date, since: datetime, owners: Owners | None) -> dict[str, _Fresh]:
    """By account when values saved after `since` were saved."""
    row = MeasurementRow
    query = (
        select(*map(col, (row.account_id, row.metric_key, row.measured_on, row.value, row.created_at)))
        .select_from(row)
        .join(AccountRow, _owns(row))
        .where(
            is_in_use(tx),
            col(row.workspace_id) == tx.workspace_id,
            col(row.created_at) > since,
            col(row.removed_at).is_(None),
            col(row.measured_on) > day - FRESH,
        )
    )
    if owners is not None:
        query = query.where(Scope.of(tx, owners).has_account(row.account_id))
    found: dict[str, _Fresh] = {}
    for account_id, metric, measured_on, value, saved_at in tx.session.execute(query):
        found.setdefault(account_id, {})[metric, (measured_on, value)] = saved_at
    return found


def _reach(
    account: AccountRow,
    target: TargetRow,
    facts: TargetFacts,
    fresh: _Fresh,
    day: date,
) -> Reached | None:
    new = {point: saved_at for (metric, point), saved_at in fresh.items() if metric == target.metric_key}
    if not new or assess(facts, day).status is not TargetStatus.ACHIEVED:
        return None
    before = replace(facts, measurements=tuple(each for each in facts.measurements if each not in new))
    if assess(before, day).status is TargetStatus.ACHIEVED:
        return None
    item = Item(Matter.REACHED, target.id, account.id, account.owner_id, tier=account.tier)
    return Reached(item, max(new.values()))
