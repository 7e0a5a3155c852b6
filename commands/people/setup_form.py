"""The form of `/cs setup`: its fields with the present values, and what was chosen in them. Owns reading both ways;
stores nothing and chooses no channel.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from commands.kit import Json, channel_menu, context, form_field, menu, person_menu, text_input, time_picker
from commands.people.places import country_menu, read_choice, zone_menu
from commands.slice import Call, FormView, OpenForm, Ref
from commands.typed import get_person, is_channel_id
from rules.errors import UserError
from rules.people.setup import Setup
from storage.db import Tx
from storage.people.members import get_members
from storage.people.workspaces import WorkspaceRow
from words.currencies import find_currency
from words.language import get_language, list_languages
from words.reader import Reader

SETUP_FORM = "setup.workspace"
AUTO = "auto"
"""The option of a menu of times that means: ten minutes after the working day begins."""
LANGUAGES = (("en-US", "English"), ("zh-CN", "简体中文"), ("zh-TW", "繁體中文"))
_TEXT_LENGTH = 60
_WEEKDAYS = range(5)
_QUARTERS = tuple(f"{hour:02}:{minute:02}" for hour in range(6, 21) for minute in (0, 15, 30, 45))


def to_setup(row: WorkspaceRow) -> Setup:
    """The settings of a workspace."""
    return Setup(**{each.name: getattr(row, each.name) for each in fields(Setup)})


def open_setup_form(call: Call, tx: Tx, row: WorkspaceRow, places: str) -> OpenForm:
    """The form with the present settings; `places` is said above it. A new workspace's channel is empty."""
    reader, present = call.reader, to_setup(row)
    lead = get_members(tx, [row.lead_id]).get(row.lead_id) if row.lead_id else None
    blocks = (
        context(places),
        *_place_fields(reader, present, lead.slack_id if lead else ""),
        *_time_fields(reader, present),
        *_word_fields(reader, present),
    )
    ref = Ref("setup", row.id, {"version": str(row.version)})
    return OpenForm(FormView(SETUP_FORM, reader.say("Set up Milepost"), blocks, reader.say("Save"), ref))


def read_setup_form(call: Call, tx: Tx, present: Setup) -> Setup:
    """The submitted form; a field that it does not have keeps its value. Raises `UserError` with the field at fault."""
    channel = call.value("team_channel_id")
    if channel and not is_channel_id(channel):
        raise UserError("Choose a channel, not a direct message.", field="team_channel_id")
    read: dict[str, Any] = {
        "team_channel_id": channel,
        "lead_id": get_person(tx, call.value("lead_id"), field="lead_id").id if call.value("lead_id") else None,
        "country": read_choice(call, "country"),
        "zone": read_choice(call, "zone"),
        "work_from": call.value("work_from"),
        "work_until": call.value("work_until"),
        "digest_at": read_time_choice(call, "digest_at"),
        "weekly_on": int(call.value("weekly_on") or present.weekly_on),
        "currency": find_currency(call.value("currency")) or call.value("currency").upper(),
        "locale": call.value("locale") or present.locale,
        "is_hiding_amounts": call.value("is_hiding_amounts") == "hidden",
    }
    return replace(present, **{name: value for name, value in read.items() if name in call.values})


def read_time_choice(call: Call, field: str) -> str:
    """The time chosen in a menu of times, "" for the usual one."""
    value = call.value(field)
    return "" if value == AUTO else value


def digest_choices(reader: Reader, present: str) -> list[tuple[str, str]]:
    """The times a digest can come at: the usual one, each quarter of an hour, and the present one."""
    usual = (AUTO, reader.say("Ten minutes after the working day begins"))
    return [usual, *((each, each) for each in sorted({*_QUARTERS, present} - {""}))]


def language_name(locale: str) -> str:
    """How the language that a locale is spoken to in calls itself."""
    return next((name for known, name in LANGUAGES if get_language(known) == get_language(locale)), locale)


def _place_fields(reader: Reader, present: Setup, lead: str) -> tuple[Json, ...]:
    channels = channel_menu(reader.say("Choose a channel"), initial=present.team_channel_id)
    return (
        form_field(
            "team_channel_id",
            reader.say("Alerts of the team go to"),
            channels,
            hint=reader.say(
                "For accounts without a channel of their own. Empty: to the owner of the account. A private channel: "
                "invite Milepost first."
            ),
            is_optional=True,
        ),
        form_field(
            "lead_id",
            reader.say("Lead of the team"),
            person_menu(reader.say("Choose a person"), initial=lead),
            hint=reader.say("Hears of what nobody owns."),
            is_optional=True,
        ),
    )


def _time_fields(reader: Reader, present: Setup) -> tuple[Json, ...]:
    nothing = reader.say("None: only weekends are off")
    digests = menu("value", "…", digest_choices(reader, present.digest_at), initial=present.digest_at or AUTO)
    days = [(str(day), reader.weekday(day)) for day in _WEEKDAYS]
    own = reader.say("Everybody can choose their own with `/cs team`.").replace("`", "")
    return (
        form_field(
            "country", reader.say("Public holidays of"), country_menu(reader, present.country, nothing), hint=own
        ),
        form_field("zone", reader.say("Time zone"), zone_menu(reader, present.zone)),
        form_field("work_from", reader.say("The working day begins at"), time_picker(initial=present.work_from)),
        form_field("work_until", reader.say("and ends at"), time_picker(initial=present.work_until)),
        form_field("digest_at", reader.say("Digests come at"), digests),
        form_field(
            "weekly_on",
            reader.say("What comes weekly comes on"),
            menu("value", "…", days, initial=str(present.weekly_on)),
        ),
    )


def _word_fields(reader: Reader, present: Setup) -> tuple[Json, ...]:
    currency = text_input(initial=present.currency, placeholder="EUR", max_length=_TEXT_LENGTH)
    known = [each for each in LANGUAGES if get_language(each[0]) in list_languages()]
    chosen = next((each for each, _name in known if get_language(each) == get_language(present.locale)), "")
    amounts = [("shown", reader.say("Shown")), ("hidden", reader.say("Hidden"))]
    is_hidden = "hidden" if present.is_hiding_amounts else "shown"
    return (
        form_field("currency", reader.say("Currency of amounts without one"), currency),
        form_field("locale", reader.say("Language in channels"), menu("value", "…", known, initial=chosen)),
        form_field(
            "is_hiding_amounts", reader.say("Amounts in channels"), menu("value", "…", amounts, initial=is_hidden)
        ),
    )
