"""Who owns imported accounts: matched by e-mail address, as soon as Slack tells it. Owns the link between accounts and
members; refuses to ask Slack.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col, func, select, update

from rules.records import Actor, Change, Role
from storage import audit
from storage.accounts.accounts import AccountRow
from storage.db import Tx
from storage.people.members import MemberRow, SlackProfile, find_by_slack_id, save_profile


def save_from_slack(tx: Tx, profile: SlackProfile, now: datetime, *, default_role: Role = Role.CSM) -> MemberRow:
    """Bring a member up to date with Slack (see `save_profile`) and give them the accounts imported with their
    e-mail address. `now` is wall time.
    """
    row = save_profile(tx, profile, now, default_role=default_role)
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


def _link_accounts(tx: Tx, row: MemberRow, now: datetime) -> None:
    if not row.email or row.is_bot or not row.is_active:
        return
    linked = tx.session.exec(
        update(AccountRow)
        .where(
            col(AccountRow.workspace_id) == tx.workspace_id,
            col(AccountRow.owner_id).is_(None),
            func.lower(AccountRow.owner_email) == row.email,
        )
        .values(owner_id=row.id)
    )
    if linked.rowcount:
        audit.record(tx, Change("link", "member", row.id, after={"accounts": linked.rowcount}), Actor.job("slack"), now)
