"""The form of one person of the team: role, working time, absence. Owns its fields and reading them; stores nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from commands.kit import Json, context, date_picker, form_field, menu, person_menu
from commands.people.places import country_menu, read_choice, zone_menu
from commands.people.setup_form import AUTO, digest_choices, read_time_choice
from commands.people.team_words import role_word, shown_person, wish_word
from commands.slice import Call, FormView, OpenForm, Ref
from commands.typed import get_worker, read_date
from rules.people.roles import Permission, may
from rules.people.team import Absence, PersonalTime, Teammate
from rules.records import DigestWish, Role
from storage.db import Tx
from storage.people.members import MemberRow, find_member
from storage.people.team import count_leading
from storage.people.workspaces import WorkspaceRow, get_workspace
from words.reader import Reader

MEMBER_FORM = "team.member"
TEAM_TIME = "team"
"""The option of a menu of hours that means: as the team."""
_QUARTERS = tuple(f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 15, 30, 45))


@dataclass(frozen=True)
class Filled:
    """The submitted form. `role` None: it had no such field."""

    role: Role | None
    time: PersonalTime
    absence: Absence


def to_teammate(tx: Tx, row: MemberRow) -> Teammate:
    """The person as decisions about roles see them."""
    return Teammate(row.id, row.role, row.is_slack_admin, count_leading(tx, without=row.id))


def to_time(row: MemberRow) -> PersonalTime:
    """What the person chose for themselves."""
    return PersonalTime(
        row.own_zone, row.country, row.work_from, row.work_until, row.digest_at, DigestWish(row.digest_wish)
    )


def to_absence(row: MemberRow, today: date) -> Absence:
    """The present or coming absence; one that is over is none."""
    is_over = row.away_until is None or row.away_until < today
    return Absence() if is_over else Absence(row.away_from, row.away_until, row.cover_id)


def open_member_form(call: Call, tx: Tx, row: MemberRow, today: date) -> OpenForm:
    """The form with the person's present values; the role only for who may change it."""
    reader, home = call.reader, get_workspace(tx)
    present = to_absence(row, today)
    cover = find_member(tx, present.cover_id) if present.cover_id else None
    blocks = (
        context(f"*{shown_person(row)}*"),
        *_role_fields(call, row),
        *_time_fields(reader, row, home),
        *_absence_fields(reader, present, cover.slack_id if cover else ""),
    )
    ref = Ref("member", row.id, {"version": str(row.version)})
    return OpenForm(FormView(MEMBER_FORM, reader.say("Person of the team"), blocks, reader.say("Save"), ref))


def read_member_form(call: Call, tx: Tx, today: date) -> Filled:
    """The submitted form. Raises `UserError` with the field at fault."""
    days = {name: call.value(name) for name in ("away_from", "away_until")}
    read = {name: read_date(text, today, field=name) if text else None for name, text in days.items()}
    cover = get_worker(tx, call.value("cover"), field="cover") if call.value("cover") else None
    role = call.value("role")
    return Filled(
        role=Role(role) if role in list(Role) else None,
        time=PersonalTime(
            own_zone=read_choice(call, "zone"),
            country=read_choice(call, "country"),
            work_from=_read_hour(call, "work_from"),
            work_until=_read_hour(call, "work_until"),
            digest_at=read_time_choice(call, "digest_at"),
            digest_wish=DigestWish(call.value("digest_wish") or DigestWish.DAILY),
        ),
        absence=Absence(read["away_from"], read["away_until"], cover.id if cover else None),
    )


def _read_hour(call: Call, field: str) -> str:
    value = call.value(field)
    return "" if value == TEAM_TIME else value


def _role_fields(call: Call, row: MemberRow) -> tuple[Json, ...]:
    """Nothing where the person who asks may not change the role."""
    reader, actor = call.reader, call.person.role
    roles = [role for role in Role if actor is Role.ADMIN or role is not Role.ADMIN]
    if row.is_slack_admin and may(actor, Permission.TEAM):
        return (context(reader.say("Owner or admin of the Slack workspace, and so always an admin here.")),)
    if not may(actor, Permission.TEAM) or row.role not in roles:
        return ()
    choices = [(role.value, role_word(reader, role)) for role in roles]
    return (form_field("role", reader.say("Role"), menu("value", "…", choices, initial=row.role.value)),)


def _time_fields(reader: Reader, row: MemberRow, home: WorkspaceRow) -> tuple[Json, ...]:
    team_country = reader.country(home.country) if home.country else reader.say("only weekends")
    as_team = reader.say("As the team: {value}", value=team_country)
    wishes = [(wish.value, wish_word(reader, wish)) for wish in DigestWish]
    digests = menu("value", "…", digest_choices(reader, row.digest_at), initial=row.digest_at or AUTO)
    return (
        form_field("zone", reader.say("Time zone"), zone_menu(reader, row.own_zone, reader.say("As in Slack"))),
        form_field("country", reader.say("Public holidays of"), country_menu(reader, row.country, as_team)),
        _hour_field(reader, "work_from", reader.say("The working day begins at"), row.work_from, home.work_from),
        _hour_field(reader, "work_until", reader.say("and ends at"), row.work_until, home.work_until),
        form_field(
            "digest_wish", reader.say("Digest"), menu("value", "…", wishes, initial=DigestWish(row.digest_wish).value)
        ),
        form_field("digest_at", reader.say("It comes at"), digests),
    )


def _hour_field(reader: Reader, name: str, label: str, own: str, teams: str) -> Json:
    as_team = (TEAM_TIME, reader.say("As the team: {value}", value=teams))
    choices = [as_team, *((each, each) for each in sorted({*_QUARTERS, own} - {""}))]
    return form_field(name, label, menu("value", "…", choices, initial=own or TEAM_TIME))


def _absence_fields(reader: Reader, present: Absence, cover: str) -> tuple[Json, ...]:
    fields = (
        ("away_from", reader.say("Away from"), date_picker(initial=present.away_from)),
        ("away_until", reader.say("Away until (last day)"), date_picker(initial=present.away_until)),
        ("cover", reader.say("Who looks after the accounts"), person_menu("…", initial=cover)),
    )
    return tuple(form_field(name, label, element, is_optional=True) for name, label, element in fields)
