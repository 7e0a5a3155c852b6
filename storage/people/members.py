"""Members: the people of the workspace as Slack knows them, with their role here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, func
from sqlalchemy import select as select_columns
from sqlmodel import Field, SQLModel, UniqueConstraint, col, select, update

from rules.records import Actor, Change, DigestWish, Role
from storage import audit
from storage.db import Tx
from storage.errors import NotFoundError
from storage.fields import choice, key, moment, table_of, workspace
from storage.types import new_id
from storage.upsert import upsert

_SLACK = Actor.job("slack")


class MemberRow(SQLModel, table=True):
    """One person. `refreshed_at` is when Slack last told us about them (None: never, only the id is known).
    `is_slack_admin`: an owner or admin of the Slack workspace, and so always an admin here.

    `zone` is Slack's, `own_zone` one chosen here instead ("" for none). `country`, `work_from`, `work_until` and
    `digest_at` are "" where the workspace's hold. From `away_from` to `away_until` (both included) `cover_id` looks
    after the person's accounts.
    """

    __tablename__ = "members"
    __table_args__ = (UniqueConstraint("workspace_id", "slack_id"),)

    id: str = key()
    workspace_id: str = workspace()
    slack_id: str
    name: str = ""
    email: str = Field(default="", index=True)
    zone: str = "UTC"
    locale: str = "en-US"
    role: Role = choice(Role, default=Role.CSM)
    is_bot: bool = False
    is_active: bool = True
    is_slack_admin: bool = False
    own_zone: str = ""
    country: str = ""
    work_from: str = ""
    work_until: str = ""
    digest_at: str = ""
    digest_wish: DigestWish = choice(DigestWish, default=DigestWish.DAILY)
    cover_id: str | None = Field(default=None, foreign_key="members.id")
    away_from: date | None = None
    away_until: date | None = None
    version: int = 1
    refreshed_at: datetime | None = moment(default=None, nullable=True)

    @property
    def local_zone(self) -> str:
        """The zone the person lives by: chosen here, else Slack's."""
        return self.own_zone or self.zone


@dataclass(frozen=True)
class SlackProfile:
    """What Slack says of a person. `zone` is an IANA name; `zone` and `locale` "" where Slack left them out.

    `is_admin`: an owner or admin of the Slack workspace; `is_guest`: invited to single channels only.
    """

    slack_id: str
    name: str
    email: str = ""
    zone: str = ""
    locale: str = ""
    is_admin: bool = False
    is_guest: bool = False
    is_bot: bool = False
    is_active: bool = True


@dataclass(frozen=True)
class Acting:
    """What is asked of the person behind every payload. `zone` is the one they live by."""

    id: str
    name: str
    role: Role
    locale: str
    zone: str
    refreshed_at: datetime | None


_OF = table_of(MemberRow).c
# Put together once, because they are asked all the time. Every payload begins with who acts, of the few columns needed.
_BY_ID = select(MemberRow).where(
    MemberRow.workspace_id == bindparam("workspace_id"), col(MemberRow.id).in_(bindparam("ids", expanding=True))
)
_ACTING = select_columns(
    *(_OF.id, _OF.name, _OF.role, _OF.locale),
    func.coalesce(func.nullif(_OF.own_zone, ""), _OF.zone),
    _OF.refreshed_at,
).where(_OF.workspace_id == bindparam("workspace_id"), _OF.slack_id == bindparam("slack_id"))


def find_by_slack_id(tx: Tx, slack_id: str) -> MemberRow | None:
    """The member with Slack's user id."""
    return tx.session.exec(
        select(MemberRow).where(MemberRow.workspace_id == tx.workspace_id, MemberRow.slack_id == slack_id)
    ).first()


def find_acting(tx: Tx, slack_id: str) -> Acting | None:
    """Who acts, by Slack's user id; None if they were never met."""
    found = tx.session.execute(_ACTING, {"workspace_id": tx.workspace_id, "slack_id": slack_id}).first()
    return Acting(*found) if found else None


def find_member(tx: Tx, member_id: str) -> MemberRow | None:
    """The member with our id."""
    return get_members(tx, [member_id]).get(member_id)


def get_member(tx: Tx, member_id: str) -> MemberRow:
    """The member with our id. Raises `NotFoundError`."""
    row = find_member(tx, member_id)
    if row is None:
        raise NotFoundError("That person is no longer a member here.")
    return row


def get_members(tx: Tx, member_ids: Iterable[str]) -> dict[str, MemberRow]:
    """The members with these ids, by id; unknown ids are left out."""
    wanted = sorted(set(member_ids))
    if not wanted:
        return {}
    found = tx.session.exec(_BY_ID, params={"workspace_id": tx.workspace_id, "ids": wanted})
    return {row.id: row for row in found}


def list_member_ids(tx: Tx, emails: Iterable[str]) -> dict[str, str]:
    """Member id by e-mail address, for those that are known."""
    statement = select(MemberRow.email, MemberRow.id).where(
        MemberRow.workspace_id == tx.workspace_id, col(MemberRow.email).in_({each for each in emails if each})
    )
    return dict(tx.session.exec(statement).all())


def add_by_slack_id(tx: Tx, slack_id: str, *, role: Role, zone: str, locale: str) -> MemberRow:
    """The member with Slack's user id, made with these defaults where nothing is known yet."""
    row = {
        "id": new_id(),
        "slack_id": slack_id,
        "name": "",
        "email": "",
        "zone": zone,
        "locale": locale,
        "role": role,
        "is_bot": False,
        "is_active": True,
    }
    upsert(tx, MemberRow, [row], keys=["workspace_id", "slack_id"])
    found = find_by_slack_id(tx, slack_id)
    if found is None:
        raise NotFoundError("That person is no longer a member here.")
    return found


def save_profile(tx: Tx, profile: SlackProfile, now: datetime, *, default_role: Role = Role.CSM) -> MemberRow:
    """Bring a member up to date with Slack.

    Slack's owners and admins are always admins; a guest met for the first time is a viewer. Any other role given
    here stays. `now` is wall time.
    """
    row = add_by_slack_id(
        tx, profile.slack_id, role=default_role, zone=profile.zone or "UTC", locale=profile.locale or "en-US"
    )
    role = _role_after(row, profile)
    if role is not row.role:
        change = Change("role", "member", row.id, before={"role": row.role.value}, after={"role": role.value})
        audit.record(tx, change, _SLACK, now)
    tx.session.exec(
        update(MemberRow)
        .where(col(MemberRow.workspace_id) == tx.workspace_id, col(MemberRow.id) == row.id)
        .values(
            name=profile.name,
            email=profile.email.lower(),
            zone=profile.zone or row.zone,
            locale=profile.locale or row.locale,
            role=role,
            is_bot=profile.is_bot,
            is_active=profile.is_active,
            is_slack_admin=profile.is_admin,
            refreshed_at=now,
        )
    )
    return row


def _role_after(row: MemberRow, profile: SlackProfile) -> Role:
    if profile.is_admin:
        return Role.ADMIN
    return Role.VIEWER if profile.is_guest and row.refreshed_at is None else row.role
