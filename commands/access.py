"""Rights on an account. Owns one question: may this person do this to this account; `rules.people.roles` answers."""

from __future__ import annotations

from commands.slice import Call
from rules.people.roles import Permission
from storage.accounts.accounts import AccountRow
from storage.db import Tx
from storage.people.members import get_members


def require_on(call: Call, tx: Tx, permission: Permission, account: AccountRow) -> None:
    """Raise `NotAllowedError`, naming the owner, unless the person may do this to `account`."""
    owner = get_members(tx, [account.owner_id]).get(account.owner_id) if account.owner_id else None
    call.require(permission, owner_id=account.owner_id, owner=owner.name if owner else "")
