"""Who owns imported accounts: matched by e-mail address, as soon as Slack tells it, or given by a lead. Owns the link
between accounts and members; refuses to ask Slack.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_
from sqlmodel import col, func, select, update

from rules.records import Actor, Change, Role
from storage import audit
from storage.accounts.accounts import AccountRow, is_in_use
from storage.alerts.alerts import enqueue_refreshes
from storage.alerts.announcements import decide_holds_afresh
from storage.db import Tx
from storage.lookup import is_among
from storage.people.members import MemberRow, SlackProfile, find_by_slack_id, save_profile

GIVEN = "member.given"


@dataclass(frozen=True)
class Orphans:
    """Accounts in use that nobody active owns: imported with the address `email` that no member has, or of the member
    `owner_id` who left, by name `name`.
    """

    count: int
    email: str = ""
    owner_id: str = ""
    name: str = ""


def save_from_slack(
    tx: Tx, profile: SlackProfile, now: datetime, *, seen_at: datetime | None = None, default_role: Role = Role.CSM
) -> MemberRow:
    """Bring a member up to date with Slack (see `save_profile`) and give them the accounts imported with their
    e-mail address. `now` is business time; `seen_at` is wall time, where that is another.
    """
    row = save_profile(tx, profile, seen_at or now, default_role=default_role)
    _link_accounts(tx, row, now)
    return row


def list_unlinked_emails(tx: Tx, limit: int = 100) -> list[str]:
    """Addresses of account owners that no member has, in alphabetical order: whom to ask Slack about."""
    known = select(MemberRow.email).where(MemberRow.workspace_id == tx.workspace_id)
    found = tx.session.exec(
        select(func.lower(AccountRow.owner_email))
        .where(
            AccountRow.workspace_id == tx.workspace_id,
            col(AccountRow.owner_id).is_(None),
            AccountRow.owner_email != "",
            func.lower(AccountRow.owner_email).not_in(known),
        )
        .distinct()
        .order_by(func.lower(AccountRow.owner_email))
        .limit(limit)
    )
    return list(found)


def is_expected(tx: Tx, profile: SlackProfile) -> bool:
    """Whether the person matters here: a member already, or the owner of an imported account."""
    if find_by_slack_id(tx, profile.slack_id) is not None:
        return True
    owned = select(AccountRow.id).where(
        AccountRow.workspace_id == tx.workspace_id, func.lower(AccountRow.owner_email) == profile.email.lower()
    )
    return bool(profile.email) and tx.session.exec(owned.limit(1)).first() is not None


def count_owned(tx: Tx) -> dict[str, int]:
    """Accounts in use by the member who owns them."""
    found = tx.session.exec(
        select(AccountRow.owner_id, func.count())
        .where(is_in_use(tx), col(AccountRow.owner_id).is_not(None))
        .group_by(AccountRow.owner_id)
    )
    return {owner_id: count for owner_id, count in found if owner_id}


def list_unmatched(tx: Tx) -> list[Orphans]:
    """The addresses of owners that no member has, the one with the most accounts first."""
    address = func.lower(AccountRow.owner_email)
    found = tx.session.exec(
        select(address, func.count())
        .where(is_in_use(tx), col(AccountRow.owner_id).is_(None), AccountRow.owner_email != "")
        .group_by(address)
        .order_by(func.count().desc(), address)
    )
    return [Orphans(count, email=email) for email, count in found]


def list_left(tx: Tx) -> list[Orphans]:
    """The people who left and still own accounts, the one with the most accounts first."""
    found = tx.session.exec(
        select(MemberRow.id, MemberRow.name, func.count())
        .join(AccountRow, _is_owned_by_left(tx))
        .where(MemberRow.workspace_id == tx.workspace_id)
        .group_by(MemberRow.id, MemberRow.name)
        .order_by(func.count().desc(), MemberRow.name)
    )
    return [Orphans(count, owner_id=id_, name=name) for id_, name, count in found]


def give_accounts(tx: Tx, orphans: Orphans, member_id: str, actor: Actor, now: datetime) -> tuple[str, list[str]]:
    """Make a member the owner of accounts that nobody active owns; returns the audit's line and the accounts' ids."""
    is_it = (
        and_(col(AccountRow.owner_id).is_(None), func.lower(AccountRow.owner_email) == orphans.email)
        if orphans.email
        else col(AccountRow.owner_id) == orphans.owner_id
    )
    ids = list(tx.session.exec(select(AccountRow.id).where(is_in_use(tx), is_it).order_by(AccountRow.id)))
    before = orphans.owner_id or None
    _set_owner(tx, ids, before, member_id, actor, now)
    facts: dict[str, object] = {"email": orphans.email, "owner_id": before, "accounts": ids}
    return audit.record(tx, Change(GIVEN, "member", member_id, after=facts), actor, now), ids


def is_given_since(tx: Tx, line: audit.AuditRow) -> bool:
    """Whether any account that the line gave away has another owner by now, or is gone."""
    ids: list[str] = (line.after or {})["accounts"]
    own = select(func.count()).select_from(AccountRow).where(_is_one_of(tx, ids), AccountRow.owner_id == line.object_id)
    return tx.session.exec(own).one() != len(ids)


def take_accounts_back(tx: Tx, line: audit.AuditRow, actor: Actor, now: datetime) -> list[str]:
    """Give the accounts of the line the owner they had before; returns their ids."""
    facts = line.after or {}
    ids: list[str] = facts["accounts"]
    _set_owner(tx, ids, line.object_id, facts["owner_id"], actor, now)
    audit.record(tx, Change("change.undone", "change", line.id, before=line.after), actor, now)
    return ids


def _set_owner(tx: Tx, ids: Sequence[str], before: str | None, after: str | None, actor: Actor, now: datetime) -> None:
    """Told account by account, so that each one's timeline and whoever has its form open know; the open alerts
    that name the owner before are shown anew.
    """
    if ids:
        tx.session.exec(
            select(AccountRow.id).where(_is_one_of(tx, ids)).order_by(AccountRow.id).with_for_update()
        ).all()
        tx.session.exec(update(AccountRow).where(_is_one_of(tx, ids)).values(owner_id=after))
    for id_ in ids:
        change = Change("account.changed", "account", id_, id_, before={"owner_id": before}, after={"owner_id": after})
        audit.record(tx, change, actor, now)
    decide_holds_afresh(tx, ids)
    enqueue_refreshes(tx, ids, now)


def _is_one_of(tx: Tx, ids: Sequence[str]) -> ColumnElement[bool]:
    return and_(col(AccountRow.workspace_id) == tx.workspace_id, is_among(tx, col(AccountRow.id), ids))


def _is_owned_by_left(tx: Tx) -> ColumnElement[bool]:
    return and_(is_in_use(tx), col(AccountRow.owner_id) == col(MemberRow.id), col(MemberRow.is_active).is_(other=False))


def _link_accounts(tx: Tx, row: MemberRow, now: datetime) -> None:
    if not row.email or row.is_bot or not row.is_active:
        return
    is_theirs = and_(col(AccountRow.owner_id).is_(None), func.lower(AccountRow.owner_email) == row.email)
    ids = tx.session.exec(select(AccountRow.id).where(AccountRow.workspace_id == tx.workspace_id, is_theirs)).all()
    _set_owner(tx, ids, None, row.id, Actor.job("slack"), now)
