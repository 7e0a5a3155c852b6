"""What may change about a person of the team, and who may change it: role, working time, absence. Owns the decisions
and their intents; refuses Slack's own rights and names of people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from rules.calendar import list_countries
from rules.errors import NotAllowedError, UserError
from rules.people.clock_times import check_country, check_hours, check_time, check_zone
from rules.records import DigestWish, Role

LONGEST_ABSENCE_DAYS = 366
_LEADING = frozenset({Role.LEAD, Role.ADMIN})


@dataclass(frozen=True)
class Teammate:
    """A person as the decisions see them. `leading_others`: how many leads and admins there are besides."""

    id: str
    role: Role
    is_slack_admin: bool = False
    leading_others: int = 0


@dataclass(frozen=True)
class PersonalTime:
    """What a person chose instead of the workspace's working time, by column; "" where the workspace's holds.

    `own_zone`: IANA; `country`: ISO 3166; `work_from`, `work_until`, `digest_at`: "HH:MM".
    """

    own_zone: str = ""
    country: str = ""
    work_from: str = ""
    work_until: str = ""
    digest_at: str = ""
    digest_wish: DigestWish = DigestWish.DAILY


@dataclass(frozen=True)
class Absence:
    """Away from `away_from` to `away_until`, both included; `cover_id` is the member who looks after the accounts."""

    away_from: date | None = None
    away_until: date | None = None
    cover_id: str | None = None


@dataclass(frozen=True)
class ChangeMember:
    """Write these columns of a member. `version`: the one the person saw, None for any."""

    member_id: str
    changes: Mapping[str, object]
    version: int | None = None


def decide_role(actor: Teammate, target: Teammate, wanted: Role) -> list[ChangeMember]:
    """The intent that gives `target` a role; none where they have it. Raises `UserError`.

    A lead makes viewers, CSMs and leads, an admin everybody. Slack's admins stay admins, and somebody must be able to
    lead.
    """
    if wanted is target.role:
        return []
    if actor.role not in _LEADING:
        raise NotAllowedError("Only a lead or an admin changes roles. Ask one of them.")
    if target.is_slack_admin:
        raise UserError(
            "This person is an owner or admin of the Slack workspace, and so always an admin here. Change it in Slack "
            "first.",
            field="role",
        )
    if Role.ADMIN in (wanted, target.role) and actor.role is not Role.ADMIN:
        raise NotAllowedError("Only an admin makes or unmakes an admin. Ask one of them.")
    if target.role in _LEADING and wanted not in _LEADING and not target.leading_others:
        raise UserError(
            "Nobody else is a lead or an admin: then nobody could change roles or the setup. Make somebody else a "
            "lead first.",
            field="role",
        )
    return [ChangeMember(target.id, {"role": wanted})]


def decide_time(member_id: str, present: PersonalTime, wanted: PersonalTime) -> list[ChangeMember]:
    """The intent that turns a person's working time into `wanted`; none where nothing differs. Raises `UserError`."""
    if wanted.own_zone:
        check_zone(wanted.own_zone)
    check_country(wanted.country, list_countries())
    check_hours(wanted.work_from, wanted.work_until)
    check_time(wanted.digest_at, "digest_at")
    return _difference(member_id, vars(present), vars(wanted))


def decide_absence(member_id: str, present: Absence, wanted: Absence, today: date) -> list[ChangeMember]:
    """The intent that writes an absence (an empty one: back again); none where nothing differs. Raises `UserError`.

    A day of return that is over, or years away, is refused; so is somebody covering for themselves.
    """
    start, end = wanted.away_from, wanted.away_until
    if wanted.cover_id == member_id:
        raise UserError("Nobody can cover for themselves. Choose somebody else.", field="cover")
    if start is None and end is not None:
        start = today
    if start is None and wanted.cover_id is None:
        return _difference(member_id, vars(present), vars(Absence()))
    if start is None or end is None:
        raise UserError("Until when? Name the last day away, like `until 12 Dec`.", field="away_until")
    if end < max(start, today):
        raise UserError("{day} is over before the absence begins. Name the last day away.", field="away_until", day=end)
    if (end - start).days > LONGEST_ABSENCE_DAYS:
        raise UserError("That is more than a year. Give the accounts to somebody else instead.", field="away_until")
    return _difference(member_id, vars(present), vars(Absence(start, end, wanted.cover_id)))


def merge(intents: list[ChangeMember], version: int | None = None) -> list[ChangeMember]:
    """The changes of one member as one, so that they are told, audited and taken back together."""
    if not intents:
        return []
    changes = {name: value for each in intents for name, value in each.changes.items()}
    return [ChangeMember(intents[0].member_id, changes, version)]


def _difference(member_id: str, before: Mapping[str, object], after: Mapping[str, object]) -> list[ChangeMember]:
    changes = {name: value for name, value in after.items() if before[name] != value}
    return [ChangeMember(member_id, changes)] if changes else []
