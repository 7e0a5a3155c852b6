"""Who may do what. Owns the one table of permissions; refuses to know how a person asked."""

from __future__ import annotations

from enum import StrEnum

from rules.errors import NotAllowedError
from rules.records import Role


class Permission(StrEnum):
    """Things a member may be allowed to do. ACCOUNT_* ones are for one's own accounts unless lead.

    OWN_TIME: choose one's own working time and absence; TEAM: everybody's, roles, and who owns what was imported.
    OPERATE: see and mend what the bot itself does (`/cs admin`).
    """

    READ = "read"
    ACCOUNT_WRITE = "account_write"
    ACCOUNT_ADD = "account_add"
    ASSIGN = "assign"
    SETUP = "setup"
    OWN_TIME = "own_time"
    TEAM = "team"
    OPERATE = "operate"


_NEEDS: dict[Permission, Role] = {
    Permission.READ: Role.VIEWER,
    Permission.ACCOUNT_WRITE: Role.CSM,
    Permission.ACCOUNT_ADD: Role.CSM,
    Permission.ASSIGN: Role.CSM,
    Permission.SETUP: Role.LEAD,
    Permission.OWN_TIME: Role.CSM,
    Permission.TEAM: Role.LEAD,
    Permission.OPERATE: Role.ADMIN,
}
_RANK = list(Role)
_OWN_ONLY = frozenset({Permission.ACCOUNT_WRITE, Permission.ASSIGN})


def may(role: Role, permission: Permission, *, is_own: bool = True) -> bool:
    """Whether a member of `role` holds `permission`.

    `is_own`: the account belongs to the member or to nobody; leads and admins act on every account.
    """
    if _RANK.index(role) < _RANK.index(_NEEDS[permission]):
        return False
    return is_own or permission not in _OWN_ONLY or role in (Role.LEAD, Role.ADMIN)


def require(role: Role, permission: Permission, *, is_own: bool = True, owner: str = "") -> None:
    """Raise `NotAllowedError`, in words that name who can, unless `may`."""
    if may(role, permission, is_own=is_own):
        return
    if _RANK.index(role) < _RANK.index(_NEEDS[permission]):
        raise NotAllowedError(
            "Your role ({role}) does not allow this. Ask an admin to make you {needed}.",
            role=_spoken(role),
            needed=_spoken(_NEEDS[permission]),
        )
    raise NotAllowedError(
        "This account belongs to {owner}. Only they or a lead can change it: "
        "ask them to, or ask a lead to assign it to you.",
        owner=owner or "somebody else",
    )


def _spoken(role: Role) -> str:
    """The role as people write it."""
    return "CSM" if role is Role.CSM else role.value
