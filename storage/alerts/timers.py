"""The timers of alerts as rows: set when an alert changes, read when they are due. Owns who looks after an alert at a
moment; refuses to decide when a timer is due and what it does (`rules.alerts.escalation`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select as select_columns
from sqlmodel import col, func, select

from rules.alerts.escalation import Due, Scene, Watch, arm
from rules.people.absence import resolve_stand_ins
from rules.people.working_time import WorkingTime
from rules.records import EpisodeState, Severity, Tier
from storage.accounts.accounts import AccountRow
from storage.alerts.alerts import EpisodeRow
from storage.audit import AuditRow
from storage.db import Tx
from storage.lookup import is_among
from storage.people.members import MemberRow
from storage.people.team import get_team_time, list_leads, list_people, read_working_time
from storage.people.workspaces import get_workspace


class DueTimer(NamedTuple):
    """A timer whose moment has come."""

    episode_id: str
    due: Due


@dataclass(frozen=True)
class _Charge:
    """Who looks after an alert now: its owner, who stands in for them, or else the leads, by the workspace's time."""

    members: tuple[str, ...]
    working: WorkingTime


@dataclass(frozen=True)
class _Accounts:
    tiers: dict[str, Tier | None]
    owners: dict[str, str | None]


# ---------------------------------------------------------------- setting


def set_timers(tx: Tx, rows: Sequence[EpisodeRow], now: datetime) -> None:
    """Set the timers of alerts that have just come to where they stand. What never escalates costs no query."""
    with tx.session.no_autoflush:  # alerts that were just made are written once, with their timers
        accounts, charges = _read(tx, [row for row in rows if _has_timer(row)], now)
    for row in rows:
        charge = charges.get(row.id)
        watch = _to_watch(row, accounts, charge) if charge else Watch(row.severity)
        for name, value in arm(row.state, row.epoch, watch, now, row.quiet_reason).items():
            setattr(row, name, value)
        tx.session.add(row)


def _has_timer(row: EpisodeRow) -> bool:
    return row.state is EpisodeState.ACKED or (row.state is EpisodeState.OPEN and row.severity is not Severity.NOTICE)


# ---------------------------------------------------------------- due


def list_due_timers(tx: Tx, now: datetime) -> list[DueTimer]:
    """Every timer whose moment has come, the longest due first."""
    columns = (EpisodeRow.id, EpisodeRow.timer_step, EpisodeRow.timer_epoch)
    query = select(*columns).where(EpisodeRow.workspace_id == tx.workspace_id, col(EpisodeRow.timer_at) <= now)
    found = tx.session.exec(query.order_by(col(EpisodeRow.timer_at), col(EpisodeRow.id)))
    return [DueTimer(id_, Due(step, epoch)) for id_, step, epoch in found]


def lock_episodes(tx: Tx, episode_ids: Iterable[str]) -> list[EpisodeRow]:
    """These alerts as they stand; nobody else changes them until the transaction ends."""
    query = select(EpisodeRow).where(
        EpisodeRow.workspace_id == tx.workspace_id, is_among(tx, col(EpisodeRow.id), episode_ids)
    )
    locked = query.order_by(col(EpisodeRow.id)).with_for_update().execution_options(populate_existing=True)
    return list(tx.session.exec(locked))


def list_scenes(tx: Tx, rows: Sequence[EpisodeRow], now: datetime) -> dict[str, Scene]:
    """By alert what its timer needs to know, in a fixed number of queries."""
    accounts, charges = _read(tx, rows, now)
    acted = _list_acts(tx, {row.account_id for row in rows})
    return {
        row.id: Scene(_to_watch(row, accounts, charges[row.id]), charges[row.id].members, acted.get(row.account_id))
        for row in rows
    }


def _list_acts(tx: Tx, account_ids: Iterable[str]) -> dict[str, datetime]:
    """The latest thing a person did on each of the accounts; refusals aside."""
    query = select(AuditRow.account_id, func.max(AuditRow.at)).where(
        AuditRow.workspace_id == tx.workspace_id,
        is_among(tx, col(AuditRow.account_id), account_ids),
        AuditRow.actor_kind == "member",
        col(AuditRow.is_refused).is_(other=False),
    )
    return {id_: at for id_, at in tx.session.exec(query.group_by(col(AuditRow.account_id))) if id_ is not None}


# ---------------------------------------------------------------- who


def _read(tx: Tx, rows: Sequence[EpisodeRow], now: datetime) -> tuple[_Accounts, dict[str, _Charge]]:
    if not rows:
        return _Accounts({}, {}), {}
    query = select_columns(*map(col, (AccountRow.id, AccountRow.tier, AccountRow.owner_id))).where(
        col(AccountRow.workspace_id) == tx.workspace_id,
        is_among(tx, col(AccountRow.id), {row.account_id for row in rows}),
    )
    accounts = _Accounts({}, {})
    for id_, tier, owner_id in tx.session.execute(query):
        accounts.tiers[id_], accounts.owners[id_] = tier, owner_id
    owners = {row.id: row.owner_id or row.taken_by or accounts.owners.get(row.account_id) for row in rows}
    return accounts, _find_charges(tx, owners, now)


def _find_charges(tx: Tx, owners: Mapping[str, str | None], now: datetime) -> dict[str, _Charge]:
    people, home = list_people(tx), get_workspace(tx)
    stand_ins, there = _find_stand_ins(people, now.astimezone(ZoneInfo(home.zone)).date())
    leads = tuple(dict.fromkeys(stand_ins.get(lead, lead) for lead in list_leads(tx, people)))
    nobody = _Charge(leads, get_team_time(tx))
    charges = {row.id: _Charge((row.id,), read_working_time(row, home)) for row in people if row.id in there}
    return {id_: charges.get(stand_ins.get(owner or "", owner or ""), nobody) for id_, owner in owners.items()}


def _find_stand_ins(people: Sequence[MemberRow], day: date) -> tuple[dict[str, str], frozenset[str]]:
    """Absent member → who stands in for them that day, and all who are there."""
    away = {row.id for row in people if row.away_from and row.away_until and row.away_from <= day <= row.away_until}
    known = {row.id for row in people}
    covers = {row.id: row.cover_id for row in people if row.id in away and row.cover_id in known}
    return resolve_stand_ins({id_: cover for id_, cover in covers.items() if cover}, away), frozenset(known - away)


def _to_watch(row: EpisodeRow, accounts: _Accounts, charge: _Charge) -> Watch:
    return Watch(row.severity, accounts.tiers.get(row.account_id), charge.working)
