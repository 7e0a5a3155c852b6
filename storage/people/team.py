"""The team at work: everybody's working time, who is away, who stands in. Owns reading these in bulk, one query for
the members and one for the workspace; refuses to change them (see `storage.people.team_writes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, time

from sqlalchemy import ColumnElement, and_
from sqlmodel import col, func, select

from rules.people.absence import resolve_stand_ins
from rules.people.working_time import DEFAULT_FROM, DEFAULT_UNTIL, WorkingTime, choose_digest_at
from rules.records import Role
from storage.db import Tx
from storage.lookup import is_among
from storage.people.members import MemberRow
from storage.people.workspaces import WorkspaceRow, get_workspace

LEADING = (Role.LEAD, Role.ADMIN)


def list_people(tx: Tx, *, limit: int | None = None, offset: int = 0) -> list[MemberRow]:
    """The people who are still there, by name; no bots. All of them, or a page."""
    query = select(MemberRow).where(_is_there(tx)).order_by(func.lower(MemberRow.name), MemberRow.slack_id)
    return list(tx.session.exec(query.limit(limit).offset(offset)))


def count_people(tx: Tx) -> int:
    """How many `list_people` gives in all."""
    return tx.session.exec(select(func.count()).select_from(MemberRow).where(_is_there(tx))).one()


def find_lead(tx: Tx) -> MemberRow | None:
    """Whom to ask about the team's own rules: its lead, else a lead or admin who is still there; None without any."""
    leading = [row for row in list_people(tx) if row.role in LEADING]
    lead_id = get_workspace(tx).lead_id
    return next((row for row in leading if row.id == lead_id), None) or next(iter(leading), None)


def find_admin(tx: Tx) -> str:
    """Slack's id of whom to tell about the machinery: who installed Milepost, else the first admin; "" without any."""
    admins = (row.slack_id for row in list_people(tx) if row.role is Role.ADMIN)
    return get_workspace(tx).installer_id or next(admins, "")


def count_leading(tx: Tx, *, without: str) -> int:
    """How many leads and admins are there besides the member `without`."""
    is_leading = and_(_is_there(tx), col(MemberRow.role).in_(LEADING), col(MemberRow.id) != without)
    return tx.session.exec(select(func.count()).select_from(MemberRow).where(is_leading)).one()


def list_working_times(tx: Tx, member_ids: Iterable[str] | None = None) -> dict[str, WorkingTime]:
    """The working time by member id: of these members (unknown ids are left out), or of all who are still there.

    A person's own value comes first, then the workspace's. Who chose own hours but no time for the digest gets it ten
    minutes after those begin.
    """
    wanted = _is_there(tx) if member_ids is None else _is_one_of(tx, member_ids)
    home = get_workspace(tx)
    return {row.id: read_working_time(row, home) for row in tx.session.exec(select(MemberRow).where(wanted))}


def read_working_time(row: MemberRow, home: WorkspaceRow) -> WorkingTime:
    """The working time of one person of the workspace `home`."""
    work_from = _read(row.work_from or home.work_from, DEFAULT_FROM)
    chosen = row.digest_at or ("" if row.work_from else home.digest_at)
    return WorkingTime(
        zone=row.local_zone,
        work_from=work_from,
        work_until=_read(row.work_until or home.work_until, DEFAULT_UNTIL),
        digest_at=choose_digest_at(work_from, time.fromisoformat(chosen) if chosen else None),
        country=row.country or home.country,
        weekly_on=home.weekly_on,
    )


def get_team_time(tx: Tx) -> WorkingTime:
    """The workspace's own working time, for what is posted in channels."""
    home = get_workspace(tx)
    work_from = _read(home.work_from, DEFAULT_FROM)
    return WorkingTime(
        zone=home.zone,
        work_from=work_from,
        work_until=_read(home.work_until, DEFAULT_UNTIL),
        digest_at=choose_digest_at(work_from, time.fromisoformat(home.digest_at) if home.digest_at else None),
        country=home.country,
        weekly_on=home.weekly_on,
    )


def list_leads(tx: Tx, people: Sequence[MemberRow]) -> list[str]:
    """Which of the people look after what is nobody's: the workspace's lead, else all leads, else the admins."""
    chosen = get_workspace(tx).lead_id
    by_role = ([row.id for row in people if row.role is role] for role in (Role.LEAD, Role.ADMIN))
    return [row.id for row in people if row.id == chosen] or next(filter(None, by_role), [])


def list_away(tx: Tx, day: date) -> frozenset[str]:
    """The ids of the members who are away on `day`."""
    return frozenset(tx.session.exec(select(MemberRow.id).where(_is_there(tx), _is_away(day))))


def find_stand_ins(tx: Tx, day: date) -> dict[str, str]:
    """Who looks after whose accounts on `day`: absent member → somebody who is there. Where the cover is away too,
    theirs steps in; who has nobody is left out.
    """
    rows = tx.session.exec(select(MemberRow.id, MemberRow.cover_id).where(_is_there(tx), _is_away(day))).all()
    there = set(tx.session.exec(select(MemberRow.id).where(_is_there(tx)))) if rows else set()
    covers = {id_: cover_id for id_, cover_id in rows if cover_id in there}
    return resolve_stand_ins({id_: cover for id_, cover in covers.items() if cover}, {id_ for id_, _cover in rows})


def _is_there(tx: Tx) -> ColumnElement[bool]:
    return and_(
        col(MemberRow.workspace_id) == tx.workspace_id,
        col(MemberRow.is_active),
        col(MemberRow.is_bot).is_(other=False),
    )


def _is_one_of(tx: Tx, member_ids: Iterable[str]) -> ColumnElement[bool]:
    return and_(col(MemberRow.workspace_id) == tx.workspace_id, is_among(tx, col(MemberRow.id), member_ids))


def _is_away(day: date) -> ColumnElement[bool]:
    return and_(
        col(MemberRow.away_from).is_not(None), col(MemberRow.away_from) <= day, col(MemberRow.away_until) >= day
    )


def _read(text: str, default: time) -> time:
    return time.fromisoformat(text) if text else default
