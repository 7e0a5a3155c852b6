"""Rights on an account. Owns one question: may this person do this to this account; `rules.people.roles` answers. Who
stands in for an absent owner may do what the owner may.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from commands.slice import Call
from rules.people.roles import Permission, may
from storage.accounts.accounts import AccountRow
from storage.db import Tx
from storage.people.members import get_members
from storage.people.team import find_stand_ins
from storage.people.workspaces import get_workspace


def require_on(call: Call, tx: Tx, permission: Permission, account: AccountRow) -> None:
    """Raise `NotAllowedError`, naming the owner, unless the person may do this to `account`."""
    owner_id = account.owner_id
    is_own = owner_id is None or owner_id == call.person.id
    if may(call.person.role, permission, is_own=is_own):
        return
    if owner_id is None or is_own or _stands_in(call, tx, owner_id):
        call.require(permission)
        return
    owner = get_members(tx, [owner_id]).get(owner_id)
    call.require(permission, owner_id=owner_id, owner=owner.name if owner else "")


def _stands_in(call: Call, tx: Tx, owner_id: str) -> bool:
    today = call.now.astimezone(ZoneInfo(get_workspace(tx).zone)).date()
    return find_stand_ins(tx, today).get(owner_id) == call.person.id
