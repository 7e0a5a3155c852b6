"""People of the team in words: a line of the list, what changed about them. Owns these words; changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from commands.kit import esc, mention
from rules.people.working_time import WorkingTime
from rules.records import DigestWish, Role
from storage.db import Tx
from storage.people.members import MemberRow, get_members
from words.reader import Reader


def role_word(reader: Reader, role: Role) -> str:
    """What a role is called."""
    return {
        Role.VIEWER: reader.say("viewer"),
        Role.CSM: reader.say("CSM"),
        Role.LEAD: reader.say("lead"),
        Role.ADMIN: reader.say("admin"),
    }[role]


def wish_word(reader: Reader, wish: DigestWish) -> str:
    """How often a digest comes."""
    return {
        DigestWish.DAILY: reader.say("each working day"),
        DigestWish.WEEKLY: reader.say("once a week"),
        DigestWish.OFF: reader.say("never"),
    }[wish]


def shown_person(row: MemberRow) -> str:
    """A person's name for mrkdwn, without calling them; before Slack told it, their mention."""
    return esc(row.name) if row.name else mention(row.slack_id)


def person_line(reader: Reader, row: MemberRow, time: WorkingTime, accounts: int, now: datetime) -> str:
    """Name, role, accounts, and what the clock says where the person is."""
    owned = reader.say_many("{count} account", "{count} accounts", accounts)
    clock = f"{time.to_local(now):%H:%M}"
    return f"*{shown_person(row)}* · {role_word(reader, row.role)} · {owned} · {clock} {esc(time.zone)}"


def absence_line(reader: Reader, row: MemberRow, cover: MemberRow | None, today: date) -> str:
    """Until when somebody is away or will be, and who looks after their accounts; "" for who is there."""
    if row.away_from is None or row.away_until is None or row.away_until < today:
        return ""
    until = reader.date(row.away_until, today=today)
    if row.away_from > today:
        said = reader.say("away from {start} until {end}", start=reader.date(row.away_from, today=today), end=until)
    else:
        said = reader.say("away until {end}", end=until)
    who = shown_person(cover) if cover else ""
    covered = reader.say("{person} covers", person=who) if who else reader.say("nobody covers")
    return f"{said}, {covered}"


def member_change_lines(
    reader: Reader, tx: Tx, before: Mapping[str, object], after: Mapping[str, object], today: date
) -> list[str]:
    """What was there and what is now, a line for each column that differs."""
    ids = [str(each["cover_id"]) for each in (before, after) if each.get("cover_id")]
    people, names = get_members(tx, ids), _names(reader)
    shown = {name: [_show(reader, people, name, each[name], today) for each in (before, after)] for name in after}
    return [f"{names[name]}: {old} → {new}" for name, (old, new) in shown.items()]


def _names(reader: Reader) -> dict[str, str]:
    return {
        "role": reader.say("role"),
        "own_zone": reader.say("time zone"),
        "country": reader.say("public holidays"),
        "work_from": reader.say("working day begins"),
        "work_until": reader.say("working day ends"),
        "digest_at": reader.say("digest comes at"),
        "digest_wish": reader.say("digest"),
        "away_from": reader.say("away from"),
        "away_until": reader.say("away until"),
        "cover_id": reader.say("cover"),
    }


def _show(reader: Reader, people: Mapping[str, MemberRow], name: str, value: object, today: date) -> str:
    match name, value:
        case "own_zone", "":
            return reader.say("as in Slack")
        case _, "":
            return reader.say("as the team")
        case _, None:
            return "–"
        case _, Role() as role:
            return role_word(reader, role)
        case _, DigestWish() as wish:
            return wish_word(reader, wish)
        case _, date() as day:
            return reader.date(day, today=today)
        case "country", _:
            return esc(reader.country(str(value)))
        case "cover_id", str(id_):
            return shown_person(people[id_]) if id_ in people else reader.say("somebody who left")
        case _:
            return esc(str(value))
